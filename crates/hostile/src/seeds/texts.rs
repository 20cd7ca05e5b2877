//! Formats that people can read.

use super::owned;

pub(crate) const JSON: &str = r#"{"metrics":[{"metric_name":"cpu_usage_percent","timestamp":1700000000000,"value":42.5,"labels":{"host":"web-01","region":"us-east-1"}}]}"#;

pub(crate) fn json() -> Vec<Vec<u8>> {
    owned([
        JSON,
        r#"{"metrics":[{"metric_name":"t","timestamp":1700000000000,"type":"histogram","unit":"s","help":"Time.","value":{"buckets":{"0.1":3,"+Inf":9},"sum":1.5,"count":9},"labels":{"le":"x"}},{"metric_name":"q","timestamp":1700000000001,"type":"summary","value":{"quantiles":{"0.5":1.2,"0.99":3},"sum":3.0,"count":2},"labels":{}}]}"#,
        r#"{ "metrics" : [ {"labels":{"a\u00e9\n":"\ud83d\ude00"},"value":-1e-7,"timestamp":1700000000000,"metric_name":"up"}, null, 42, {} ], "agent": {"version": [1, true, null]} }"#,
    ])
}

pub(crate) fn influx() -> Vec<Vec<u8>> {
    owned([
        "cpu,host=web-01,region=eu usage_idle=90.5,usage_user=9i,up=t,who=\"a b\" 1700000000000000000\n",
        "# comment\nm\\ 1,a\\,b=c\\=d f=1u\nm,t=x f=1e3,g=-0.5,h=true 1700000000\r\n\nbad\n",
    ])
}

pub(crate) fn text() -> Vec<Vec<u8>> {
    owned([
        "# HELP http_requests_total Requests.\n# TYPE http_requests_total counter\nhttp_requests_total{method=\"post\",code=\"200\"} 1027 1700000000000\nup 1\n",
        "# TYPE t histogram\nt_bucket{le=\"0.5\"} 1\nt_bucket{le=\"+Inf\"} 2\nt_sum 1.5\nt_count 2\nx{a=\"\\\\\\\"\\n\"} NaN\n",
        "# TYPE r counter\n# UNIT r_seconds seconds\nr_total 5 1700000000.5 # {trace_id=\"a\"} 0.7 1700000000.1\nr_created 1.7e9\n{\"a.b\",c=\"d\"} +Inf\n# EOF\n",
    ])
}

pub(crate) fn opentsdb() -> Vec<Vec<u8>> {
    owned([
        r#"{"metric":"sys.cpu.nice","timestamp":1700000000,"value":18,"tags":{"host":"web01","dc":"lga"}}"#,
        r#"[{"metric":"a.b","timestamp":1700000000000,"value":"1.5","tags":{"h":"x"}},{"metric":"c","timestamp":"1700000000","value":-2e3,"tags":{}}]"#,
    ])
}

pub(crate) fn victoria_json() -> Vec<Vec<u8>> {
    owned([
        "{\"metric\":{\"__name__\":\"up\",\"job\":\"node\"},\"values\":[1,0,null,\"NaN\"],\"timestamps\":[1700000000000,1700000015000,1700000030000,1700000045000]}\n{\"metric\":{\"__name__\":\"x\"},\"values\":[\"Infinity\"],\"timestamps\":[1]}\n",
    ])
}

pub(crate) fn datadog() -> Vec<Vec<u8>> {
    owned([
        "\0{\"series\":[{\"host\":\"a\",\"interval\":20,\"metric\":\"system.load.1\",\"points\":[[\"1575317847\",\"0.5\"],[1575317857.5,1]],\"tags\":[\"environment:test\"],\"type\":\"rate\"}]}",
        "\u{1}{\"series\":[{\"metric\":\"system.load.1\",\"type\":1,\"points\":[{\"timestamp\":1636629071,\"value\":0.7}],\"resources\":[{\"name\":\"h\",\"type\":\"host\"}],\"tags\":[\"a:b\"],\"unit\":\"byte\"}]}",
        "\u{2}\n\u{1e}\u{12}\u{3}a.b\u{1a}\u{3}x:y\"\u{c}\u{9}\0\0\0\0\0\0\u{f0}?\u{10}\u{1}",
        "\u{4}{\"series\":[{\"metric\":\"d\",\"points\":[[1700000000,[1,2,3.5]]],\"host\":\"h\",\"tags\":[\"a:b\"]}]}",
        "\u{5}[{\"check\":\"app.ok\",\"status\":0}]",
    ])
}

pub(crate) fn statsd() -> Vec<Vec<u8>> {
    owned([
        "requests:1|c\nqueue:5|g\nqueue:-2|g\ntime:320:11.5|ms|@0.1\nusers:765|s\n",
        "page.views:1|c|@0.5|#env:prod,bare,a:b:c|c:ci-1|T1700000000\nh:1:2:3|h\nd:9|d|#x:\n_sc|svc|0|m:fine\n_e{2,1}:ab|c|t:info\n",
        "name,tag=v;tag2=w:3|c\nbad\n:1|c\nx:|g\n",
    ])
}

pub(crate) fn statsd_stream() -> Vec<Vec<u8>> {
    owned([
        "\u{3}requests:1|c\nqueue:5|g\nlast:1|c",
        "\u{5}\u{c}\0\0\0requests:1|c\u{5}\0\0\0a:1|g\u{3}\0\0\0ab",
    ])
}

/// Expressions, one of each kind.
pub(crate) fn question() -> Vec<Vec<u8>> {
    owned([
        r#"cpu{host=~"a.*", zone!="", host!~"b|c"}"#,
        "sum by (host) (rate(requests_total[5m] offset 1m))",
        "histogram_quantile(0.9, sum without (host) (rate(took_bucket[5m])))",
        "max_over_time(cpu[10m:1m] @ end()) > bool 0.5 and on (host) up",
        "topk(3, cpu) / ignoring (zone) group_left (a) cpu ^ -2 % 3",
        r#"label_replace(cpu, "to", "$1-x", "host", "(.*)") or absent(nothing)"#,
        r#"quantile_over_time(0.5, {"http.requests"}[1h30m]) unless vector(time())"#,
        "count_values(\"v\", round(cpu, 0.1)) == bool scalar(sum(cpu))",
    ])
}

pub(crate) fn settings() -> Vec<Vec<u8>> {
    owned([
        "data_dir: ./data\nhttp:\n  listen: 0.0.0.0:8080\n  max_body: 16MiB\n  request_timeout: 10s\nbuffer: {kind: kafka, record_format: json, retention: 24h}\nkafka:\n  brokers: localhost:9092\n  properties: {linger.ms: 5}\nstores:\n  main: {type: remote_write, url: \"http://localhost:8428/api/v1/write\", version: 1.0}\n",
        "statsd:\n  listen: 127.0.0.1:8125\nlimits: {max_labels: 30}\nlog: {level: info, format: json}\n--env--\nSLUICE_HTTP__MAX_BODY=1MiB\nSLUICE_STORES__MAIN__TYPE=parquet\nSLUICE_TENANCY__HEADER=X-Org\nSLUICE_KAFKA__PROPERTIES={a: b}\n",
        "a: &x [1, 2, *x]\nhttp: !!str on\nadmin: {listen: null}\n? key\n: |\n  text\n--env--\nSLUICE_ADMIN_PORT=tcp://1.2.3.4:80\nsluice_log__level=debug\n",
    ])
}

pub(crate) fn store_answer() -> Vec<Vec<u8>> {
    owned([
        "204\nx-prometheus-remote-write-samples-written: 10\n\n",
        "400\n\nout of order sample, labels {__name__=\"up\"}",
        "429\nretry-after: 120\n\nslow down",
        "503\nretry-after: Wed, 21 Oct 2026 07:28:00 GMT\n\n",
        "301\nlocation: http://elsewhere/\n\n",
    ])
}
