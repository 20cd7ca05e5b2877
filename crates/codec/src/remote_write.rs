//! Prometheus remote write, as a store's client sends it.

use model::{Histogram, Point, SeriesView};

/// The version of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// `prometheus.WriteRequest`.
    V1,
    /// `io.prometheus.write.v2.Request`.
    V2,
}

/// What to do with names outside the classic alphabet (`[a-zA-Z_:][a-zA-Z0-9_:]*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameEscaping {
    /// Send them as they are.
    Utf8,
    /// Each character outside the alphabet becomes an underscore, as Prometheus does it.
    Underscores,
}

/// Collects series into one request.
#[derive(Debug)]
pub struct Encoder {}

impl Encoder {
    /// An empty request.
    #[must_use]
    pub fn new(_version: Version) -> Self {
        todo!()
    }

    /// Adds samples of a series, which need not be all that the series has.
    pub fn push(
        &mut self,
        _view: SeriesView<'_>,
        _points: &[Point],
        _histograms: &[Histogram],
        _exemplars: bool,
        _names: NameEscaping,
    ) {
        todo!()
    }

    /// The request, uncompressed. The encoder is empty afterwards.
    #[must_use]
    pub fn finish(&mut self) -> Vec<u8> {
        todo!()
    }
}
