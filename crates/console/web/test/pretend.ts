/** A browser's clock, network and stream for what has no page around it: time passes when a test says so. */

interface Timer {
  readonly id: number;
  readonly every: number;
  at: number;
  readonly f: () => void;
}

export interface Asked {
  readonly path: string;
  readonly signal: AbortSignal;
  readonly answer: (response: Response) => void;
  readonly fail: () => void;
}

export class FakeSource {
  static all: FakeSource[] = [];
  isClosed = false;
  private readonly listeners = new Map<string, (event: Event) => void>();

  constructor(readonly address: string) {
    FakeSource.all.push(this);
  }

  static get open(): FakeSource[] {
    return FakeSource.all.filter((one) => !one.isClosed);
  }

  addEventListener(name: string, f: (event: Event) => void): void {
    this.listeners.set(name, f);
  }

  say(name: string, data: unknown): void {
    this.listeners.get(name)?.(new MessageEvent(name, { data: JSON.stringify(data) }));
  }

  end(): void {
    this.listeners.get("error")?.(new Event("error"));
  }

  close(): void {
    this.isClosed = true;
  }
}

/** Lets promises that are settled be noticed. */
export const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((done) => setImmediate(done));
};

export class Pretend {
  nowMs = 1_000_000;
  isHidden = false;
  readonly asked: Asked[] = [];
  private timers: Timer[] = [];
  private ids = 0;
  private readonly seen = new Map<string, () => void>();

  constructor() {
    FakeSource.all = [];
    const timer = (f: () => void, ms: number, every: number): number => {
      this.ids += 1;
      this.timers.push({ id: this.ids, at: this.nowMs + ms, every, f });
      return this.ids;
    };
    const pretend = this;
    Date.now = () => pretend.nowMs;
    Object.assign(globalThis, {
      window: {
        setTimeout: (f: () => void, ms: number) => timer(f, ms, 0),
        setInterval: (f: () => void, ms: number) => timer(f, ms, ms),
        clearTimeout: (id: number) => {
          this.timers = this.timers.filter((one) => one.id !== id);
        },
        addEventListener: (name: string, f: () => void) => this.seen.set(name, f),
      },
      document: {
        baseURI: "http://localhost:8081/#/overview",
        get hidden() {
          return pretend.isHidden;
        },
        addEventListener: (name: string, f: () => void) => this.seen.set(name, f),
      },
      EventSource: FakeSource,
      fetch: (address: string, init: RequestInit) =>
        new Promise<Response>((answer, refuse) => {
          const signal = init.signal as AbortSignal;
          signal.addEventListener("abort", () => refuse(signal.reason as Error));
          this.asked.push({ path: new URL(address).pathname, signal, answer, fail: () => refuse(new TypeError("network error")) });
        }),
    });
  }

  /** The oldest question to `path` that nobody answered yet. */
  next(path: string): Asked {
    const at = this.asked.findIndex((one) => one.path === path);
    const [found] = at < 0 ? [] : this.asked.splice(at, 1);
    if (found === undefined) throw new Error(`nobody asked for ${path}`);
    return found;
  }

  happens(name: string): void {
    this.seen.get(name)?.();
  }

  async pass(ms: number): Promise<void> {
    const end = this.nowMs + ms;
    for (;;) {
      const [due] = this.timers.filter((one) => one.at <= end).sort((a, b) => a.at - b.at);
      if (due === undefined) break;
      this.nowMs = Math.max(this.nowMs, due.at);
      if (due.every > 0) due.at += due.every;
      else this.timers = this.timers.filter((one) => one !== due);
      due.f();
      await settled();
    }
    this.nowMs = end;
    await settled();
  }
}

export const asJson = (value: unknown): Response => new Response(JSON.stringify(value), { headers: { "content-type": "application/json" } });
