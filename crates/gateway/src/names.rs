//! What a gateway knows of metric names: from the heat, the estimates of series, what senders said of families, and where
//! the buffer puts them. Nothing is counted for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use buffer::{ContentType, Record};
use bytes::Bytes;

use crate::heat::{PartitioningHandle, Warm};
use crate::ingest::Pipeline;

/// Tenants and senders of a name that are told.
const MOST_TOLD: usize = 20;

/// A metric name. What is not known of it is none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KnownName {
    /// The name.
    pub metric_name: String,
    /// Samples per second in the last window of the heat.
    pub samples_per_s: Option<f64>,
    /// Bytes of records per second in it.
    pub bytes_per_s: Option<f64>,
    /// Active series, estimated, of all tenants.
    pub series: Option<usize>,
    /// What senders said that it is.
    pub kind: Option<&'static str>,
    /// The unit that they said.
    pub unit: Option<String>,
    /// What they said for people.
    pub help: Option<String>,
    /// The partition of the key.
    pub partition: Option<usize>,
    /// Over how many partitions it is spread.
    pub lanes: Option<u32>,
    /// Whose it is.
    pub tenants: Vec<String>,
    /// Who brought most of its series, for each of these.
    pub senders: Vec<String>,
}

/// Answers questions for names while the gateway runs. Clones share it.
#[derive(Clone)]
pub struct NamesHandle {
    pub(crate) partitioning: PartitioningHandle,
    pub(crate) pipeline: Arc<Pipeline>,
}

impl std::fmt::Debug for NamesHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NamesHandle").finish_non_exhaustive()
    }
}

impl NamesHandle {
    /// The names that are wanted, and how many are known.
    #[must_use]
    pub fn known(&self, is_wanted: &dyn Fn(&str) -> bool) -> (Vec<KnownName>, usize) {
        let mut all: BTreeMap<String, KnownName> = BTreeMap::new();
        let entry = |name: &str| KnownName {
            metric_name: name.to_owned(),
            ..KnownName::default()
        };
        let mut known = 0;
        if let Some(heat) = &self.partitioning.heat {
            let (names, of_heat) = heat.warm(is_wanted);
            known = of_heat;
            for Warm {
                name,
                bytes,
                samples,
                lanes,
            } in names
            {
                let found = all.entry(name.clone()).or_insert_with(|| entry(&name));
                found.bytes_per_s = Some(bytes);
                found.samples_per_s = Some(samples);
                found.lanes = Some(lanes);
            }
        }
        let (counted, of_series) = self.pipeline.quotas.names(is_wanted);
        known = known.max(of_series);
        for counted in counted {
            let found = all
                .entry(counted.name.clone())
                .or_insert_with(|| entry(&counted.name));
            *found.series.get_or_insert_default() += counted.series;
            note(&mut found.tenants, counted.tenant.as_deref());
            note(&mut found.senders, counted.source.as_deref());
        }
        let known = known.max(all.len());
        let mut names: Vec<KnownName> = all.into_values().collect();
        for name in &mut names {
            self.describe(name);
        }
        (names, known)
    }

    /// What is not counted, and by which setting.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        if self.partitioning.heat.is_none() {
            return Some(
                "rates of names are not counted: partitioning.heat.enabled is false".to_owned(),
            );
        }
        let is_counted = self.pipeline.quotas.counts_series();
        (!is_counted).then(|| "series are not counted: cardinality.enabled is false".to_owned())
    }

    fn describe(&self, name: &mut KnownName) {
        name.partition = self.partition(&name.metric_name);
        let Some(families) = self.pipeline.families.known() else {
            return;
        };
        let tenants = name.tenants.iter().map(|tenant| Some(tenant.as_str()));
        let said = tenants
            .chain([None])
            .find_map(|tenant| families.describe(tenant, &name.metric_name));
        if let Some((kind, unit, help)) = said {
            let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            name.kind = Some(kind.as_str());
            name.unit = text(unit);
            name.help = text(help);
        }
    }

    fn partition(&self, name: &str) -> Option<usize> {
        (self.pipeline.placement)(&Record {
            key: Bytes::copy_from_slice(name.as_bytes()),
            value: Bytes::new(),
            content_type: ContentType::RemoteWriteV2,
            tenant: None,
            source: None,
            received_at_ms: 0,
            spread: buffer::Spread::default(),
        })
    }
}

fn note(names: &mut Vec<String>, name: Option<&str>) {
    let Some(name) = name else { return };
    if names.len() < MOST_TOLD && !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}

#[cfg(test)]
mod tests;
