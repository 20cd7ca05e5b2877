//! Samples as `RowBinary`. Pure.

use std::io::Write as _;

use model::SeriesView;

use super::LabelColumn;
use crate::bound::Bound;
use crate::{Batch, WriteError};

/// The rows of a batch, in the columns of [`super::table::COLUMNS`].
///
/// # Errors
/// When they are too many bytes.
pub(super) fn rows(batch: &Batch, labels: LabelColumn) -> Result<Vec<u8>, WriteError> {
    let bound = Bound::of(batch);
    let mut out = Vec::new();
    let mut head = Vec::new();
    for item in &batch.items {
        let parts = item.parts();
        head.clear();
        text(&mut head, parts.view.name().as_bytes());
        match labels {
            LabelColumn::Map => map(&mut head, parts.view),
            LabelColumn::Json => text(&mut head, &json(parts.view)),
        }
        let tenant = item.tenant.as_deref();
        for point in parts.points {
            out.extend_from_slice(&head);
            row(&mut out, point.at_ms, point.value, None, tenant);
            bound.check(out.len())?;
        }
        for histogram in parts.histograms {
            out.extend_from_slice(&head);
            let message = Some(&*histogram.message);
            row(&mut out, histogram.at_ms, 0.0, message, tenant);
            bound.check(out.len())?;
        }
    }
    Ok(out)
}

fn row(out: &mut Vec<u8>, at_ms: i64, value: f64, histogram: Option<&[u8]>, tenant: Option<&str>) {
    out.extend_from_slice(&at_ms.to_le_bytes());
    out.extend_from_slice(&value.to_le_bytes());
    nullable(out, histogram);
    nullable(out, tenant.map(str::as_bytes));
}

fn map(out: &mut Vec<u8>, view: SeriesView<'_>) {
    let labels = || view.labels().filter(|(name, _)| *name != "__name__");
    length(out, labels().count());
    for (name, value) in labels() {
        text(out, name.as_bytes());
        text(out, value.as_bytes());
    }
}

/// The labels as a JSON object.
pub(crate) fn json(view: SeriesView<'_>) -> Vec<u8> {
    let mut out = vec![b'{'];
    for (name, value) in view.labels().filter(|(name, _)| *name != "__name__") {
        if out.len() > 1 {
            out.push(b',');
        }
        // Writing text to memory does not fail.
        serde_json::to_writer(&mut out, name).unwrap_or_default();
        out.write_all(b":").unwrap_or_default();
        serde_json::to_writer(&mut out, value).unwrap_or_default();
    }
    out.push(b'}');
    out
}

fn nullable(out: &mut Vec<u8>, value: Option<&[u8]>) {
    match value {
        None => out.push(1),
        Some(value) => {
            out.push(0);
            text(out, value);
        }
    }
}

fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    length(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// LEB128, as in protobuf.
fn length(out: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}
