//! Who handled what: the work of each process over all its starts, as a table.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use testkit::{Kafka, Process, usage};

use crate::sluice::Sluice;

/// A broker leads its partitions elsewhere before it ends.
const BROKER_STOPS_WITHIN: Duration = Duration::from_secs(60);

/// What one process did.
#[derive(Debug, Default)]
struct Part {
    starts: u32,
    requests: f64,
    /// Accepted by a gateway, written by a consumer to all its stores.
    samples: f64,
    /// At its end, of the stores or the topic.
    partitions: Option<usize>,
    cpu: Duration,
    peak_rss_bytes: u64,
}

/// What all did, by their names.
#[derive(Debug, Default)]
pub(crate) struct Handled(BTreeMap<String, Part>);

impl Handled {
    /// Adds what a process has done since its start; it is about to end.
    pub(crate) fn note(&mut self, sluice: &Sluice) -> anyhow::Result<()> {
        let samples = self.samples(sluice)?;
        let requests = sluice.metric("gateway_requests_total")?;
        let lags = sluice.series("consumer_lag_records")?;
        let process = sluice.process()?;
        let part = self.0.entry(sluice.name().to_owned()).or_default();
        part.add(process)?;
        part.samples += samples;
        part.requests += requests;
        part.partitions = (!lags.is_empty()).then_some(lags.len());
        Ok(())
    }

    /// Samples that a running process has accepted or written since its start.
    pub(crate) fn samples(&self, sluice: &Sluice) -> anyhow::Result<f64> {
        let accepted = sluice.metric("gateway_samples_accepted_total")?;
        Ok(accepted + sluice.metric("consumer_samples_written_total")?)
    }

    /// Adds what a broker has done since its start.
    pub(crate) fn note_broker(
        &mut self,
        broker: usize,
        process: &Process,
        led: usize,
    ) -> anyhow::Result<()> {
        let part = self.0.entry(format!("broker-{}", broker + 1)).or_default();
        part.partitions = Some(led);
        part.add(process)
    }

    /// Restarts a broker in good order.
    pub(crate) fn restart_broker(&mut self, kafka: &Kafka, broker: usize) -> anyhow::Result<()> {
        kafka.with_broker(broker, |process| {
            self.note_broker(broker, process, 0)?;
            process.terminate();
            process.wait_for_exit(BROKER_STOPS_WITHIN);
            anyhow::Ok(())
        })?;
        kafka.restart_broker(broker);
        Ok(())
    }

    /// A row for each.
    pub(crate) fn table(&self) -> String {
        let mut text = String::from(
            "who handled what (a gateway: samples accepted; a consumer: samples written to all its stores, partitions of all of them; \
             a broker: partitions that it leads at the end)\n\n\
             | process | starts | requests | samples | partitions | CPU | samples per CPU-second | peak RSS |\n\
             | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
        );
        for (name, part) in &self.0 {
            let cpu_s = part.cpu.as_secs_f64();
            let rate = part.samples / cpu_s.max(0.01);
            writeln!(
                text,
                "| {name} | {} | {} | {} | {} | {cpu_s:.1} s | {} | {} MiB |",
                part.starts,
                count(part.requests),
                count(part.samples),
                part.partitions
                    .map_or_else(String::new, |partitions| partitions.to_string()),
                count(rate),
                part.peak_rss_bytes >> 20,
            )
            .unwrap_or_default();
        }
        text
    }
}

impl Part {
    fn add(&mut self, process: &Process) -> anyhow::Result<()> {
        self.starts += 1;
        self.cpu += usage::cpu_time(process.pid())?;
        let peak = usage::peak_resident_bytes(process.pid())?;
        self.peak_rss_bytes = self.peak_rss_bytes.max(peak);
        Ok(())
    }
}

/// Nothing where there is nothing to count.
fn count(number: f64) -> String {
    if number == 0.0 {
        return String::new();
    }
    format!("{number:.0}")
}
