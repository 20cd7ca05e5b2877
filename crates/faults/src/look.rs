//! Where acknowledged samples are looked for: topics, archives, stores.
//!
//! Topics are read by the Java client and decoded by a generated decoder, which share no code with
//! what wrote them.

use std::path::Path;

use anyhow::Context;
use bytes::Bytes;
use codec::wire::v2::Request;
use prost::Message as _;
use testkit::{Kafka, Prometheus, Series, VictoriaMetrics};

use crate::tally::Tally;

/// Takes every sample of the records of a topic, in their order within a partition.
pub(crate) fn topic(kafka: &Kafka, topic: &str, tally: &mut Tally) -> anyhow::Result<()> {
    for record in kafka.read(topic) {
        let (partition, offset) = (record.partition, record.offset);
        let value = Bytes::from(record.value.unwrap_or_default());
        let place = || format!("{topic}, partition {partition}, offset {offset}");
        let request = Request::decode(value).with_context(place)?;
        let text = |at: &u32| -> Option<&str> {
            let symbol = request.symbols.get(usize::try_from(*at).ok()?)?;
            Some(symbol.as_str())
        };
        for series in &request.timeseries {
            for sample in &series.samples {
                let pairs = series.labels_refs.as_chunks::<2>().0.iter();
                let labels = pairs.map(|[name, value]| {
                    (
                        text(name).unwrap_or_default(),
                        text(value).unwrap_or_default(),
                    )
                });
                tally.see(labels, sample.timestamp, sample.value);
            }
        }
    }
    Ok(())
}

/// Takes every sample of an archive's files.
pub(crate) fn archive(dir: &Path, tally: &mut Tally) -> anyhow::Result<()> {
    if dir.exists() {
        store::parquet::read_values(dir, |value| tally.see_value(value))?;
    }
    Ok(())
}

/// Takes every sample that VictoriaMetrics has of the load.
pub(crate) fn victoria(store: &VictoriaMetrics, tally: &mut Tally) {
    take(&store.export("{__name__=~\"fault_.*\"}"), tally);
}

/// Takes every sample of the last hour that Prometheus has of the load.
pub(crate) fn prometheus(store: &Prometheus, tally: &mut Tally) {
    let now_ms = service::clock::now_ms();
    take(&store.query("{__name__=~\"fault_.*\"}[1h]", now_ms), tally);
}

fn take(found: &[Series], tally: &mut Tally) {
    for series in found {
        for (at_ms, value) in &series.samples {
            let labels = series.labels.iter();
            let labels = labels.map(|(name, value)| (name.as_str(), value.as_str()));
            tally.see(labels, *at_ms, *value);
        }
    }
}
