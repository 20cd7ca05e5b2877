//! The metric names of the window.

use std::collections::BTreeMap;

use model::MetricType;

use super::Window;

/// A metric name in the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameRow {
    /// The name.
    pub metric_name: String,
    /// How many series it has.
    pub series: usize,
    /// What the sender said it is; none where nobody did.
    pub kind: Option<&'static str>,
    /// When one of them was received last, milliseconds since the Unix epoch.
    pub received_at_ms: i64,
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
        let mut found: BTreeMap<u32, (usize, MetricType, i64)> = BTreeMap::new();
        for entry in entries.filter(|entry| entry.received_at_ms >= oldest_ms) {
            let Some((_, metric)) = entry.whose() else {
                continue;
            };
            let of_name = found
                .entry(metric)
                .or_insert((0, MetricType::Unspecified, i64::MIN));
            of_name.0 += 1;
            if entry.kind != MetricType::Unspecified {
                of_name.1 = entry.kind;
            }
            of_name.2 = of_name.2.max(entry.received_at_ms);
        }
        let known = found.len();
        let rows = found.into_iter().filter_map(|(metric, of_name)| {
            let (series, kind, received_at_ms) = of_name;
            let metric_name = self.texts.text(metric);
            is_wanted(metric_name).then(|| NameRow {
                metric_name: metric_name.to_owned(),
                series,
                kind: (kind != MetricType::Unspecified).then(|| kind.as_str()),
                received_at_ms,
            })
        });
        (rows.collect(), known)
    }
}
