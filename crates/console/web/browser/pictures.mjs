// The pictures of the README, from a running console.
//
// usage: ADMIN=http://… node browser/pictures.mjs FOLDER
import { join } from "node:path";
import { launch, open, shoot } from "./open.mjs";

const folder = process.argv[2];
const browser = await launch();

const picture = async (name, scheme, view, prepare) => {
  const { page, close } = await open(browser, `${process.env.ADMIN}#/${view}`, { scheme, viewport: { width: 1280, height: 860 } });
  await prepare(page);
  // Bars and lists come a moment after the first numbers.
  await page.waitForTimeout(1500);
  await shoot(page, join(folder, `${name}.png`));
  await close();
};

await picture("console-overview", "light", "overview", async (page) => {
  await page.waitForSelector(".plot canvas");
  await page.waitForSelector(".ranked li");
});
await picture("console-metric", "dark", `metrics?name=cpu_usage_percent&match=${encodeURIComponent('mode="user", region="eu-west"')}`, async (page) => {
  await page.waitForSelector(".metric-detail .plot canvas");
  await page.waitForSelector(".facts");
});
await picture("console-explain", "light", "explain", async (page) => {
  await page.locator(".examples .chip", { hasText: "four kinds" }).click();
  await page.waitForSelector(".result .verdict-refused");
  await page.evaluate(() => window.scrollTo(0, 0));
});
await browser.close();
