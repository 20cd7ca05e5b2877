//! What is known of series, as people ask for it: `GET /api/v1/cardinality` of the admin listener.

use serde_json::{Value, json};

use super::Cardinality;
use crate::ingest::Origin;

/// A metric name of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CountedName {
    pub(crate) name: String,
    pub(crate) tenant: Option<String>,
    pub(crate) series: usize,
    /// Who brought most of them.
    pub(crate) source: Option<String>,
}

impl Cardinality {
    /// The names that are wanted, and how many are counted.
    pub(crate) fn names(
        &self,
        half: u64,
        is_wanted: &dyn Fn(&str) -> bool,
    ) -> (Vec<CountedName>, usize) {
        let mut counted = self.counted();
        let known = counted.metrics.len();
        let wanted = counted.metrics.matching(|key| is_wanted(&key.name), half);
        let names = wanted.into_iter().map(|(series, entry)| CountedName {
            name: entry.key.name.as_ref().to_owned(),
            tenant: entry.key.tenant.as_deref().map(str::to_owned),
            series,
            source: entry.source.who().map(str::to_owned),
        });
        (names.collect(), known)
    }

    /// The first `most` of each kind. `limit_of` answers a tenant's limit and how many series count against it.
    pub(crate) fn report(
        &self,
        half: u64,
        window_s: f64,
        most: usize,
        limit_of: impl Fn(&Origin) -> Option<(usize, usize)>,
    ) -> Value {
        let mut counted = self.counted();
        let total = counted.total.count(half);
        let tenants = counted.tenants.top(most, half).into_iter();
        let tenants: Vec<Value> = tenants
            .map(|(series, entry)| {
                let mut shown = json!({
                    "tenant": entry.key.tenant, "active_series": series, "source": entry.source.who(),
                });
                if let (Some((limit, counted)), Some(shown)) =
                    (limit_of(&entry.key), shown.as_object_mut())
                {
                    shown.insert("limit".to_owned(), limit.into());
                    shown.insert("counted_against_limit".to_owned(), counted.into());
                }
                shown
            })
            .collect();
        let sources = counted.sources.top(most, half).into_iter();
        let sources: Vec<Value> = sources
            .map(|(series, entry)| {
                json!({
                    "source": entry.key.source, "tenant": entry.key.tenant, "active_series": series,
                })
            })
            .collect();
        let metrics = counted.metrics.top(most, half).into_iter();
        let metrics: Vec<Value> = metrics
            .map(|(series, entry)| {
                json!({
                    "metric_name": entry.key.name, "tenant": entry.key.tenant, "active_series": series,
                    "source": entry.source.who(),
                })
            })
            .collect();
        let labels = counted.labels.top(most, half).into_iter();
        let labels: Vec<Value> = labels
            .map(|(values, entry)| {
                json!({
                    "label": entry.key.name, "tenant": entry.key.tenant, "values": values,
                    "metric_name": entry.key.metric, "source": entry.source.who(),
                })
            })
            .collect();
        json!({
            "window_s": window_s, "active_series": total, "tenants": tenants, "sources": sources,
            "metrics": metrics, "labels": labels,
        })
    }
}
