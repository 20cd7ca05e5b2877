//! Samples as lines. Pure.
//!
//! What `InfluxDB` 1 reads is the measure, because it reads the least: a backslash escapes a comma, a space and an
//! equals sign and stands for itself otherwise, so a tag cannot end in one; a line feed always ends a line. A tag's
//! last backslashes are therefore dropped, and a line feed becomes a backslash and an `n`.

use std::io::Write as _;

use codec::native::classic;
use model::Histogram;

use crate::Item;

/// The lines of a batch.
pub(super) struct Lines<'a> {
    text: Vec<u8>,
    /// The start of the lines of the series at hand.
    head: Vec<u8>,
    measurement: Option<&'a str>,
    field: &'a str,
}

impl<'a> Lines<'a> {
    pub(super) fn new(measurement: Option<&'a str>, field: &'a str) -> Self {
        Self {
            text: Vec::new(),
            head: Vec::new(),
            measurement,
            field,
        }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.text
    }

    /// Adds what has a form of an item's samples.
    pub(super) fn push(&mut self, item: &Item) {
        let parts = item.parts();
        if !parts.points.is_empty() {
            self.open(item, "", None);
            for point in parts.points {
                self.value(point.value, point.at_ms);
            }
        }
        for histogram in parts.histograms {
            self.histogram(item, histogram);
        }
    }

    fn histogram(&mut self, item: &Item, histogram: &Histogram) {
        let Some(classic) = classic(&histogram.message) else {
            return;
        };
        for (bound, count) in classic.buckets {
            let bound = if bound == f64::INFINITY {
                "+Inf".to_owned()
            } else {
                format!("{bound:?}")
            };
            self.open(item, "_bucket", Some(&bound));
            self.value(count, histogram.at_ms);
        }
        self.open(item, "_sum", None);
        self.value(classic.sum, histogram.at_ms);
        self.open(item, "_count", None);
        self.value(classic.count, histogram.at_ms);
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
                word(head, view.name());
                head.extend_from_slice(suffix.as_bytes());
            }
            None => word(head, self.field),
        }
        head.push(b'=');
    }

    fn value(&mut self, value: f64, at_ms: i64) {
        if value.is_finite() {
            self.text.extend_from_slice(&self.head);
            // Debug keeps every bit and never writes hundreds of digits.
            writeln!(self.text, "{value:?} {at_ms}").unwrap_or_default();
        }
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

fn measurement(out: &mut Vec<u8>, name: &str) {
    // Otherwise the line were a comment.
    if name.starts_with('#') {
        out.push(b'\\');
    }
    escaped(out, name, b", ");
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

/// A tag's name or value, or a field's name.
fn word(out: &mut Vec<u8>, text: &str) {
    escaped(out, text, b",= ");
}

fn escaped(out: &mut Vec<u8>, text: &str, special: &[u8]) {
    for &byte in text.as_bytes() {
        if byte == b'\n' {
            out.extend_from_slice(b"\\n");
            continue;
        }
        if special.contains(&byte) {
            out.push(b'\\');
        }
        out.push(byte);
    }
}
