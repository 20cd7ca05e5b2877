//! The straightforward way from a JSON body to records, without anything that a gateway must check.

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use codec::record::RecordBuilder;
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use model::{MetricType, Point};

use super::bodies::Bodies;
use super::json::PlainBody;
use super::stopwatch;
use crate::outcome::Outcome;

/// The stage of this limit.
const STAGE: &str = "decode+group+encode";

/// Measures it.
pub(super) fn measure(bodies: &Bodies, seconds: Duration) -> Vec<Outcome> {
    let titles = (bodies.scenario(), "sonic-rs + hash map + records", STAGE);
    vec![stopwatch::measure(
        bodies,
        titles,
        &bodies.plain,
        seconds,
        |body| {
            let mut records = Records::default();
            let samples = records.add(body);
            black_box(records.finish());
            samples
        },
    )]
}

/// Records in the making, by metric name.
#[derive(Default)]
pub(super) struct Records {
    builders: HashMap<String, RecordBuilder, RandomState>,
}

impl Records {
    /// Adds a body's samples, and answers how many it had.
    pub(super) fn add(&mut self, body: &[u8]) -> usize {
        let body: PlainBody<'_> = sonic_rs::from_slice(body).expect("our own body");
        let samples = body.metrics.len();
        for mut sample in body.metrics {
            sample.labels.0.sort_unstable();
            let name = &*sample.metric_name;
            let builder = match self.builders.get_mut(name) {
                Some(builder) => builder,
                None => self
                    .builders
                    .entry(name.to_owned())
                    .or_insert_with_key(|name| RecordBuilder::new(name)),
            };
            let point = Point {
                at_ms: sample.timestamp,
                value: sample.value,
                start_ms: 0,
            };
            builder.push(sample.labels.0, MetricType::Unspecified, "", "", [point]);
        }
        samples
    }

    /// One record per metric name, with its name.
    pub(super) fn finish(&mut self) -> Vec<(String, Bytes)> {
        let builders = self.builders.iter_mut();
        builders
            .map(|(name, builder)| (name.clone(), builder.finish()))
            .collect()
    }
}
