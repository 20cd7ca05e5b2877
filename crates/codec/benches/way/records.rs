//! The rest of a sample's way after decoding: rules, grouping by name, records. The same for every format.

use bytes::Bytes;
use codec::record::RecordBuilder;
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use model::{Batch, Limits, Point, Sample, Series, SeriesChecker, Value, check_at};

/// What the gateway's clock says: a minute after the samples of the benches.
pub(crate) const NOW_MS: i64 = 1_700_000_060_000;

/// Records that are used again, as the gateway's are not: what is measured is the encoding.
#[derive(Default)]
pub(crate) struct Way {
    limits: Limits,
    builders: HashMap<String, RecordBuilder, RandomState>,
}

impl Way {
    /// Rules, grouping and encoding of a decoded batch, whose samples are all good.
    pub(crate) fn records(&mut self, batch: &mut Batch<'_>) -> Vec<Bytes> {
        self.validate(batch);
        self.group(batch)
    }

    /// Sorts labels and applies every rule.
    pub(crate) fn validate(&self, batch: &mut Batch<'_>) {
        batch.sort_labels();
        let mut checker = SeriesChecker::new(&self.limits);
        for series in batch.all_series() {
            let checked = checker.check(series, batch.labels(series));
            checked.expect("a good series");
        }
        for sample in batch.samples() {
            check_at(sample.at_ms, NOW_MS, &self.limits).expect("a good time");
        }
    }

    /// One record per metric name.
    pub(crate) fn group(&mut self, batch: &Batch<'_>) -> Vec<Bytes> {
        // As the gateway does it: a name is looked up once for all samples in a row that have it.
        let of = |sample: &Sample| batch.series(sample.series).expect("its own series");
        let same_name = |a: &Sample, b: &Sample| of(a).name == of(b).name;
        for samples in batch.samples().chunk_by(same_name) {
            let name = samples.first().map_or("", |sample| &of(sample).name);
            let builder = match self.builders.get_mut(name) {
                Some(builder) => builder,
                None => self
                    .builders
                    .entry(name.to_owned())
                    .or_insert_with_key(|name| RecordBuilder::new(name)),
            };
            for sample in samples {
                push(builder, batch, of(sample), sample);
            }
        }
        self.builders
            .values_mut()
            .map(RecordBuilder::finish)
            .collect()
    }
}

fn push(builder: &mut RecordBuilder, batch: &Batch<'_>, series: &Series<'_>, sample: &Sample) {
    let labels = batch.labels(series).iter();
    let fits = builder.push_within(
        900_000,
        labels.map(|label| (label.name.as_ref(), label.value.as_ref())),
        series.kind,
        &series.unit,
        &series.help,
        [point(sample)],
    );
    assert!(fits, "a batch is far below the limit");
}

fn point(sample: &Sample) -> Point {
    let Value::Float(value) = sample.value else {
        unreachable!("the bodies of the benches have floats");
    };
    Point {
        at_ms: sample.at_ms,
        value,
        start_ms: sample.start_ms,
    }
}
