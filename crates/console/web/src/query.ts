/** What the metric browser asks for, and what it makes of the answers. Pure. */

import { labelText, sampleValue } from "./format";
import { perSecond } from "./series";
import type { Point } from "./series";

export interface Range {
  readonly id: string;
  readonly name: string;
  readonly seconds: number;
  readonly source: "recent" | "archive";
}

export const RANGES: readonly Range[] = [
  { id: "5m", name: "5 min", seconds: 300, source: "recent" },
  { id: "15m", name: "15 min", seconds: 900, source: "recent" },
  { id: "1h", name: "1 h", seconds: 3600, source: "archive" },
  { id: "6h", name: "6 h", seconds: 6 * 3600, source: "archive" },
  { id: "24h", name: "24 h", seconds: 24 * 3600, source: "archive" },
  { id: "7d", name: "7 d", seconds: 7 * 24 * 3600, source: "archive" },
];

export const FUNCTIONS = ["raw", "rate", "mean", "min", "max", "median", "p95", "p99", "std_dev", "sum", "count"] as const;
export type Function = (typeof FUNCTIONS)[number];

/** A series as the recent and archive API name it. */
export interface SeriesRow {
  readonly metric_name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly type?: string;
  readonly tenant?: string;
  readonly last_timestamp?: number;
  readonly last_value?: unknown;
}

export interface SampleRow extends SeriesRow {
  readonly timestamp: number;
  readonly value: unknown;
}

export interface Aggregated extends SeriesRow {
  readonly timestamps: readonly number[];
  readonly values: Readonly<Record<string, readonly unknown[]>>;
}

/** About three hundred steps over the range, of a length that people have names for. */
export const stepOf = (seconds: number): number => {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
  return steps.find((step) => seconds / step <= 320) ?? 7200;
};

/** What identifies a series to a person, and to the page. */
export const seriesKey = (row: SeriesRow): string => `${row.tenant === undefined ? "" : `${row.tenant}/`}${labelText(row.labels)}`;

/** Keys of one tenant without its name, which says nothing between them. */
export const withoutTenant = (keys: readonly string[]): readonly string[] => {
  const prefixes = new Set(keys.map((key) => key.slice(0, Math.max(0, key.indexOf("{")))));
  return prefixes.size === 1 ? keys.map((key) => key.slice(Math.max(0, key.indexOf("{")))) : keys;
};

/** Whether a name or a type says that it only grows. */
export const isCounter = (name: string, type: string | undefined): boolean => {
  if (type === "counter") return true;
  if (type === "gauge") return false;
  return /_(total|count|sum|bucket)$/.test(name);
};

/** Samples by series, in the order of their times. */
export const bySeries = (rows: readonly SampleRow[]): Map<string, Point[]> => {
  const found = new Map<string, Point[]>();
  for (const row of rows) {
    const key = seriesKey(row);
    let points = found.get(key);
    if (points === undefined) {
      points = [];
      found.set(key, points);
    }
    const value = sampleValue(row.value);
    points.push({ time: row.timestamp, value: value !== null && Number.isFinite(value) ? value : null });
  }
  for (const points of found.values()) points.sort((a, b) => a.time - b.time);
  return found;
};

/** A counter's samples per second, anything else as it is. */
export const shownPoints = (points: readonly Point[], what: Function): readonly Point[] => (what === "rate" ? perSecond(points) : points);

/** An aggregate's columns as points. */
export const pointsOf = (row: Aggregated, what: string): Point[] => {
  const values = row.values[what] ?? [];
  return row.timestamps.map((time, at) => {
    const value = sampleValue(values[at] ?? null);
    return { time, value: value !== null && Number.isFinite(value) ? value : null };
  });
};

export interface LabelUse {
  readonly name: string;
  readonly values: readonly { readonly value: string; readonly series: number }[];
}

/** Which labels the series have, and each value with how many series have it, the most first. */
export const labelUse = (rows: readonly SeriesRow[]): LabelUse[] => {
  const found = new Map<string, Map<string, number>>();
  for (const row of rows) {
    for (const [name, value] of Object.entries(row.labels)) {
      let values = found.get(name);
      if (values === undefined) {
        values = new Map();
        found.set(name, values);
      }
      values.set(value, (values.get(value) ?? 0) + 1);
    }
  }
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, values]) => ({
      name,
      values: [...values].map(([value, series]) => ({ value, series })).sort((a, b) => b.series - a.series || (a.value < b.value ? -1 : 1)),
    }));
};

const quoted = (text: string): string => `"${text.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n")}"`;

/** Label names that PromQL takes without quotes. */
const PLAIN = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** A matcher as PromQL writes it. */
export const matcher = (name: string, value: string): string => `${PLAIN.test(name) ? name : quoted(name)}=${quoted(value)}`;

/** The same, and of these series alone: what was typed, and each of its labels. */
export const narrowed = (typed: string, labels: Readonly<Record<string, string>>): string => {
  const before = typed.trim().replace(/^\{|\}$/g, "").trim().replace(/,$/, "");
  const all = [before, ...Object.entries(labels).map(([name, value]) => matcher(name, value))].filter((one) => one !== "");
  return all.length === 0 ? "" : `{${all.join(",")}}`;
};

/** A short name of a series for an address: the same wherever it is made. */
export const markOf = (key: string): string => {
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at += 1) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  return (hash >>> 0).toString(36);
};

/** The series that a person chose, as an address has them; nothing, where nobody chose. */
export const chosenOf = (text: string | undefined): Set<string> | undefined => {
  if (text === undefined || text === "") return undefined;
  return new Set(text.split(".").filter((mark) => mark !== "" && mark !== "none"));
};

export const chosenText = (chosen: ReadonlySet<string> | undefined): string | undefined => (chosen === undefined ? undefined : chosen.size === 0 ? "none" : [...chosen].join("."));

/** How many seconds of a range there are, where the rest was left out. */
export const coveredS = (rows: readonly { readonly timestamp: number }[], nowMs: number): number => {
  let oldest = nowMs;
  for (const row of rows) if (row.timestamp < oldest) oldest = row.timestamp;
  return Math.round((nowMs - oldest) / 1000);
};

/** What a person typed as matchers, with braces around it. */
export const selector = (typed: string): string => {
  const text = typed.trim();
  if (text === "") return "";
  return text.startsWith("{") ? text : `{${text}}`;
};
