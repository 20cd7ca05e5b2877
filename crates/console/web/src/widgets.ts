/** Small parts that every view uses. */

import { fill, h, s, setText } from "./dom";
import type { Child } from "./dom";
import { thinned } from "./series";
import type { Column } from "./series";

export type Tone = "good" | "warn" | "bad" | "none";

/** A word with a mark, so that the colour is never alone. */
export const pill = (tone: Tone, text: string, title?: string): HTMLElement =>
  h("span", { class: `pill pill-${tone}`, title }, h("span", { class: "mark", "aria-hidden": "true" }, { good: "●", warn: "▲", bad: "■", none: "○" }[tone]), text);

export const notice = (tone: Tone, ...children: Child[]): HTMLElement =>
  h("div", { class: `notice notice-${tone}`, role: tone === "bad" ? "alert" : "status" }, h("span", { class: "mark", "aria-hidden": "true" }, { good: "●", warn: "▲", bad: "■", none: "○" }[tone]), h("div", {}, children));

export const panel = (title: string, options: { readonly note?: Child; readonly className?: string }, ...children: Child[]): HTMLElement =>
  h("section", { class: `panel ${options.className ?? ""}`.trim() }, h("header", { class: "panel-head" }, h("h2", {}, title), options.note === undefined ? null : h("span", { class: "soft" }, options.note)), children);

/** A labelled control. Its id is the control's own. */
export const field = (label: string, control: HTMLElement, hint?: string): HTMLElement => {
  if (hint !== undefined) {
    const id = `${control.id}-hint`;
    control.setAttribute("aria-describedby", id);
    return h("div", { class: "field" }, h("label", { for: control.id }, label), control, h("span", { class: "hint", id }, hint));
  }
  return h("div", { class: "field" }, h("label", { for: control.id }, label), control);
};

/** How full something is. */
export const meter = (share: number, words: string): HTMLElement => {
  const fillPart = h("span", { class: "meter-fill" });
  const bounded = Number.isFinite(share) ? Math.min(1, Math.max(0, share)) : 0;
  fillPart.style.width = `${(bounded * 100).toFixed(1)}%`;
  return h("span", { class: `meter ${bounded >= 0.9 ? "meter-bad" : bounded >= 0.7 ? "meter-warn" : ""}`.trim(), role: "meter", "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": Math.round(bounded * 100), "aria-label": words }, fillPart);
};

export interface Tile {
  readonly element: HTMLElement;
  set(value: string, detail: string, history: Column, tone?: Tone): void;
}

const WIDTH = 120;
const HEIGHT = 26;

/** More is a thicket at this size. */
const SPARK_POINTS = 50;

const sparkline = (values: Column): string => {
  const known = values.filter((value): value is number => value !== null && Number.isFinite(value));
  if (known.length < 2) return "";
  const most = Math.max(...known, 0) || 1;
  let path = "";
  let isPen = false;
  values.forEach((value, at) => {
    if (value === null || !Number.isFinite(value)) {
      isPen = false;
      return;
    }
    const x = (at / Math.max(1, values.length - 1)) * WIDTH;
    const y = HEIGHT - 1.5 - (value / most) * (HEIGHT - 4);
    path += `${isPen ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
    isPen = true;
  });
  return path;
};

/** A number with its name, unit and last minutes. */
export const tile = (name: string, hint: string): Tile => {
  const number = h("span", { class: "tile-number" });
  const unit = h("span", { class: "tile-unit" });
  const detail = h("div", { class: "tile-detail" });
  const line = s("path", { class: "spark-line" });
  const area = s("path", { class: "spark-area" });
  const spark = s("svg", { class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true", focusable: "false" }, area, line);
  const element = h("div", { class: "tile", title: hint }, h("div", { class: "tile-name" }, name), h("div", { class: "tile-value" }, number, unit), detail, spark);
  return {
    element,
    set(value, words, history, tone = "none") {
      const at = value.search(/[ /]/);
      setText(number, at < 0 ? value : value.slice(0, at));
      setText(unit, at < 0 ? "" : value.slice(at).trim());
      setText(detail, words);
      const shown = thinned(history, SPARK_POINTS);
      const path = sparkline(shown);
      if (line.getAttribute("d") !== path) {
        line.setAttribute("d", path);
        // Only what has no gap: an area over a gap would say that something was there.
        const isWhole = path.lastIndexOf("M") === 0 && !shown.includes(null);
        area.setAttribute("d", isWhole ? `${path}L${WIDTH} ${HEIGHT}L0 ${HEIGHT}Z` : "");
      }
      element.dataset["tone"] = tone;
    },
  };
};

/** Replaces the content when its words changed. */
export const keyed = (element: HTMLElement): ((key: string, make: () => Child) => void) => {
  let shown: string | undefined;
  return (key, make) => {
    if (key === shown) return;
    shown = key;
    fill(element, make());
  };
};
