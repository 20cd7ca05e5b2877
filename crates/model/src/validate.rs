//! The rules for names, labels and timestamps, the same behind every protocol.
//!
//! Names are any UTF-8 without control characters: Prometheus 3 and OpenTelemetry allow it, and a
//! store that needs the classic alphabet escapes on its way out.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::{Code, Label, Limits, Refusal, Series};

/// 1 January 2001 in milliseconds. A smaller number that would be a sensible time in another unit
/// is taken for one: nobody pushes live samples of the last century.
const EARLIEST_PLAUSIBLE_MS: i64 = 978_307_200_000;

/// Checks the series of a batch one after the other.
///
/// Decoders that can hand on the same text in memory where a series has what the one before it had; that
/// is checked once.
#[derive(Debug)]
pub struct SeriesChecker<'b, 'a> {
    limits: &'b Limits,
    /// What the last good series had.
    name: &'b str,
    labels: &'b [Label<'a>],
}

impl<'b, 'a> SeriesChecker<'b, 'a> {
    /// A checker that has seen nothing.
    #[must_use]
    pub fn new(limits: &'b Limits) -> Self {
        Self {
            limits,
            name: "",
            labels: &[],
        }
    }

    /// Checks what the samples of a series share. `labels` are sorted by name.
    ///
    /// # Errors
    /// The first rule that the series breaks.
    pub fn check(
        &mut self,
        series: &'b Series<'a>,
        labels: &'b [Label<'a>],
    ) -> Result<(), Refusal> {
        let limits = self.limits;
        if series.name.is_empty() || !std::ptr::eq::<str>(&*series.name, self.name) {
            check_metric_name(&series.name, limits)?;
        }
        check_labels(labels, self.labels, limits)?;
        check_metadata(series, limits)?;
        (self.name, self.labels) = (&series.name, labels);
        Ok(())
    }
}

/// Checks one series; many are checked by a [`SeriesChecker`].
///
/// # Errors
/// The first rule that the series breaks.
pub fn check_series(
    series: &Series<'_>,
    labels: &[Label<'_>],
    limits: &Limits,
) -> Result<(), Refusal> {
    check_metric_name(&series.name, limits)?;
    check_labels(labels, &[], limits)?;
    check_metadata(series, limits)
}

/// Checks sorted labels. `good` are some that have passed.
fn check_labels(labels: &[Label<'_>], good: &[Label<'_>], limits: &Limits) -> Result<(), Refusal> {
    if labels.len() > limits.max_labels {
        let message = format!(
            "the series has {} labels, the limit is {}",
            labels.len(),
            limits.max_labels
        );
        return Err(Refusal::new(Code::TooManyLabels, message));
    }
    let mut good = good.iter();
    let mut previous = "";
    for label in labels {
        let name = label.name.as_ref();
        let is_good = good
            .next()
            .is_some_and(|good| std::ptr::eq::<str>(&*good.name, name));
        if !is_good {
            check_label_name(label, limits)?;
        }
        check_label_value(label, limits)?;
        if previous == name {
            let message = format!("label {name:?} appears twice");
            return Err(Refusal::new(Code::LabelDuplicate, message));
        }
        previous = name;
    }
    Ok(())
}

fn check_metadata(series: &Series<'_>, limits: &Limits) -> Result<(), Refusal> {
    for (field, text) in [("unit", &series.unit), ("help", &series.help)] {
        if text.len() > limits.max_metadata_bytes {
            let message = format!(
                "{field} has {} bytes, the limit is {}",
                text.len(),
                limits.max_metadata_bytes
            );
            return Err(Refusal::new(Code::MetadataInvalid, message));
        }
    }
    Ok(())
}

fn check_metric_name(name: &str, limits: &Limits) -> Result<(), Refusal> {
    if name.is_empty() {
        return Err(Refusal::new(
            Code::MetricNameMissing,
            "the metric name is empty",
        ));
    }
    if name.len() > limits.max_metric_name_bytes {
        let message = format!(
            "metric name {:?} has {} bytes, the limit is {}",
            head(name),
            name.len(),
            limits.max_metric_name_bytes
        );
        return Err(Refusal::new(Code::MetricNameTooLong, message));
    }
    if let Some((at, character)) = control_character(name) {
        let message = format!(
            "metric name {:?} has the control character {character:?} at byte {at}",
            head(name)
        );
        return Err(Refusal::new(Code::MetricNameInvalid, message));
    }
    Ok(())
}

fn check_label_name(label: &Label<'_>, limits: &Limits) -> Result<(), Refusal> {
    let name = label.name.as_ref();
    if name.is_empty() {
        let message = format!(
            "a label name is empty (its value is {:?})",
            head(&label.value)
        );
        return Err(Refusal::new(Code::LabelNameInvalid, message));
    }
    if name == crate::NAME_LABEL {
        let message = "label \"__name__\" is reserved for the metric name";
        return Err(Refusal::new(Code::LabelNameInvalid, message));
    }
    if name.len() > limits.max_label_name_bytes {
        let message = format!(
            "label name {:?} has {} bytes, the limit is {}",
            head(name),
            name.len(),
            limits.max_label_name_bytes
        );
        return Err(Refusal::new(Code::LabelNameTooLong, message));
    }
    if let Some((at, character)) = control_character(name) {
        let message = format!(
            "label name {:?} has the control character {character:?} at byte {at}",
            head(name)
        );
        return Err(Refusal::new(Code::LabelNameInvalid, message));
    }
    Ok(())
}

fn check_label_value(label: &Label<'_>, limits: &Limits) -> Result<(), Refusal> {
    if label.value.len() > limits.max_label_value_bytes {
        let name = label.name.as_ref();
        let message = format!(
            "the value of label {name:?} has {} bytes, the limit is {}",
            label.value.len(),
            limits.max_label_value_bytes
        );
        return Err(Refusal::new(Code::LabelValueTooLong, message));
    }
    Ok(())
}

/// The times that [`check_at`] finds nothing wrong with: most are, so that asking for each is not needed.
#[must_use]
pub fn good_times(now_ms: i64, limits: &Limits) -> RangeInclusive<i64> {
    let max_age_ms = limits.max_age.map_or(i64::MAX, millis);
    let earliest_ms = now_ms.saturating_sub(max_age_ms);
    earliest_ms.max(EARLIEST_PLAUSIBLE_MS)..=now_ms.saturating_add(millis(limits.max_future))
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// Checks a timestamp against the gateway's clock.
///
/// # Errors
/// When it is in another unit, too far ahead, or too old.
pub fn check_at(at_ms: i64, now_ms: i64, limits: &Limits) -> Result<(), Refusal> {
    let latest_ms = now_ms.saturating_add(millis(limits.max_future));
    if at_ms > latest_ms {
        for (unit, per_ms) in [("microseconds", 1_000), ("nanoseconds", 1_000_000)] {
            if (EARLIEST_PLAUSIBLE_MS..=latest_ms).contains(&(at_ms / per_ms)) {
                let message =
                    format!("timestamp {at_ms} looks like {unit}; send Unix milliseconds");
                return Err(Refusal::new(Code::TimestampInSeconds, message));
            }
        }
        let message = format!(
            "timestamp {at_ms} is {} s ahead of the gateway's clock, the limit is {} s",
            (at_ms.saturating_sub(now_ms)) / 1000,
            limits.max_future.as_secs()
        );
        return Err(Refusal::new(Code::TimestampInFuture, message));
    }
    let as_seconds_ms = at_ms.saturating_mul(1000);
    if at_ms < EARLIEST_PLAUSIBLE_MS && (EARLIEST_PLAUSIBLE_MS..=latest_ms).contains(&as_seconds_ms)
    {
        let message = format!(
            "timestamp {at_ms} looks like seconds; send Unix milliseconds, such as {as_seconds_ms}"
        );
        return Err(Refusal::new(Code::TimestampInSeconds, message));
    }
    if let Some(max_age) = limits.max_age
        && at_ms < now_ms.saturating_sub(millis(max_age))
    {
        let message = format!(
            "timestamp {at_ms} is {} s behind the gateway's clock, the limit is {} s",
            (now_ms.saturating_sub(at_ms)) / 1000,
            max_age.as_secs()
        );
        return Err(Refusal::new(Code::TimestampTooOld, message));
    }
    Ok(())
}

fn control_character(text: &str) -> Option<(usize, char)> {
    if is_plain(text.as_bytes()) {
        return None;
    }
    text.char_indices()
        .find(|(_, character)| character.is_control())
}

/// Whether all bytes are printable ASCII; looks at eight at a time.
fn is_plain(bytes: &[u8]) -> bool {
    const EACH: u64 = u64::from_ne_bytes([1; 8]);
    // The highest bit of a byte that is no ASCII, below a space, or a delete; where one byte is not plain, the
    // others' bits mean nothing.
    let odd = |word: u64| word | word.wrapping_sub(EACH * 0x20) | word.wrapping_add(EACH);
    let (words, rest) = bytes.as_chunks::<8>();
    let last = match bytes.last_chunk::<8>() {
        // Some bytes twice.
        Some(last) => u64::from_le_bytes(*last),
        None => rest
            .iter()
            .fold(EACH * 0x20, |word, byte| word << 8 | u64::from(*byte)),
    };
    let words = words.iter().map(|word| odd(u64::from_le_bytes(*word)));
    let odd = words.fold(odd(last), |all, one| all | one);
    odd & (EACH * 0x80) == 0
}

/// The first characters of a text that may be megabytes long, for a message.
#[must_use]
pub fn head(text: &str) -> String {
    let mut head: String = text.chars().take(40).collect();
    if head.len() < text.len() {
        head.push('…');
    }
    head
}

#[cfg(test)]
mod tests;
