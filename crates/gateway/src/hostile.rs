//! Bodies that are not what they should be: checked here, and documented.
//!
//! Each case goes through the whole router of a gateway with the default settings. Status and code are
//! written here; the sentences are in the documentation, which the test compares.

mod bodies;
mod cases;
mod packed;
mod samples;

use std::fmt::Write as _;

use axum::body::Body;
use http::Request;
use model::Code;

use crate::Config;
use crate::described::examples::{HOSTILE_FILE, Hostile};
use crate::fake::{Answer, FakeBuffer, Server};

/// One row.
struct Case {
    /// What is sent, in Markdown.
    what: String,
    request: Request<Body>,
    status: u16,
    /// The answer's code, and that of its first error if it lists any; empty for a success.
    code: String,
}

/// What the answer says, in the same shape as a row.
fn said(answer: &Answer) -> (u16, String, String) {
    let json = answer.json();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let first = &json["errors"][0];
    let (code, says) = match (first.is_null(), json["code"].as_str()) {
        (true, _) => (text(&json["code"]), text(&json["error"])),
        (false, Some(code)) => (
            format!("{code}: {}", text(&first["code"])),
            text(&first["message"]),
        ),
        (false, None) => (text(&first["code"]), text(&first["message"])),
    };
    (answer.status.as_u16(), code, says)
}

/// A case of one sample that is refused, alone in its batch.
fn refused_sample(what: &str, object: &str, code: &str) -> Case {
    let request = post(format!("{{\"metrics\":[{object}]}}"));
    with(what, request, 400, &format!("batch_refused: {code}"))
}

/// A case of a body.
fn body(what: &str, body: impl Into<Body>, status: u16, code: &str) -> Case {
    with(what, post(body), status, code)
}

/// A case of a request.
fn with(what: &str, request: Request<Body>, status: u16, code: &str) -> Case {
    Case {
        what: what.to_owned(),
        request,
        status,
        code: code.to_owned(),
    }
}

fn post(body: impl Into<Body>) -> Request<Body> {
    Request::post("/metrics").body(body.into()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn every_hostile_input_is_answered_as_the_table_says() {
    let mut table = String::from(
        "| What is sent | Status | Code | What the answer says |\n|---|---|---|---|\n",
    );
    let mut wrong = String::new();
    let mut examples: Vec<Hostile> = Vec::new();
    for mut case in samples::all()
        .into_iter()
        .chain(bodies::all())
        .chain(cases::all())
    {
        let server = Server::start(&Config::default(), FakeBuffer::default());
        let answer = server.send(std::mem::take(&mut case.request)).await;
        let (status, code, says) = said(&answer);
        if (status, &code) != (case.status, &case.code) {
            let Case {
                what,
                status: wanted,
                code: wanted_code,
                ..
            } = &case;
            writeln!(
                wrong,
                "{what}\n  expected {wanted} {wanted_code}\n  answered {status} {code}: {says}"
            )
            .unwrap();
        }
        // Nothing of a refused request may have reached the buffer.
        let stored = server.buffer.published.lock().unwrap().len();
        assert_eq!(
            stored > 0,
            case.status == 200,
            "{}: {stored} records",
            case.what
        );
        table.push_str(&row(&case.what, status, &code, &says));
        let code = code.rsplit(": ").next().unwrap_or_default();
        let is_new = examples.iter().all(|known| known.code != code);
        // What has no operation has no examples there.
        if is_new && status >= 400 && ![404, 405].contains(&status) {
            examples.push(Hostile {
                code: code.to_owned(),
                what: case.what.clone(),
                status,
                answer: answer.text().to_owned(),
            });
        }
    }
    assert!(
        wrong.is_empty(),
        "answers that the table does not promise:\n{wrong}"
    );
    testkit::generated("docs/api.md", "hostile", &table);
    let examples = serde_json::to_string_pretty(&examples).unwrap() + "\n";
    let file = testkit::repository().join(HOSTILE_FILE);
    if std::env::var_os("UPDATE_DOCS").is_some_and(|value| value == "1") {
        std::fs::write(&file, &examples).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap();
    assert_eq!(written, examples, "{HOSTILE_FILE}: run `make docs`");
}

fn row(what: &str, status: u16, code: &str, says: &str) -> String {
    let code = match code.split_once(": ") {
        Some((code, detail)) => format!("`{code}`: `{detail}`"),
        None if code.is_empty() => String::new(),
        None => format!("`{code}`"),
    };
    let says = says.replace('|', "\\|");
    format!(
        "| {} | {status} | {code} | {says} |\n",
        what.replace('|', "\\|")
    )
}

#[test]
fn the_documented_codes_are_those_of_the_code() {
    let mut table = String::from("| Code | Status | Meaning |\n|---|---|---|\n");
    for code in Code::ALL {
        writeln!(
            table,
            "| `{}` | {} | {} |",
            code.as_str(),
            code.status(),
            code.meaning()
        )
        .unwrap();
    }
    testkit::generated("docs/api.md", "codes", &table);
}
