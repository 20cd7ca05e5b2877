//! One JSON sample into a block.

use bytes::Bytes;
use model::{Block, BlockBuilder, Code, NAME_LABEL, Point, Refusal, Value};

use super::RecordError;

pub(super) fn decode(value: &Bytes) -> Result<Block, RecordError> {
    let mut batch = crate::json::decode_one(value).map_err(RecordError::Json)?;
    batch.sort_labels();
    let mut builder = BlockBuilder::new();
    builder.symbol("");
    let name_label = builder.symbol(NAME_LABEL);
    for sample in batch.samples() {
        let Some(series) = batch.series(sample.series) else {
            continue;
        };
        let name = builder.symbol(&series.name);
        let mut named = false;
        let mut previous = None;
        for label in batch.labels(series) {
            // Foreign producers write records too, and a store wants one value per label.
            if previous == Some(&label.name) || label.name == NAME_LABEL {
                let message = format!("label {:?} appears twice", label.name);
                let refusal = Refusal::new(Code::LabelDuplicate, message);
                return Err(RecordError::Json(refusal));
            }
            previous = Some(&label.name);
            if !named && label.name.as_ref() > NAME_LABEL {
                builder.label_ref(name_label);
                builder.label_ref(name);
                named = true;
            }
            let label_name = builder.symbol(&label.name);
            let label_value = builder.symbol(&label.value);
            builder.label_ref(label_name);
            builder.label_ref(label_value);
        }
        if !named {
            builder.label_ref(name_label);
            builder.label_ref(name);
        }
        let unit = builder.symbol(&series.unit);
        let help = builder.symbol(&series.help);
        builder.metadata(series.kind, unit, help);
        // JSON has numbers only.
        if let Value::Float(value) = sample.value {
            builder.point(Point {
                at_ms: sample.at_ms,
                value,
                start_ms: sample.start_ms,
            });
        }
        builder.end_series();
    }
    Ok(builder.build()?)
}
