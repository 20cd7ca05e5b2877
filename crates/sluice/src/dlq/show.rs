//! `sluice dlq show`: letters in full.

use std::collections::VecDeque;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::Which;
use super::letters::{Letter, Wanted, each};
use crate::replay::Outcome;
use crate::settings::Settings;
use crate::tools::filter::Filter;
use crate::tools::output::put;
use crate::tools::sample::{Format, Origin, Style};
use crate::tools::when::shown;

pub(super) async fn show(
    settings: &Settings,
    which: &Which,
    limit: usize,
    format: Format,
) -> anyhow::Result<Outcome> {
    let wanted = Wanted::new(which, service::clock::now_ms())?;
    let mut newest = VecDeque::new();
    each(settings, wanted, |letter| {
        newest.push_back(letter);
        if newest.len() > limit {
            newest.pop_front();
        }
        Ok(true)
    })
    .await?;
    for letter in newest {
        let text = match format {
            Format::Table => text(&letter),
            Format::Json => format!("{}\n", object(&letter)),
        };
        if !put(&text)? {
            break;
        }
    }
    Ok(Outcome::Complete)
}

fn origin(letter: &Letter) -> Origin<'_> {
    Origin {
        partition: letter.from.1,
        offset: letter.from.2,
        received_at_ms: letter.at_ms,
        tenant: None,
        sender: None,
    }
}

pub(super) fn text(letter: &Letter) -> String {
    let mut text = String::new();
    let (topic, partition, offset) = &letter.from;
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            writeln!(text, "{name:<8} {}", value.escape_debug()).unwrap_or_default();
        }
    };
    line(
        "letter",
        &format!("{} of {}", letter.id, shown(letter.at_ms)),
    );
    line("store", &letter.store);
    line("reason", &letter.reason);
    line("message", &letter.message);
    line("tenant", letter.tenant.as_deref().unwrap_or_default());
    line("sender", letter.sender.as_deref().unwrap_or_default());
    line(
        "from",
        &format!("{topic} partition {partition} offset {offset}"),
    );
    let style = Style {
        format: Format::Table,
        has_colours: false,
    };
    match letter.block() {
        Ok(block) => {
            style.record(
                &mut text,
                origin(letter),
                &block,
                &Filter::default(),
                u64::MAX,
            );
        }
        Err(why) => {
            let start = letter.value.get(..200).unwrap_or(&letter.value);
            writeln!(text, "cannot be decoded: {why}\n{}", start.escape_ascii())
                .unwrap_or_default();
        }
    }
    text.push('\n');
    text
}

/// A letter as `resend --input` takes it.
pub(super) fn object(letter: &Letter) -> Value {
    let (topic, partition, offset) = &letter.from;
    let mut object = json!({
        "id": letter.id, "at": letter.at_ms, "store": letter.store, "reason": letter.reason,
        "message": letter.message, "tenant": letter.tenant.as_deref(), "source": letter.sender.as_deref(),
        "from": {"topic": topic, "partition": partition, "offset": offset},
    });
    let (name, value) = match letter.block() {
        Ok(block) => ("samples", Value::Array(samples(&block))),
        Err(why) => {
            let start = letter.value.get(..4096).unwrap_or(&letter.value);
            (
                "undecodable",
                json!({"why": why, "value": start.escape_ascii().to_string()}),
            )
        }
    };
    if let Some(fields) = object.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
    object
}

/// Samples as the push API takes them. Native histograms become classic ones: JSON has no others.
pub(super) fn samples(block: &model::Block) -> Vec<Value> {
    let mut samples = Vec::with_capacity(block.samples());
    for view in block.iter() {
        let labels = || view.labels().filter(|(name, _)| *name != "__name__");
        for point in view.points() {
            let (name, kind) = (view.name(), view.kind());
            let (at_ms, value) = (point.at_ms, point.value);
            let sample =
                codec::json::sample(name, labels(), at_ms, value, kind, view.unit(), view.help());
            samples.extend(serde_json::from_slice::<Value>(&sample));
        }
        for histogram in view.histograms() {
            if let Some(classic) = codec::native::classic(&histogram.message) {
                let (name, at_ms) = (view.name(), histogram.at_ms);
                let sample = codec::json::histogram(
                    name,
                    labels(),
                    at_ms,
                    &classic,
                    view.unit(),
                    view.help(),
                );
                samples.extend(serde_json::from_slice::<Value>(&sample));
            }
        }
    }
    samples
}
