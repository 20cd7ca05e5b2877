/** Asking again and again, while somebody looks. */

export interface Turns {
  /** Calls `f` after so long; a page that nobody looks at waits until somebody does. */
  again(waitMs: number, f: () => void): void;
  /** Ends it for now; nothing but `again` begins it anew. */
  end(): void;
}

export const turns = (): Turns => {
  let timer = 0;
  const again = (waitMs: number, f: () => void): void => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => {
      if (document.hidden) again(waitMs, f);
      else f();
    }, waitMs);
  };
  return { again, end: () => window.clearTimeout(timer) };
};
