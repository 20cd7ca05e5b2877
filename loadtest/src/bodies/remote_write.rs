//! Bodies of Prometheus remote write, before snappy.

use super::draft::{Draft, TimeAs, ValueAs};
use super::layout::Layout;
use super::{Label, Labels};

/// A double in field 1.
const VALUE: u8 = 1 << 3 | 1;
/// A varint in field 2.
const TIME: u8 = 2 << 3;
/// The number of a gauge among the types.
const GAUGE: u64 = 2;

const NAME: &str = "__name__";
const HELP: &str = "How much of it is in use.";

/// `prometheus.WriteRequest`: a series per sample, as senders do it.
pub(super) fn v1(draft: &mut Draft, layout: &Layout, labels: &Labels) {
    let labels = sorted(labels);
    for &(name, host) in &layout.samples {
        draft.message(1, |series| {
            series.message(1, |label| {
                label.field(1, NAME);
                label.message(2, |value| value.name(name));
            });
            for (key, value) in &labels {
                series.message(1, |label| {
                    label.field(1, key);
                    label.message(2, |text| text.label(value, host));
                });
            }
            series.message(2, sample);
        });
    }
}

/// `io.prometheus.write.v2.Request`: every text once, with metadata.
pub(super) fn v2(draft: &mut Draft, layout: &Layout, labels: &Labels) {
    let labels = sorted(labels);
    let mut symbols = 0;
    let mut symbol = |draft: &mut Draft, write: &dyn Fn(&mut Draft)| {
        draft.message(4, |text| write(text));
        symbols += 1;
        symbols - 1_u64
    };
    symbol(draft, &|_| ());
    let name_key = symbol(draft, &|text| text.text(NAME));
    let help = symbol(draft, &|text| text.text(HELP));
    let first_name = layout
        .name_slots()
        .map(|slot| symbol(draft, &|text| text.name(slot)))
        .min()
        .unwrap_or(0);
    let first_host = (0..layout.hosts)
        .map(|slot| symbol(draft, &|text| text.host(slot)))
        .min()
        .unwrap_or(0);
    let labels: Vec<(u64, Option<u64>)> = labels
        .iter()
        .map(|(key, value)| {
            let key = symbol(draft, &|text| text.text(key));
            let value = match value {
                Label::Host => None,
                Label::Text(value) => Some(symbol(draft, &|text| text.text(value))),
            };
            (key, value)
        })
        .collect();
    for &(name, host) in &layout.samples {
        draft.message(5, |series| {
            series.message(1, |refs| {
                refs.varint(name_key);
                refs.varint(first_name + u64::from(name));
                for (key, value) in &labels {
                    refs.varint(*key);
                    refs.varint(value.unwrap_or(first_host + u64::from(host)));
                }
            });
            series.message(2, sample);
            series.message(5, |metadata| {
                metadata.bytes.push(1 << 3);
                metadata.varint(GAUGE);
                metadata.bytes.push(3 << 3);
                metadata.varint(help);
            });
        });
    }
}

fn sample(draft: &mut Draft) {
    draft.bytes.push(VALUE);
    draft.value(ValueAs::Double);
    draft.bytes.push(TIME);
    draft.time(TimeAs::VarintMillis);
}

fn sorted(labels: &Labels) -> Labels {
    let mut labels = labels.clone();
    labels.sort_by(|(one, _), (other, _)| one.cmp(other));
    labels
}
