// An operator's first visit, in Chromium, to a real standalone with a load: numbers move and agree with /metrics, a metric
// is found and plotted, a bad body is explained, its refusal is read.
//
// usage: ADMIN=http://… PUBLIC=http://… node browser/story.mjs [FOLDER for screenshots]
import assert from "node:assert/strict";
import { join } from "node:path";
import { serious } from "./axe.mjs";
import { check, finish, until } from "./check.mjs";
import { launch, open, shoot } from "./open.mjs";

const { ADMIN, PUBLIC } = process.env;
const admin = (path) => new URL(path, ADMIN).toString();
const shots = process.argv[2];
const browser = await launch();

/** All of a counter of /metrics. */
const counted = async (name) => {
  const text = await (await fetch(admin("metrics"))).text();
  const lines = text.split("\n").filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
};

const number = (text) => Number(text.replace(/[^\d.-]/g, ""));

/** What the ledger of the page says. */
const booked = async (page, row) => number(await page.locator(".book").first().locator("tr", { has: page.locator(`th:text-is("${row}")`) }).locator("td").innerText());

/** A body for the public listener. */
const send = async (metrics) => {
  const answer = await fetch(new URL("/metrics", PUBLIC), { method: "POST", headers: { "content-type": "application/json", "sluice-source": "story" }, body: JSON.stringify({ metrics }) });
  return answer.json();
};

const { page, wrong, close } = await open(browser, ADMIN);
let isSending = true;
const sending = (async () => {
  for (let round = 0; isSending; round += 1) {
    const timestamp = Date.now();
    await send(["web-01", "web-02"].map((host, at) => ({ metric_name: "story_temperature_celsius", timestamp, value: 20 + at + Math.sin(round / 5), labels: { host, room: "<b>3</b>" }, type: "gauge", unit: "celsius", help: "How warm it is." })));
    await new Promise((done) => setTimeout(done, 250));
  }
})();

await check("the page is there at once, whole and from here alone", async () => {
  const fresh = await open(browser, ADMIN);
  await fresh.page.waitForSelector(".tile:visible");
  const { first, bytes, paint } = await fresh.page.evaluate(() => ({
    first: Math.round(performance.now()),
    bytes: [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource").filter((entry) => /assets|\/$/.test(entry.name))].reduce((sum, entry) => sum + entry.transferSize, 0),
    paint: Math.round(performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0),
  }));
  console.log(`first paint after ${paint} ms, first numbers before ${first} ms, ${bytes} bytes`);
  assert.ok(bytes > 10_000 && bytes < 300_000, `${bytes} bytes`);
  assert.deepEqual(fresh.wrong, []);
  await fresh.close();
  const head = await fetch(ADMIN, { headers: { accept: "text/html" } });
  assert.match(head.headers.get("content-security-policy") ?? "", /default-src 'self'/);
});

await check("numbers move, and are those of /metrics", async () => {
  await page.waitForSelector('.connection[data-state="live"]');
  await page.waitForSelector(".book");
  for (const [row, name] of [["received", "sluice_gateway_samples_received_total"], ["accepted", "sluice_gateway_samples_accepted_total"]]) {
    const before = await counted(name);
    await until(`${row} is shown`, async () => {
      const shown = await booked(page, row);
      return shown >= before || `${shown} of ${before}`;
    });
    const shown = await booked(page, row);
    const after = await counted(name);
    assert.ok(shown <= after, `${row}: the page says ${shown}, /metrics later ${after}`);
  }
  const first = await booked(page, "accepted");
  await until("it grows", async () => (await booked(page, "accepted")) > first || first);
  await until("samples flow", async () => {
    const shown = await page.locator(".tile", { hasText: "Samples in" }).locator(".tile-number").innerText();
    return number(shown) > 0 || shown;
  });
  await page.waitForSelector(".plot canvas");
  assert.ok((await page.locator(".plot .legend li").count()) >= 3);
});

await check("the ledger balances, and is green for it", async () => {
  await page.waitForSelector(".status-line .pill-good:has-text('Ledger balances')", { timeout: 30_000 });
  if (shots !== undefined) await shoot(page, join(shots, "overview.png"));
  assert.deepEqual(await serious(page), []);
});

await check("a metric is found by a part of its name, and plotted", async () => {
  await page.keyboard.press("3");
  await page.keyboard.press("/");
  await page.keyboard.type("temperature_cels");
  await page.locator(".names a", { hasText: "story_temperature_celsius" }).click();
  await page.waitForSelector(".metric-detail .plot canvas");
  await until("both series are plotted", async () => (await page.locator(".metric-detail .legend li").count()) === 2 || (await page.locator(".metric-detail").innerText()));
  for (const known of ["gauge", 'room="<b>3</b>"', "web-01"]) {
    await until(`${known} is said`, async () => {
      const words = await page.locator(".metric-detail").innerText();
      return words.includes(known) || words;
    });
  }
  await until("who sends it is said", async () => /story/.test(await page.locator(".metric-detail .facts").innerText()) || (await page.locator(".metric-detail .facts").innerText()));
  // Another series is matched away.
  await page.locator(".chip", { hasText: "web-02" }).click();
  await until("one series is plotted", async () => (await page.locator(".metric-detail .legend li").count()) === 1 || (await page.locator(".metric-detail").innerText()));
  assert.match(await page.locator(".metric-detail .legend").innerText(), /web-02/);
  assert.deepEqual(await serious(page), []);
  if (shots !== undefined) await shoot(page, join(shots, "metric.png"));
});

await check("what is in the archive is plotted as well", async () => {
  // A file is closed now and then.
  await until("the archive has it", async () => {
    const answer = await (await fetch(admin("api/v1/archive/series?metric_name=story_temperature_celsius"))).json();
    return answer.series?.length === 2 || answer;
  }, 120_000);
  await page.getByRole("button", { name: "1 h", exact: true }).click();
  await until("it is plotted", async () => {
    const title = await page.locator(".metric-detail .plot-title").innerText();
    return (/^Mean per/.test(title) && (await page.locator(".metric-detail .legend li").count()) === 1) || page.locator(".metric-detail").innerText();
  }, 120_000);
  if (shots !== undefined) await shoot(page, join(shots, "archive.png"));
});

await check("every protocol is explained, its good example as good", async () => {
  await page.keyboard.press("Escape");
  await page.keyboard.press("4");
  await page.waitForSelector("#explain-protocol");
  const select = page.locator("#explain-protocol");
  assert.ok((await select.locator("option").count()) >= 9);
  for (const option of await select.locator("option").all()) {
    await select.selectOption(await option.getAttribute("value"));
    await page.locator(".examples .chip").first().click();
    await page.waitForSelector(".result .notice-good");
    await page.evaluate(() => document.querySelector(".result").replaceChildren());
  }
});

await check("a bad body is explained by sample", async () => {
  await page.locator("#explain-protocol").selectOption("json");
  await page.locator(".examples .chip", { hasText: "seconds" }).click();
  await page.waitForSelector(".result .verdict-refused");
  const words = await page.locator(".result").innerText();
  assert.match(words, /1 accepted, 1 refused/);
  assert.match(words, /timestamp_in_seconds/);
  assert.match(words, /looks like seconds; send Unix milliseconds/);
  assert.match(words, /limits\.max_labels/);
  await page.locator("#explain-body").fill('{"metrics": [');
  await page.keyboard.press("Control+Enter");
  await page.waitForSelector(".result .notice-bad");
  assert.deepEqual(await serious(page), []);
});

await check("a refusal is read, with its reason, its source and what was sent", async () => {
  await send([{ metric_name: "story_refused", timestamp: Math.floor(Date.now() / 1000), value: 1, labels: { "<i>": "x" } }]);
  await page.keyboard.press("Escape");
  await page.keyboard.press("5");
  await page.locator("#rejections-metric").fill("story_*");
  const summary = page.locator(".rejections summary", { hasText: "story_refused" });
  await summary.click();
  const words = await page.locator(".rejections").innerText();
  for (const known of ["timestamp_in_seconds", "story", '"<i>":"x"']) assert.ok(words.includes(known), `${known} in ${words}`);
  assert.deepEqual(await serious(page), []);
  if (shots !== undefined) await shoot(page, join(shots, "rejections.png"));
  await page.getByRole("link", { name: "Explain it" }).click();
  await page.waitForSelector(".result .verdict-refused");
  if (shots !== undefined) await shoot(page, join(shots, "explain.png"));
});

await check("on a phone it is the same, in the dark", async () => {
  const phone = await open(browser, ADMIN, { size: "phone", scheme: "dark" });
  await phone.page.waitForSelector(".tile:visible");
  await phone.page.waitForSelector(".plot canvas");
  if (shots !== undefined) await shoot(phone.page, join(shots, "phone.png"));
  assert.deepEqual(await serious(phone.page), []);
  assert.ok((await phone.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)) <= 0);
  assert.deepEqual(phone.wrong, []);
  await phone.close();
});

await check("nothing went wrong meanwhile, and nobody else was asked", async () => {
  await page.keyboard.press("6");
  await page.getByRole("link", { name: /API reference/ }).waitFor();
  assert.deepEqual(await serious(page), []);
  assert.deepEqual(wrong, []);
});

isSending = false;
await sending;
await close();
await browser.close();
finish();
