//! What each target begins with: bodies as real senders write them, small.

mod framed;
mod requests;
mod structured;
mod texts;

pub(crate) use framed::{connection, inflate, snappy};
pub(crate) use requests::request;
pub(crate) use structured::{
    archive, exposition_protobuf, kafka_record, log_entry, otlp, pushgateway, record, remote_write,
};
pub(crate) use texts::{
    datadog, influx, json, opentsdb, question, settings, statsd, statsd_stream, store_answer, text,
    victoria_json,
};

/// Bodies of all four formats that a catalogue is for.
pub(crate) fn catalogue() -> Vec<Vec<u8>> {
    [json(), remote_write(), otlp(), influx()].concat()
}

/// Bodies of the formats whose objects are found again.
pub(crate) fn parts() -> Vec<Vec<u8>> {
    [json(), opentsdb(), remote_write(), influx()].concat()
}

fn owned<const N: usize>(texts: [&str; N]) -> Vec<Vec<u8>> {
    texts.map(|text| text.as_bytes().to_vec()).into()
}
