//! An object is good or bad as a whole, and each bad one is refused once.

use codec::Decoded;
use codec::catalogue::Catalogue;
use foldhash::quality::RandomState;
use model::{Batch, Code, Limits, Refusal, Refused};
use service::tasks::Tasks;
use std::sync::Arc;

use super::{Standards, Validated, validate};
use crate::coalesce::Coalescer;
use crate::config::{CoalesceConfig, RecordFormat};
use crate::fake::{FakeBuffer, NOW_MS};

fn validated(decoded: Decoded<'static>) -> Validated<'static> {
    let coalescer = Coalescer::start(
        &CoalesceConfig::default(),
        RecordFormat::Protobuf,
        &Arc::new(FakeBuffer::default()),
        &Tasks::new(),
        RandomState::default(),
    );
    let catalogue = Catalogue::new(0, RandomState::default());
    let standards = Standards {
        limits: &Limits::default(),
        now_ms: NOW_MS,
        coalescer: &coalescer,
        quotas: None,
    };
    validate(decoded, standards, &catalogue)
}

fn push(batch: &mut Batch<'static>, index: u32, name: &str, at_ms: i64) {
    let from = batch.open_labels();
    let series = batch.close_series(name.to_owned(), from);
    batch.push_float(index, series, at_ms, 1.0);
}

#[tokio::test]
async fn an_object_with_one_bad_series_is_refused_whole_and_once() {
    let mut batch = Batch::default();
    let long = "x".repeat(1020);
    for suffix in ["_bucket", "_bucket", "_sum", ""] {
        push(&mut batch, 1, &format!("{long}{suffix}"), NOW_MS);
    }
    push(&mut batch, 2, "up", NOW_MS);
    let decoded = Decoded {
        batch,
        refused: vec![Refused {
            index: 0,
            metric_name: String::new(),
            refusal: Refusal::new(Code::ValueMissing, "value is missing"),
        }],
        objects: 3,
        ..Decoded::default()
    };
    let Validated {
        batch, refusals, ..
    } = validated(decoded);
    let left: Vec<u32> = batch.samples().iter().map(|sample| sample.index).collect();
    assert_eq!(left, [2]);
    assert_eq!((refusals.received(), refusals.refused()), (1, 2));
    assert_eq!(
        refusals.counts(),
        [(Code::ValueMissing, 1), (Code::MetricNameTooLong, 1)]
    );
}

#[tokio::test]
async fn thousands_of_bad_samples_are_all_counted_and_the_first_are_told() {
    let mut batch = Batch::default();
    for index in 0..5000 {
        push(&mut batch, index, "up", NOW_MS / 1000);
    }
    let decoded = Decoded {
        batch,
        refused: Vec::new(),
        objects: 5000,
        ..Decoded::default()
    };
    let Validated {
        batch, refusals, ..
    } = validated(decoded);
    assert!(batch.samples().is_empty());
    assert_eq!(refusals.counts(), [(Code::TimestampInSeconds, 5000)]);
    assert_eq!(refusals.told().len(), 100);
    assert_eq!(refusals.omitted(), 4900);
}
