//! Series that a catalogue knows: found by the bytes of their labels, which are not read again.
//!
//! Only what senders write is looked for: labels first, then samples. Anything else, such as labels behind samples
//! or exemplars, is read as if there were no catalogue.

use model::FIRST_KNOWN;

use super::series::Facts;
use crate::catalogue::{Form, Parts, Unknown};
use crate::protobuf::{Malformed, Reader, SAMPLES as SAMPLES_FIELD, delimited};

/// The key of field 1, whose value is length-delimited: a label, or the references of all labels.
pub(super) const LABELS: u8 = delimited(1);

/// The key of the samples' field, in both versions.
pub(super) const SAMPLES: u8 = delimited(SAMPLES_FIELD);

/// What the samples of a known series share.
#[inline]
pub(super) fn facts<'a>(series: u32) -> Facts<'a> {
    Facts {
        series: Ok(FIRST_KNOWN + series),
        name: "",
        start_ms: 0,
    }
}

/// What may be learned of a series that was read, if it became one.
pub(super) fn unknown<'a>(
    form: Form,
    parts: Parts<'a>,
    facts: Option<&Facts<'_>>,
) -> Option<Unknown<'a>> {
    let series = *facts?.series.as_ref().ok()?;
    Some(Unknown {
        series,
        form,
        parts,
    })
}

/// The labels that a `TimeSeries` of version 1.0 begins with, and what is behind them: samples, and nothing else.
#[inline]
pub(super) fn split(series: &[u8]) -> Option<(Parts<'_>, &[u8])> {
    let mut reader = Reader(series);
    reader.field().ok()??;
    let first = series.get(..series.len() - reader.0.len())?;
    if first.first() != Some(&LABELS) {
        return None;
    }
    let after_first = reader.0;
    while reader.0.first() == Some(&LABELS) {
        reader.field().ok()??;
    }
    let others = after_first.get(..after_first.len() - reader.0.len())?;
    has_only_samples(reader.0).then_some(([first, others, &[], &[]], reader.0))
}

/// What is behind these labels, if a `TimeSeries` of version 1.0 begins with them.
#[inline]
pub(super) fn behind<'s>(series: &'s [u8], [first, others]: [&[u8]; 2]) -> Option<&'s [u8]> {
    series.strip_prefix(first)?.strip_prefix(others)
}

/// Whether there are samples and nothing else.
#[inline]
pub(super) fn has_only_samples(fields: &[u8]) -> bool {
    const FIELD: u32 = SAMPLES_FIELD as u32;
    let mut reader = Reader(fields);
    let mut samples = 0_usize;
    loop {
        match reader.field() {
            Ok(Some((FIELD, _))) => samples += 1,
            Ok(None) => return samples > 0,
            Ok(Some(_)) | Err(_) => return false,
        }
    }
}

/// Reads fields that are known to be samples.
#[inline]
pub(super) fn each_sample<'s, E: From<Malformed>>(
    fields: &'s [u8],
    mut each: impl FnMut(&'s [u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut reader = Reader(fields);
    while let Some((_, field)) = reader.field()? {
        each(field.bytes()?)?;
    }
    Ok(())
}
