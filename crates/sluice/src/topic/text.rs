//! Topics in words. Pure.

use std::fmt::Write as _;

use buffer::Bounds;
use buffer::kafka::{Description, Purpose};

/// The settings that decide how long what is kept, and how safely.
const SETTINGS: [&str; 9] = [
    "cleanup.policy",
    "compression.type",
    "max.message.bytes",
    "message.timestamp.before.max.ms",
    "message.timestamp.type",
    "min.insync.replicas",
    "retention.bytes",
    "retention.ms",
    "segment.bytes",
];

pub(super) fn description(name: &str, found: &Description, bounds: &[Bounds]) -> String {
    let mut text = format!("topic {name}, {} partitions\n\n", found.partitions.len());
    text.push_str("partition  leader  replicas      in sync       first offset    next offset\n");
    for partition in &found.partitions {
        let ends = bounds
            .iter()
            .find(|known| known.partition == partition.partition);
        let offset =
            |of: fn(&Bounds) -> i64| ends.map_or("?".to_owned(), |ends| of(ends).to_string());
        writeln!(
            text,
            "{:>9}  {:>6}  {:<12}  {:<12}  {:>12}  {:>13}",
            partition.partition,
            partition.leader,
            list(&partition.replicas),
            list(&partition.in_sync),
            offset(|ends| ends.start),
            offset(|ends| ends.end),
        )
        .unwrap_or_default();
    }
    let behind = found.partitions.iter();
    let behind = behind
        .filter(|known| known.in_sync.len() < known.replicas.len())
        .count();
    if behind > 0 {
        writeln!(
            text,
            "\n{behind} partitions have replicas that are not in sync"
        )
        .unwrap_or_default();
    }
    text.push('\n');
    for name in SETTINGS {
        if let Some(value) = found.settings.get(name) {
            writeln!(text, "{name} = {value}").unwrap_or_default();
        }
    }
    if found.settings.is_empty() {
        text.push_str("its settings are not shown to this client\n");
    }
    text.push_str(&differences(found));
    text
}

pub(super) fn checked(name: &str, purpose: Purpose, found: Option<&Description>) -> String {
    let what = match purpose {
        Purpose::Samples => "samples",
        Purpose::DeadLetters => "dead letters",
        Purpose::Rejections => "refused samples",
        Purpose::Table => "a table",
    };
    match found {
        None => format!("{name} ({what}) is missing\n"),
        Some(found) if found.differences.is_empty() => {
            format!("{name} ({what}) is as the settings want it\n")
        }
        Some(found) => format!(
            "{name} ({what}) is not as the settings want it{}",
            differences(found)
        ),
    }
}

fn differences(found: &Description) -> String {
    let mut text = String::new();
    for difference in &found.differences {
        write!(
            text,
            "\n  {} is {}, wanted {}: {}",
            difference.setting, difference.found, difference.wanted, difference.why
        )
        .unwrap_or_default();
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

fn list(brokers: &[i32]) -> String {
    let brokers: Vec<String> = brokers.iter().map(ToString::to_string).collect();
    brokers.join(",")
}

#[cfg(test)]
mod tests;
