//! Values and timestamps as Prometheus reads them.

use model::{Code, Refusal, head};

use super::Dialect;

/// A number as Go reads it, without hexadecimal ones and underscores; `None` if it is none.
#[inline]
pub(super) fn float(text: &str) -> Option<f64> {
    let number: f64 = text.parse().ok()?;
    if number.is_finite() {
        return Some(number);
    }
    // Too large for a float is not infinite, and Go's NaN has no sign.
    let is_named = match text.as_bytes() {
        [b'n' | b'N', ..] => true,
        [b'+' | b'-', rest @ ..] => number.is_infinite() && matches!(rest, [b'i' | b'I', ..]),
        [first, ..] => matches!(first, b'i' | b'I'),
        [] => false,
    };
    is_named.then_some(number)
}

#[inline]
pub(super) fn value(text: &str) -> Result<f64, Refusal> {
    float(text).ok_or_else(|| match text {
        "" => Refusal::new(Code::ValueMissing, "there is no value"),
        text => Refusal::new(
            Code::ValueInvalid,
            format!("the value {:?} is not a number", head(text)),
        ),
    })
}

/// A time in milliseconds since the Unix epoch.
#[inline]
pub(super) fn timestamp(text: &str, dialect: Dialect) -> Result<i64, Refusal> {
    let at_ms = match dialect {
        Dialect::Text => text.parse().ok(),
        Dialect::OpenMetrics => seconds_as_ms(text),
    };
    at_ms.ok_or_else(|| match dialect {
        Dialect::Text => not_milliseconds(text),
        Dialect::OpenMetrics => Refusal::new(
            Code::TimestampInvalid,
            format!("the timestamp {:?} is not a number of seconds", head(text)),
        ),
    })
}

fn not_milliseconds(text: &str) -> Refusal {
    let is_seconds = float(text).is_some_and(|seconds| (1e9..1e11).contains(&seconds));
    let (code, hint) = if is_seconds {
        (
            Code::TimestampInSeconds,
            "; it looks like seconds, which are OpenMetrics: say so with the content type application/openmetrics-text",
        )
    } else {
        (Code::TimestampInvalid, "")
    };
    let message = format!(
        "the timestamp {:?} is not a whole number of Unix milliseconds{hint}",
        head(text)
    );
    Refusal::new(code, message)
}

/// Seconds with any fraction, to the millisecond.
pub(super) fn seconds_as_ms(text: &str) -> Option<i64> {
    // Whole seconds need no rounding.
    if text.len() <= 15
        && let Ok(seconds) = text.parse::<i64>()
    {
        return seconds.checked_mul(1000);
    }
    float(text).filter(|seconds| seconds.is_finite()).map(as_ms)
}

/// Seconds, which are finite, in milliseconds.
#[expect(
    clippy::cast_possible_truncation,
    reason = "`as` saturates, and validation refuses such times"
)]
fn as_ms(seconds: f64) -> i64 {
    (seconds * 1000.0).round() as i64
}

/// A time in seconds as milliseconds; 0, which is unknown, if it can be none.
pub(super) fn plausible_ms(seconds: f64) -> i64 {
    if (0.0..1e12).contains(&seconds) {
        as_ms(seconds)
    } else {
        0
    }
}
