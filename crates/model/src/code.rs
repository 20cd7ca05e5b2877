//! Every error code of the API, in one place.
//!
//! Codes are a contract: scripts match on them, metrics carry them as the label `reason`, and the
//! table in `docs/api.md` is made from this file. A code is added, never renamed.

/// Why a request or one of its samples was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// The sample (a JSON object, a line, a message) has not the shape that its format wants.
    SampleInvalid,
    /// `metric_name` is absent or empty.
    MetricNameMissing,
    /// The metric name is not a string, or has a control character.
    MetricNameInvalid,
    /// The metric name is longer than `limits.max_metric_name`.
    MetricNameTooLong,
    /// `timestamp` is absent.
    TimestampMissing,
    /// The timestamp is not an integer of Unix milliseconds.
    TimestampInvalid,
    /// The timestamp is in seconds (or in micro- or nanoseconds), not in milliseconds.
    TimestampInSeconds,
    /// The timestamp is further ahead than `limits.max_future`.
    TimestampInFuture,
    /// The timestamp is older than `limits.max_age`.
    TimestampTooOld,
    /// `value` is absent.
    ValueMissing,
    /// The value is not a number that a 64-bit float can hold.
    ValueInvalid,
    /// `labels` is absent (write `{}` for none).
    LabelsMissing,
    /// `labels` is not an object of strings.
    LabelsInvalid,
    /// A label name is empty, reserved (`__name__`), or has a control character.
    LabelNameInvalid,
    /// A label name is longer than `limits.max_label_name`.
    LabelNameTooLong,
    /// A label value is longer than `limits.max_label_value`.
    LabelValueTooLong,
    /// A label name appears twice.
    LabelDuplicate,
    /// A series has more labels than `limits.max_labels`.
    TooManyLabels,
    /// `type`, `unit` or `help` is not what it should be, or longer than `limits.max_metadata`.
    MetadataInvalid,
    /// A histogram's buckets fall, are no numbers, or lack both `+Inf` and `count`.
    HistogramInvalid,
    /// A summary's quantiles are not numbers from 0 to 1 with values.
    SummaryInvalid,
    /// A temporality that is not taken: delta where `otlp.delta` refuses it, or none.
    TemporalityInvalid,
    /// A delta is older than what its series has counted already.
    OutOfOrder,
    /// The gateway keeps the sums of as many delta series as it may.
    TooManySeries,
    /// One sample alone is larger than a record of the buffer may be.
    SampleTooLarge,
    /// The tenant or the source may not send a metric of this name (`quotas`).
    MetricNotAllowed,
    /// The series is new, and its tenant, its source or its metric has as many as `quotas` allow.
    SeriesLimit,
    /// The metric has more samples per second than `quotas.metrics` allow.
    QuotaExceeded,
    /// The body is not a batch of metrics.
    BodyInvalid,
    /// The body does not decompress: truncated, or not what `Content-Encoding` says.
    BodyCorrupt,
    /// Every sample was refused, or one was and `strict=true` asked for all or nothing.
    BatchRefused,
    /// A query parameter has a value that it cannot have.
    ParameterInvalid,
    /// The tenant's name is longer than 150 bytes or has other characters than `a-z A-Z 0-9 ! - _ . * ' ( )`.
    TenantInvalid,
    /// The request does not say who it is, or its credential is not good.
    Unauthenticated,
    /// The credential is good, but not for this.
    Forbidden,
    /// A browser asked the admin listener from another site, or by a host name that `admin.hosts` does not list.
    OriginRefused,
    /// `Idempotency-Key` is empty, longer than 255 bytes, or has other than visible ASCII characters.
    IdempotencyKeyInvalid,
    /// There is nothing at this path.
    NotFound,
    /// The path exists, for another method.
    MethodNotAllowed,
    /// The body stopped coming.
    RequestTimeout,
    /// The body is larger on the wire than `http.max_body`.
    BodyTooLarge,
    /// The body is larger than `http.max_inflated` once decompressed.
    InflatedTooLarge,
    /// The body has more samples than `limits.max_samples`.
    TooManySamples,
    /// `Content-Encoding` is none of identity, gzip, deflate, zstd.
    EncodingUnsupported,
    /// `Content-Type` is not what this endpoint reads.
    ContentTypeUnsupported,
    /// Another request had the same `Idempotency-Key`.
    IdempotencyKeyReused,
    /// A query would take more memory, series or rows than `queries` allow.
    QueryTooLarge,
    /// The tenant or the source sends more than its own rate in `quotas`; wait as `Retry-After` says.
    RateLimited,
    /// A defect of ours; the log has it.
    Internal,
    /// Too many bytes are in flight; send it again later.
    Overloaded,
    /// The credential cannot be checked just now; send it again later.
    AccessUnavailable,
    /// The buffer did not confirm every record; send all of it again.
    BufferUnavailable,
    /// A query took longer than `queries.timeout`.
    QueryTimeout,
    /// The archive cannot be read just now.
    ArchiveUnavailable,
    /// The gateway takes nothing at present (`emergency.mode: read_only`); send it again later.
    ReadOnly,
    /// This process is stopping; send it to another or again.
    ShuttingDown,
}

impl Code {
    /// Every code, in the order of the documentation.
    pub const ALL: [Self; 56] = [
        Self::SampleInvalid,
        Self::MetricNameMissing,
        Self::MetricNameInvalid,
        Self::MetricNameTooLong,
        Self::TimestampMissing,
        Self::TimestampInvalid,
        Self::TimestampInSeconds,
        Self::TimestampInFuture,
        Self::TimestampTooOld,
        Self::ValueMissing,
        Self::ValueInvalid,
        Self::LabelsMissing,
        Self::LabelsInvalid,
        Self::LabelNameInvalid,
        Self::LabelNameTooLong,
        Self::LabelValueTooLong,
        Self::LabelDuplicate,
        Self::TooManyLabels,
        Self::MetadataInvalid,
        Self::HistogramInvalid,
        Self::SummaryInvalid,
        Self::TemporalityInvalid,
        Self::OutOfOrder,
        Self::TooManySeries,
        Self::SampleTooLarge,
        Self::MetricNotAllowed,
        Self::SeriesLimit,
        Self::QuotaExceeded,
        Self::BodyInvalid,
        Self::BodyCorrupt,
        Self::BatchRefused,
        Self::ParameterInvalid,
        Self::TenantInvalid,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::OriginRefused,
        Self::IdempotencyKeyInvalid,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::RequestTimeout,
        Self::BodyTooLarge,
        Self::InflatedTooLarge,
        Self::TooManySamples,
        Self::EncodingUnsupported,
        Self::ContentTypeUnsupported,
        Self::IdempotencyKeyReused,
        Self::QueryTooLarge,
        Self::RateLimited,
        Self::Internal,
        Self::Overloaded,
        Self::AccessUnavailable,
        Self::BufferUnavailable,
        Self::QueryTimeout,
        Self::ArchiveUnavailable,
        Self::ReadOnly,
        Self::ShuttingDown,
    ];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SampleInvalid => "sample_invalid",
            Self::MetricNameMissing => "metric_name_missing",
            Self::MetricNameInvalid => "metric_name_invalid",
            Self::MetricNameTooLong => "metric_name_too_long",
            Self::TimestampMissing => "timestamp_missing",
            Self::TimestampInvalid => "timestamp_invalid",
            Self::TimestampInSeconds => "timestamp_in_seconds",
            Self::TimestampInFuture => "timestamp_in_future",
            Self::TimestampTooOld => "timestamp_too_old",
            Self::ValueMissing => "value_missing",
            Self::ValueInvalid => "value_invalid",
            Self::LabelsMissing => "labels_missing",
            Self::LabelsInvalid => "labels_invalid",
            Self::LabelNameInvalid => "label_name_invalid",
            Self::LabelNameTooLong => "label_name_too_long",
            Self::LabelValueTooLong => "label_value_too_long",
            Self::LabelDuplicate => "label_duplicate",
            Self::TooManyLabels => "too_many_labels",
            Self::MetadataInvalid => "metadata_invalid",
            Self::HistogramInvalid => "histogram_invalid",
            Self::SummaryInvalid => "summary_invalid",
            Self::TemporalityInvalid => "temporality_invalid",
            Self::OutOfOrder => "out_of_order",
            Self::TooManySeries => "too_many_series",
            Self::SampleTooLarge => "sample_too_large",
            Self::MetricNotAllowed => "metric_not_allowed",
            Self::SeriesLimit => "series_limit",
            Self::QuotaExceeded => "quota_exceeded",
            Self::BodyInvalid => "body_invalid",
            Self::BodyCorrupt => "body_corrupt",
            Self::BatchRefused => "batch_refused",
            Self::ParameterInvalid => "parameter_invalid",
            Self::TenantInvalid => "tenant_invalid",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::OriginRefused => "origin_refused",
            Self::IdempotencyKeyInvalid => "idempotency_key_invalid",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::RequestTimeout => "request_timeout",
            Self::BodyTooLarge => "body_too_large",
            Self::InflatedTooLarge => "inflated_too_large",
            Self::TooManySamples => "too_many_samples",
            Self::EncodingUnsupported => "encoding_unsupported",
            Self::ContentTypeUnsupported => "content_type_unsupported",
            Self::IdempotencyKeyReused => "idempotency_key_reused",
            Self::QueryTooLarge => "query_too_large",
            Self::RateLimited => "rate_limited",
            Self::Internal => "internal",
            Self::Overloaded => "overloaded",
            Self::AccessUnavailable => "access_unavailable",
            Self::BufferUnavailable => "buffer_unavailable",
            Self::QueryTimeout => "query_timeout",
            Self::ArchiveUnavailable => "archive_unavailable",
            Self::ReadOnly => "read_only",
            Self::ShuttingDown => "shutting_down",
        }
    }

    /// The HTTP status of an answer that this code decides. Within a partial success the status is 200.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::SampleInvalid
            | Self::MetricNameMissing
            | Self::MetricNameInvalid
            | Self::MetricNameTooLong
            | Self::TimestampMissing
            | Self::TimestampInvalid
            | Self::TimestampInSeconds
            | Self::TimestampInFuture
            | Self::TimestampTooOld
            | Self::ValueMissing
            | Self::ValueInvalid
            | Self::LabelsMissing
            | Self::LabelsInvalid
            | Self::LabelNameInvalid
            | Self::LabelNameTooLong
            | Self::LabelValueTooLong
            | Self::LabelDuplicate
            | Self::TooManyLabels
            | Self::MetadataInvalid
            | Self::HistogramInvalid
            | Self::SummaryInvalid
            | Self::TemporalityInvalid
            | Self::OutOfOrder
            | Self::TooManySeries
            | Self::SampleTooLarge
            | Self::MetricNotAllowed
            | Self::SeriesLimit
            | Self::BodyInvalid
            | Self::BodyCorrupt
            | Self::BatchRefused
            | Self::ParameterInvalid
            | Self::TenantInvalid
            | Self::IdempotencyKeyInvalid => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden | Self::OriginRefused => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::RequestTimeout => 408,
            Self::BodyTooLarge | Self::InflatedTooLarge | Self::TooManySamples => 413,
            Self::EncodingUnsupported | Self::ContentTypeUnsupported => 415,
            Self::IdempotencyKeyReused | Self::QueryTooLarge => 422,
            Self::QuotaExceeded | Self::RateLimited => 429,
            Self::Internal => 500,
            Self::Overloaded
            | Self::AccessUnavailable
            | Self::BufferUnavailable
            | Self::QueryTimeout
            | Self::ArchiveUnavailable
            | Self::ReadOnly
            | Self::ShuttingDown => 503,
        }
    }

    /// What it means, as a clause for the documentation.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "a sentence for each code")]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::SampleInvalid => {
                "the sample (a JSON object, a line, a message) has not the shape that its format wants"
            }
            Self::MetricNameMissing => "`metric_name` is absent or empty",
            Self::MetricNameInvalid => {
                "the metric name is not a string, or has a control character"
            }
            Self::MetricNameTooLong => "the metric name is longer than `limits.max_metric_name`",
            Self::TimestampMissing => "`timestamp` is absent",
            Self::TimestampInvalid => "the timestamp is not an integer of Unix milliseconds",
            Self::TimestampInSeconds => {
                "the timestamp is in seconds (or in micro- or nanoseconds), not in milliseconds"
            }
            Self::TimestampInFuture => "the timestamp is further ahead than `limits.max_future`",
            Self::TimestampTooOld => "the timestamp is older than `limits.max_age`",
            Self::ValueMissing => "`value` is absent",
            Self::ValueInvalid => "the value is not a number that a 64-bit float can hold",
            Self::LabelsMissing => "`labels` is absent (write `{}` for none)",
            Self::LabelsInvalid => "`labels` is not an object of strings",
            Self::LabelNameInvalid => {
                "a label name is empty, reserved (`__name__`), or has a control character"
            }
            Self::LabelNameTooLong => "a label name is longer than `limits.max_label_name`",
            Self::LabelValueTooLong => "a label value is longer than `limits.max_label_value`",
            Self::LabelDuplicate => "a label name appears twice",
            Self::TooManyLabels => "a series has more labels than `limits.max_labels`",
            Self::MetadataInvalid => {
                "`type`, `unit` or `help` is not what it should be, or longer than `limits.max_metadata`"
            }
            Self::HistogramInvalid => {
                "a histogram's buckets fall, are no numbers, or lack both `+Inf` and `count`"
            }
            Self::SummaryInvalid => "a summary's quantiles are not numbers from 0 to 1 with values",
            Self::TemporalityInvalid => {
                "a temporality that is not taken: delta where `otlp.delta` refuses it, or none"
            }
            Self::OutOfOrder => "a delta is older than what its series has counted already",
            Self::TooManySeries => "the sums of delta series take all of `otlp.delta_max_memory`",
            Self::SampleTooLarge => "one sample alone is larger than a record of the buffer may be",
            Self::MetricNotAllowed => {
                "the tenant or the source may not send a metric of this name (`quotas`)"
            }
            Self::SeriesLimit => {
                "the series is new, and its tenant, its source or its metric has as many as `quotas` allow"
            }
            Self::QuotaExceeded => {
                "the metric has more samples per second than `quotas.metrics` allow"
            }
            Self::BodyInvalid => "the body is not a batch of metrics",
            Self::BodyCorrupt => {
                "the body does not decompress: truncated, or not what `Content-Encoding` says"
            }
            Self::BatchRefused => {
                "every sample was refused, or one was and `strict=true` asked for all or nothing"
            }
            Self::ParameterInvalid => "a query parameter has a value that it cannot have",
            Self::TenantInvalid => {
                "the tenant's name is longer than 150 bytes or has other characters than `a-z A-Z 0-9 ! - _ . * ' ( )`"
            }
            Self::Unauthenticated => {
                "the request does not say who it is, or its credential is not good"
            }
            Self::Forbidden => {
                "the credential is good, but not for this: another tenant, or another protocol"
            }
            Self::OriginRefused => {
                "a browser asked the admin listener from another site, or by a host name that `admin.hosts` does not list"
            }
            Self::IdempotencyKeyInvalid => {
                "`Idempotency-Key` is empty, longer than 255 bytes, or has other than visible ASCII characters"
            }
            Self::NotFound => "there is nothing at this path",
            Self::MethodNotAllowed => "the path exists, for another method",
            Self::RequestTimeout => "the body stopped coming",
            Self::BodyTooLarge => "the body is larger on the wire than `http.max_body`",
            Self::InflatedTooLarge => {
                "the body is larger than `http.max_inflated` once decompressed"
            }
            Self::TooManySamples => "the body has more samples than `limits.max_samples`",
            Self::EncodingUnsupported => {
                "`Content-Encoding` is none of identity, gzip, deflate, zstd"
            }
            Self::ContentTypeUnsupported => "`Content-Type` is not what this endpoint reads",
            Self::IdempotencyKeyReused => "another request had the same `Idempotency-Key`",
            Self::QueryTooLarge => {
                "the query would take more memory, series or rows than `queries` allow"
            }
            Self::RateLimited => {
                "the tenant or the source sends more than its own rate in `quotas`; wait as `Retry-After` says"
            }
            Self::Internal => "a defect of ours; the log has it",
            Self::Overloaded => "too many bytes are in flight; send it again later",
            Self::AccessUnavailable => {
                "the credential cannot be checked just now; send it again later"
            }
            Self::BufferUnavailable => {
                "the buffer did not confirm every record; send all of it again"
            }
            Self::QueryTimeout => {
                "the query took longer than `queries.timeout`; ask for less, or later"
            }
            Self::ArchiveUnavailable => "the archive cannot be read just now; ask again later",
            Self::ReadOnly => {
                "the gateway takes nothing at present (`emergency.mode: read_only`); send it again later"
            }
            Self::ShuttingDown => "this process is stopping; send it to another or again",
        }
    }
}

#[cfg(test)]
mod tests;
