// What axe-core finds in a page, told in lines. Only what is serious counts.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** The serious and critical findings, each with its first element. */
export const serious = async (page) => {
  // Through the debugger, which the page's content policy does not bind.
  await page.evaluate(source);
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return found.violations
    .filter((violation) => ["serious", "critical"].includes(violation.impact))
    .map((violation) => `${violation.id} (${violation.impact}) ×${violation.nodes.length}: ${violation.nodes[0].html.slice(0, 200)} ${violation.nodes[0].failureSummary.replace(/\s+/g, " ").slice(0, 300)}`);
};
