//! The metric names of the window.

use std::collections::BTreeMap;

use model::MetricType;

use super::super::texts::NONE;
use super::{Entry, Window};

/// A metric name in the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameRow {
    /// The name.
    pub metric_name: String,
    /// How many series it has.
    pub series: usize,
    /// What the sender said it is; none where nobody did.
    pub kind: Option<&'static str>,
    /// The unit that the sender said; none where nobody did.
    pub unit: Option<String>,
    /// The sentence for people that came with it.
    pub help: Option<String>,
    /// When one of them was received last, milliseconds since the Unix epoch.
    pub received_at_ms: i64,
}

/// What is known of a name so far.
#[derive(Clone, Copy)]
struct Known {
    series: usize,
    kind: MetricType,
    /// The numbers of the unit's and the help's texts.
    words: [u32; 2],
    received_at_ms: i64,
}

impl Known {
    const NOTHING: Self = Self {
        series: 0,
        kind: MetricType::Unspecified,
        words: [NONE; 2],
        received_at_ms: i64::MIN,
    };

    fn add(&mut self, entry: &Entry) {
        self.series += 1;
        if entry.kind != MetricType::Unspecified {
            self.kind = entry.kind;
        }
        for (known, said) in self.words.iter_mut().zip(entry.words) {
            if said != NONE {
                *known = said;
            }
        }
        self.received_at_ms = self.received_at_ms.max(entry.received_at_ms);
    }
}

impl Window {
    /// The names that are wanted, and how many there are.
    pub(in crate::recent) fn names(
        &self,
        is_wanted: &dyn Fn(&str) -> bool,
    ) -> (Vec<NameRow>, usize) {
        let oldest_ms = self.newest_ms.saturating_sub(self.window_ms);
        let entries = self.entries.iter();
        // By the number of the name's text.
        let mut found: BTreeMap<u32, Known> = BTreeMap::new();
        for entry in entries.filter(|entry| entry.received_at_ms >= oldest_ms) {
            if let Some((_, metric)) = entry.whose() {
                found.entry(metric).or_insert(Known::NOTHING).add(entry);
            }
        }
        let known = found.len();
        let text = |number| (number != NONE).then(|| self.texts.text(number).to_owned());
        let rows = found.into_iter().filter_map(|(metric, known)| {
            let Known {
                series,
                kind,
                words: [unit, help],
                received_at_ms,
            } = known;
            let metric_name = self.texts.text(metric);
            is_wanted(metric_name).then(|| NameRow {
                metric_name: metric_name.to_owned(),
                series,
                kind: (kind != MetricType::Unspecified).then(|| kind.as_str()),
                unit: text(unit),
                help: text(help),
                received_at_ms,
            })
        });
        (rows.collect(), known)
    }
}
