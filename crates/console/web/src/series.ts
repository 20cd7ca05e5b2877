/** Columns for plots from what arrives in rows. Pure. */

export type Column = (number | null)[];

export interface Named {
  readonly name: string;
  readonly values: Column;
}

/** The last so many of what was pushed. */
export class Ring<T> {
  private items: T[] = [];

  constructor(private readonly most: number) {}

  push(item: T): void {
    this.items.push(item);
    // Cut seldom, so that a push is cheap.
    if (this.items.length > this.most * 1.25) this.items = this.items.slice(-this.most);
  }

  all(): readonly T[] {
    return this.items.length > this.most ? this.items.slice(-this.most) : this.items;
  }

  last(): T | undefined {
    return this.items[this.items.length - 1];
  }

  clear(): void {
    this.items = [];
  }
}

/** Many named values per row as a column each: those with most keep their name, the rest is "other". The order is stable. */
export const columns = <T>(rows: readonly T[], of: (row: T) => Readonly<Record<string, number>> | undefined, most: number): Named[] => {
  const sums = new Map<string, number>();
  for (const row of rows) {
    for (const [name, value] of Object.entries(of(row) ?? {})) sums.set(name, (sums.get(name) ?? 0) + value);
  }
  const byMost = [...sums.keys()].sort((a, b) => (sums.get(b) ?? 0) - (sums.get(a) ?? 0) || (a < b ? -1 : 1));
  const kept = byMost.length > most ? byMost.slice(0, most - 1) : byMost;
  const rest = byMost.slice(kept.length);
  const names = [...kept].sort();
  const found: Named[] = names.map((name) => ({
    name,
    values: rows.map((row) => {
      const values = of(row);
      return values === undefined ? null : (values[name] ?? 0);
    }),
  }));
  if (rest.length > 0) {
    const other = rows.map((row) => {
      const values = of(row);
      return values === undefined ? null : rest.reduce((sum, name) => sum + (values[name] ?? 0), 0);
    });
    found.push({ name: `${rest.length} others`, values: other });
  }
  return found;
};

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
