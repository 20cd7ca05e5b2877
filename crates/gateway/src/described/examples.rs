//! Requests that a test has sent, and what was answered: what documents and descriptions show.
//!
//! [`TRIED`] is sent to a gateway whose clock stands at 1700000000000, and each answer compared. What is refused comes
//! from the table of hostile inputs, whose test writes `hostile.json`.

use serde::Deserialize;
use service::openapi::Example;

/// A request and its answer.
pub(crate) struct Tried {
    pub(crate) name: &'static str,
    pub(crate) summary: &'static str,
    /// With the query.
    pub(crate) path: &'static str,
    pub(crate) body: &'static str,
    pub(crate) status: u16,
    /// Empty when there is no body.
    pub(crate) answer: &'static str,
}

pub(crate) const TRIED: &[Tried] = &[
    Tried {
        name: "gauge",
        summary: "A gauge with labels",
        path: "/metrics",
        body: include_str!("examples/gauge.json"),
        status: 200,
        answer: r#"{"status":"success","metrics_received":1}"#,
    },
    Tried {
        name: "histogram",
        summary: "A histogram",
        path: "/metrics",
        body: include_str!("examples/histogram.json"),
        status: 200,
        answer: r#"{"status":"success","metrics_received":1}"#,
    },
    Tried {
        name: "summary",
        summary: "A summary",
        path: "/metrics",
        body: include_str!("examples/summary.json"),
        status: 200,
        answer: r#"{"status":"success","metrics_received":1}"#,
    },
    Tried {
        name: "partial",
        summary: "One bad sample among good ones",
        path: "/metrics",
        body: include_str!("examples/partial.json"),
        status: 200,
        answer: include_str!("examples/partial_answer.json"),
    },
    Tried {
        name: "points",
        summary: "A gauge's data point",
        path: "/v1/metrics",
        body: include_str!("examples/otlp.json"),
        status: 200,
        answer: "{}",
    },
    Tried {
        name: "lines",
        summary: "Two lines",
        path: "/write?db=home&precision=s",
        body: "room,floor=2 temperature=21.5,people=3i,lit=true,note=\"text is skipped\" 1700000000\nroom,floor=3 value=19",
        status: 204,
        answer: "",
    },
    Tried {
        name: "lines",
        summary: "A line",
        path: "/api/v2/write?bucket=home&precision=ms",
        body: "room,floor=2 temperature=21.5 1700000000000",
        status: 204,
        answer: "",
    },
    Tried {
        name: "lines",
        summary: "A line",
        path: "/api/v3/write_lp?db=home",
        body: "room,floor=2 temperature=21.5 1700000000",
        status: 204,
        answer: "",
    },
    Tried {
        name: "page",
        summary: "A counter",
        path: "/api/v1/import/prometheus",
        body: "# TYPE nightly_rows_total counter\nnightly_rows_total{table=\"orders\"} 1027\n",
        status: 204,
        answer: "",
    },
    Tried {
        name: "bad_line",
        summary: "A value without its quotes",
        path: "/api/v1/import/prometheus?extra_label=job=nightly",
        body: "# TYPE nightly_rows_total counter\nnightly_rows_total{table=\"orders\"} 1027\nnightly_rows_total{table=customers} 12\n",
        status: 400,
        answer: r#"{"error":"1 of 2 lines was refused and the others stored; line 3: the value of label \"table\" is not in double quotes","code":"labels_invalid","errors":[{"line":3,"index":2,"metric_name":"nightly_rows_total","code":"labels_invalid","message":"line 3: the value of label \"table\" is not in double quotes"}]}"#,
    },
    Tried {
        name: "series",
        summary: "A series",
        path: "/api/v1/import",
        body: r#"{"metric":{"__name__":"up","job":"node"},"values":[1,null,"Infinity"],"timestamps":[1700000000000,1700000015000,1700000030000]}"#,
        status: 204,
        answer: "",
    },
    Tried {
        name: "points",
        summary: "A good point and a bad one",
        path: "/api/put?details",
        body: include_str!("examples/opentsdb.json"),
        status: 400,
        answer: r#"{"errors":[{"datapoint":{"metric": "sys.cpu.nice", "timestamp": 1700000000, "value": "x", "tags": {"host": "web02"}},"error":"value is the string \"x\", not a number"}],"failed":1,"success":1}"#,
    },
    Tried {
        name: "count",
        summary: "A count",
        path: "/api/v1/series",
        body: r#"{"series":[{"metric":"page.views","points":[[1700000000,15]],"type":"count","host":"web-1","tags":["env:prod"]}]}"#,
        status: 202,
        answer: r#"{"status":"ok"}"#,
    },
    Tried {
        name: "explained",
        summary: "A good sample and one whose time is in seconds",
        path: "/api/v1/explain",
        body: include_str!("examples/partial.json"),
        status: 200,
        answer: include_str!("examples/explained.json"),
    },
];

fn is_of(tried: &Tried, path: &str) -> bool {
    tried.path == path || tried.path.split('?').next() == Some(path)
}

/// The bodies that were sent to a path.
pub(super) fn of_path(path: &str) -> Vec<Example> {
    let found = TRIED.iter().filter(|tried| is_of(tried, path));
    found
        .map(|tried| Example::new(tried.name, tried.summary, tried.body.trim_end()))
        .collect()
}

/// What was answered there.
pub(super) fn body_of(path: &str) -> Vec<Example> {
    let found = TRIED.iter().filter(|tried| is_of(tried, path));
    found
        .filter(|tried| !tried.answer.is_empty())
        .map(|tried| Example::new(tried.name, tried.summary, tried.answer.trim_end()))
        .collect()
}

/// What was answered there to what was refused.
pub(super) fn refused_of(path: &str) -> Vec<(u16, Example)> {
    let found = TRIED.iter().filter(|tried| is_of(tried, path));
    found
        .filter(|tried| tried.status >= 400)
        .map(|tried| {
            let example = Example::new(tried.name, tried.summary, tried.answer);
            (tried.status, example)
        })
        .collect()
}

/// A refused body, the first of its code in the table of hostile inputs.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
pub(crate) struct Hostile {
    pub(crate) code: String,
    pub(crate) what: String,
    pub(crate) status: u16,
    pub(crate) answer: String,
}

/// Where they are written to.
#[cfg(test)]
pub(crate) const HOSTILE_FILE: &str = "crates/gateway/src/described/examples/hostile.json";

const HOSTILE: &str = include_str!("examples/hostile.json");

/// What was answered to hostile bodies, one for each code.
pub(super) fn hostile() -> Vec<(u16, Example)> {
    // The test that writes it reads it too.
    let all: Vec<Hostile> = serde_json::from_str(HOSTILE).unwrap_or_default();
    all.iter()
        .map(|one| {
            let example = Example::new(&one.code, &one.what, &one.answer);
            (one.status, example)
        })
        .collect()
}
