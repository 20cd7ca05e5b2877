//! A store's words and wishes, bounded: it is somebody else's server.

use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;

/// How much of a store's words is kept.
pub(crate) const WORDS_CHARS: usize = 300;

/// A store that asks for more is asked again then: the buffer's time is limited too.
pub(crate) const MAX_RETRY_AFTER: Duration = Duration::from_secs(600);

/// How long the store wants to be left alone: seconds, or a date.
pub(crate) fn retry_after(headers: &HeaderMap, now_ms: i64) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let at = jiff::fmt::rfc2822::parse(text).ok()?;
            let left_ms = at.timestamp().as_millisecond().saturating_sub(now_ms);
            Duration::from_millis(u64::try_from(left_ms).unwrap_or(0))
        }
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

/// The first characters of the store's words, on one line.
pub(crate) fn shortened(words: &str) -> String {
    let mut short: String = words
        .trim()
        .chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .take(WORDS_CHARS)
        .collect();
    short.truncate(short.trim_end().len());
    short
}
