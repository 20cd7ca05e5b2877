/** Which of so many colours each name has: the same as long as it is shown, and free when it is not. Pure. */

export class Palette {
  private readonly colours = new Map<string, number>();

  constructor(private readonly most: number) {}

  /** Takes the colours back of all that are not among these. */
  keep(names: readonly string[]): void {
    const shown = new Set(names);
    for (const name of this.colours.keys()) if (!shown.has(name)) this.colours.delete(name);
  }

  /** The place of its colour; when all are taken, the last one's. */
  of(name: string): number {
    let index = this.colours.get(name);
    if (index === undefined) {
      const used = new Set(this.colours.values());
      index = 0;
      while (used.has(index) && index < this.most - 1) index += 1;
      this.colours.set(name, index);
    }
    return index;
  }
}
