/** What can be explained: each protocol with its path and type, and bodies to begin with. Pure. */

import { snappy, writeRequest } from "./wire";

export interface Example {
  readonly name: string;
  /** Made when it is asked for: timestamps are of now. */
  readonly body: (nowMs: number) => string | Uint8Array;
}

export interface Wire {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly contentType: string;
  readonly encoding?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly examples: readonly Example[];
}

const json = (value: unknown): string => JSON.stringify(value, null, 2);

const sample = (name: string, timestamp: number, value: unknown, labels: Readonly<Record<string, string>> = { host: "web-01" }): object => ({
  metric_name: name,
  timestamp,
  value,
  labels,
});

const batch = (...metrics: readonly object[]): string => json({ metrics });

const otlp = (points: readonly object[]): string =>
  json({
    resourceMetrics: [
      {
        resource: { attributes: [{ key: "service.name", value: { stringValue: "checkout" } }] },
        scopeMetrics: [{ metrics: points }],
      },
    ],
  });

const nanos = (now: number): string => `${now}000000`;

export const WIRES: readonly Wire[] = [
  {
    id: "json",
    name: "JSON",
    path: "/metrics",
    contentType: "application/json",
    examples: [
      {
        name: "a good batch",
        body: (now) => batch(sample("cpu_usage_percent", now, 42.5, { host: "web-01", region: "us-east-1" }), sample("mem_used_bytes", now, 5.1e9)),
      },
      {
        name: "seconds for milliseconds",
        body: (now) => batch(sample("cpu_usage_percent", Math.floor(now / 1000), 42.5), sample("cpu_usage_percent", now, 42.5)),
      },
      {
        name: "four kinds of wrong",
        body: (now) =>
          batch(
            sample("cpu_usage_percent", now, "42.5"),
            sample("disk_free_bytes", now, 1e9, { "": "sda" }),
            sample("http_requests_total", now + 3_600_000, 7),
            { metric_name: "queue_depth", timestamp: now, labels: {} },
          ),
      },
      {
        name: "a histogram",
        body: (now) =>
          batch({
            ...sample("request_seconds", now, { buckets: { "0.1": 3, "1": 7, "+Inf": 9 }, sum: 1.5, count: 9 }, { route: "/" }),
            type: "histogram",
          }),
      },
      { name: "broken off", body: (now) => `{"metrics": [{"metric_name": "up", "timestamp": ${now}, "val` },
    ],
  },
  {
    id: "text",
    name: "Prometheus text, OpenMetrics",
    path: "/api/v1/import/prometheus",
    contentType: "text/plain",
    examples: [
      {
        name: "an exposition",
        body: () =>
          '# TYPE http_requests_total counter\n# HELP http_requests_total Requests that were answered\nhttp_requests_total{method="GET",status="200"} 1027\nhttp_requests_total{method="POST",status="500"} 3\n',
      },
      { name: "a line that is none", body: () => 'up{job="api"} 1\ncpu usage 42\n' },
    ],
  },
  {
    id: "remote_write",
    name: "Prometheus remote write",
    path: "/api/v1/write",
    contentType: "application/x-protobuf",
    encoding: "snappy",
    headers: { "x-prometheus-remote-write-version": "0.1.0" },
    examples: [
      {
        name: "two series",
        body: (now) =>
          snappy(
            writeRequest([
              { labels: { __name__: "up", instance: "web-01:9100", job: "node" }, samples: [{ value: 1, timestamp: now }] },
              { labels: { __name__: "node_load1", instance: "web-01:9100", job: "node" }, samples: [{ value: 0.42, timestamp: now }] },
            ]),
          ),
      },
      {
        name: "a series without a name",
        body: (now) => snappy(writeRequest([{ labels: { job: "node" }, samples: [{ value: 1, timestamp: now }] }])),
      },
    ],
  },
  {
    id: "otlp",
    name: "OTLP",
    path: "/v1/metrics",
    contentType: "application/json",
    examples: [
      {
        name: "a gauge and a sum",
        body: (now) =>
          otlp([
            { name: "process.memory.usage", unit: "By", gauge: { dataPoints: [{ timeUnixNano: nanos(now), asInt: "73400320" }] } },
            {
              name: "http.server.requests",
              sum: {
                aggregationTemporality: 2,
                isMonotonic: true,
                dataPoints: [{ startTimeUnixNano: nanos(now - 60_000), timeUnixNano: nanos(now), asInt: "1027" }],
              },
            },
          ]),
      },
      { name: "a metric without a name", body: (now) => otlp([{ gauge: { dataPoints: [{ timeUnixNano: nanos(now), asDouble: 1 }] } }]) },
    ],
  },
  {
    id: "influx",
    name: "InfluxDB line protocol",
    path: "/api/v2/write?precision=ms",
    contentType: "text/plain",
    examples: [
      { name: "fields of numbers", body: (now) => `cpu,host=web-01 usage_user=42.5,usage_system=3.1 ${now}\nmem,host=web-01 used=5100000000i ${now}\n` },
      { name: "a string and a bad line", body: (now) => `deploy,host=web-01 version="1.2.3",ok=true ${now}\ncpu host=web-01\n` },
    ],
  },
  {
    id: "push",
    name: "Pushgateway",
    path: "/api/v1/import/prometheus/metrics/job/nightly/instance/db-1",
    contentType: "text/plain",
    examples: [{ name: "a batch job", body: () => "# TYPE backup_bytes gauge\nbackup_bytes 123456\nbackup_duration_seconds 31.5\n" }],
  },
  {
    id: "victoria",
    name: "VictoriaMetrics JSON lines",
    path: "/api/v1/import",
    contentType: "application/json",
    examples: [
      {
        name: "a series",
        body: (now) => `${JSON.stringify({ metric: { __name__: "temperature_celsius", room: "3" }, values: [21.5, 21.7], timestamps: [now - 60_000, now] })}\n`,
      },
    ],
  },
  {
    id: "opentsdb",
    name: "OpenTSDB",
    path: "/api/put",
    contentType: "application/json",
    examples: [
      { name: "a point", body: (now) => json([{ metric: "sys.cpu.user", timestamp: Math.floor(now / 1000), value: 42.5, tags: { host: "web-01" } }]) },
      { name: "without a value", body: (now) => json([{ metric: "sys.cpu.user", timestamp: Math.floor(now / 1000), tags: { host: "web-01" } }]) },
    ],
  },
  {
    id: "datadog",
    name: "Datadog",
    path: "/api/v2/series",
    contentType: "application/json",
    examples: [
      {
        name: "a gauge",
        body: (now) =>
          json({
            series: [
              {
                metric: "system.load.1",
                type: 3,
                points: [{ timestamp: Math.floor(now / 1000), value: 0.7 }],
                resources: [{ name: "web-01", type: "host" }],
                tags: ["env:prod"],
              },
            ],
          }),
      },
    ],
  },
];
