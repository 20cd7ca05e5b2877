//! The samples that a group makes: pushed, repeated, and the markers of what has ended.

use codec::Decoded;
use model::{Batch, MetricType, Sample, Value};

use super::content::{Content, What};
use super::group::{Family, Group, Label, Series};
use crate::metrics::{PUSH_OVERDUE, PUSH_OVERDUE_HELP};

/// Prometheus' marker for a series that has ended: a NaN with these bits.
const STALE: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

const PUSH_TIME: &str = "push_time_seconds";
const PUSH_FAILURE_TIME: &str = "push_failure_time_seconds";

/// What the gateway says itself about each group; nobody can push these.
pub(crate) const OWN_NAMES: [&str; 3] = [PUSH_TIME, PUSH_FAILURE_TIME, PUSH_OVERDUE];

const PUSH_TIME_HELP: &str = "Last Unix time when a push to this group was taken.";
const PUSH_FAILURE_TIME_HELP: &str = "Last Unix time when a push to this group was refused.";

/// When a group was last pushed to, and when in vain, under the names of the gateway's own metrics.
pub(crate) fn own_times(group: &Group) -> [(&'static str, i64); 2] {
    [
        (PUSH_TIME, group.push_ms),
        (PUSH_FAILURE_TIME, group.failure_ms),
    ]
}

/// Collects samples that borrow from groups.
#[derive(Debug, Default)]
pub(crate) struct Samples<'a> {
    batch: Batch<'a>,
    objects: u32,
}

impl<'a> Samples<'a> {
    pub(crate) fn len(&self) -> usize {
        self.batch.samples().len()
    }

    /// As the pipeline takes them.
    pub(crate) fn finish(self) -> Decoded<'a> {
        Decoded {
            batch: self.batch,
            objects: self.objects,
            ..Decoded::default()
        }
    }

    fn series(&mut self, name: &'a str, labels: &'a [Label], family: Option<&'a Family>) -> u32 {
        let from = self.batch.open_labels();
        for label in labels {
            self.batch
                .push_label(label.name.as_str(), label.value.as_str());
        }
        let number = self.batch.close_series(name, from);
        if let Some(family) = family {
            let kind = MetricType::from_wire(family.kind);
            self.batch
                .describe(number, kind, family.unit.as_str(), family.help.as_str());
        }
        number
    }

    fn push(&mut self, series: u32, value: f64, at_ms: i64, start_ms: i64) {
        self.batch.push(Sample {
            index: self.objects,
            series,
            at_ms,
            start_ms,
            value: Value::Float(value),
        });
        self.objects += 1;
    }

    /// What the gateway says about the group: when it was pushed to, and whether a push is missing.
    pub(crate) fn add_own(&mut self, group: &'a Group, at_ms: i64) {
        let helps = [PUSH_TIME_HELP, PUSH_FAILURE_TIME_HELP];
        for ((name, time_ms), help) in own_times(group).into_iter().zip(helps) {
            self.add_gauge(group, name, help, seconds(time_ms), at_ms);
        }
        self.add_overdue(group, at_ms);
    }

    /// Whether a push is missing, where one is expected.
    pub(crate) fn add_overdue(&mut self, group: &'a Group, at_ms: i64) {
        if let Some(is_overdue) = group.is_overdue(at_ms) {
            let value = if is_overdue { 1.0 } else { 0.0 };
            self.add_gauge(group, PUSH_OVERDUE, PUSH_OVERDUE_HELP, value, at_ms);
        }
    }

    fn add_gauge(
        &mut self,
        group: &'a Group,
        name: &'static str,
        help: &'static str,
        value: f64,
        at_ms: i64,
    ) {
        let series = self.series(name, &group.labels, None);
        self.batch.describe(series, MetricType::Gauge, "", help);
        self.push(series, value, at_ms, 0);
    }

    /// The group's last values once more. What had a time of its own is not true of another one.
    pub(crate) fn add_repeated(&mut self, group: &'a Group, at_ms: i64) {
        for family in &group.families {
            for series in family.series.iter().filter(|series| series.at_ms.is_none()) {
                let number = self.series(&series.name, &series.labels, Some(family));
                match &series.histogram {
                    None => self.push(number, series.value, at_ms, series.start_ms),
                    Some(message) => {
                        let message = stamped(message, at_ms);
                        self.batch
                            .push_histogram(self.objects, number, at_ms, message);
                        self.objects += 1;
                    }
                }
            }
        }
    }

    /// Marks a series as ended, not before its last sample.
    pub(crate) fn add_ended(&mut self, family: &'a Family, series: &'a Series, at_ms: i64) {
        let after_ms = series.at_ms.map_or(i64::MIN, |last| last.saturating_add(1));
        let number = self.series(&series.name, &series.labels, Some(family));
        self.push(number, STALE, at_ms.max(after_ms), 0);
    }

    /// Marks every series of a group as ended, the gateway's own among them.
    pub(crate) fn add_all_ended(&mut self, group: &'a Group, at_ms: i64) {
        for family in &group.families {
            for series in &family.series {
                self.add_ended(family, series, at_ms);
            }
        }
        for name in OWN_NAMES {
            if name != PUSH_OVERDUE || group.due_ms().is_some() {
                let series = self.series(name, &group.labels, None);
                self.push(series, STALE, at_ms, 0);
            }
        }
    }

    /// Marks that nobody expects a push to the group any more.
    pub(crate) fn add_overdue_ended(&mut self, group: &'a Group, at_ms: i64) {
        let series = self.series(PUSH_OVERDUE, &group.labels, None);
        self.push(series, STALE, at_ms, 0);
    }
}

/// What was pushed, at `now_ms` where the sender said no time.
pub(crate) fn pushed(content: &Content, now_ms: i64) -> Decoded<'_> {
    let mut samples = Samples::default();
    let numbers: Vec<Vec<u32>> = content
        .families
        .iter()
        .map(|family| {
            let series = family.series.iter();
            series
                .map(|series| samples.series(&series.name, &series.labels, Some(family)))
                .collect()
        })
        .collect();
    let batch = &mut samples.batch;
    for sample in &content.samples {
        let (family, number) = sample.series;
        let Some(series) = numbers
            .get(family)
            .and_then(|numbers| numbers.get(number))
            .copied()
        else {
            continue;
        };
        let at_ms = sample.at_ms.unwrap_or(now_ms);
        match &sample.what {
            What::Float(value) => batch.push(Sample {
                index: sample.index,
                series,
                at_ms,
                start_ms: sample.start_ms,
                value: Value::Float(*value),
            }),
            What::Histogram(message) => {
                let message = stamped(message, at_ms);
                batch.push_histogram(sample.index, series, at_ms, message);
            }
            What::Exemplar { value, labels } => {
                let from = batch.open_labels();
                for label in labels {
                    batch.push_label(label.name.as_str(), label.value.as_str());
                }
                batch.push_exemplar(sample.index, series, at_ms, *value, from);
            }
        }
    }
    Decoded {
        refused: content.refused.clone(),
        objects: content.objects,
        ignored: content.ignored.clone(),
        ..samples.finish()
    }
}

/// A `Histogram` message at another time: of a field that is there twice, the last one counts.
fn stamped(message: &[u8], at_ms: i64) -> Vec<u8> {
    /// Field 15, `timestamp`, a varint.
    const TIMESTAMP: u8 = 15 << 3;
    let mut stamped = Vec::with_capacity(message.len() + 11);
    stamped.extend_from_slice(message);
    stamped.push(TIMESTAMP);
    prost::encoding::encode_varint(at_ms.cast_unsigned(), &mut stamped);
    stamped
}

pub(crate) fn seconds(at_ms: i64) -> f64 {
    at_ms as f64 / 1000.0
}
