//! The paths that are counted.

use std::sync::Arc;

use store::remote_write::Version;

use crate::bodies;
use crate::consumed::ConsumerPath;
use crate::gateway_path::{GatewayPath, Series, Shape, Size};
use crate::http_path::HttpPath;
use crate::null::Nowhere;

/// Bodies of the same series with other values and times, which take turns.
pub(crate) const VARIANTS: usize = 4;

/// Something that is done again and again, each time with as many samples.
pub trait Round {
    /// Does it once more.
    fn round(&mut self, number: usize);
}

/// A path of samples through a process.
#[derive(Debug, Clone, Copy)]
pub struct Path {
    /// The protocol and the samples of a request.
    pub name: &'static str,
    shape: Shape,
    size: Size,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A request's body to records.
    Gateway(Series),
    /// The same from a connection's bytes on, to those of the answer.
    Http,
    /// A connection's bytes to a handler that does nothing.
    Bare,
    /// Records to the requests of a store that wants this version.
    Consumer(Version),
}

const JSON: Shape = Shape {
    uri: "/metrics",
    headers: &[("content-type", "application/json")],
    body: bodies::json,
};

const REMOTE_WRITE_1: Shape = Shape {
    uri: "/api/v1/write",
    headers: &[
        ("content-type", "application/x-protobuf"),
        ("content-encoding", "snappy"),
        ("x-prometheus-remote-write-version", "0.1.0"),
    ],
    body: bodies::remote_write_1,
};

const REMOTE_WRITE_2: Shape = Shape {
    uri: "/api/v1/write",
    headers: &[
        (
            "content-type",
            "application/x-protobuf;proto=io.prometheus.write.v2.Request",
        ),
        ("content-encoding", "snappy"),
        ("x-prometheus-remote-write-version", "2.0.0"),
    ],
    body: bodies::remote_write_2,
};

const OTLP: Shape = Shape {
    uri: "/v1/metrics",
    headers: &[("content-type", "application/x-protobuf")],
    body: bodies::otlp,
};

const INFLUX: Shape = Shape {
    uri: "/write?db=telegraf",
    headers: &[],
    body: bodies::influx,
};

/// One request at a time: which of several share a record would depend on the time.
const LARGE: Size = Size {
    requests: 1,
    samples: 1000,
};

/// Some batches as the consumer's store takes them, so that none waits for more.
const BATCHES: Size = Size {
    requests: 1,
    samples: 10_000,
};

/// As many agents as would send at the same moment.
const fn small(samples: usize) -> Size {
    Size {
        requests: 64,
        samples,
    }
}

const fn gateway(name: &'static str, shape: Shape, size: Size) -> Path {
    Path {
        name,
        shape,
        size,
        kind: Kind::Gateway(Series::Known),
    }
}

const fn of_series(name: &'static str, shape: Shape, series: Series) -> Path {
    Path {
        name,
        shape,
        size: LARGE,
        kind: Kind::Gateway(series),
    }
}

const fn consumer(name: &'static str, version: Version) -> Path {
    Path {
        name,
        shape: JSON,
        size: BATCHES,
        kind: Kind::Consumer(version),
    }
}

/// Every path. Those that count metrics are last: once there is a recorder it counts for all.
pub const PATHS: [Path; 15] = [
    gateway("json-1000", JSON, LARGE),
    gateway("json-10", JSON, small(10)),
    gateway("json-1", JSON, small(1)),
    gateway("remote-write-1-1000", REMOTE_WRITE_1, LARGE),
    gateway("remote-write-2-1000", REMOTE_WRITE_2, LARGE),
    gateway("otlp-1000", OTLP, LARGE),
    gateway("influx-1000", INFLUX, LARGE),
    of_series("json-new-1000", JSON, Series::New),
    of_series("json-beyond-1000", JSON, Series::Beyond),
    of_series("remote-write-1-beyond-1000", REMOTE_WRITE_1, Series::Beyond),
    of_series("remote-write-2-beyond-1000", REMOTE_WRITE_2, Series::Beyond),
    consumer("consumer-remote-write-1", Version::V1),
    consumer("consumer-remote-write-2", Version::V2),
    Path {
        name: "http-bare-1",
        shape: JSON,
        size: small(1),
        kind: Kind::Bare,
    },
    Path {
        name: "http-json-1",
        shape: JSON,
        size: small(1),
        kind: Kind::Http,
    },
];

/// The path of a name.
#[must_use]
pub fn find(name: &str) -> Option<Path> {
    PATHS.into_iter().find(|path| path.name == name)
}

impl Path {
    /// How many samples each round has.
    #[must_use]
    pub const fn samples_per_round(self) -> usize {
        self.size.requests * self.size.samples
    }

    /// Gets everything ready that is not counted.
    #[must_use]
    pub fn start(self) -> Box<dyn Round> {
        match self.kind {
            Kind::Gateway(series) => Box::new(GatewayPath::start(
                self.shape,
                self.size,
                series,
                Arc::new(Nowhere::default()),
            )),
            Kind::Http => Box::new(HttpPath::gateway(self.shape, self.size)),
            Kind::Bare => Box::new(HttpPath::bare(self.shape, self.size)),
            Kind::Consumer(version) => {
                Box::new(ConsumerPath::start(self.shape, self.size, version))
            }
        }
    }
}
