//! A recent window with samples, for tests.

use std::sync::Arc;

use model::{BlockBuilder, MetricType, Point};
use service::units::Size;
use store::recent::{Config, Recent};
use store::{Batch, Item, Lane, Record, Source, Write as _};

use crate::source::Sources;

/// One series: its name, its labels, its samples.
pub(crate) type Given<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [(i64, f64)]);

/// The window with these series of a tenant, and no archive.
pub(crate) fn sources_of(tenants: &[(Option<&str>, &[Given<'_>])]) -> Sources {
    let recent = Recent::new(&Config {
        max_points: 100_000,
        max_size: Size::mib(64),
        ..Config::default()
    });
    for (tenant, series) in tenants {
        let items = series.iter().map(|given| item(*tenant, *given)).collect();
        let batch = Batch {
            lane: Lane::Series(0),
            items,
        };
        let written = std::pin::pin!(recent.write(&batch));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(Future::poll(written, &mut context).is_ready());
    }
    Sources {
        recent,
        archive: None,
    }
}

/// The same of nobody in particular.
pub(crate) fn sources(series: &[Given<'_>]) -> Sources {
    sources_of(&[(None, series)])
}

fn item(tenant: Option<&str>, (name, labels, samples): Given<'_>) -> Item {
    let mut builder = BlockBuilder::new();
    builder.symbol("");
    for (label, value) in [("__name__", name)].iter().chain(labels) {
        let (label, value) = (builder.symbol(label), builder.symbol(value));
        builder.label_ref(label);
        builder.label_ref(value);
    }
    for &(at_ms, value) in samples {
        builder.point(Point {
            at_ms,
            value,
            start_ms: 0,
        });
    }
    builder.metadata(MetricType::Gauge, 0, 0);
    builder.end_series();
    Item {
        record: Arc::new(Record {
            block: builder.build().unwrap(),
            source: Source {
                partition: 0,
                offset: 0,
                received_at_ms: 0,
            },
            tenant: tenant.map(Into::into),
            sender: None,
        }),
        series: 0,
        samples: 0..u32::try_from(samples.len()).unwrap(),
    }
}
