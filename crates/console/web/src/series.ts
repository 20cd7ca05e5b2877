/** Columns for plots from what arrives in rows. Pure. */

export type Column = (number | null)[];

/** Each column upon the ones before it. */
export const stacked = (values: readonly Column[]): Column[] => {
  const below: number[] = [];
  return values.map((column) =>
    column.map((value, at) => {
      if (value === null) return null;
      const top = (below[at] ?? 0) + value;
      below[at] = top;
      return top;
    }),
  );
};

/** As many values as a small picture has room for: means of what falls together. */
export const thinned = (values: Column, most: number): Column => {
  if (values.length <= most) return values;
  const size = Math.ceil(values.length / most);
  const found: Column = [];
  // From the end, so that a bucket keeps its values while new ones come.
  for (let end = values.length; end > 0; end -= size) {
    const known = values.slice(Math.max(0, end - size), end).filter((value): value is number => value !== null);
    found.push(known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length);
  }
  return found.reverse();
};

export interface Point {
  readonly time: number;
  readonly value: number | null;
}

/** Series with times of their own as columns over the times of all, in milliseconds. */
export const aligned = (series: readonly (readonly Point[])[]): { readonly times: number[]; readonly values: (number | null | undefined)[][] } => {
  const times = [...new Set(series.flatMap((points) => points.map((point) => point.time)))].sort((a, b) => a - b);
  const at = new Map(times.map((time, index) => [time, index]));
  const values = series.map((points) => {
    // What a series has no point for is undefined (the line goes on), what it says is nothing is null (a gap).
    const column = new Array<number | null | undefined>(times.length).fill(undefined);
    for (const point of points) {
      const index = at.get(point.time);
      if (index !== undefined) column[index] = point.value;
    }
    return column;
  });
  return { times, values };
};

/** A counter's points as what it counts per second; a fall is a restart from 0. */
export const perSecond = (points: readonly Point[]): Point[] => {
  const found: Point[] = [];
  let before: { time: number; value: number } | undefined;
  for (const { time, value } of points) {
    if (value === null || !Number.isFinite(value)) {
      found.push({ time, value: null });
      continue;
    }
    if (before !== undefined && time > before.time) {
      const grown = value >= before.value ? value - before.value : value;
      found.push({ time, value: (grown * 1000) / (time - before.time) });
    }
    before = { time, value };
  }
  return found;
};
