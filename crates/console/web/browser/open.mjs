// A page in the real Chromium, which keeps what must not happen: errors on the console, requests to other hosts.
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { chromium } from "playwright-core";

export const SIZES = { desktop: { width: 1440, height: 900 }, phone: { width: 390, height: 844 }, narrow: { width: 360, height: 640 } };

export const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--force-color-profile=srgb"] });

/** A new page of `address`, in `size` and `scheme` ("light" or "dark"). `wrong` is what must stay empty. */
export const open = async (browser, address, { size = "desktop", scheme = "light", viewport = SIZES[size], isExpected = () => false } = {}) => {
  const context = await browser.newContext({ viewport, colorScheme: scheme, deviceScaleFactor: size === "desktop" ? 1 : 2, reducedMotion: "reduce" });
  const page = await context.newPage();
  const wrong = [];
  const note = (text) => isExpected(text) || wrong.push(text);
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && note(`console: ${message.text()} ${message.location().url}`));
  page.on("pageerror", (error) => note(`error: ${error.stack ?? error}`));
  const home = new URL(address).host;
  page.on("request", (request) => new URL(request.url()).host !== home && note(`request to another host: ${request.url()}`));
  await page.goto(address);
  await page.waitForSelector("main .view");
  return { page, wrong, close: () => context.close() };
};

export const shoot = async (page, file, options = {}) => {
  mkdirSync(dirname(file), { recursive: true });
  await page.screenshot({ path: file, animations: "disabled", ...options });
};
