//! The messages of OTLP's metrics: names in JSON, numbers and types in protobuf.

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Text,
    Bool,
    /// A varint that is never negative.
    Unsigned,
    /// A varint: `int64`, `int32` and enums.
    Signed,
    /// A varint in zigzag.
    Zigzag,
    Fixed64,
    Sfixed64,
    Double,
    /// Bytes in hexadecimal.
    Hex,
    /// Bytes in base64.
    Base64,
    Message(&'static [Field]),
    Messages(&'static [Field]),
    Fixed64s,
    Doubles,
    Varints,
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) number: u8,
    pub(super) kind: Kind,
}

const fn field(name: &'static str, number: u8, kind: Kind) -> Field {
    Field { name, number, kind }
}

/// `ExportMetricsServiceRequest`
pub(super) static REQUEST: [Field; 1] = [field(
    "resourceMetrics",
    1,
    Kind::Messages(&RESOURCE_METRICS),
)];

static RESOURCE_METRICS: [Field; 3] = [
    field("resource", 1, Kind::Message(&RESOURCE)),
    field("scopeMetrics", 2, Kind::Messages(&SCOPE_METRICS)),
    field("schemaUrl", 3, Kind::Text),
];

static RESOURCE: [Field; 1] = [field("attributes", 1, Kind::Messages(&KEY_VALUE))];

static SCOPE_METRICS: [Field; 3] = [
    field("scope", 1, Kind::Message(&SCOPE)),
    field("metrics", 2, Kind::Messages(&METRIC)),
    field("schemaUrl", 3, Kind::Text),
];

static SCOPE: [Field; 3] = [
    field("name", 1, Kind::Text),
    field("version", 2, Kind::Text),
    field("attributes", 3, Kind::Messages(&KEY_VALUE)),
];

static KEY_VALUE: [Field; 2] = [
    field("key", 1, Kind::Text),
    field("value", 2, Kind::Message(&ANY_VALUE)),
];

static ANY_VALUE: [Field; 7] = [
    field("stringValue", 1, Kind::Text),
    field("boolValue", 2, Kind::Bool),
    field("intValue", 3, Kind::Signed),
    field("doubleValue", 4, Kind::Double),
    field("arrayValue", 5, Kind::Message(&ARRAY_VALUE)),
    field("kvlistValue", 6, Kind::Message(&KEY_VALUE_LIST)),
    field("bytesValue", 7, Kind::Base64),
];

static ARRAY_VALUE: [Field; 1] = [field("values", 1, Kind::Messages(&ANY_VALUE))];

static KEY_VALUE_LIST: [Field; 1] = [field("values", 1, Kind::Messages(&KEY_VALUE))];

static METRIC: [Field; 8] = [
    field("name", 1, Kind::Text),
    field("description", 2, Kind::Text),
    field("unit", 3, Kind::Text),
    field("gauge", 5, Kind::Message(&GAUGE)),
    field("sum", 7, Kind::Message(&SUM)),
    field("histogram", 9, Kind::Message(&HISTOGRAM)),
    field("exponentialHistogram", 10, Kind::Message(&EXPONENTIAL)),
    field("summary", 11, Kind::Message(&SUMMARY)),
];

static GAUGE: [Field; 1] = [field("dataPoints", 1, Kind::Messages(&NUMBER_POINT))];

static SUM: [Field; 3] = [
    field("dataPoints", 1, Kind::Messages(&NUMBER_POINT)),
    field("aggregationTemporality", 2, Kind::Signed),
    field("isMonotonic", 3, Kind::Bool),
];

static HISTOGRAM: [Field; 2] = [
    field("dataPoints", 1, Kind::Messages(&HISTOGRAM_POINT)),
    field("aggregationTemporality", 2, Kind::Signed),
];

static EXPONENTIAL: [Field; 2] = [
    field("dataPoints", 1, Kind::Messages(&EXPONENTIAL_POINT)),
    field("aggregationTemporality", 2, Kind::Signed),
];

static SUMMARY: [Field; 1] = [field("dataPoints", 1, Kind::Messages(&SUMMARY_POINT))];

static NUMBER_POINT: [Field; 7] = [
    field("startTimeUnixNano", 2, Kind::Fixed64),
    field("timeUnixNano", 3, Kind::Fixed64),
    field("asDouble", 4, Kind::Double),
    field("exemplars", 5, Kind::Messages(&EXEMPLAR)),
    field("asInt", 6, Kind::Sfixed64),
    field("attributes", 7, Kind::Messages(&KEY_VALUE)),
    field("flags", 8, Kind::Unsigned),
];

static HISTOGRAM_POINT: [Field; 9] = [
    field("startTimeUnixNano", 2, Kind::Fixed64),
    field("timeUnixNano", 3, Kind::Fixed64),
    field("count", 4, Kind::Fixed64),
    field("sum", 5, Kind::Double),
    field("bucketCounts", 6, Kind::Fixed64s),
    field("explicitBounds", 7, Kind::Doubles),
    field("exemplars", 8, Kind::Messages(&EXEMPLAR)),
    field("attributes", 9, Kind::Messages(&KEY_VALUE)),
    field("flags", 10, Kind::Unsigned),
];

static EXPONENTIAL_POINT: [Field; 12] = [
    field("attributes", 1, Kind::Messages(&KEY_VALUE)),
    field("startTimeUnixNano", 2, Kind::Fixed64),
    field("timeUnixNano", 3, Kind::Fixed64),
    field("count", 4, Kind::Fixed64),
    field("sum", 5, Kind::Double),
    field("scale", 6, Kind::Zigzag),
    field("zeroCount", 7, Kind::Fixed64),
    field("positive", 8, Kind::Message(&BUCKETS)),
    field("negative", 9, Kind::Message(&BUCKETS)),
    field("flags", 10, Kind::Unsigned),
    field("exemplars", 11, Kind::Messages(&EXEMPLAR)),
    field("zeroThreshold", 14, Kind::Double),
];

static BUCKETS: [Field; 2] = [
    field("offset", 1, Kind::Zigzag),
    field("bucketCounts", 2, Kind::Varints),
];

static SUMMARY_POINT: [Field; 7] = [
    field("startTimeUnixNano", 2, Kind::Fixed64),
    field("timeUnixNano", 3, Kind::Fixed64),
    field("count", 4, Kind::Fixed64),
    field("sum", 5, Kind::Double),
    field("quantileValues", 6, Kind::Messages(&QUANTILE)),
    field("attributes", 7, Kind::Messages(&KEY_VALUE)),
    field("flags", 8, Kind::Unsigned),
];

static QUANTILE: [Field; 2] = [
    field("quantile", 1, Kind::Double),
    field("value", 2, Kind::Double),
];

static EXEMPLAR: [Field; 6] = [
    field("timeUnixNano", 2, Kind::Fixed64),
    field("asDouble", 3, Kind::Double),
    field("spanId", 4, Kind::Hex),
    field("traceId", 5, Kind::Hex),
    field("asInt", 6, Kind::Sfixed64),
    field("filteredAttributes", 7, Kind::Messages(&KEY_VALUE)),
];
