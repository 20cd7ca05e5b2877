/** What is known of metric names: what the last answer said, and what the open one's samples tell. Pure. */

import type { Name } from "./shapes";

export class KnownNames {
  private names = new Map<string, Name>();
  private readonly types = new Map<string, string>();

  /** In place of what was listed before; of `open`, which need not be listed, what is known stays until it is asked for alone. */
  list(names: readonly Name[], open: string): void {
    const before = this.names.get(open);
    this.names = new Map(names.map((name) => [name.metric_name, name]));
    if (before !== undefined && !this.names.has(open)) this.names.set(open, before);
  }

  /** What there is of one name; nothing, when it has stopped. */
  one(name: string, found: Name | undefined): void {
    if (found === undefined) this.names.delete(name);
    else this.names.set(name, found);
  }

  /** A type that came with its series. */
  learn(name: string, type: string): void {
    this.types.clear();
    this.types.set(name, type);
  }

  has(name: string): boolean {
    return this.names.has(name);
  }

  get(name: string): Name | undefined {
    const found = this.names.get(name);
    const type = this.types.get(name);
    if (type === undefined || found?.type !== undefined) return found;
    return { ...(found ?? { metric_name: name }), type };
  }
}
