//! What reads bytes from outside, as functions that any bytes may be given to.
//!
//! Each of them promises not to panic, not to hang and not to take more memory than its limits say, whatever it is
//! given; some promise more and say so. The fuzzer in `fuzz/` looks for bytes that break a promise, and the tests of
//! this crate give the same functions their seeds and some thousands of bytes like them.

mod archive;
mod codecs;
mod connection;
mod mutate;
mod questions;
mod records;
mod requests;
mod seeds;
mod settings;
mod streams;

use std::path::Path;

pub use mutate::Mutations;

/// Something that reads bytes from outside.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// As in `make fuzz ARGS="60 <name>"`.
    pub name: &'static str,
    /// Gives it bytes.
    pub run: fn(&[u8]),
    /// Bytes to begin with, as real senders write them.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

macro_rules! targets {
    ($($name:ident: $run:path,)*) => {
        /// All of them, by name.
        pub const ALL: &[Target] = &[$(Target {
            name: stringify!($name),
            run: $run,
            seeds: seeds::$name,
        }),*];
        $(
            #[doc = concat!("Gives bytes to `", stringify!($name), "`.")]
            pub fn $name(data: &[u8]) {
                $run(data);
            }
        )*
    };
}

targets! {
    archive: archive::archive,
    catalogue: codecs::catalogue,
    connection: connection::connection,
    datadog: codecs::datadog,
    exposition_protobuf: codecs::exposition_protobuf,
    inflate: codecs::inflate,
    influx: codecs::influx,
    json: codecs::json,
    kafka_record: records::kafka_record,
    log_entry: records::log_entry,
    opentsdb: codecs::opentsdb,
    otlp: codecs::otlp,
    parts: codecs::parts,
    pushgateway: streams::pushgateway,
    question: questions::question,
    record: codecs::record,
    remote_write: codecs::remote_write,
    request: requests::request,
    settings: settings::settings,
    snappy: codecs::snappy,
    statsd: codecs::statsd,
    statsd_stream: streams::statsd_stream,
    store_answer: streams::store_answer,
    text: codecs::text,
    victoria_json: codecs::victoria_json,
}

/// Writes a target's seeds into a folder, a file each.
///
/// # Errors
/// When the folder cannot be written to.
pub fn write_seeds(name: &str, folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let seeds = ALL.iter().find(|target| target.name == name);
    let seeds = seeds.map(|target| (target.seeds)()).unwrap_or_default();
    for (number, seed) in seeds.into_iter().enumerate() {
        std::fs::write(folder.join(format!("seed-{number:02}")), seed)?;
    }
    Ok(())
}
