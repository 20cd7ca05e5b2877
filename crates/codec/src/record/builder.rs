//! Not written yet.
use bytes::Bytes;
use model::{MetricType, Point};

/// Encodes `io.prometheus.write.v2.Request` step by step, for the series of one metric name.
#[derive(Debug)]
pub struct RecordBuilder {}

impl RecordBuilder {
    /// An empty record for this metric name.
    #[must_use]
    pub fn new(_name: &str) -> Self {
        todo!()
    }

    /// Adds points of a series. `labels` are sorted by name, without `__name__`.
    pub fn push<'x>(
        &mut self,
        _labels: impl IntoIterator<Item = (&'x str, &'x str)>,
        _kind: MetricType,
        _unit: &str,
        _help: &str,
        _points: impl IntoIterator<Item = Point>,
    ) {
        todo!()
    }

    /// Like [`Self::push`], unless the record would grow beyond `limit_bytes`: then nothing
    /// changes and the answer is `false`. A `false` from an empty builder means that these points
    /// alone are larger than a record may be.
    #[must_use]
    pub fn push_within<'x>(
        &mut self,
        _limit_bytes: usize,
        _labels: impl IntoIterator<Item = (&'x str, &'x str)>,
        _kind: MetricType,
        _unit: &str,
        _help: &str,
        _points: impl IntoIterator<Item = Point>,
    ) -> bool {
        todo!()
    }

    /// The exact size that [`Self::finish`] would give now, in bytes.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        todo!()
    }

    /// Points pushed since the last [`Self::finish`].
    #[must_use]
    pub fn samples(&self) -> u32 {
        todo!()
    }

    /// Whether nothing was pushed since then.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.samples() == 0
    }

    /// The record. The builder is empty afterwards, for the same metric name.
    pub fn finish(&mut self) -> Bytes {
        todo!()
    }
}
