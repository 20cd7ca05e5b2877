//! `sluice dlq list`: how many letters of each kind there are.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Which;
use super::letters::{Letter, Wanted, each};
use crate::replay::Outcome;
use crate::settings::Settings;
use crate::tools::output::put;
use crate::tools::when::shown;

/// Kinds that are told apart; the rest is one.
const MAX_KINDS: usize = 10_000;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    store: String,
    reason: String,
    name: String,
}

#[derive(Debug, Default)]
struct Sum {
    letters: u64,
    samples: u64,
    newest_ms: i64,
    newest_id: String,
}

/// Letters by kind.
#[derive(Debug, Default)]
pub(super) struct Sums(BTreeMap<Kind, Sum>);

pub(super) async fn list(settings: &Settings, which: &Which) -> anyhow::Result<Outcome> {
    let wanted = Wanted::new(which, service::clock::now_ms())?;
    let mut sums = Sums::default();
    each(settings, wanted, |letter| {
        sums.add(&letter);
        Ok(true)
    })
    .await?;
    put(&sums.text())?;
    Ok(Outcome::Complete)
}

impl Sums {
    pub(super) fn add(&mut self, letter: &Letter) {
        let block = letter.block();
        let name = match &block {
            Ok(block) => block
                .iter()
                .next()
                .map_or("", |view| view.name())
                .to_owned(),
            Err(_) => "(cannot be decoded)".to_owned(),
        };
        let mut kind = Kind {
            store: letter.store.clone(),
            reason: letter.reason.clone(),
            name,
        };
        if self.0.len() >= MAX_KINDS && !self.0.contains_key(&kind) {
            "(others)".clone_into(&mut kind.name);
        }
        let sum = self.0.entry(kind).or_default();
        sum.letters += 1;
        sum.samples += block.map_or(0, |block| block.samples() as u64);
        if letter.at_ms >= sum.newest_ms {
            sum.newest_ms = letter.at_ms;
            sum.newest_id.clone_from(&letter.id);
        }
    }

    pub(super) fn text(&self) -> String {
        if self.0.is_empty() {
            return "there are no dead letters like that\n".to_owned();
        }
        let mut sums: Vec<_> = self.0.iter().collect();
        sums.sort_by_key(|(kind, sum)| (std::cmp::Reverse(sum.samples), (*kind).clone()));
        let mut text = format!(
            "{:>10} {:>8}  {:<16} {:<24} {:<24} {:<12} name\n",
            "samples", "letters", "store", "reason", "newest", "id"
        );
        for (kind, sum) in sums {
            writeln!(
                text,
                "{:>10} {:>8}  {:<16} {:<24} {} {:<12} {}",
                sum.samples,
                sum.letters,
                kind.store,
                kind.reason,
                shown(sum.newest_ms),
                sum.newest_id,
                kind.name.escape_debug(),
            )
            .unwrap_or_default();
        }
        text
    }
}
