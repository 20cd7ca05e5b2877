/** Keys for who does not want to reach for a mouse, and a list of them. They can be switched off. */

import { h } from "./dom";
import { VIEWS } from "./router";

const KEY = "sluice.keys";

export interface Actions {
  view(number: number): void;
  search(): void;
  theme(): void;
  help(): void;
}

const areOn = (): boolean => {
  try {
    return localStorage.getItem(KEY) !== "off";
  } catch {
    return true;
  }
};

const isTyping = (target: EventTarget | null): boolean => {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !["checkbox", "radio", "button", "submit"].includes(target.type);
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement || target.isContentEditable;
};

export const keys = (actions: Actions): void => {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.key === "Escape" && isTyping(event.target)) {
      (event.target as HTMLElement).blur();
      return;
    }
    if (isTyping(event.target) || !areOn() || document.querySelector("dialog[open]") !== null) return;
    const number = Number.parseInt(event.key, 10);
    if (number >= 1 && number <= VIEWS.length) actions.view(number - 1);
    else if (event.key === "/") {
      event.preventDefault();
      actions.search();
    } else if (event.key === "t") actions.theme();
    else if (event.key === "?") actions.help();
  });
};

/** The list of keys; the answer shows it. */
export const help = (root: HTMLElement): (() => void) => {
  const row = (key: string, what: string): HTMLElement => h("tr", {}, h("th", { scope: "row" }, key.split(" ").map((one) => [h("kbd", {}, one), " "])), h("td", {}, what));
  const on = h("input", { type: "checkbox", id: "keys-on" });
  on.checked = areOn();
  on.addEventListener("change", () => {
    try {
      localStorage.setItem(KEY, on.checked ? "on" : "off");
    } catch {
      // Storage is switched off: they stay on.
    }
  });
  const close = h("button", { type: "button", class: "primary" }, "Close");
  const dialog = h(
    "dialog",
    { "aria-labelledby": "help-title" },
    h("h2", { id: "help-title" }, "Keys"),
    h(
      "table",
      {},
      h(
        "tbody",
        {},
        row(`1 … ${VIEWS.length}`, "a view: overview, partitions, metrics, explain, rejections, API"),
        row("/", "to the search of the view"),
        row("↑ ↓", "through names; with ← → through partitions"),
        row("Ctrl Enter", "explain the body"),
        row("t", "dark or light"),
        row("Esc", "out of a field"),
        row("?", "this list"),
      ),
    ),
    h("p", { class: "field check" }, on, h("label", { for: "keys-on" }, "Single keys are on")),
    h("div", { class: "buttons" }, close),
  );
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  root.append(dialog);
  return () => {
    if (!dialog.open) dialog.showModal();
  };
};
