//! Items for tests, as the consumer would hand them over.

use std::sync::Arc;

use bytes::Bytes;
use model::{BlockBuilder, Histogram, MetricType, Point};

use crate::{Batch, Item, Lane, Record, Source};

/// One series of a record.
#[derive(Debug, Clone, Default)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) points: Vec<(i64, f64)>,
    pub(crate) histograms: Vec<(i64, Vec<u8>)>,
    pub(crate) exemplars: Vec<(i64, f64)>,
    pub(crate) kind: MetricType,
    pub(crate) help: String,
}

impl Series {
    /// A series with these floats.
    pub(crate) fn new(name: &str, labels: &[(&str, &str)], points: &[(i64, f64)]) -> Self {
        Self {
            name: name.to_owned(),
            labels: labels
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            points: points.to_vec(),
            ..Self::default()
        }
    }

    /// The series as the only one of a record at this place.
    pub(crate) fn at(&self, partition: i32, offset: i64) -> Item {
        let mut builder = BlockBuilder::new();
        builder.symbol("");
        let name = ("__name__".to_owned(), self.name.clone());
        for (name, value) in std::iter::once(&name).chain(&self.labels) {
            let (name, value) = (builder.symbol(name), builder.symbol(value));
            builder.label_ref(name);
            builder.label_ref(value);
        }
        for &(at_ms, value) in &self.points {
            builder.point(Point {
                at_ms,
                value,
                start_ms: 0,
            });
        }
        for (at_ms, message) in &self.histograms {
            builder.histogram(Histogram {
                at_ms: *at_ms,
                message: Bytes::copy_from_slice(message),
            });
        }
        let trace = (builder.symbol("trace_id"), builder.symbol("abc"));
        for &(at_ms, value) in &self.exemplars {
            builder.exemplar(at_ms, value, [trace.0, trace.1]);
        }
        let help = builder.symbol(&self.help);
        builder.metadata(self.kind, 0, help);
        builder.end_series();
        Item {
            record: Arc::new(Record {
                block: builder.build().unwrap(),
                source: Source {
                    partition,
                    offset,
                    received_at_ms: 0,
                },
                tenant: None,
                sender: None,
            }),
            series: 0,
            samples: 0..u32::try_from(self.points.len() + self.histograms.len()).unwrap(),
        }
    }
}

/// The item's record, which nobody shares yet.
pub(crate) fn record_of(item: &mut Item) -> &mut Record {
    Arc::get_mut(&mut item.record).unwrap()
}

/// Gives the item's record to a tenant.
pub(crate) fn give_to(item: &mut Item, tenant: Option<&str>) {
    record_of(item).tenant = tenant.map(Into::into);
}

/// A batch of one partition.
pub(crate) fn batch(partition: i32, items: Vec<Item>) -> Batch {
    Batch {
        lane: Lane::Partition(partition),
        items,
    }
}
