//! Refusals as a protocol tells them, by status: which codes each may have, and what helps.

use model::Code;
use service::openapi::{Answer, Content, Example, Shape};

use super::codes::is_of_sample;

/// How a protocol refuses.
pub(crate) struct Failures {
    /// Under which its answers are shared.
    pub(crate) name: &'static str,
    pub(crate) content: Content,
    /// Codes that cannot happen there, or that it answers with another status.
    pub(crate) without: &'static [Code],
    /// Whether the codes of samples are among those of 400.
    pub(crate) has_samples: bool,
    /// What was answered to something, and with which status.
    pub(crate) examples: Vec<(u16, Example)>,
}

/// What a push may be refused with beside what is wrong with its body.
const STATUSES: [(u16, &str); 9] = [
    (
        400,
        "The body, or all that is in it, is not what it should be; sending it again does not help.",
    ),
    (
        401,
        "The request does not say who it is, or its credential is not good.",
    ),
    (403, "The credential is good, but not for this."),
    (408, "The body stopped coming; send it again, faster."),
    (413, "Too large: split it and send the parts."),
    (415, "Its type or its encoding is not read here."),
    (422, "Another request had the same `Idempotency-Key`."),
    (
        429,
        "The sender's own limit; send it again after `Retry-After`.",
    ),
    (
        503,
        "Not all of it is known to be durable: keep it and send all of it again after `Retry-After`.",
    ),
];

/// Of paths and methods that are none, of questions, and of the admin listener: not of what is pushed.
pub(crate) const OF_OTHERS: [Code; 6] = [
    Code::NotFound,
    Code::MethodNotAllowed,
    Code::QueryTooLarge,
    Code::QueryTimeout,
    Code::ArchiveUnavailable,
    Code::OriginRefused,
];

/// The answers of an operation that refuses so.
pub(crate) fn failures(of: &Failures) -> Vec<Answer> {
    let mut answers: Vec<Answer> = STATUSES
        .iter()
        .filter_map(|(status, about)| one(of, *status, about))
        .collect();
    answers.extend(one(
        of,
        500,
        "A defect of ours, which its log describes; nothing is known about the samples.",
    ));
    answers
}

fn one(of: &Failures, status: u16, about: &str) -> Option<Answer> {
    let codes: Vec<Code> = Code::ALL
        .into_iter()
        .filter(|code| code.status() == status && !of.without.contains(code))
        .filter(|code| of.has_samples || !is_of_sample(*code))
        .filter(|code| !OF_OTHERS.contains(code))
        .collect();
    if codes.is_empty() {
        return None;
    }
    let mut text = format!("{about}\n");
    for code in &codes {
        text.push_str(&format!("\n* `{}`: {}", code.as_str(), code.meaning()));
    }
    let examples = of.examples.iter();
    let examples = examples.filter(|(answered, _)| *answered == status);
    let examples = examples.map(|(_, example)| example.clone());
    let answer = Answer::new(status, &text)
        .with(of.content.clone().examples(examples))
        .shared(of.name);
    Some(match status {
        401 => answer.header(
            "WWW-Authenticate",
            Shape::text(),
            "Which credentials are taken.",
        ),
        429 | 503 => answer.header(
            "Retry-After",
            Shape::whole(1, u64::from(u32::MAX)),
            "How many seconds to wait.",
        ),
        _ => answer,
    })
}
