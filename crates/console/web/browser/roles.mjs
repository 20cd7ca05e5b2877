// The page in Chromium before a server that answers from fixtures: every role, every view, both themes, small and large;
// hostile names, endpoints that are not there, connections that end. The real process is in story.mjs.
//
// usage: node browser/roles.mjs [FOLDER for screenshots]
import assert from "node:assert/strict";
import { join } from "node:path";
import { serious } from "./axe.mjs";
import { check, finish, until } from "./check.mjs";
import { serve } from "./fake.mjs";
import { launch, open, shoot } from "./open.mjs";

const shots = process.argv[2];
const VIEWS = ["overview", "partitions", "metrics?name=cpu_usage_percent", "explain", "rejections", "api"];
const behaviour = { role: "standalone" };
const server = await serve(0, behaviour);
const browser = await launch();

/** What is told by the browser itself of an endpoint that is not there. */
const isMissing = (text) => /status of (404|503)/.test(text);

const settle = async (page, view) => {
  if (view === "explain") {
    await page.click("button.primary");
    await page.waitForSelector(".result .notice");
  }
  if (view === "overview") await page.waitForSelector(".plot canvas:visible, .tile:visible");
  if (view.startsWith("metrics")) await page.waitForSelector(".plot canvas");
  if (view === "rejections") await page.waitForSelector(".rejections summary");
};

for (const [size, scheme] of [["desktop", "light"], ["desktop", "dark"], ["phone", "light"], ["narrow", "dark"]]) {
  await check(`every view is readable and accessible, ${size}, ${scheme}`, async () => {
    const { page, wrong, close } = await open(browser, server.url, { size, scheme, isExpected: isMissing });
    const found = [];
    for (const view of VIEWS) {
      await page.goto(`${server.url}#/${view}`);
      await settle(page, view);
      const name = view.split("?")[0];
      if (shots !== undefined) await shoot(page, join(shots, `${name}-${size}-${scheme}.png`));
      found.push(...(await serious(page)).map((line) => `${view}: ${line}`));
      const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(over <= 0, `${view} is ${over} pixels wider than the window`);
    }
    assert.deepEqual(found, []);
    assert.equal(await page.evaluate(() => window.hacked), undefined);
    assert.deepEqual(wrong, []);
    await close();
  });
}

await check("each role shows what it knows, and nothing in place of the rest", async () => {
  const expected = {
    standalone: { tiles: ["Samples in", "Samples out"], missing: ["Spool"], stores: true },
    gateway: { tiles: ["Samples in"], missing: ["Samples out"], stores: false },
    consumer: { tiles: ["Samples out"], missing: ["Samples in", "In flight"], stores: true },
  };
  for (const [role, { tiles, missing, stores }] of Object.entries(expected)) {
    behaviour.role = role;
    const { page, wrong, close } = await open(browser, server.url);
    await page.waitForSelector(".tile:visible");
    const names = await page.locator(".tile:visible .tile-name").allTextContents();
    for (const name of tiles) assert.ok(names.includes(name), `${role}: ${names}`);
    for (const name of missing) assert.ok(!names.includes(name), `${role}: ${names}`);
    assert.equal(await page.getByRole("heading", { name: "Stores" }).isVisible(), stores, role);
    assert.match(await page.locator(".who").innerText(), new RegExp(role));
    if (role !== "standalone") {
      await page.goto(`${server.url}#/partitions`);
      await page.waitForSelector(".cell");
      assert.equal(await page.locator(".cell").count(), 64);
    }
    assert.deepEqual(wrong, []);
    await close();
  }
  behaviour.role = "standalone";
});

await check("endpoints that are not there are said to be, and the rest works", async () => {
  const all = ["/api/v1/overview", "/api/v1/live", "/api/v1/names", "/api/v1/heat", "/api/v1/cardinality", "/api/v1/rejections", "/api/v1/explain", "/api/v1/recent/series", "/api/v1/recent/samples", "/api/v1/archive/aggregate"];
  behaviour.absent = all;
  const { page, wrong, close } = await open(browser, server.url, { isExpected: isMissing });
  await page.waitForSelector('.connection[data-state="absent"]');
  await page.goto(`${server.url}#/explain`);
  await page.click("button.primary");
  await page.waitForSelector(".result .notice-bad");
  await page.goto(`${server.url}#/metrics?name=up`);
  await page.waitForSelector(".notice");
  await page.goto(`${server.url}#/rejections`);
  await page.waitForSelector(".notice-bad");
  assert.deepEqual(wrong, []);
  behaviour.absent = ["/api/v1/names"];
  await page.goto(`${server.url}#/metrics`);
  await page.waitForSelector(".names a");
  await close();
  behaviour.absent = [];
});

await check("a connection that ends is said, and taken up again", async () => {
  const { page, close } = await open(browser, server.url);
  await page.waitForSelector('.connection[data-state="live"]');
  behaviour.isDown = true;
  server.cut();
  await page.waitForSelector('.connection[data-state="lost"]');
  await page.waitForSelector(".banner:visible");
  assert.match(await page.locator(".banner").innerText(), /old: the server does not answer/);
  behaviour.isDown = false;
  await page.click(".banner button");
  await page.waitForSelector('.connection[data-state="live"]');
  assert.equal(await page.locator(".banner").isVisible(), false);
  behaviour.isStuck = true;
  await page.waitForSelector('.connection[data-state="stale"]', { timeout: 15_000 });
  assert.match(await page.locator(".banner").innerText(), /is \d+ s old/);
  behaviour.isStuck = false;
  await page.waitForSelector('.connection[data-state="live"]');
  await close();
});

await check("a stream that stays silent is given up, and its place is taken by questions", async () => {
  const { page, close } = await open(browser, server.url);
  await page.waitForSelector('.connection[data-state="live"]');
  behaviour.isStuck = true;
  await page.waitForSelector('.connection[data-state="polling"]', { timeout: 25_000 });
  assert.match(await page.locator(".banner").innerText(), /the stream of numbers says nothing/);
  behaviour.isStuck = false;
  await close();
});

await check("stores that only begin are not called writing", async () => {
  behaviour.storeState = "starting";
  const { page, close } = await open(browser, server.url);
  await page.waitForSelector(".status-line .pill-none:has-text('starting')");
  assert.equal(await page.locator(".status-line .pill-good", { hasText: "writing" }).count(), 0);
  behaviour.storeState = undefined;
  await page.waitForSelector(".status-line .pill-good:has-text('writing')");
  await close();
});

await check("an address brings back the search, the chosen series and the partition", async () => {
  behaviour.role = "gateway";
  const { page, wrong, close } = await open(browser, server.url);
  await page.goto(`${server.url}#/metrics`);
  await page.waitForSelector(".names a");
  await page.fill("#metric-search", "cpu_usage");
  await page.waitForURL(/search=cpu_usage/);
  await page.locator(".names a").first().click();
  await page.waitForSelector(".plot canvas");
  const box = page.locator(".metric-detail tbody input").first();
  await box.focus();
  await page.keyboard.press("Space");
  await page.waitForURL(/series=[0-9a-z]+\.[0-9a-z]+/);
  const label = () => page.evaluate(() => document.activeElement?.getAttribute("aria-label"));
  const focused = await label();
  assert.match(focused, /^Plot /);
  // The rows are made anew every two seconds, and it keeps the focus.
  let asked = 0;
  behaviour.asked = (path) => (asked += path === "/api/v1/recent/series" ? 1 : 0);
  await until("the series came again", () => asked > 1 || asked);
  assert.equal(await label(), focused);
  behaviour.asked = undefined;
  await page.goto(`${server.url}#/partitions`);
  await page.locator(".cell").nth(5).click();
  await page.waitForURL(/partition=5/);
  const partition = page.url();
  await page.goBack();
  await page.waitForSelector(".metric-detail tbody input");
  await page.reload();
  await until("two series are plotted", async () => (await page.locator(".metric-detail .legend li").count()) === 2 || page.url());
  assert.equal(await page.inputValue("#metric-search"), "cpu_usage");
  await page.goto(partition);
  await page.waitForSelector(".partition-detail h2:has-text('Partition 5')");
  assert.equal(await page.locator(".cell.chosen .cell-number").innerText(), "5");
  assert.deepEqual(wrong, []);
  await close();
  behaviour.role = "standalone";
});

await check("a plot that was cut says so, and how far it reaches", async () => {
  behaviour.warnings = ["the newest 20000 samples are here, older ones were left out"];
  const { page, close } = await open(browser, server.url);
  await page.goto(`${server.url}#/metrics?name=cpu_usage_percent`);
  await page.waitForSelector(".metric-detail .notice-warn:has-text('left out')");
  assert.match(await page.locator(".metric-detail .plot-title").innerText(), /last .+ of 5 min/);
  behaviour.warnings = undefined;
  await close();
});

await check("beyond the bound on consoles the page asks now and then, and says so", async () => {
  behaviour.isFull = true;
  const { page, close } = await open(browser, server.url, { isExpected: isMissing });
  await page.waitForSelector('.connection[data-state="polling"]');
  assert.match(await page.locator(".banner").innerText(), /16 consoles are open/);
  await page.waitForSelector(".tile:visible");
  behaviour.isFull = false;
  await page.waitForSelector('.connection[data-state="live"]', { timeout: 15_000 });
  await close();
});

await check("everything can be reached with the keys alone", async () => {
  const { page, wrong, close } = await open(browser, server.url);
  const focused = () => page.evaluate(() => document.activeElement?.id || document.activeElement?.textContent);
  for (const [key, title] of [["2", "Partitions"], ["4", "Explain"], ["5", "Rejections"], ["3", "Metrics"]]) {
    await page.keyboard.press(key);
    await page.waitForSelector(`main h1:text-is("${title}")`);
  }
  await page.keyboard.press("/");
  assert.equal(await focused(), "metric-search");
  await page.keyboard.type("cpu");
  await until("one name is listed", async () => (await page.locator(".names a").count()) === 1 || (await page.locator(".names a").allTextContents()));
  await page.keyboard.press("ArrowDown");
  assert.match(await focused(), /^cpu_usage_percent/);
  await page.keyboard.press("Enter");
  await page.waitForSelector(".plot canvas");
  await page.keyboard.press("Escape");
  await page.keyboard.press("?");
  await page.waitForSelector("dialog[open]");
  assert.deepEqual(await serious(page), []);
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog[open]", { state: "detached" });
  const back = () => page.evaluate(() => getComputedStyle(document.body.parentElement).backgroundColor);
  const light = await back();
  await page.keyboard.press("t");
  assert.notEqual(await back(), light);
  // It is kept, and the page begins with it.
  await page.reload();
  await page.waitForSelector("main .view");
  assert.notEqual(await back(), light);
  await page.keyboard.press("2");
  await page.waitForSelector(".cell");
  await page.locator(".cell").first().focus();
  await page.keyboard.press("End");
  await page.waitForSelector(".cell.chosen");
  assert.deepEqual(wrong, []);
  await close();
});

await check("what a sender chose to call things stays a text", async () => {
  const { page, wrong, close } = await open(browser, server.url, { isExpected: isMissing });
  await page.goto(`${server.url}#/metrics`);
  await page.waitForSelector(".names a");
  for (const anchor of await page.locator(".names a").all()) {
    await anchor.click();
    await page.waitForSelector(".metric-name");
  }
  await page.goto(`${server.url}#/rejections`);
  await page.waitForSelector(".rejections summary");
  for (const summary of await page.locator(".rejections summary").all()) await summary.click();
  assert.equal(await page.locator("main img, main script, main a[href^='javascript']").count(), 0);
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  assert.deepEqual(wrong, []);
  await close();
});

await browser.close();
server.close();
finish();
