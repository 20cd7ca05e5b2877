/** What flows, as it flows: server-sent events, begun again when they end, and polled where they cannot be had. */

import { ApiError, ask, getJson, sentence, url } from "./api";
import { History } from "./history";
import type { HistoryEvent, Overview } from "./shapes";

export type State = "connecting" | "live" | "polling" | "stale" | "lost" | "paused" | "absent";

/** Ten minutes of seconds. */
const KEPT = 600;

/** Older than this, numbers are said to be old. */
const STALE_MS = 5000;

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 15_000;
const POLL_MS = 2000;

/** A stream that says nothing for so long will not say that it ended, either. */
const SILENT_MS = 10_000;

/** After such a stream it is asked for a while, before another stream is tried. */
const ASKED_MS = 15_000;

/** A tab that nobody looks at stops asking after this. */
const HIDDEN_MS = 60_000;

export class Live {
  readonly history = new History(KEPT);
  overview: Overview | undefined;
  state: State = "connecting";
  /** Why it is not live, in a sentence. */
  why = "";
  private heardMs = 0;
  private openedMs = 0;
  /** Not before this another stream is tried. */
  private streamMs = 0;
  /** Which attempt it is: what an earlier one finds out is of no use any more. */
  private attempt = 0;
  private source: EventSource | undefined;
  private timer = 0;
  private waitMs = FIRST_WAIT_MS;
  private hidden = 0;
  private readonly listeners = new Set<() => void>();

  start(): void {
    this.connect();
    void this.first();
    window.setInterval(() => this.watch(), 1000);
    document.addEventListener("visibilitychange", () => this.visibility());
    window.addEventListener("online", () => this.now());
  }

  /** Calls `f` at every change; the answer ends that. */
  on(f: () => void): () => void {
    this.listeners.add(f);
    return () => this.listeners.delete(f);
  }

  /** Milliseconds since the last news. */
  get ageMs(): number {
    return this.heardMs === 0 ? 0 : Date.now() - this.heardMs;
  }

  /** Tries at once. */
  now(): void {
    if (this.state === "live" && this.source !== undefined) return;
    this.waitMs = FIRST_WAIT_MS;
    this.connect();
  }

  /** The stream's first snapshot may be a second away; what is there now is shown until then. */
  private async first(): Promise<void> {
    try {
      const overview = await getJson<Overview>("api/v1/overview");
      if (this.overview !== undefined) return;
      this.heardMs = Date.now();
      this.overview = overview;
      this.history.push(overview.at_ms, overview.point);
      this.tell();
    } catch {
      // The stream says why.
    }
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }

  private become(state: State, why = ""): void {
    const isNew = state !== this.state || why !== this.why;
    this.state = state;
    this.why = why;
    if (isNew) this.tell();
  }

  private get isOld(): boolean {
    return this.ageMs > STALE_MS;
  }

  /** Ends what is open, and what is under way. */
  private stop(): void {
    this.attempt += 1;
    window.clearTimeout(this.timer);
    this.source?.close();
    this.source = undefined;
  }

  private connect(): void {
    this.stop();
    if (this.state === "live" || this.state === "paused" || this.state === "connecting") this.become(this.isOld ? "stale" : "connecting");
    this.openedMs = Date.now();
    const source = new EventSource(url("api/v1/live"));
    this.source = source;
    const take = (event: Event): void => {
      if (source !== this.source || !(event instanceof MessageEvent)) return;
      try {
        this.take(JSON.parse(String(event.data)) as HistoryEvent | Overview);
        this.waitMs = FIRST_WAIT_MS;
      } catch (error) {
        this.why = sentence(error);
      }
    };
    for (const name of ["history", "overview", "snapshot", "message"]) source.addEventListener(name, take);
    source.addEventListener("error", () => {
      if (source !== this.source) return;
      // It would say nothing of why, nor wait longer each time; so it is done here.
      void this.lost();
    });
  }

  private take(event: HistoryEvent | Overview): void {
    this.heardMs = Date.now();
    if ("columns" in event) {
      this.history.reset(event);
      if (this.state === "connecting") this.tell();
      return;
    }
    this.overview = event;
    this.history.push(event.at_ms, event.point);
    this.state = this.source === undefined ? "polling" : "live";
    if (this.source !== undefined) this.why = "";
    this.tell();
  }

  /** Asks once for what flows, which also says why it does not; `known` is why, where that is known. */
  private async lost(known?: string): Promise<void> {
    this.stop();
    const { attempt } = this;
    let wait = this.waitMs;
    try {
      // A stream that is refused, for example because there are enough consoles, says so when it is asked as a page.
      const overview = await getJson<Overview>("api/v1/overview");
      const why = known ?? (attempt === this.attempt ? await this.reason() : "");
      if (attempt !== this.attempt) return;
      this.why = why;
      this.take(overview);
      wait = POLL_MS;
    } catch (error) {
      if (attempt !== this.attempt) return;
      this.streamMs = 0;
      if (error instanceof ApiError && error.isAbsent) this.become("absent", "This process has no live numbers.");
      else this.become("lost", sentence(error));
      this.waitMs = Math.min(this.waitMs * 2, LONGEST_WAIT_MS);
    }
    this.timer = window.setTimeout(() => {
      if (known !== undefined && Date.now() < this.streamMs) void this.lost(known);
      else this.connect();
    }, wait);
  }

  private async reason(): Promise<string> {
    try {
      // That it answers is enough: a stream has no end to wait for.
      return await ask(url("api/v1/live"), { headers: { accept: "text/event-stream" } }, async (response) => {
        await response.body?.cancel();
        return "";
      });
    } catch (error) {
      return sentence(error);
    }
  }

  private watch(): void {
    if (this.state === "paused") return;
    if (this.isOld && (this.state === "live" || this.state === "polling" || this.state === "connecting")) this.become("stale");
    else if (this.isOld) this.tell();
    if (this.source === undefined || Date.now() - Math.max(this.openedMs, this.heardMs) < SILENT_MS) return;
    this.streamMs = Date.now() + ASKED_MS;
    void this.lost("the stream of numbers says nothing");
  }

  private visibility(): void {
    window.clearTimeout(this.hidden);
    if (document.hidden) {
      this.hidden = window.setTimeout(() => {
        this.stop();
        this.become("paused");
      }, HIDDEN_MS);
    } else if (this.state === "paused") this.connect();
  }
}
