/** What flows, whether all of it is accounted for, and who is in trouble: one screen. */

import { getJson } from "../api";
import { fill, h, refill } from "../dom";
import type { Child } from "../dom";
import { ago, bytes, cut, duration, exact, percent, rate, short, visible } from "../format";
import type { Live } from "../live";
import { plot } from "../plot";
import type { Line, Plot } from "../plot";
import { address } from "../router";
import type { Cardinality, Heat, Overview, Rejection, Rejections, Store } from "../shapes";
import { table } from "../table";
import { turns } from "../turns";
import { keyed, meter, panel, pill, tile } from "../widgets";
import type { Tile, Tone } from "../widgets";
import { ledgerTone, showLedger } from "./ledger";
import { storeTone, storesInWords } from "./states";
import type { MakeView } from "./view";

const SECONDS = 300;
const LISTS_MS = 5000;

/** What a tile shows of the history. */
interface TileOf {
  readonly tile: Tile;
  readonly show: (overview: Overview, live: Live, tile: Tile) => boolean;
}

const ratio = (used: number, limit: number): Tone => (limit <= 0 ? "none" : used / limit > 0.9 ? "bad" : used / limit > 0.7 ? "warn" : "none");

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Columns of a family added up. */
const together = (live: Live, prefix: string): (number | null)[] => {
  const all = live.history.family(prefix, SECONDS, 100);
  return live.history.at(SECONDS).map((_, at) => {
    const known = all.map((one) => one.values[at] ?? null).filter((value): value is number => value !== null);
    return known.length === 0 ? null : sum(known);
  });
};

const tiles = (): TileOf[] => [
  {
    tile: tile("Samples in", "accepted: durable in the buffer"),
    show: ({ gateway }, { history }, shown) => {
      if (gateway === undefined) return false;
      shown.set(rate(gateway.samples.accepted_per_s), `${short(gateway.requests.per_s)} requests/s`, history.column("accepted", SECONDS));
      return true;
    },
  },
  {
    tile: tile("Refused", "samples that were refused, or not confirmed by the buffer"),
    show: ({ gateway }, { history }, shown) => {
      if (gateway === undefined) return false;
      const value = gateway.samples.rejected_per_s;
      const received = gateway.samples.received_per_s;
      const words = value === 0 ? `${exact(gateway.samples.rejected)} since start` : `${percent(received === 0 ? 0 : value / received)} of what came`;
      shown.set(rate(value), words, history.column("rejected", SECONDS), value > 0 ? "warn" : "none");
      return true;
    },
  },
  {
    tile: tile("Samples out", "written to all stores together"),
    show: ({ stores }, live, shown) => {
      if (stores === undefined) return false;
      shown.set(rate(sum(stores.map((store) => store.written_per_s))), `${stores.length} ${stores.length === 1 ? "store" : "stores"}`, together(live, "written:"));
      return true;
    },
  },
  {
    tile: tile("Answer time", "from the body's last byte to the answer, all protocols together, last minute"),
    show: ({ gateway }, { history }, shown) => {
      if (gateway === undefined) return false;
      const { p50_s, p99_s } = gateway.requests;
      shown.set(duration(p99_s), p50_s === undefined ? "p99, no requests lately" : `p99; p50 ${duration(p50_s)}`, history.column("p99_s", SECONDS));
      return true;
    },
  },
  {
    tile: tile("Bytes per sample", "of a record, before compression, last minute"),
    show: ({ gateway }, { history }, shown) => {
      if (gateway === undefined) return false;
      const { bytes_per_sample, samples_per_record } = gateway.records;
      shown.set(bytes(bytes_per_sample), samples_per_record === undefined ? "no records lately" : `${short(samples_per_record)} samples a record`, history.column("bytes_per_sample", SECONDS));
      return true;
    },
  },
  {
    tile: tile("In flight", "bodies that are not answered yet"),
    show: ({ gateway }, { history }, shown) => {
      if (gateway === undefined) return false;
      const { used_bytes, limit_bytes } = gateway.in_flight;
      shown.set(bytes(used_bytes), `of ${bytes(limit_bytes)}`, history.column("in_flight_bytes", SECONDS), ratio(used_bytes, limit_bytes));
      return true;
    },
  },
  {
    tile: tile("Queue", "records that wait for Kafka's answer"),
    show: ({ buffer }, { history }, shown) => {
      if (buffer.queue === undefined) return false;
      const { used_bytes, limit_bytes } = buffer.queue;
      shown.set(bytes(used_bytes), `of ${bytes(limit_bytes)}`, history.column("queue_bytes", SECONDS), ratio(used_bytes, limit_bytes));
      return true;
    },
  },
  {
    tile: tile("Spool", "records that wait on this disk until Kafka takes them"),
    show: ({ buffer }, { history }, shown) => {
      if (buffer.spool === undefined) return false;
      const { used_bytes, limit_bytes, oldest_s } = buffer.spool;
      const words = used_bytes > 0 ? `of ${bytes(limit_bytes)}, ${duration(oldest_s)} old` : `empty, of ${bytes(limit_bytes)}`;
      shown.set(bytes(used_bytes), words, history.column("spool_bytes", SECONDS), used_bytes > 0 ? (ratio(used_bytes, limit_bytes) === "bad" ? "bad" : "warn") : "none");
      return true;
    },
  },
  {
    tile: tile("Embedded log", "what the buffer on this disk keeps"),
    show: ({ buffer }, { history }, shown) => {
      if (buffer.log === undefined) return false;
      const { used_bytes, limit_bytes, oldest_s } = buffer.log;
      shown.set(bytes(used_bytes), `of ${bytes(limit_bytes)}, ${duration(oldest_s)}`, history.column("log_bytes", SECONDS), ratio(used_bytes, limit_bytes));
      return true;
    },
  },
  {
    tile: tile("Lag", "records that stores do not have yet; headroom is the time until the first of them expires"),
    show: ({ stores, buffer }, live, shown) => {
      const known = (stores ?? []).map((store) => store.headroom_s).filter((value): value is number => value !== undefined);
      if (known.length === 0) return false;
      const least = Math.min(...known);
      const lag = sum((stores ?? []).map((store) => store.lag_records));
      const tone = least < buffer.retention_s * 0.25 ? "bad" : least < buffer.retention_s * 0.6 ? "warn" : "none";
      shown.set(`${short(lag)} records`, `headroom ${duration(least)}`, together(live, "lag_records:"), tone);
      return true;
    },
  },
];

/** Statuses as colours that mean the same each time. */
const statusColour = (status: string): string => {
  if (status.startsWith("2")) return "status-2";
  if (status === "429" || status === "503") return "status-wait";
  return status.startsWith("5") ? "status-5" : "status-4";
};

interface PlotOf {
  readonly plot: Plot;
  readonly lines: (overview: Overview, live: Live) => readonly Line[] | undefined;
}

const plots = (): PlotOf[] => {
  const common = { sync: "overview", level: 2 } as const;
  return [
    {
      plot: plot({ ...common, title: "Samples in, by protocol", format: rate, stack: true }),
      lines: ({ gateway }, { history }) => (gateway === undefined ? undefined : history.family("protocol:", SECONDS, 8)),
    },
    {
      plot: plot({ ...common, title: "Samples in, by tenant", format: rate, stack: true }),
      lines: ({ gateway }, { history }) => (gateway === undefined ? undefined : history.family("tenant:", SECONDS, 8).map((line) => (line.name === "none" ? { ...line, name: "no tenant" } : line))),
    },
    {
      plot: plot({ ...common, title: "Samples out, by store", format: rate }),
      lines: ({ stores }, { history }) => (stores === undefined ? undefined : history.family("written:", SECONDS, 8)),
    },
    {
      plot: plot({ ...common, title: "Answers, by status", format: rate, stack: true }),
      lines: ({ gateway }, { history }) => {
        if (gateway === undefined) return undefined;
        const seen = new Map<string, number>();
        return history.family("status:", SECONDS, 8).map((line) => {
          const colour = statusColour(line.name);
          const turn = (seen.get(colour) ?? 0) + 1;
          seen.set(colour, turn);
          return { ...line, colour: `${colour}-${Math.min(turn, 3)}` };
        });
      },
    },
    {
      plot: plot({ ...common, title: "Time to the answer", format: duration, note: "last minute" }),
      lines: ({ gateway }, { history }) =>
        gateway === undefined
          ? undefined
          : [
              { name: "p50", values: history.column("p50_s", SECONDS), colour: "series-1" },
              { name: "p99", values: history.column("p99_s", SECONDS), colour: "series-4" },
            ],
    },
    {
      plot: plot({ ...common, title: "Lag, by store", format: (value) => `${short(value)} rec` }),
      lines: ({ stores }, { history }) => (stores === undefined ? undefined : history.family("lag_records:", SECONDS, 8)),
    },
  ];
};

const storeTable = () =>
  table<Store>({
    caption: "Stores",
    empty: "This process has no stores.",
    cells: [
      { title: "Store", show: (store) => [h("strong", {}, visible(store.name)), h("div", { class: "soft" }, store.type)], by: (store) => store.name },
      {
        title: "State",
        show: (store) => pill(storeTone(store), store.state),
        by: (store) => store.state,
      },
      { title: "Rate", hint: "samples written per second", isNumber: true, show: (store) => rate(store.written_per_s), by: (store) => store.written_per_s },
      { title: "Written", hint: "since this process started", isNumber: true, show: (store) => exact(store.written), by: (store) => store.written },
      { title: "Write p50 / p99", hint: "last minute", isNumber: true, show: (store) => (store.write_p50_s === undefined ? "–" : `${duration(store.write_p50_s)} / ${duration(store.write_p99_s)}`), by: (store) => store.write_p99_s ?? 0 },
      { title: "Lag", isNumber: true, show: (store) => [`${short(store.lag_records)} rec`, store.lag_s === undefined ? null : h("div", { class: "soft" }, duration(store.lag_s))], by: (store) => store.lag_records },
      { title: "Headroom", hint: "until unread records expire", isNumber: true, show: (store) => duration(store.headroom_s), by: (store) => store.headroom_s ?? Infinity },
      { title: "Retries", isNumber: true, show: (store) => [exact(store.retries), store.retries_per_s > 0 ? h("div", { class: "status-warn" }, rate(store.retries_per_s)) : null], by: (store) => store.retries },
      { title: "Dead letters", isNumber: true, show: (store) => [h("span", { class: store.dead_lettered > 0 ? "status-warn" : "" }, exact(store.dead_lettered)), store.records_dead_lettered > 0 ? h("div", { class: "soft" }, `${exact(store.records_dead_lettered)} unreadable`) : null], by: (store) => store.dead_lettered },
      { title: "Memory", isNumber: true, show: (store) => [bytes(store.memory.used_bytes), meter(store.memory.limit_bytes > 0 ? store.memory.used_bytes / store.memory.limit_bytes : 0, `${bytes(store.memory.used_bytes)} of ${bytes(store.memory.limit_bytes)}`)], by: (store) => store.memory.used_bytes },
      {
        title: "Last error",
        className: "wide",
        show: (store) =>
          store.last_error === undefined
            ? h("span", { class: "soft" }, "none")
            : [h("span", { class: store.last_error.is_retryable ? "status-warn" : "status-bad" }, `${ago(store.last_error.at_ms, Date.now())}${store.last_error.is_retryable ? ", tried again" : ", given up"}: `), cut(visible(store.last_error.message), 200)],
      },
    ],
  });

/** Names with a bar each. */
const ranked = (rows: readonly { readonly name: string; readonly value: number; readonly text: string; readonly hint?: string }[], empty: string): Child => {
  const most = Math.max(...rows.map((row) => row.value), 0) || 1;
  if (rows.length === 0) return h("p", { class: "empty" }, empty);
  return h(
    "ol",
    { class: "ranked" },
    rows.map((row) => {
      const bar = h("span", { class: "bar", "aria-hidden": "true" });
      bar.style.width = `${Math.max(0.5, (row.value / most) * 100).toFixed(1)}%`;
      return h("li", { title: row.hint }, bar, h("a", { href: address("metrics", { name: row.name }) }, cut(visible(row.name), 60)), h("span", { class: "number" }, row.text));
    }),
  );
};

const rejectionList = (rows: readonly Rejection[]): Child => {
  if (rows.length === 0) return h("p", { class: "empty" }, "Nothing was refused lately.");
  return h(
    "ol",
    { class: "latest" },
    rows.map((row) =>
      h("li", {}, h("span", { class: "number soft" }, ago(Date.parse(row.last_at), Date.now())), h("div", {}, h("code", { class: "code-bad" }, row.reason), ` ×${exact(row.count)} `, h("span", {}, cut(visible(row.metric_name ?? ""), 60)), h("div", { class: "soft" }, `${row.source === undefined ? "" : `${cut(visible(row.source), 40)}: `}${cut(visible(row.message), 140)}`))),
    ),
  );
};

export const overview: MakeView = (_, live) => {
  const allTiles = tiles();
  const allPlots = plots();
  const status = h("div", { class: "status-line", role: "status" });
  const showStatus = keyed(status);
  const tileRow = h("div", { class: "tiles" }, allTiles.map((one) => one.tile.element));
  const plotGrid = h("div", { class: "plots" }, allPlots.map((one) => one.plot.element));
  const stores = storeTable();
  const storesPanel = panel("Stores", {}, stores.element);
  const ledgerBody = h("div", { class: "ledger" });
  const showBalance = keyed(ledgerBody);
  const ledgerPanel = panel("Loss ledger", { note: "every sample since this process started" }, ledgerBody);
  const bySamples = h("div");
  const bySeries = h("div");
  const latest = h("div");
  const lists = h(
    "div",
    { class: "lists" },
    panel("Top names by samples", { note: "per second" }, bySamples),
    panel("Top names by series", { note: "active" }, bySeries),
    panel("Latest refusals", { note: h("a", { href: address("rejections") }, "all") }, latest),
  );
  const [samplesPanel, seriesPanel] = [...lists.children] as [HTMLElement, HTMLElement];
  const absent = h("p", { class: "empty" });
  const element = h("div", { class: "view view-overview" }, h("h1", { class: "hidden" }, "Overview"), status, tileRow, absent, plotGrid, storesPanel, ledgerPanel, lists);

  const draw = (): void => {
    const now = live.overview;
    absent.hidden = now !== undefined;
    for (const part of [tileRow, plotGrid, storesPanel, ledgerPanel]) part.hidden = now === undefined;
    if (now === undefined) {
      absent.textContent = live.why === "" ? "Waiting for the first numbers…" : live.why;
      return;
    }
    const { readiness, ledger } = now;
    const tone = ledgerTone(ledger.state);
    const mode = now.gateway?.mode ?? "normal";
    showStatus(JSON.stringify([readiness, ledger.state, (now.stores ?? []).map((store) => [store.name, store.state]), mode]), () => [
      readiness.is_ready ? pill("good", "Ready") : pill("bad", "Not ready"),
      readiness.reasons.map((reason) => h("span", { class: "why" }, h("code", {}, reason.condition), " ", visible(reason.reason))),
      mode === "normal" ? null : pill("bad", `Mode ${mode}`),
      pill(tone, { balanced: "Ledger balances", waiting: "Ledger: some is in the buffer", repeated: "Ledger: some came twice", missing: "Ledger: samples are missing", partial: "Ledger: one side is elsewhere" }[ledger.state] ?? `Ledger ${ledger.state}`),
      storesInWords(now.stores ?? []).map(({ tone: toneOf, words }) => pill(toneOf, words)),
    ]);
    for (const one of allTiles) one.tile.element.hidden = !one.show(now, live, one.tile);
    const times = live.history.at(SECONDS);
    for (const one of allPlots) {
      const lines = one.lines(now, live);
      one.plot.element.hidden = lines === undefined;
      if (lines !== undefined) one.plot.set(times, lines);
    }
    storesPanel.hidden = now.stores === undefined;
    stores.set(now.stores ?? []);
    showBalance(JSON.stringify(ledger), () => showLedger(ledger));
  };

  const later = turns();
  const control = new AbortController();
  const fetchLists = async (): Promise<void> => {
    const { signal } = control;
    const [heat, cardinality, rejections] = await Promise.allSettled([
      getJson<Heat>("api/v1/heat", [["limit", "8"]], signal),
      getJson<Cardinality>("api/v1/cardinality", [["limit", "8"]], signal),
      getJson<Rejections>("api/v1/rejections", [["limit", "6"], ["late", "false"]], signal),
    ]);
    if (signal.aborted) return;
    samplesPanel.hidden = heat.status !== "fulfilled";
    if (heat.status === "fulfilled") {
      const rows = heat.value.metrics.map((one) => ({ name: one.metric_name, value: one.samples_per_second, text: rate(one.samples_per_second), hint: `${percent(one.share)} of the bytes, ${bytes(one.bytes_per_second)}/s` }));
      refill(bySamples, ranked(rows, "No samples in the last window."));
    }
    seriesPanel.hidden = cardinality.status !== "fulfilled";
    if (cardinality.status === "fulfilled") {
      const rows = cardinality.value.metrics.map((one) => ({ name: one.metric_name ?? "", value: one.active_series, text: short(one.active_series), hint: `most from ${one.source ?? "nobody"}` }));
      refill(bySeries, ranked(rows, "No series yet."));
    }
    if (rejections.status === "fulfilled") fill(latest, rejectionList(rejections.value.rejections));
    else fill(latest, h("p", { class: "empty" }, "Not known here."));
    later.again(LISTS_MS, () => void fetchLists());
  };
  void fetchLists();
  const end = live.on(draw);
  draw();
  return {
    title: "Overview",
    element,
    destroy: () => {
      end();
      control.abort();
      later.end();
      for (const one of allPlots) one.plot.destroy();
    },
  };
};
