//! What the exceptions of `ClickHouse` mean for a batch.
//!
//! They are known by their numbers, which never change; the status has differed between releases. Nothing that a valid
//! sample can be is refused by a table, so almost every number is about the server or a setting.

use crate::endpoint::{Answer, Meaning};

/// What an answer that is no success means.
pub(super) fn meaning(answer: &Answer) -> Meaning {
    match code(answer) {
        // TOO_MANY_PARTS: either of one INSERT, which smaller ones cure, or of the table, which is behind with merging.
        Some(252) if answer.words.contains("single INSERT block") => Meaning::Refused("too_large"),
        // UNKNOWN_TABLE, UNKNOWN_DATABASE, TABLE_IS_DROPPED
        Some(60 | 81 | 218) => Meaning::Misconfigured(
            "create the database and the table, or check the store's settings",
        ),
        // NO_SUCH_COLUMN, ILLEGAL_COLUMN, TYPE_MISMATCH, and what rows look like that are read as other columns:
        // ATTEMPT_TO_READ_AFTER_EOF, CANNOT_READ_ALL_DATA, INCORRECT_DATA, TOO_LARGE_STRING_SIZE
        Some(16 | 32 | 33 | 44 | 53 | 117 | 131) => {
            Meaning::Misconfigured("the table's columns are not those that Sluice writes")
        }
        // READONLY, UNKNOWN_USER, WRONG_PASSWORD, REQUIRED_PASSWORD, IP_ADDRESS_NOT_ALLOWED, ACCESS_DENIED,
        // AUTHENTICATION_FAILED
        Some(164 | 192..=195 | 497 | 516) => {
            Meaning::Misconfigured("check the store's basic_auth and what the user may do")
        }
        // UNKNOWN_SETTING, UNKNOWN_FORMAT, SYNTAX_ERROR, UNKNOWN_COMPRESSION_METHOD, and so on: of our request.
        Some(62 | 73 | 89 | 115 | 354) => {
            Meaning::Misconfigured("check the store's compression, labels, engine and settings")
        }
        // Memory, disk, timeouts, replicas, too many queries: all of them pass.
        Some(_) => Meaning::Later,
        None => Meaning::of_status(answer),
    }
}

/// The number of an exception: in a header from 20.x on, in the words always.
fn code(answer: &Answer) -> Option<u32> {
    let header = answer.headers.get("x-clickhouse-exception-code");
    if let Some(code) = header.and_then(|value| value.to_str().ok()?.trim().parse().ok()) {
        return Some(code);
    }
    let rest = answer.words.trim_start().strip_prefix("Code: ")?;
    let digits = rest.find(|character: char| !character.is_ascii_digit());
    rest.get(..digits.unwrap_or(rest.len()))?.parse().ok()
}
