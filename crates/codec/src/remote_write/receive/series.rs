//! What the labels of a `TimeSeries` come to, the same for both versions.

use std::borrow::Cow;

use model::{Batch, Code, Limits, NAME_LABEL, Refusal};

/// The field of a `Histogram` that says when counting started, in version 2.0.
const START_TIMESTAMP: u8 = 17;

/// What a series' objects share.
pub(super) struct Facts<'a> {
    /// The series' number in the batch, or why it has none.
    pub series: Result<u32, Refusal>,
    /// Its metric name, as far as it is known.
    pub name: &'a str,
    /// When counting started, where the series says so; 0 otherwise.
    pub start_ms: i64,
}

/// The labels of a series while they are read. They are the batch's open ones.
pub(super) struct Labels<'a> {
    pub name: Option<&'a str>,
    from: usize,
    count: usize,
    refusal: Option<Refusal>,
}

impl<'a> Labels<'a> {
    pub(super) fn open(batch: &Batch<'a>) -> Self {
        Self {
            name: None,
            from: batch.open_labels(),
            count: 0,
            refusal: None,
        }
    }

    /// Notes what is wrong, unless something was before.
    #[cold]
    pub(super) fn refuse(&mut self, code: Code, message: impl FnOnce() -> String) {
        if self.refusal.is_none() {
            self.refusal = Some(Refusal::new(code, message()));
        }
    }

    /// Takes a label. One without a value is none.
    #[inline]
    pub(super) fn push(
        &mut self,
        name: &'a str,
        value: &'a str,
        limits: &Limits,
        batch: &mut Batch<'a>,
    ) {
        if value.is_empty() {
            return;
        }
        if name == NAME_LABEL {
            if self.name.is_some() {
                self.refuse(Code::LabelDuplicate, || {
                    format!("label {NAME_LABEL:?} appears twice")
                });
            }
            self.name = Some(value);
            return;
        }
        self.count += 1;
        if self.count <= limits.max_labels {
            batch.push_label(name, value);
        }
    }

    /// Makes a series of the labels.
    ///
    /// # Errors
    /// What is wrong with them. The batch has none of them then.
    pub(super) fn close(mut self, limits: &Limits, batch: &mut Batch<'a>) -> Result<u32, Refusal> {
        if self.count > limits.max_labels {
            let count = self.count;
            self.refuse(Code::TooManyLabels, || {
                let limit = limits.max_labels;
                format!("the series has {count} labels, the limit is {limit}")
            });
        }
        match (self.refusal, self.name) {
            (None, Some(name)) => Ok(batch.close_series(name, self.from)),
            (refusal, _) => {
                batch.drop_labels(self.from);
                Err(refusal.unwrap_or_else(|| {
                    let message = format!("the series has no label {NAME_LABEL:?}");
                    Refusal::new(Code::MetricNameMissing, message)
                }))
            }
        }
    }

    /// Forgets them: nothing refers to the series.
    pub(super) fn forget(self, batch: &mut Batch<'a>) {
        batch.drop_labels(self.from);
    }
}

/// A histogram with the start time that its series states, unless it has one of its own.
pub(super) fn with_start(message: &[u8], has_start: bool, start_ms: i64) -> Cow<'_, [u8]> {
    if has_start || start_ms == 0 {
        return Cow::Borrowed(message);
    }
    let mut owned = Vec::with_capacity(message.len() + 12);
    owned.extend_from_slice(message);
    put_wide(&mut owned, START_TIMESTAMP, start_ms);
    Cow::Owned(owned)
}

/// An integer field whose key has two bytes.
fn put_wide(output: &mut Vec<u8>, field: u8, number: i64) {
    output.push(field << 3 | 0x80);
    output.push(field >> 4);
    crate::protobuf::put_varint(output, number.cast_unsigned());
}
