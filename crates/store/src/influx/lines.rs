//! Samples as lines. Pure.
//!
//! Only what all servers read alike is written. Before a comma, a space, an equals sign and at the end a backslash
//! escapes or is half of an escape, for some even before another backslash; for `InfluxDB` 1 two of them are two. Such
//! backslashes are therefore left out. A line feed always ends a line, and becomes a backslash and an `n`.

use std::io::Write as _;

use codec::native::classic;
use model::Histogram;

use crate::bound::Bound;
use crate::{Item, WriteError};

/// The lines of a batch.
pub(super) struct Lines<'a> {
    text: Vec<u8>,
    /// The start of the lines of the series at hand.
    head: Vec<u8>,
    measurement: Option<&'a str>,
    field: &'a str,
    bound: Bound,
}

impl<'a> Lines<'a> {
    pub(super) fn new(measurement: Option<&'a str>, field: &'a str, bound: Bound) -> Self {
        Self {
            text: Vec::new(),
            head: Vec::new(),
            measurement,
            field,
            bound,
        }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.text
    }

    /// Adds what has a form of an item's samples.
    ///
    /// # Errors
    /// When the lines are too many bytes.
    pub(super) fn push(&mut self, item: &Item) -> Result<(), WriteError> {
        let parts = item.parts();
        if !parts.points.is_empty() {
            self.open(item, "", None);
            for point in parts.points {
                self.value(point.value, point.at_ms)?;
            }
        }
        for histogram in parts.histograms {
            self.histogram(item, histogram)?;
        }
        Ok(())
    }

    fn histogram(&mut self, item: &Item, histogram: &Histogram) -> Result<(), WriteError> {
        let Some(classic) = classic(&histogram.message) else {
            return Ok(());
        };
        for (bound, count) in classic.buckets {
            let bound = if bound == f64::INFINITY {
                "+Inf".to_owned()
            } else {
                format!("{bound:?}")
            };
            self.open(item, "_bucket", Some(&bound));
            self.value(count, histogram.at_ms)?;
        }
        self.open(item, "_sum", None);
        self.value(classic.sum, histogram.at_ms)?;
        self.open(item, "_count", None);
        self.value(classic.count, histogram.at_ms)
    }

    /// Begins a series: everything of its lines before the value.
    fn open(&mut self, item: &Item, suffix: &str, le: Option<&str>) {
        let view = item.view();
        let head = &mut self.head;
        head.clear();
        match self.measurement {
            Some(name) => measurement(head, name),
            None => {
                measurement(head, view.name());
                head.extend_from_slice(suffix.as_bytes());
            }
        }
        for (name, value) in view.labels() {
            if name != "__name__" && !(le.is_some() && name == "le") {
                tag(head, name, value);
            }
        }
        if let Some(le) = le {
            tag(head, "le", le);
        }
        head.push(b' ');
        match self.measurement {
            Some(_) => {
                name(head, view.name(), b",= ");
                head.extend_from_slice(suffix.as_bytes());
            }
            None => name(head, self.field, b",= "),
        }
        head.push(b'=');
    }

    fn value(&mut self, value: f64, at_ms: i64) -> Result<(), WriteError> {
        if value.is_finite() {
            self.text.extend_from_slice(&self.head);
            // Debug keeps every bit and never writes hundreds of digits.
            writeln!(self.text, "{value:?} {at_ms}").unwrap_or_default();
        }
        self.bound.check(self.text.len())
    }
}

/// How many of an item's samples have no form.
pub(super) fn left_out(item: &Item) -> usize {
    let parts = item.parts();
    let floats = parts.points.iter().filter(|point| !point.value.is_finite());
    let histograms = parts
        .histograms
        .iter()
        .filter(|one| !classic(&one.message).is_some_and(|classic| classic.count.is_finite()));
    floats.count() + histograms.count()
}

fn measurement(out: &mut Vec<u8>, text: &str) {
    // Otherwise the line were a comment.
    if text.starts_with('#') {
        out.push(b'\\');
    }
    name(out, text, b", ");
}

/// A name that a line cannot be without.
fn name(out: &mut Vec<u8>, text: &str, special: &[u8]) {
    let before = out.len();
    escaped(out, text, special);
    // Nothing but backslashes.
    if out.len() == before {
        out.push(b'_');
    }
}

fn tag(out: &mut Vec<u8>, name: &str, value: &str) {
    let name = name.trim_end_matches('\\');
    let value = value.trim_end_matches('\\');
    if !name.is_empty() && !value.is_empty() {
        out.push(b',');
        word(out, name);
        out.push(b'=');
        word(out, value);
    }
}

/// A tag's name or value.
fn word(out: &mut Vec<u8>, text: &str) {
    escaped(out, text, b",= ");
}

fn escaped(out: &mut Vec<u8>, text: &str, special: &[u8]) {
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        let next = bytes.peek();
        match byte {
            // Two readers would not agree on it; the line feed begins with a backslash, too.
            b'\\' if matches!(next, None | Some(b',' | b' ' | b'=' | b'\\' | b'\n')) => {}
            b'\n' => out.extend_from_slice(b"\\n"),
            _ => {
                if special.contains(&byte) {
                    out.push(b'\\');
                }
                out.push(byte);
            }
        }
    }
}
