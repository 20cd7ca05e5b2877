/** A map of the partitions: who gets most, which store is behind where, and how long that may go on. */

import { getJson } from "../api";
import { fill, h, refill, setClass, setText } from "../dom";
import { bytes, cut, duration, percent, rate, short, visible } from "../format";
import { remember } from "../remember";
import { address } from "../router";
import type { Heat, Name, Names, Partitions } from "../shapes";
import { table } from "../table";
import { turns } from "../turns";
import { field, keyed, panel } from "../widgets";
import { fullness, numberOf } from "./fullness";
import type { MakeView } from "./view";

interface Measure {
  readonly id: string;
  readonly name: string;
  readonly values: readonly (number | null)[];
  readonly format: (value: number) => string;
  /** Less is worse, as with what is left. */
  readonly isLeft?: boolean;
}

const measures = (partitions: Partitions): Measure[] => {
  const found: Measure[] = [];
  if (partitions.bytes_per_s !== undefined) found.push({ id: "bytes", name: "Bytes in", values: partitions.bytes_per_s, format: (value) => `${bytes(value)}/s` });
  if (partitions.samples_per_s !== undefined) found.push({ id: "samples", name: "Samples in", values: partitions.samples_per_s, format: rate });
  for (const store of partitions.stores ?? []) {
    found.push({ id: `lag:${store.store}`, name: `Lag of ${visible(store.store)}`, values: store.lag_records, format: (value) => `${short(value)} rec` });
    found.push({ id: `age:${store.store}`, name: `Age of ${visible(store.store)}'s lag`, values: store.lag_s, format: duration });
    found.push({ id: `left:${store.store}`, name: `Headroom of ${visible(store.store)}`, values: store.headroom_s, format: duration, isLeft: true });
  }
  return found;
};

interface HotName {
  readonly metric_name: string;
  readonly bytes_per_second: number;
  readonly samples_per_second: number;
  readonly share: number;
  readonly partitions: number;
  readonly suggestion: string | null;
}

export const partitions: MakeView = (place, live) => {
  const select = h("select", { id: "partition-measure" });
  const summary = h("p", { class: "soft" });
  const map = h("div", { class: "map", role: "grid", "aria-label": "Partitions" });
  // Only which partition it is, is read aloud: its numbers change every second.
  const detailName = h("h2", { "aria-live": "polite" });
  const detailFacts = h("dl", { class: "facts" });
  const detailNames = h("div");
  const showFactNames = keyed(detailFacts);
  const hint = h("p", { class: "soft" }, "Choose a partition to see what is in it.");
  const detail = h("div", { class: "partition-detail" }, hint, detailName, detailFacts, detailNames);
  const note = h("p", { class: "empty" });
  const hot = table<HotName>({
    caption: "Metric names with most bytes",
    empty: "No records in the last window.",
    first: { column: 2, down: true },
    cells: [
      { title: "Name", className: "wide", show: (row) => h("a", { href: address("metrics", { name: row.metric_name }) }, cut(visible(row.metric_name), 80)), by: (row) => row.metric_name },
      { title: "Samples", isNumber: true, show: (row) => rate(row.samples_per_second), by: (row) => row.samples_per_second },
      { title: "Bytes", isNumber: true, show: (row) => `${bytes(row.bytes_per_second)}/s`, by: (row) => row.bytes_per_second },
      { title: "Share", isNumber: true, show: (row) => percent(row.share), by: (row) => row.share },
      { title: "Partitions", isNumber: true, show: (row) => row.partitions, by: (row) => row.partitions },
      { title: "Suggestion", className: "wide", show: (row) => (row.suggestion === null ? h("span", { class: "soft" }, "fits") : h("code", { class: "code-warn", title: "a line of the settings" }, cut(visible(row.suggestion), 200))) },
    ],
  });
  const hotPanel = panel("Hot names", { note: "all series of a name share a partition, unless it is spread" }, hot.element);
  hotPanel.hidden = true;
  let chosen = place.parameters.get("measure") ?? "";
  let selected = numberOf(place.parameters.get("partition"));
  let cells: { cell: HTMLButtonElement; value: HTMLElement; fillPart: HTMLElement }[] = [];
  let names: readonly Name[] = [];
  let measureIds = "";
  let facts: HTMLElement[] = [];
  let listed = "";

  const showDetail = (): void => {
    const now = live.overview?.partitions;
    if (selected === undefined || now === undefined) {
      hint.hidden = false;
      for (const part of [detailName, detailFacts, detailNames]) part.hidden = true;
      return;
    }
    hint.hidden = true;
    for (const part of [detailName, detailFacts, detailNames]) part.hidden = false;
    const number = selected;
    const here = names.filter((name) => {
      if (name.partition === undefined) return now.count === 1;
      const offset = (number - name.partition + now.count) % now.count;
      return offset < (name.lanes ?? 1);
    });
    setText(detailName, `Partition ${number}`);
    const all = measures(now);
    showFactNames(JSON.stringify(all.map((measure) => measure.name)), () => {
      facts = all.map(() => h("dd"));
      return all.map((measure, at) => h("div", { class: "fact" }, h("dt", {}, measure.name), facts[at]));
    });
    all.forEach((measure, at) => {
      const value = measure.values[number];
      const fact = facts[at];
      if (fact !== undefined) setText(fact, typeof value === "number" ? measure.format(value) : "–");
    });
    const words = JSON.stringify([number, here.length, here.slice(0, 20).map((name) => [name.metric_name, name.samples_per_s])]);
    if (words === listed) return;
    listed = words;
    refill(
      detailNames,
      here.length === 0
        ? h("p", { class: "soft" }, "No name that is known here.")
        : h("ol", { class: "plain" }, here.slice(0, 20).map((name) => h("li", {}, h("a", { href: address("metrics", { name: name.metric_name }) }, cut(visible(name.metric_name), 60)), h("span", { class: "number soft" }, name.samples_per_s === undefined ? "" : rate(name.samples_per_s))))),
      here.length > 20 ? h("p", { class: "soft" }, `and ${here.length - 20} more names`) : null,
    );
  };

  const choose = (number: number): void => {
    if (number !== selected) remember("partitions", { measure: chosen, partition: String(number) });
    selected = number;
    cells.forEach((one, at) => {
      setClass(one.cell, "chosen", at === number);
      one.cell.setAttribute("aria-pressed", String(at === number));
      one.cell.tabIndex = at === number ? 0 : -1;
    });
    showDetail();
  };

  const perRow = (): number => {
    const top = cells[0]?.cell.offsetTop;
    const found = cells.findIndex((one) => one.cell.offsetTop !== top);
    return found < 1 ? cells.length : found;
  };

  map.addEventListener("keydown", (event) => {
    const at = cells.findIndex((one) => one.cell === document.activeElement);
    if (at < 0) return;
    const steps: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: perRow(), ArrowUp: -perRow(), Home: -at, End: cells.length - 1 - at };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = Math.min(cells.length - 1, Math.max(0, at + step));
    choose(next);
    cells[next]?.cell.focus();
  });

  const build = (count: number): void => {
    cells = Array.from({ length: count }, (_, at) => {
      const value = h("span", { class: "cell-value" });
      const fillPart = h("span", { class: "cell-fill", "aria-hidden": "true" });
      const cell = h("button", { type: "button", class: "cell", "aria-pressed": "false" }, fillPart, h("span", { class: "cell-number" }, at), value);
      cell.tabIndex = at === (selected ?? 0) ? 0 : -1;
      cell.addEventListener("click", () => choose(at));
      return { cell, value, fillPart };
    });
    fill(map, cells.map((one) => one.cell));
    if (selected !== undefined) choose(selected);
  };
  // A group of buttons, which needs no rows.
  map.setAttribute("role", "group");

  const draw = (): void => {
    const now = live.overview?.partitions;
    const isThere = now !== undefined && now.count > 0;
    note.hidden = isThere;
    if (!isThere) {
      note.textContent = live.overview === undefined ? "Waiting for the first numbers…" : "This process knows of no partitions yet.";
      return;
    }
    const all = measures(now);
    const ids = all.map((measure) => measure.id).join(" ");
    if (ids !== measureIds) {
      measureIds = ids;
      fill(select, all.map((measure) => h("option", { value: measure.id }, measure.name)));
      if (!all.some((measure) => measure.id === chosen)) chosen = all[0]?.id ?? "";
      select.value = chosen;
    }
    if (selected !== undefined && selected >= now.count) selected = undefined;
    if (now.count === 1) selected ??= 0;
    if (cells.length !== now.count) build(now.count);
    const measure = all.find((one) => one.id === chosen);
    const known = (measure?.values ?? []).filter((value): value is number => value !== null);
    const most = Math.max(...known, 0);
    const total = known.reduce((sum, value) => sum + value, 0);
    const skew = now.skew === undefined || now.skew === 0 ? "" : ` Skew ${now.skew.toFixed(1)}: the fullest gets that many times an even share.`;
    const words = measure === undefined ? "" : measure.isLeft === true ? `The least is ${known.length === 0 ? "–" : measure.format(Math.min(...known))}.` : `Together ${measure.id.startsWith("age") ? "at most " : ""}${measure.format(measure.id.startsWith("age") ? most : total)}.`;
    setText(summary, `${now.count} ${now.count === 1 ? "partition" : "partitions"}. ${words}${skew}`);
    cells.forEach((one, at) => {
      const value = measure?.values[at] ?? null;
      const share = fullness(value, measure?.isLeft === true, most, live.overview?.buffer.retention_s ?? 0);
      const text = value === null || measure === undefined ? "–" : measure.format(value);
      setText(one.value, text);
      one.fillPart.style.opacity = (share * 0.5).toFixed(3);
      one.cell.title = `Partition ${at}: ${text}`;
      setClass(one.cell, "unknown", value === null);
    });
    showDetail();
  };

  select.addEventListener("change", () => {
    chosen = select.value;
    remember("partitions", { measure: chosen });
    draw();
  });
  const control = new AbortController();
  const later = turns();
  const fetchNames = async (): Promise<void> => {
    const { signal } = control;
    const [heat, found] = await Promise.allSettled([
      getJson<Heat>("api/v1/heat", [["limit", "25"]], signal),
      getJson<Names>("api/v1/names", [["limit", "1000"]], signal),
    ]);
    if (signal.aborted) return;
    hotPanel.hidden = heat.status !== "fulfilled";
    if (heat.status === "fulfilled") hot.set(heat.value.metrics);
    if (found.status === "fulfilled") names = found.value.names;
    later.again(10_000, () => void fetchNames());
  };
  void fetchNames();
  const end = live.on(draw);
  const element = h(
    "div",
    { class: "view view-partitions" },
    h("div", { class: "view-head" }, h("h1", {}, "Partitions"), summary),
    h("div", { class: "toolbar" }, field("Show", select)),
    note,
    h("div", { class: "map-split" }, map, detail),
    hotPanel,
  );
  draw();
  return {
    title: "Partitions",
    element,
    search: () => select.focus(),
    destroy: () => {
      end();
      control.abort();
      later.end();
    },
  };
};
