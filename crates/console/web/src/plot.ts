/** A plot over time: uPlot with our colours, a legend of text, and its last values in words for who cannot see it. */

import uPlot from "uplot";
import { fill, h, setText } from "./dom";
import { clock, cut, dateTime, plain, visible } from "./format";
import { Palette } from "./palette";
import { stacked } from "./series";
import type { Column } from "./series";
import { SERIES_COLOURS, colour, onTheme } from "./theme";

export interface Line {
  readonly name: string;
  readonly values: readonly (number | null | undefined)[];
  /** A colour of the style sheet, where it means something. */
  readonly colour?: string;
}

export interface PlotOptions {
  readonly title: string;
  readonly note?: string;
  readonly format: (value: number) => string;
  readonly stack?: boolean;
  readonly height?: number;
  /** Plots with the same word share the cursor. */
  readonly sync?: string;
  readonly points?: boolean;
  /** Where the axis begins; otherwise where the data does. */
  readonly fromZero?: boolean;
  readonly level?: 2 | 3;
  readonly empty?: string;
}

export interface Plot {
  readonly element: HTMLElement;
  /** Times in milliseconds. */
  set(times: readonly number[], lines: readonly Line[]): void;
  setTitle(text: string): void;
  destroy(): void;
}

/** Steps of the time axis that fall on round times. */
const timeLabels = (_: uPlot, splits: number[], __: number, ___: number, step: number): string[] => {
  let day = "";
  return splits.map((at) => {
    const ms = at * 1000;
    const text = clock(ms);
    const date = dateTime(ms).slice(5, 10);
    const shown = step >= 86_400 ? date : step >= 60 ? text.slice(0, 5) : text;
    const isNew = date !== day && day !== "" && step < 86_400;
    day = date;
    return isNew ? `${shown}\n${date}` : shown;
  });
};

const faint = (rgb: string, share: number): string => `color-mix(in srgb, ${rgb} ${Math.round(share * 100)}%, transparent)`;

/** Canvas does not know color-mix everywhere, so hex becomes rgba here. */
const withAlpha = (hex: string, alpha: number): string => {
  const found = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(hex);
  if (found === null) return faint(hex, alpha);
  const [red, green, blue] = found.slice(1).map((part) => parseInt(part, 16));
  return `rgba(${red},${green},${blue},${alpha})`;
};

export const plot = (options: PlotOptions): Plot => {
  const heading = h(options.level === 2 ? "h2" : "h3", { class: "plot-title" }, options.title);
  const note = h("span", { class: "plot-note" }, options.note ?? "");
  const canvas = h("div", { class: "plot-canvas", role: "img", "aria-label": `${options.title}: no data yet` });
  const legend = h("ul", { class: "legend" });
  const empty = h("p", { class: "plot-empty" }, options.empty ?? "Nothing yet");
  const element = h("section", { class: "plot" }, h("header", { class: "plot-head" }, heading, note), canvas, legend);
  const height = options.height ?? 150;
  canvas.style.height = `${height}px`;
  canvas.appendChild(empty);

  let chart: uPlot | undefined;
  let shape = "";
  let times: number[] = [];
  let lines: readonly Line[] = [];
  let items: { value: HTMLElement }[] = [];
  let hovered: number | null = null;
  let width = 0;
  let said = 0;
  const palette = new Palette(SERIES_COLOURS);

  const colourOf = (line: Line): string => colour(line.colour ?? `series-${palette.of(line.name) + 1}`);

  const lastOf = (line: Line): number | null => {
    for (let at = line.values.length - 1; at >= 0; at -= 1) {
      const value = line.values[at];
      if (value !== null && value !== undefined) return value;
    }
    return null;
  };

  const showValues = (): void => {
    lines.forEach((line, index) => {
      const item = items[index];
      if (item === undefined) return;
      const value = hovered === null ? lastOf(line) : line.values[hovered];
      setText(item.value, value === null || value === undefined ? "–" : options.format(value));
    });
    setText(note, hovered === null ? (options.note ?? "") : dateTime((times[hovered] ?? 0)));
    // Words for a reader who does not see the picture, not more than every ten seconds.
    if (Date.now() - said > 10_000 && lines.length > 0) {
      said = Date.now();
      const words = lines.slice(0, 8).map((line) => {
        const last = lastOf(line);
        return `${visible(line.name)} ${last === null ? "nothing" : options.format(last)}`;
      });
      canvas.setAttribute("aria-label", `${options.title}: ${words.join(", ")}`);
    }
  };

  const data = (): uPlot.AlignedData => {
    const seconds = times.map((time) => time / 1000);
    const values = options.stack === true ? stacked(lines.map((line) => line.values as Column)) : lines.map((line) => line.values as Column);
    return [seconds, ...values] as unknown as uPlot.AlignedData;
  };

  const build = (): void => {
    chart?.destroy();
    chart = undefined;
    empty.remove();
    if (lines.length === 0 || times.length === 0) {
      canvas.appendChild(empty);
      fill(legend);
      items = [];
      return;
    }
    const axis = {
      stroke: colour("plot-text"),
      font: `11px ${colour("font")}`,
      ticks: { show: false },
    };
    const isStack = options.stack === true;
    const series: uPlot.Series[] = lines.map((line, index) => {
      const stroke = colourOf(line);
      const one: uPlot.Series = {
        label: line.name,
        stroke,
        width: 1.5,
        points: { show: options.points === true && times.length < 120, size: 4, fill: stroke },
      };
      if (isStack && index === 0) one.fill = withAlpha(stroke, 0.28);
      else if (!isStack && lines.length === 1) one.fill = withAlpha(stroke, 0.12);
      return one;
    });
    const bands: uPlot.Band[] = isStack
      ? lines.slice(1).map((line, index) => ({ series: [index + 2, index + 1], fill: withAlpha(colourOf(line), 0.28) }))
      : [];
    const fromZero = options.fromZero !== false;
    chart = new uPlot(
      {
        width: Math.max(width, 60),
        height,
        legend: { show: false },
        padding: [8, 30, 0, 0],
        cursor: {
          y: false,
          drag: { x: false, y: false },
          points: { size: 6 },
          ...(options.sync === undefined ? {} : { sync: { key: options.sync, setSeries: false } }),
        },
        scales: {
          x: { time: true },
          y: {
            range: (_, low, high) => {
              if (!Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
              if (fromZero && low >= 0) return [0, high <= 0 ? 1 : high * 1.12];
              const room = (high - low || Math.abs(high) || 1) * 0.08;
              return [low - room, high + room];
            },
          },
        },
        series: [{}, ...series],
        bands,
        axes: [
          { ...axis, grid: { show: false }, space: width < 400 ? 56 : 64, size: 24, gap: 4, values: timeLabels },
          {
            ...axis,
            grid: { stroke: colour("plot-grid"), width: 1 },
            space: 34,
            size: 64,
            gap: 6,
            values: (_, splits) => splits.map((value) => plain(options.format(value))),
          },
        ],
        hooks: {
          setCursor: [
            (self) => {
              const at = self.cursor.idx ?? null;
              if (at !== hovered) {
                hovered = at;
                showValues();
              }
            },
          ],
        },
      },
      data(),
      canvas,
    );
    items = lines.map((line) => {
      const swatch = h("span", { class: "swatch", "aria-hidden": "true" });
      swatch.style.background = colourOf(line);
      const value = h("span", { class: "legend-value" });
      const name = visible(line.name);
      legendRows.push(h("li", {}, swatch, h("span", { class: "legend-name", title: name }, cut(name, 90)), value));
      return { value };
    });
    fill(legend, legendRows.splice(0));
  };
  const legendRows: HTMLElement[] = [];

  const draw = (): void => {
    palette.keep(lines.map((line) => line.name));
    const now = JSON.stringify(lines.map((line) => [line.name, line.colour]));
    const isEmpty = lines.length === 0 || times.length === 0;
    if (chart === undefined || now !== shape || isEmpty) {
      shape = now;
      hovered = null;
      build();
    } else chart.setData(data());
    showValues();
  };

  const observer = new ResizeObserver((entries) => {
    const found = Math.floor(entries[0]?.contentRect.width ?? 0);
    if (found === width || found === 0) return;
    width = found;
    if (chart === undefined) draw();
    else chart.setSize({ width, height });
  });
  observer.observe(canvas);
  const endTheme = onTheme(() => {
    shape = "";
    draw();
  });

  return {
    element,
    set(newTimes, newLines) {
      times = [...newTimes];
      lines = newLines;
      if (width > 0) draw();
    },
    setTitle(text) {
      setText(heading, text);
    },
    destroy() {
      observer.disconnect();
      endTheme();
      chart?.destroy();
    },
  };
};
