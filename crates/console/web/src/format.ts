/** Numbers, times and names as people read them: few digits, a unit, one width. Pure. */

const NONE = "–";

const digits = (value: number): string => {
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 99.95) return value.toFixed(0);
  if (size >= 9.995) return value.toFixed(1);
  return value.toFixed(2);
};

const STEPS: readonly [number, string][] = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
];

/** What is known of a number that may be absent. */
export type Maybe = number | null | undefined;

const known = (value: Maybe): value is number => value !== null && value !== undefined && !Number.isNaN(value);

/** Such as `98.2 k`; small ones as they are. */
export const short = (value: Maybe): string => {
  if (!known(value)) return NONE;
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  for (const [step, name] of STEPS) {
    // 999.6 would be shown as "1000".
    if (Math.abs(value) >= step * 0.9995) return `${digits(value / step)} ${name}`;
  }
  if (Number.isInteger(value)) return String(value);
  if (Math.abs(value) < 0.005 && value !== 0) return value.toExponential(1);
  return digits(value);
};

/** The same without zeros that say nothing: for an axis. */
export const plain = (text: string): string => text.replace(/(\.\d*?)0+(?=\D|$)/, (_, kept: string) => (kept === "." ? "" : kept));

/** All digits, in groups of three: for a ledger, where each one counts. */
export const exact = (value: Maybe): string => {
  if (!known(value)) return NONE;
  const [whole = "0", rest] = String(Math.abs(value)).split(".");
  const grouped = whole.includes("e") ? whole : whole.replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
  return (value < 0 ? "−" : "") + grouped + (rest === undefined ? "" : `.${rest}`);
};

/** Such as `98.2 k/s`. */
export const rate = (value: Maybe): string => (known(value) ? `${short(value)}/s` : NONE);

/** Such as `12.4 MiB`. */
export const bytes = (value: Maybe): string => {
  if (!known(value)) return NONE;
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let [left, unit] = [value, 0];
  while (Math.abs(left) >= 1023.5 && unit < units.length - 1) {
    left /= 1024;
    unit += 1;
  }
  const text = unit === 0 && (Number.isInteger(left) || Math.abs(left) >= 100) ? left.toFixed(0) : digits(left);
  return `${text} ${units[unit]}`;
};

/** A length of time that is counted in seconds: `850 µs`, `2.1 ms`, `4.0 s`, `12 min`, `23 h 40 min`, `3 d`. */
export const duration = (seconds: Maybe): string => {
  if (!known(seconds)) return NONE;
  if (!Number.isFinite(seconds)) return "∞";
  if (seconds < 0) return `−${duration(-seconds)}`;
  if (seconds === 0) return "0 s";
  if (seconds < 0.0009995) return `${digits(seconds * 1e6)} µs`;
  if (seconds < 0.9995) return `${digits(seconds * 1e3)} ms`;
  if (seconds < 59.5) return `${seconds < 9.95 ? seconds.toFixed(1) : seconds.toFixed(0)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 48 * 60) {
    const rest = minutes % 60;
    return `${Math.floor(minutes / 60)} h${rest === 0 ? "" : ` ${rest} min`}`;
  }
  const hours = Math.round(minutes / 60);
  return `${Math.floor(hours / 24)} d${hours % 24 === 0 ? "" : ` ${hours % 24} h`}`;
};

/** How long ago, as a person says it. */
export const ago = (thenMs: Maybe, nowMs: number): string => {
  if (!known(thenMs)) return NONE;
  const seconds = Math.max(0, (nowMs - thenMs) / 1000);
  return seconds < 1.5 ? "now" : `${duration(Math.round(seconds)).replace(".0 ", " ")} ago`;
};

/** A share of one as percent. */
export const percent = (share: Maybe): string => {
  if (!known(share)) return NONE;
  const value = share * 100;
  if (value !== 0 && Math.abs(value) < 0.1) return "<0.1 %";
  return `${Math.abs(value) < 10 ? value.toFixed(1) : value.toFixed(0)} %`;
};

const two = (value: number): string => String(value).padStart(2, "0");

/** The time of day, where the reader is. */
export const clock = (ms: number): string => {
  const at = new Date(ms);
  return Number.isNaN(at.getTime()) ? NONE : `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
};

/** Date and time, where the reader is. */
export const dateTime = (ms: number): string => {
  const at = new Date(ms);
  if (Number.isNaN(at.getTime())) return NONE;
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${clock(ms)}`;
};

/** The value of a sample: JSON has no NaN, so it may be a word. */
export const sampleValue = (value: unknown): number | null => {
  if (typeof value === "number") return value;
  if (value === "+Inf") return Infinity;
  if (value === "-Inf") return -Infinity;
  return null;
};

const quoted = (text: string): string => `"${text.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n")}"`;

/** Labels as PromQL writes them, in order of their names. */
export const labelText = (labels: Readonly<Record<string, string>>): string => {
  const names = Object.keys(labels).sort();
  return `{${names.map((name) => `${name}=${quoted(labels[name] ?? "")}`).join(", ")}}`;
};

/** Control and bidirectional characters made visible: a name must not rearrange the line that it is shown in. */
export const visible = (text: string): string =>
  text.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, (found) => {
    return `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });

/** A name cut in its middle, where the ends say most. */
export const cut = (text: string, most: number): string => {
  const all = Array.from(text);
  if (all.length <= most) return text;
  const head = Math.ceil((most - 1) * 0.6);
  return `${all.slice(0, head).join("")}…${all.slice(all.length - (most - 1 - head)).join("")}`;
};
