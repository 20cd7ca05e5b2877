//! What others said about a metric.

use model::{Family, Limits};

use super::*;
use crate::families::Families;

#[tokio::test(start_paused = true)]
async fn what_others_said_does_not_keep_out_a_sample_that_fits_without_it() {
    for format in [RecordFormat::Protobuf, RecordFormat::Json] {
        let buffer = FakeBuffer {
            max_record_bytes: 300.into(),
            ..FakeBuffer::default()
        };
        let fixture = start(&window(5), format, buffer);
        let families = Families::default();
        for (name, help_bytes) in [("long", 250), ("short", 25)] {
            let family = Family {
                name: name.into(),
                kind: MetricType::Gauge,
                unit: "".into(),
                help: "h".repeat(help_bytes).into(),
            };
            families.learn(None, &[family], &Limits::default());
        }
        let mut batch = Batch::default();
        for (index, name) in [(0, "long"), (1, "short")] {
            let from = batch.open_labels();
            batch.push_label("host", "a".repeat(80));
            let series = batch.close_series(name, from);
            batch.push_float(index, series, NOW_MS, 1.0);
        }
        let known = families.known();
        let knowledge = Knowledge {
            catalogue: &Catalogue::new(0, RandomState::default()),
            families: known.as_deref(),
        };
        let origin = Origin::default();
        let coalescer = &fixture.coalescer;
        let settled = coalescer.add(&batch, knowledge, &origin, "test", NOW_MS);
        assert_eq!(settled.await, Ok(Durability::Local), "{format:?}");
        for record in fixture.buffer.confirmed() {
            let content_type = record.content_type.as_str().as_bytes();
            let block = codec::record::decode(Some(content_type), &record.value).unwrap();
            let series = block.series(0).unwrap();
            let help_bytes = if record.key == "short" { 25 } else { 0 };
            assert_eq!(series.help().len(), help_bytes, "{format:?}");
        }
    }
}
