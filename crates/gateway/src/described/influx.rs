//! InfluxDB's line protocol, and what its clients ask before they write.

use http::Method;
use serde_json::{Value, json};
use service::openapi::{Answer, Api, Content, Operation, Parameter, Shape};

use super::examples::of_path;
use super::{ENCODINGS, Failures, PROBES, durable, encoded, failures, flag, posted, pushing};

/// In which timestamps may be.
const UNITS: [&str; 13] = [
    "ns",
    "n",
    "nanosecond",
    "us",
    "u",
    "microsecond",
    "ms",
    "millisecond",
    "s",
    "second",
    "m",
    "h",
    "auto",
];

pub(super) fn api() -> Api {
    let v1 = writing("pushInfluxV1", "InfluxDB line protocol, as version 1 takes it")
        .takes(database("db"))
        .takes(precision("ns"))
        .reads(lines("/write"))
        .answers(versioned(durable(204, "All lines are stored.")))
        .answers_all(refused(
            "InfluxV1",
            json!({
                "type": "object", "required": ["error"],
                "properties": { "error": { "type": "string", "description": "Of a body that was stored in part: the bad lines." } },
            }),
        ));
    let v2 = writing("pushInfluxV2", "InfluxDB line protocol, as version 2 takes it")
        .takes(database("bucket"))
        .takes(precision("ns"))
        .reads(lines("/api/v2/write"))
        .answers(versioned(durable(204, "All lines are stored.")))
        .answers_all(refused(
            "InfluxV2",
            json!({
                "type": "object", "required": ["code", "message"],
                "properties": {
                    "code": { "type": "string", "description": "InfluxDB's word for the status." },
                    "message": { "type": "string" },
                    "line": { "type": ["integer", "null"], "description": "The first bad line, from 1." },
                },
            }),
        ));
    let line = json!({
        "type": "object", "required": ["error_message", "line_number"],
        "properties": {
            "error_message": { "type": "string" },
            "line_number": { "type": "integer", "minimum": 1 },
            "original_line": { "type": "string", "description": "Its first hundred characters." },
        },
    });
    let v3 = writing(
        "pushInfluxV3",
        "InfluxDB line protocol, as version 3 takes it",
    )
    .takes(database("db"))
    .takes(precision("auto"))
    .takes(flag(
        "accept_partial",
        "`false` stores nothing of a body with a bad line.",
    ))
    .takes(flag(
        "no_sync",
        "Nothing is answered before it is durable, with or without it.",
    ))
    .reads(lines("/api/v3/write_lp"))
    .answers(versioned(durable(204, "All lines are stored.")))
    .answers_all(refused(
        "InfluxV3",
        json!({
            "type": "object", "required": ["error", "data"],
            "properties": {
                "error": { "type": "string" },
                "data": { "oneOf": [{ "type": "null" }, line, { "type": "array", "items": line }] },
            },
        }),
    ));
    posted(&["/write"], &v1)
        .and(posted(&["/api/v2/write"], &v2))
        .and(posted(&["/api/v3/write_lp"], &v3))
        .and(probes())
}

fn writing(id: &'static str, summary: &'static str) -> Operation {
    pushing(id, summary)
        .about(
            "Good lines are stored beside bad ones, which are answered with 400, their numbers and reasons, as InfluxDB does. A measurement's \
             field is a metric, named by both; text fields are skipped.",
        )
        .takes(encoded(&ENCODINGS))
        .even_without_body()
}

fn database(name: &'static str) -> Parameter {
    Parameter::query(
        name,
        Shape::text(),
        "Where to write: whatever it names exists, and it becomes the label of `influx.database_label`.",
    )
}

fn precision(usual: &str) -> Parameter {
    let about = format!("The unit of timestamps; without it `{usual}`.");
    Parameter::query("precision", Shape::one_of(&UNITS), &about)
}

fn lines(path: &str) -> Content {
    Content::new("text/plain", Shape::text()).examples(of_path(path))
}

fn refused(name: &'static str, shape: Value) -> impl Iterator<Item = Answer> {
    let all = failures(&Failures {
        name,
        content: Content::written(shape),
        without: &[],
        has_samples: true,
        examples: Vec::new(),
    });
    all.into_iter().map(versioned)
}

fn versioned(answer: Answer) -> Answer {
    answer
        .header(
            "X-Influxdb-Version",
            Shape::text(),
            "By which clients choose what they ask for.",
        )
        .header("X-Influxdb-Build", Shape::text(), "`sluice`.")
}

fn probes() -> Api {
    let ping = Operation::new("pingInflux", PROBES, "InfluxDB's probe")
        .takes(Parameter::query("verbose", Shape::text(), "`true` answers with the version."))
        .answers(versioned(Answer::new(200, "The version.").with(Content::written(json!({
            "type": "object", "required": ["version"], "properties": { "version": { "type": "string" } },
        })))))
        .answers(versioned(Answer::new(204, "It is there.")))
        .answers_all(failures(&super::json::own("Own")).into_iter().filter(super::is_about_access));
    let ready = Operation::new("readyInflux", PROBES, "InfluxDB 2's probe")
        .about("Whether a load balancer should send anything here is the admin listener's answer.")
        .answers(versioned(Answer::new(200, "It is there.").with(Content::written(json!({
            "type": "object", "required": ["status"], "properties": { "status": { "const": "ready" } },
        })))))
        .answers_all(failures(&super::json::own("Own")).into_iter().filter(super::is_about_access));
    let results = || {
        Content::written(json!({
            "type": "object", "required": ["results"],
            "properties": { "results": { "type": "array", "items": {
                "type": "object", "required": ["statement_id"],
                "properties": { "statement_id": { "type": "integer" }, "error": { "type": "string" }, "series": { "type": "array" } },
            } } },
        }))
    };
    let query = |id, summary| {
        Operation::new(id, PROBES, summary)
            .about(
                "Nothing can be queried here. Statements that make a database succeed, those that list something find nothing, all others \
                 are answered with an error within the 200.",
            )
            .answers(versioned(Answer::new(200, "A result for each statement.").with(results())))
            .answers_all(refused(
                "InfluxQuery",
                json!({ "type": "object", "required": ["error"], "properties": { "error": { "type": "string" } } }),
            ))
    };
    let q = || {
        Parameter::query("q", Shape::text(), "The statements.")
            .such_as("SHOW DATABASES")
            .required()
    };
    Api::default()
        .at(Method::GET, "/ping", ping)
        .at(Method::GET, "/ready", ready)
        .at(
            Method::GET,
            "/query",
            query("queryInflux", "InfluxDB 1's statements").takes(q()),
        )
        .at(
            Method::POST,
            "/query",
            query("postQueryInflux", "InfluxDB 1's statements, in the body")
                .reads(Content::new(
                    "application/x-www-form-urlencoded",
                    Shape::Written(
                        json!({ "type": "object", "required": ["q"], "properties": { "q": { "type": "string" } } }),
                    ),
                )),
        )
}
