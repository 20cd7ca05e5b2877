/** One metric name: its series, their labels, and a plot of them from the recent window or the archive. */

import { ApiError, getJson, isCancelled, sentence } from "../api";
import { debounced, fill, h, setText } from "../dom";
import { ago, bytes, cut, dateTime, duration, exact, labelText, sampleValue, short, visible } from "../format";
import { plot } from "../plot";
import { FUNCTIONS, RANGES, bySeries, chosenOf, chosenText, coveredS, isCounter, labelUse, markOf, matcher, narrowed, pointsOf, selector, seriesKey, shownPoints, stepOf, withoutTenant } from "../query";
import type { Aggregated, Function, Range, SampleRow, SeriesRow } from "../query";
import { remember } from "../remember";
import type { Place } from "../router";
import { aligned } from "../series";
import type { Point } from "../series";
import type { Name } from "../shapes";
import { table } from "../table";
import { SERIES_COLOURS } from "../theme";
import { turns } from "../turns";
import { field, keyed, notice, panel } from "../widgets";

export interface Detail {
  readonly element: HTMLElement;
  go(place: Place): void;
  destroy(): void;
}

const RECENT_MS = 2000;
const ARCHIVE_MS = 30_000;
const MOST_SAMPLES = 20_000;
const MOST_SERIES = 500;

const isFunction = (text: string): text is Function => (FUNCTIONS as readonly string[]).includes(text);

/** A number as the unit of the metric wants it. */
const formatter = (name: string, unit: string | undefined, what: Function): ((value: number) => string) => {
  const isBytes = unit === "bytes" || unit === "By" || /_bytes(_total)?$/.test(name);
  const base = isBytes && what !== "count" ? bytes : short;
  return what === "rate" ? (value) => `${base(value)}/s` : base;
};

export const detail = (name: string, place: Place, known: () => Name | undefined, seen: (type: string) => void): Detail => {
  let range: Range = RANGES[0] as Range;
  let what: Function | "" = "";
  const plotted = plot({ title: "Samples", format: (value) => format(value), height: 260, points: true, fromZero: false, level: 3, empty: "No samples in this range" });
  let format = formatter(name, undefined, "raw");
  const ranges = h("div", { class: "segments", role: "group", "aria-label": "Range" });
  const functionSelect = h("select", { id: "metric-function" }, h("option", { value: "" }, "automatic"), FUNCTIONS.map((one) => h("option", { value: one }, one)));
  const matchInput = h("input", { id: "metric-match", type: "search", spellcheck: "false", autocomplete: "off", autocapitalize: "off", placeholder: 'host=~"web-.*"' });
  const byInput = h("input", { id: "metric-by", type: "text", spellcheck: "false", autocomplete: "off", autocapitalize: "off", placeholder: "each series" });
  const problem = h("div");
  const say = keyed(problem);
  const labels = h("div", { class: "labels" });
  const keepLabels = keyed(labels);
  const seriesNote = h("span");
  let all: readonly SeriesRow[] = [];
  /** Marks of those that are plotted, where a person chose; otherwise the first ones. */
  let chosen: Set<string> | undefined;
  let control: AbortController | undefined;
  const later = turns();
  /** All series together are more than one answer holds. */
  let isMany = false;
  let isDone = false;

  const isShown = (key: string): boolean => chosen?.has(markOf(key)) ?? (all.findIndex((row) => seriesKey(row) === key) < SERIES_COLOURS);

  const rows = table<SeriesRow>({
    caption: "Series",
    empty: "No series in the recent window.",
    cells: [
      {
        title: "Plot",
        show: (row) => {
          const key = seriesKey(row);
          const box = h("input", { type: "checkbox", "aria-label": `Plot ${visible(key)}` });
          box.checked = isShown(key);
          box.addEventListener("change", () => {
            chosen ??= new Set(all.slice(0, SERIES_COLOURS).map((one) => markOf(seriesKey(one))));
            if (box.checked) chosen.add(markOf(key));
            else chosen.delete(markOf(key));
            // More are not told apart by colour: the one that was chosen first goes.
            for (const first of chosen) if (chosen.size > SERIES_COLOURS) chosen.delete(first);
            rows.set(all);
            remember("metrics", { series: chosenText(chosen) });
            void ask();
          });
          return box;
        },
      },
      { title: "Labels", className: "wide", show: (row) => h("code", {}, row.tenant === undefined ? null : h("span", { class: "soft" }, `${visible(row.tenant)}/`), visible(labelText(row.labels))), by: (row) => labelText(row.labels) },
      { title: "Last value", isNumber: true, show: (row) => shownValue(row.last_value), by: (row) => sampleValue(row.last_value) ?? Number.NEGATIVE_INFINITY },
      { title: "Its time", isNumber: true, show: (row) => (row.last_timestamp === undefined ? "–" : h("span", { title: dateTime(row.last_timestamp) }, ago(row.last_timestamp, Date.now()))), by: (row) => row.last_timestamp ?? 0 },
    ],
  });

  const shownValue = (value: unknown): string => {
    const number = sampleValue(value);
    return number === null ? String(value ?? "–") : formatter(name, known()?.unit, "raw")(number);
  };

  const applied = (): Function => (what !== "" ? what : isCounter(name, typeOf()) ? "rate" : range.source === "archive" ? "mean" : "raw");
  const typeOf = (): string | undefined => {
    const said = known()?.type ?? all[0]?.type;
    return said === "unknown" ? undefined : said;
  };

  const showLabels = (): void => {
    const use = labelUse(all);
    // Made anew only when they are others, so that a key that is pressed finds the button that was looked at.
    keepLabels(JSON.stringify(use), () => [
      use.length === 0 ? h("p", { class: "soft" }, "No labels.") : null,
      use.map((label) => {
        const values = label.values.slice(0, 12).map(({ value, series }) => {
          const button = h("button", { type: "button", class: "chip", title: `${exact(series)} series` }, cut(visible(value), 40));
          button.addEventListener("click", () => {
            const before = matchInput.value.trim().replace(/^\{|\}$/g, "");
            const added = matcher(label.name, value);
            if (!before.includes(added)) matchInput.value = before === "" ? added : `${before}, ${added}`;
            changed();
          });
          return button;
        });
        return h("div", { class: "label-row" }, h("span", { class: "label-name" }, visible(label.name), h("span", { class: "soft" }, ` ${exact(label.values.length)}`)), h("div", { class: "chips" }, values, label.values.length > 12 ? h("span", { class: "soft" }, `and ${exact(label.values.length - 12)} more`) : null));
      }),
    ]);
  };

  /** What is common to all questions. */
  const base = (): [string, string][] => [["metric_name", name], ["match", selector(matchInput.value)]];

  const showPlot = (series: readonly { readonly key: string; readonly points: readonly Point[] }[], title: string): void => {
    const { times, values } = aligned(series.map((one) => one.points));
    plotted.setTitle(title);
    const names = withoutTenant(series.map((one) => one.key));
    plotted.set(times, series.map((one, at) => ({ name: names[at] ?? one.key, values: values[at] ?? [] })));
  };

  const askSeries = async (signal: AbortSignal): Promise<void> => {
    const parameters: [string, string][] = [...base(), ["limit", String(MOST_SERIES)]];
    const answer = await getJson<{ series: readonly SeriesRow[] }>("api/v1/recent/series", parameters, signal);
    all = [...answer.series].sort((a, b) => (seriesKey(a) < seriesKey(b) ? -1 : 1));
    setText(seriesNote, all.length >= MOST_SERIES ? `the first ${exact(MOST_SERIES)}` : `${exact(all.length)} in the recent window`);
    rows.set(all);
    showLabels();
    const type = typeOf();
    if (type !== undefined) seen(type);
  };

  interface Samples {
    readonly samples: readonly SampleRow[];
    readonly warnings?: readonly string[];
  }

  /** Samples of all series, or where those are too many, of each that is plotted. */
  const askSamples = async (signal: AbortSignal): Promise<Samples> => {
    const common: [string, string][] = [["metric_name", name], ["from", `-${range.seconds}s`], ["limit", String(MOST_SAMPLES)]];
    if (!isMany) {
      const answer = await getJson<Samples>("api/v1/recent/samples", [...common, ["match", selector(matchInput.value)]], signal);
      isMany = (answer.warnings ?? []).length > 0;
      if (!isMany) return answer;
    }
    const answers = await Promise.all(
      all
        .filter((row) => isShown(seriesKey(row)))
        .map((row) => getJson<Samples>("api/v1/recent/samples", [...common, ["match", narrowed(matchInput.value, row.labels)], ["tenant", row.tenant ?? ""]], signal)),
    );
    return { samples: answers.flatMap((one) => one.samples), warnings: [...new Set(answers.flatMap((one) => one.warnings ?? []))] };
  };

  /** What is to be known of a plot that does not show everything. */
  const sayRest = (warnings: readonly string[], series: number, isChosen: boolean): void => {
    if (warnings.length > 0) say(JSON.stringify(warnings), () => notice("warn", warnings.map(visible).join("; ")));
    else if (!isChosen && series > SERIES_COLOURS) say(`series ${series}`, () => notice("none", `${exact(series)} series; the first ${SERIES_COLOURS} are plotted. Choose others below, match labels, or group them.`));
    else say("", () => null);
  };

  const askPlot = async (signal: AbortSignal): Promise<void> => {
    const found = applied();
    const unit = known()?.unit;
    format = formatter(name, unit, found);
    const suffix = unit === undefined || found === "count" ? "" : ` (${visible(unit)})`;
    const isRaw = range.source === "recent" && byInput.value.trim() === "" && (found === "raw" || found === "rate");
    if (isRaw) {
      const { samples, warnings = [] } = await askSamples(signal);
      const now = Date.now();
      const since = now - range.seconds * 1000;
      const groups = bySeries(samples.filter((sample) => sample.timestamp >= since));
      const series = [...groups].filter(([key]) => isShown(key)).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, points]) => ({ key, points: shownPoints(points, found) }));
      const span = warnings.length === 0 ? range.name : `${duration(coveredS(samples, now))} of ${range.name}`;
      showPlot(series, `${found === "rate" ? "Per second" : "Samples"}, last ${span}${suffix}`);
      sayRest(warnings, all.length, chosen !== undefined);
      return;
    }
    const aggregate = found === "raw" ? "mean" : found;
    const step = stepOf(range.seconds);
    const by = byInput.value.trim();
    const parameters: [string, string][] = [...base(), ["from", `-${range.seconds}s`], ["to", "now"], ["aggregate", aggregate], ["step", `${step}s`], ["limit", "100000"]];
    if (by !== "") parameters.push(["by", by]);
    const answer = await getJson<{ series: readonly Aggregated[]; warnings?: readonly string[] }>(`api/v1/${range.source}/aggregate`, parameters, signal);
    const isChosen = by === "" && chosen !== undefined;
    const series = answer.series.map((row) => ({ key: seriesKey(row), points: pointsOf(row, aggregate) })).filter(({ key }, at) => (isChosen ? isShown(key) : at < SERIES_COLOURS));
    showPlot(series, `${aggregate.slice(0, 1).toUpperCase()}${aggregate.slice(1)} per ${step < 60 ? `${step} s` : `${step / 60} min`}, last ${range.name}${suffix}`);
    sayRest(answer.warnings ?? [], answer.series.length, isChosen);
  };

  const ask = async (): Promise<void> => {
    later.end();
    control?.abort();
    const own = new AbortController();
    control = own;
    const asked = askSeries(own.signal).catch((error: unknown) => error);
    // The first time, which series are plotted is known only after that.
    if (all.length === 0) await asked;
    const [series, samples] = await Promise.all([asked, askPlot(own.signal).catch((error: unknown) => error)]);
    if (own.signal.aborted || isDone) return;
    plotted.element.removeAttribute("aria-busy");
    const error = [samples, series].find((one) => one !== undefined && !isCancelled(one));
    if (error !== undefined) {
      plotted.set([], []);
      const isAbsent = error instanceof ApiError && error.isAbsent;
      say(`${isAbsent} ${range.source} ${sentence(error)}`, () =>
        isAbsent
          ? notice("none", range.source === "archive" ? "This process has no archive to ask. " : "This process keeps no samples; ask a standalone, or the store. ", h("span", { class: "soft" }, visible(sentence(error))))
          : notice("bad", visible(sentence(error))),
      );
    }
    // What was refused will be refused again, until somebody changes it.
    later.again(range.source === "recent" && error === undefined ? RECENT_MS : ARCHIVE_MS, () => void ask());
  };

  /** What is plotted is of another question, until this one is answered. */
  const wait = (): void => {
    plotted.element.setAttribute("aria-busy", "true");
    plotted.setTitle(range.source === "archive" ? "Asking the archive…" : "Asking…");
  };

  const showRanges = (): void =>
    fill(
      ranges,
      (["recent", "archive"] as const).map((source) => [
        h("span", { class: "segment-name" }, source),
        RANGES.filter((one) => one.source === source).map((one) => {
          const button = h("button", { type: "button", "aria-pressed": String(one.id === range.id) }, one.name);
          button.addEventListener("click", () => {
            range = one;
            changed();
            ranges.querySelector<HTMLElement>('[aria-pressed="true"]')?.focus();
          });
          return button;
        }),
      ]),
    );

  const changed = (): void => {
    if (isDone) return;
    remember("metrics", { name, range: range.id === "5m" ? undefined : range.id, fn: what, match: matchInput.value, by: byInput.value.trim() });
    isMany = false;
    say("", () => null);
    showRanges();
    wait();
    void ask();
  };

  const read = (found: Place): void => {
    range = RANGES.find((one) => one.id === found.parameters.get("range")) ?? (RANGES[0] as Range);
    const asked = found.parameters.get("fn") ?? "";
    what = isFunction(asked) ? asked : "";
    functionSelect.value = what;
    matchInput.value = found.parameters.get("match") ?? "";
    byInput.value = found.parameters.get("by") ?? "";
    chosen = chosenOf(found.parameters.get("series"));
    isMany = false;
    say("", () => null);
    showRanges();
    wait();
    void ask();
  };

  functionSelect.addEventListener("change", () => {
    what = isFunction(functionSelect.value) ? functionSelect.value : "";
    changed();
  });
  const soon = debounced(400, changed);
  matchInput.addEventListener("input", soon);
  byInput.addEventListener("input", soon);
  read(place);

  return {
    element: h(
      "div",
      {},
      h("div", { class: "toolbar" }, ranges, field("Show", functionSelect), field("Match labels", matchInput), field("Group by", byInput)),
      problem,
      plotted.element,
      panel("Labels", { note: "a click on a value matches it" }, labels),
      panel("Series", { note: seriesNote }, rows.element),
    ),
    go: read,
    destroy: () => {
      isDone = true;
      control?.abort();
      later.end();
      plotted.destroy();
    },
  };
};
