/** The last minutes by column: what the server kept, and each second since. Pure. */

import type { Column } from "./series";
import type { HistoryEvent } from "./shapes";

export class History {
  private times: number[] = [];
  private readonly columns = new Map<string, Column>();

  constructor(private readonly most: number) {}

  /** Begins anew with what the server kept. */
  reset(event: HistoryEvent): void {
    this.times = [...event.at_ms];
    this.columns.clear();
    for (const [name, values] of Object.entries(event.columns)) {
      const column: Column = this.times.map((_, at) => values[at] ?? null);
      this.columns.set(name, column);
    }
    this.trim();
  }

  /** A second later. One that is not later than the last is known already. */
  push(atMs: number, point: Readonly<Record<string, number>>): void {
    const last = this.times[this.times.length - 1];
    if (last !== undefined && atMs <= last) return;
    const before = this.times.length;
    this.times.push(atMs);
    for (const column of this.columns.values()) column.push(null);
    for (const [name, value] of Object.entries(point)) {
      let column = this.columns.get(name);
      if (column === undefined) {
        column = new Array<number | null>(before + 1).fill(null);
        this.columns.set(name, column);
      }
      column[before] = value;
    }
    this.trim();
  }

  /** Cut seldom, so that a push is cheap. */
  private trim(): void {
    if (this.times.length <= this.most * 1.1) return;
    const from = this.times.length - this.most;
    this.times = this.times.slice(from);
    for (const [name, column] of this.columns) {
      const kept = column.slice(from);
      // A tenant or a status that is long gone makes room.
      if (kept.every((value) => value === null)) this.columns.delete(name);
      else this.columns.set(name, kept);
    }
  }

  /** Where the last `seconds` begin. */
  private from(seconds: number): number {
    const last = this.times[this.times.length - 1];
    if (last === undefined) return 0;
    const found = this.times.findIndex((time) => time >= last - seconds * 1000);
    return Math.max(0, found);
  }

  at(seconds: number): number[] {
    return this.times.slice(this.from(seconds));
  }

  column(name: string, seconds: number): Column {
    return (this.columns.get(name) ?? this.times.map(() => null)).slice(this.from(seconds));
  }

  has(name: string): boolean {
    return this.columns.has(name);
  }

  /** All columns of a kind, such as `protocol:`, without that word: those with most keep their name, in a stable order. */
  family(prefix: string, seconds: number, most: number): { readonly name: string; readonly values: Column }[] {
    const from = this.from(seconds);
    const found = [...this.columns]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, column]) => {
        const values = column.slice(from);
        return { name: name.slice(prefix.length), values, sum: values.reduce<number>((sum, value) => sum + (value ?? 0), 0) };
      });
    found.sort((a, b) => b.sum - a.sum || (a.name < b.name ? -1 : 1));
    const kept = found.length > most ? found.slice(0, most - 1) : found;
    const rest = found.slice(kept.length);
    kept.sort((a, b) => (a.name < b.name ? -1 : 1));
    const shown = kept.map(({ name, values }) => ({ name, values }));
    if (rest.length > 0) {
      const values = this.times.slice(from).map((_, at) => {
        const known = rest.map((one) => one.values[at] ?? null).filter((value) => value !== null);
        return known.length === 0 ? null : known.reduce<number>((sum, value) => sum + (value ?? 0), 0);
      });
      shown.push({ name: `${rest.length} others`, values });
    }
    return shown;
  }

  get isEmpty(): boolean {
    return this.times.length === 0;
  }
}
