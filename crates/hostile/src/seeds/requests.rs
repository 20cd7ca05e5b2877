//! A request of every protocol, and of what stands beside them.

use super::owned;
use super::texts::{JSON, datadog, influx, opentsdb, text, victoria_json};

fn with(head: &str, body: &[u8]) -> Vec<u8> {
    [head.as_bytes(), b"\n\n", body].concat()
}

fn first(mut bodies: Vec<Vec<u8>>) -> Vec<u8> {
    bodies.swap_remove(0)
}

pub(crate) fn request() -> Vec<Vec<u8>> {
    let remote_write = codec::snappy::compress(&first(super::remote_write()));
    let otlp = first(super::otlp());
    let message_bytes = u32::try_from(otlp.len()).unwrap_or(0).to_be_bytes();
    let call = [&[0][..], &message_bytes, &otlp].concat();
    let mut all = vec![
        with(
            "POST /metrics?strict=true\ncontent-type: application/json\nx-scope-orgid: team-a\nx-source: agent-7",
            JSON.as_bytes(),
        ),
        with(
            "POST /tenants/team-a/api/v1/metrics\nauthorization: Basic dTpw",
            JSON.as_bytes(),
        ),
        with(
            "POST /api/v1/write\ncontent-encoding: snappy\ncontent-type: application/x-protobuf\nx-prometheus-remote-write-version: 0.1.0",
            &remote_write,
        ),
        with(
            "POST /api/v1/write\ncontent-encoding: snappy\ncontent-type: application/x-protobuf;proto=io.prometheus.write.v2.Request",
            &remote_write,
        ),
        with(
            "POST /v1/metrics\ncontent-type: application/x-protobuf",
            &otlp,
        ),
        with(
            "POST /v1/metrics\ncontent-type: application/json; charset=utf-8",
            br#"{"resourceMetrics":[]}"#,
        ),
        with(
            "POST /opentelemetry.proto.collector.metrics.v1.MetricsService/Export\ncontent-type: application/grpc\ngrpc-encoding: identity\nte: trailers",
            &call,
        ),
        with(
            "POST /write?db=telegraf&precision=ms&p=secret&u=me\nauthorization: Token abc",
            &first(influx()),
        ),
        with(
            "POST /api/v2/write?org=o&bucket=b&precision=ns",
            &first(influx()),
        ),
        with(
            "POST /api/v3/write_lp?db=d&accept_partial=false&no_sync=true&precision=auto",
            &first(influx()),
        ),
        with(
            "POST /api/v1/import/prometheus/metrics/job/j/instance@base64/YQ==?extra_label=a=b&extra_label=c%3Dd&timestamp=1700000000000",
            &first(text()),
        ),
        with(
            "PUT /api/v1/import/prometheus\ncontent-type: application/openmetrics-text; version=1.0.0",
            b"up 1\n# EOF\n",
        ),
        with(
            "POST /api/v1/import/prometheus\ncontent-type: application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
            &first(super::exposition_protobuf()),
        ),
        with(
            "PUT /metrics/job/backup/instance/db-1\nsluice-ttl: 1h",
            &first(text()),
        ),
        with(
            "POST /metrics/job@base64/YmFja3Vw/U__a_2e_b/%2Fx",
            &first(text()),
        ),
        with(
            "POST /api/v1/import?extra_label=x=y",
            &first(victoria_json()),
        ),
        with("POST /api/put?details&sync", &first(opentsdb())),
        with(
            "POST /datadog/api/v1/series?api_key=k\ncontent-encoding: deflate",
            &first(datadog()),
        ),
        with(
            "POST /api/v2/series\ndd-api-key: k\ncontent-type: application/json",
            datadog()
                .get(1)
                .and_then(|body| body.get(1..))
                .unwrap_or_default(),
        ),
    ];
    all.extend(owned([
        "GET /health\n\n",
        "GET /api/v1/metrics\n\n",
        "DELETE /metrics/job/backup/instance/db-1\n\n",
        "GET /metrics/job/backup\n\n",
        "GET /ping?verbose=true\n\n",
        "GET /query?q=SHOW%20DATABASES&pretty=true\n\n",
        "POST /query\ncontent-type: application/x-www-form-urlencoded\n\nq=CREATE+DATABASE+%22x%22",
        "HEAD /metrics\n\n",
        "POST /metrics\ncontent-encoding: gzip, gzip\ncontent-type: text/plain\n\nx",
    ]));
    all
}
