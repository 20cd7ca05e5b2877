//! Expressions that somebody asks the recent window for.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use model::{BlockBuilder, MetricType, Point};
use store::recent::{Config, Recent};
use store::{Batch, Item, Lane, Record, Source, Write as _};

const NOW_MS: i64 = 1_700_000_000_000;

/// An expression has an answer or a refusal, within its bounds.
pub(crate) fn question(data: &[u8]) {
    thread_local! {
        static WINDOW: Recent = window();
    }
    let text = String::from_utf8_lossy(data);
    WINDOW.with(|recent| query::fuzzing::ask(&text, recent, NOW_MS));
}

/// Gauges, a counter that fell, a histogram's buckets, and numbers that are none.
fn window() -> Recent {
    let recent = Recent::new(&Config::default());
    let items = ["a", "b", ""]
        .into_iter()
        .flat_map(|host| {
            [
                item("cpu", &[("host", host), ("zone", "z")], |at| at * 0.5),
                item("up", &[("host", host)], |_| f64::NAN),
                item("requests_total", &[("host", host)], |at| at % 7.0),
                item("took_bucket", &[("host", host), ("le", "0.5")], |at| at),
                item("took_bucket", &[("host", host), ("le", "+Inf")], |at| {
                    at * 3.0
                }),
                item("http.requests", &[("host", host)], |_| f64::INFINITY),
            ]
        })
        .collect();
    let batch = Batch {
        lane: Lane::Series(0),
        items,
    };
    let answer = {
        let written = std::pin::pin!(recent.write(&batch));
        Future::poll(written, &mut Context::from_waker(Waker::noop()))
    };
    assert!(
        matches!(answer, Poll::Ready(Ok(()))),
        "the window takes anything at once"
    );
    recent
}

/// Twenty samples, 15 s apart.
fn item(name: &str, labels: &[(&str, &str)], value: impl Fn(f64) -> f64) -> Item {
    let mut builder = BlockBuilder::new();
    builder.symbol("");
    let labels = labels.iter().filter(|(_, value)| !value.is_empty());
    for (label, value) in [("__name__", name)].iter().chain(labels) {
        let (label, value) = (builder.symbol(label), builder.symbol(value));
        builder.label_ref(label);
        builder.label_ref(value);
    }
    for at in 0_i32..20 {
        builder.point(Point {
            at_ms: NOW_MS - i64::from(19 - at) * 15_000,
            value: value(f64::from(at)),
            start_ms: 0,
        });
    }
    builder.metadata(MetricType::Gauge, 0, 0);
    builder.end_series();
    Item {
        record: Arc::new(Record {
            block: builder.build().expect("references fit"),
            source: Source {
                partition: 0,
                offset: 0,
                received_at_ms: NOW_MS,
            },
            tenant: None,
            sender: None,
        }),
        series: 0,
        samples: 0..20,
    }
}
