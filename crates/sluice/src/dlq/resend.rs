//! `sluice dlq resend`: mended letters back into the buffer, confirmed one by one.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use buffer::kafka::Producer;
use buffer::local::Writer;
use buffer::{Publish as _, PublishError, Record};
use model::Limits;
use serde_json::Value;

use super::Resend;
use super::fix::{Mend, Mended, of_letter, of_object};
use super::letters::{Wanted, each};
use crate::replay::Outcome;
use crate::settings::{BufferKind, Settings};
use crate::tools::Usage;
use crate::tools::output::put;
use crate::tools::source::Source;

/// So many records wait for their answers at once.
const AT_ONCE: usize = 1000;

/// A record that the buffer does not take for a passing reason is tried again this often.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_secs(1);

/// Reasons that are told apart.
const MAX_REASONS: usize = 20;

pub(super) async fn resend(settings: &Settings, arguments: &Resend) -> anyhow::Result<Outcome> {
    let which = &arguments.which;
    let chooses = !which.ids.is_empty()
        || which.store.is_some()
        || which.reason.is_some()
        || which.since.is_some()
        || !which.chosen.names.is_empty()
        || !which.chosen.labels.is_empty()
        || !which.chosen.tenants.is_empty();
    if !chooses && !arguments.all && arguments.input.is_none() {
        return Err(Usage::of(
            "which letters? name some, choose by --store, --reason, --name or --since, or say --all",
        ));
    }
    let mut batch = Outgoing {
        mend: Mend::new(&arguments.mending).map_err(Usage::of)?,
        limits: settings.limits.limits(),
        now_ms: service::clock::now_ms(),
        records: Vec::new(),
        letters: 0,
        samples: 0,
        wrong: BTreeMap::new(),
    };
    if let Some(path) = &arguments.input {
        let read: Box<dyn Read> = if path.as_os_str() == "-" {
            Box::new(std::io::stdin())
        } else {
            let file = std::fs::File::open(path);
            Box::new(file.with_context(|| path.display().to_string())?)
        };
        for (number, line) in BufReader::new(read).lines().enumerate() {
            batch.line(number + 1, &line.context("the letters cannot be read")?);
        }
    } else {
        let wanted = Wanted::new(which, batch.now_ms)?;
        each(settings, wanted, |letter| {
            let mended = of_letter(&letter, &batch.mend, &batch.limits, batch.now_ms);
            batch.take(&letter.id, mended);
            Ok(true)
        })
        .await?;
    }
    if !arguments.dry_run && !batch.records.is_empty() {
        let records = std::mem::take(&mut batch.records);
        send(settings, records).await?;
    }
    put(&batch.text(arguments.dry_run))?;
    Ok(if batch.wrong.is_empty() {
        Outcome::Complete
    } else {
        Outcome::Incomplete
    })
}

/// What is to be sent, and what cannot be.
#[derive(Debug)]
struct Outgoing {
    mend: Mend,
    limits: Limits,
    now_ms: i64,
    records: Vec<Record>,
    letters: u64,
    samples: u64,
    /// By reason: how many letters, and one of them.
    wrong: BTreeMap<String, (u64, String)>,
}

impl Outgoing {
    fn line(&mut self, number: usize, line: &str) {
        if line.trim().is_empty() {
            return;
        }
        let mended = serde_json::from_str::<Value>(line)
            .map_err(|error| format!("not a letter as JSON: {error}"))
            .and_then(|object| of_object(&object, &self.mend, &self.limits, self.now_ms));
        self.take(&format!("line {number}"), mended);
    }

    fn take(&mut self, id: &str, mended: Result<Mended, String>) {
        match mended {
            Ok(mended) => {
                self.letters += 1;
                self.samples += mended.samples;
                self.records.extend(mended.records);
            }
            Err(why) => {
                let others = || "other reasons".to_owned();
                let is_known = self.wrong.contains_key(&why) || self.wrong.len() < MAX_REASONS;
                let why = if is_known { why } else { others() };
                self.wrong
                    .entry(why)
                    .or_insert_with(|| (0, id.to_owned()))
                    .0 += 1;
            }
        }
    }

    fn text(&self, is_dry: bool) -> String {
        let verb = if is_dry { "would be" } else { "are" };
        let (letters, samples) = (self.letters, self.samples);
        let mut text =
            format!("{letters} letters with {samples} samples {verb} in the buffer again\n");
        for (why, (count, id)) in &self.wrong {
            text.push_str(&format!("  {count} are not, such as {id}: {why}\n"));
        }
        text
    }
}

/// Either buffer's door.
enum Door {
    Kafka(Producer),
    Local(Writer, Source),
}

async fn send(settings: &Settings, records: Vec<Record>) -> anyhow::Result<()> {
    let door = if settings.buffer.kind == BufferKind::Kafka {
        let producer = Producer::new(&settings.kafka);
        producer.prepare(settings.buffer.retention.0).await?;
        Door::Kafka(producer)
    } else {
        let source = Source::open(settings)?;
        let Source::Local { log, .. } = &source else {
            anyhow::bail!("there is no log");
        };
        Door::Local(log.writer(), source)
    };
    let total = records.len();
    let mut sent = 0;
    let records: Vec<Arc<Record>> = records.into_iter().map(Arc::new).collect();
    for chunk in records.chunks(AT_ONCE) {
        let answers: Vec<_> = chunk.iter().map(|record| one(&door, record)).collect();
        for answer in futures::future::join_all(answers).await {
            answer.with_context(|| {
                format!(
                    "{sent} of {total} records are in the buffer; sending all again is harmless"
                )
            })?;
            sent += 1;
        }
    }
    match door {
        Door::Kafka(producer) => producer.close().await,
        Door::Local(writer, source) => {
            drop(writer);
            source.close().await;
        }
    }
    Ok(())
}

async fn one(door: &Door, record: &Record) -> Result<(), PublishError> {
    let mut tries = 0;
    loop {
        let answer = match door {
            Door::Kafka(producer) => producer.publish(record.clone()).await,
            Door::Local(writer, _) => writer.publish(record.clone()).await,
        };
        match answer {
            Ok(_) => return Ok(()),
            Err(error) if error.is_final() || tries >= TRIES => return Err(error),
            Err(_) => {
                tries += 1;
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
