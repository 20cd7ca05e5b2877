/** Tables that sort by a click or a key, with numbers in line. */

import { h, refill } from "./dom";
import type { Child } from "./dom";

export interface Cell<T> {
  readonly title: string;
  /** What the column holds, for who asks. */
  readonly hint?: string;
  readonly show: (row: T) => Child;
  /** What it sorts by; without, it does not. */
  readonly by?: (row: T) => number | string;
  readonly isNumber?: boolean;
  readonly className?: string;
}

export interface Table<T> {
  readonly element: HTMLElement;
  set(rows: readonly T[]): void;
}

export interface TableOptions<T> {
  readonly caption: string;
  readonly cells: readonly Cell<T>[];
  readonly empty: string;
  readonly key?: (row: T) => string;
  readonly first?: { readonly column: number; readonly down: boolean };
  /** Opens a row: it becomes a button by its first cell. */
  readonly rowClass?: (row: T) => string;
}

const compare = (a: number | string, b: number | string): number => {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), undefined, { numeric: true });
};

export const table = <T>(options: TableOptions<T>): Table<T> => {
  const { cells } = options;
  let rows: readonly T[] = [];
  let sort = options.first;
  const body = h("tbody");
  const heads = cells.map((cell, index) => {
    const head = h("th", { scope: "col", class: [cell.isNumber === true ? "number" : "", cell.className ?? ""].join(" ").trim() || null, title: cell.hint });
    if (cell.by === undefined) head.append(cell.title);
    else {
      const button = h("button", { type: "button", class: "sort" }, cell.title);
      button.addEventListener("click", () => {
        sort = sort?.column === index ? { column: index, down: !sort.down } : { column: index, down: cell.isNumber === true };
        draw();
      });
      head.append(button);
    }
    return head;
  });
  const empty = h("p", { class: "empty" }, options.empty);
  const element = h(
    "div",
    { class: "table-scroll", tabindex: "0", role: "region", "aria-label": options.caption },
    h("table", {}, h("caption", { class: "hidden" }, options.caption), h("thead", {}, h("tr", {}, heads)), body),
    empty,
  );

  const draw = (): void => {
    heads.forEach((head, index) => {
      if (sort?.column === index) head.setAttribute("aria-sort", sort.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    const by = sort === undefined ? undefined : cells[sort.column]?.by;
    const down = sort?.down === true ? -1 : 1;
    const shown = by === undefined ? rows : [...rows].sort((a, b) => down * compare(by(a), by(b)));
    refill(
      body,
      shown.map((row) =>
        h(
          "tr",
          { class: options.rowClass?.(row) || null },
          cells.map((cell) => h("td", { class: [cell.isNumber === true ? "number" : "", cell.className ?? ""].join(" ").trim() || null }, cell.show(row))),
        ),
      ),
    );
    empty.hidden = shown.length > 0;
  };
  draw();
  return {
    element,
    set(found) {
      // Do not take a link away from under somebody's finger or a selection from under a copy.
      const selection = document.getSelection();
      if (selection !== null && !selection.isCollapsed && element.contains(selection.anchorNode)) return;
      rows = found;
      draw();
    },
  };
};
