//! Sentences about a body that is no batch: where it breaks, and what to do about it.

use model::{Code, Refusal, head};

/// Why a whole body is refused, where its syntax is fine.
pub(super) enum Whole {
    /// There are more samples than a body may have.
    TooMany,
    /// It is JSON of another shape.
    Shape(String),
}

pub(super) fn no_metrics(found_sample: bool) -> Refusal {
    let hint = if found_sample {
        "; it looks like one sample, send it as {\"metrics\": [{…}]}"
    } else {
        "; send {\"metrics\": [{…}, …]}"
    };
    Refusal::new(
        Code::BodyInvalid,
        format!("the body has no field metrics{hint}"),
    )
}

pub(super) fn shape(what: &str, error: &serde_json::Error) -> Refusal {
    // Of the outermost value the parser knows no position, and nobody needs one.
    let message = match error.line() {
        0 => what.to_owned(),
        line => format!("{what} (line {line}, column {})", error.column()),
    };
    Refusal::new(Code::BodyInvalid, message)
}

pub(super) fn not_utf8(body: &[u8], error: std::str::Utf8Error) -> Refusal {
    let at = error.valid_up_to();
    let (line, column) = position(body, at);
    let byte = body.get(at).copied().unwrap_or_default();
    let message =
        format!("the body is not UTF-8: byte {byte:#04x} at line {line}, column {column}");
    Refusal::new(Code::BodyInvalid, message)
}

pub(super) fn empty() -> Refusal {
    Refusal::new(
        Code::BodyInvalid,
        "the body is empty; send {\"metrics\": [{…}, …]}",
    )
}

pub(super) fn syntax(body: &str, error: &serde_json::Error) -> Refusal {
    let (line, column) = (error.line(), error.column());
    let message = if error.is_eof() {
        format!("the body breaks off within the JSON at line {line}, column {column}")
    } else {
        let hint = match literal_at(body.as_bytes(), line, column) {
            Some(literal) => format!("; JSON has no {literal}, leave the sample out"),
            None => String::new(),
        };
        let what = without_position(error);
        format!("the body is not JSON: {what} at line {line}, column {column}{hint}")
    };
    Refusal::new(Code::BodyInvalid, message)
}

/// The parser's own words; it counts lines within what it was given, which may be one element.
pub(super) fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((what, _)) => what.to_owned(),
        None => head(&text),
    }
}

/// A number that JSON does not have, at or just before a position.
fn literal_at(body: &[u8], line: usize, column: usize) -> Option<&'static str> {
    let start: usize = body
        .split_inclusive(|byte| *byte == b'\n')
        .take(line.saturating_sub(1))
        .map(<[u8]>::len)
        .sum();
    // The parser points at the byte that it could not use, or at the one behind.
    let at = start + column;
    (at.saturating_sub(3)..=at).find_map(|at| {
        let rest = body.get(at..)?;
        ["NaN", "nan", "-Infinity", "Infinity", "-inf", "inf"]
            .into_iter()
            .find(|literal| rest.starts_with(literal.as_bytes()))
    })
}

/// Line and column of a byte, from 1.
fn position(body: &[u8], at: usize) -> (usize, usize) {
    let before = body.get(..at).unwrap_or(body);
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before
        .iter()
        .rev()
        .take_while(|byte| **byte != b'\n')
        .count()
        + 1;
    (line, column)
}
