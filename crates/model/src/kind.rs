//! What kind of metric a series belongs to.

/// The types of remote write 2.0, which are those of OpenMetrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum MetricType {
    /// Nobody said.
    #[default]
    Unspecified,
    /// Only grows, until its process restarts.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Buckets, a sum and a count.
    Histogram,
    /// A histogram whose buckets may shrink.
    GaugeHistogram,
    /// Quantiles, a sum and a count.
    Summary,
    /// Constant facts as labels, value 1.
    Info,
    /// One of several named states.
    StateSet,
}

impl MetricType {
    /// Every type, in the order of the remote-write 2.0 enum.
    pub const ALL: [Self; 8] = [
        Self::Unspecified,
        Self::Counter,
        Self::Gauge,
        Self::Histogram,
        Self::GaugeHistogram,
        Self::Summary,
        Self::Info,
        Self::StateSet,
    ];

    /// The name that Prometheus' text format and our JSON use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "unknown",
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::GaugeHistogram => "gaugehistogram",
            Self::Summary => "summary",
            Self::Info => "info",
            Self::StateSet => "stateset",
        }
    }

    /// The number in `io.prometheus.write.v2.Metadata.MetricType`; 1.0 uses the same.
    #[must_use]
    pub fn wire(self) -> u32 {
        match self {
            Self::Unspecified => 0,
            Self::Counter => 1,
            Self::Gauge => 2,
            Self::Histogram => 3,
            Self::GaugeHistogram => 4,
            Self::Summary => 5,
            Self::Info => 6,
            Self::StateSet => 7,
        }
    }

    /// The type with this number; numbers that a later protocol adds are `Unspecified`.
    #[must_use]
    pub fn from_wire(number: u32) -> Self {
        usize::try_from(number)
            .ok()
            .and_then(|at| Self::ALL.get(at))
            .copied()
            .unwrap_or_default()
    }
}
