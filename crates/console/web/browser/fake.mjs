// A server that answers as each role does, from the fixtures: for developing the page, and for what a real process seldom does.
//
// usage: node browser/fake.mjs [PORT] [standalone|gateway|consumer]
import { createServer } from "node:http";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const web = join(dirname(fileURLToPath(import.meta.url)), "..");
const assets = join(web, "..", "assets");
const fixture = (name) => JSON.parse(readFileSync(join(web, "..", "fixtures", `${name}.json`), "utf8"));

const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".json": "application/json" };
const HEADERS = { "content-security-policy": "default-src 'self'", "x-content-type-options": "nosniff", "x-frame-options": "DENY" };

/** What a sender may call things, to see that it stays a text. */
export const HOSTILE = ["<script>window.hacked=1</script>", '"><img src=x onerror="window.hacked=1">', "javascript:window.hacked=1", "\u202egnp.exe\u2066", "a".repeat(1000), "{{constructor}}", "name with spaces", "ünïcode_Ω_度"];

const wave = (at, base, size) => Math.max(0, base + size * Math.sin(at / 17_000) + size * 0.3 * Math.sin(at / 3100));

/** A fixture as of now, with numbers that move. */
const overviewAt = (role, now, started) => {
  const overview = fixture(`overview-${role}`);
  const shift = now - overview.at_ms;
  overview.at_ms = now;
  overview.process.started_at_ms += shift;
  for (const store of overview.stores ?? []) {
    if (store.written_at_ms !== undefined) store.written_at_ms += shift;
    if (store.last_error !== undefined) store.last_error.at_ms += shift;
  }
  for (const [name, value] of Object.entries(overview.point)) overview.point[name] = wave(now, value, value * 0.2);
  const grown = Math.round((now - started) * 12);
  if (overview.gateway !== undefined) {
    overview.gateway.samples.accepted_per_s = overview.point.accepted;
    for (const book of [overview.gateway.samples, overview.ledger.gateway]) {
      book.received += grown;
      book.accepted += grown;
    }
  }
  return overview;
};

const historyAt = (now) => {
  const history = fixture("history");
  const shift = now - history.at_ms[history.at_ms.length - 1];
  history.at_ms = history.at_ms.map((at) => at + shift);
  return history;
};

const series = (now) => ["web-01", "web-02", "web-03"].map((host, at) => ({ metric_name: "cpu_usage_percent", labels: { host, region: at < 2 ? "eu" : "us", note: HOSTILE[at] }, type: "gauge", last_timestamp: now - 700, last_value: 40 + at }));

const samples = (now) =>
  series(now).flatMap((one, at) => Array.from({ length: 60 }, (_, step) => ({ metric_name: one.metric_name, labels: one.labels, timestamp: now - (60 - step) * 5000, value: wave(now - (60 - step) * 5000, 40 + 10 * at, 8) })));

/** Starts it; `behaviour` can be changed while it runs: role, isDown, absent (paths), isFull, isStuck, storeState, warnings (of samples), asked (called with each path). */
export const serve = async (port, behaviour) => {
  const started = Date.now();
  const streams = new Set();
  const overviewNow = (now) => {
    const overview = overviewAt(behaviour.role, now, started);
    if (behaviour.storeState !== undefined) for (const store of overview.stores ?? []) store.state = behaviour.storeState;
    return overview;
  };
  const answers = {
    "/api/v1/overview": (now) => overviewNow(now),
    "/api/v1/names": (_, query) => {
      const names = fixture("names");
      names.names.push(...HOSTILE.map((metric_name) => ({ metric_name, samples_per_s: 1, senders: [metric_name.slice(0, 50)], tenants: [metric_name.slice(0, 50)], unit: metric_name.slice(0, 9), help: metric_name })));
      const wanted = (query.get("search") ?? "").toLowerCase();
      names.names = names.names.filter((name) => name.metric_name.toLowerCase().includes(wanted));
      return { ...names, matching: names.names.length };
    },
    "/api/v1/heat": () => {
      const heat = fixture("heat");
      heat.metrics.push(...HOSTILE.map((metric_name) => ({ ...heat.metrics[0], metric_name, samples_per_second: 0.1, suggestion: `partitioning: {spread: {"${metric_name}": 8}}` })));
      return heat;
    },
    "/api/v1/cardinality": () => fixture("cardinality"),
    "/api/v1/rejections": (now, query) => {
      const answer = fixture("rejections");
      answer.rejections.push(...HOSTILE.map((text) => ({ ...answer.rejections[0], metric_name: text, source: text, tenant: text.slice(0, 40), message: text, summary: text, sample: text })));
      for (const one of answer.rejections) one.last_at = new Date(now - 5000).toISOString();
      answer.rejections.length = Math.min(answer.rejections.length, Number(query.get("limit") ?? 100));
      return answer;
    },
    "/api/v1/explain": () => fixture("explain"),
    "/api/v1/recent/series": (now) => ({ series: series(now) }),
    "/api/v1/recent/samples": (now) => ({ samples: samples(now), warnings: behaviour.warnings }),
    "/api/v1/archive/aggregate": (now) => ({
      series: series(now).map((one, at) => ({ ...one, timestamps: Array.from({ length: 120 }, (_, step) => now - (120 - step) * 30_000), values: { mean: Array.from({ length: 120 }, (_, step) => wave(now - (120 - step) * 30_000, 40 + 10 * at, 8)) } })),
    }),
  };
  const server = createServer((request, response) => {
    const url = new URL(request.url, "http://localhost");
    behaviour.asked?.(url.pathname);
    if (behaviour.isDown) return request.socket.destroy();
    const send = (status, type, body) => {
      response.writeHead(status, { ...HEADERS, "content-type": type });
      response.end(body);
    };
    const missing = () => send(404, TYPES[".json"], JSON.stringify({ error: `there is no ${url.pathname} here`, code: "not_found" }));
    if ((behaviour.absent ?? []).includes(url.pathname)) return missing();
    if (url.pathname === "/api/v1/live") {
      if (behaviour.isFull) return send(503, TYPES[".json"], JSON.stringify({ error: "16 consoles are open, which is the limit", code: "overloaded" }));
      response.writeHead(200, { ...HEADERS, "content-type": "text/event-stream" });
      response.write(`event: history\ndata: ${JSON.stringify(historyAt(Date.now()))}\n\n`);
      const tell = () => behaviour.isStuck || response.write(`event: snapshot\ndata: ${JSON.stringify(overviewNow(Date.now()))}\n\n`);
      tell();
      const timer = setInterval(tell, 1000);
      streams.add(response);
      response.on("close", () => {
        clearInterval(timer);
        streams.delete(response);
      });
      return undefined;
    }
    const answer = answers[url.pathname];
    if (answer !== undefined) return send(200, TYPES[".json"], JSON.stringify(answer(Date.now(), url.searchParams)));
    const name = url.pathname === "/" ? "index.html" : url.pathname.replace(/^\/assets\//, "");
    if (!readdirSync(assets).includes(name)) return missing();
    return send(200, TYPES[extname(name)] ?? "application/octet-stream", readFileSync(join(assets, name)));
  });
  await new Promise((done) => server.listen(port, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    /** Ends what is open, as a process that dies does. */
    cut: () => streams.forEach((stream) => stream.destroy()),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const running = await serve(Number(process.argv[2] ?? 8099), { role: process.argv[3] ?? "standalone" });
  console.log(running.url);
}
