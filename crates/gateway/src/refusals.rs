//! The refused samples of a request: all counted, the first hundred told.

use model::{Code, Refused};
use schemars::JsonSchema;
use serde::Serialize;

use crate::described::codes::CodeName;

/// How many refusals an answer lists.
pub(crate) use codec::TOLD;

/// How much of a metric name an answer repeats, in characters.
const NAME_CHARS: usize = 100;

#[derive(Debug, Default)]
pub(crate) struct Refusals {
    told: Vec<Refused>,
    /// Those after them, until they are forgotten.
    untold: Vec<Refused>,
    counts: Vec<(Code, u64)>,
    refused: u64,
    objects: u64,
}

/// One refusal in an answer.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RefusedSample")]
pub(crate) struct Told<'a> {
    /// Its position, from 0, as the sender counts.
    pub(crate) index: u32,
    /// Cut after 100 characters.
    metric_name: String,
    #[schemars(with = "CodeName")]
    pub(crate) code: &'static str,
    pub(crate) message: &'a str,
}

impl Told<'_> {
    /// The object's position, from 0, as the sender counts.
    pub(crate) fn index(&self) -> u32 {
        self.index
    }

    /// Why it was refused.
    pub(crate) fn message(&self) -> &str {
        self.message
    }
}

impl std::fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "sample {}", self.index)?;
        if !self.metric_name.is_empty() {
            write!(f, " ({:?})", self.metric_name)?;
        }
        write!(f, ": {}", self.message)
    }
}

impl Refusals {
    /// The refusals of a request with so many objects. Each object is refused at most once.
    pub(crate) fn of(objects: u32, mut all: Vec<Refused>) -> Self {
        let objects = u64::from(objects);
        // As nearly always.
        if all.is_empty() {
            return Self {
                objects,
                ..Self::default()
            };
        }
        all.sort_by_key(|refused| refused.index);
        all.dedup_by_key(|refused| refused.index);
        let mut counts: Vec<(Code, u64)> = Vec::new();
        for refused in &all {
            let code = refused.refusal.code;
            match counts.iter_mut().find(|(counted, _)| *counted == code) {
                Some((_, count)) => *count += 1,
                None => counts.push((code, 1)),
            }
        }
        let refused = all.len() as u64;
        let untold = all.split_off(all.len().min(TOLD));
        all.shrink_to_fit();
        Self {
            told: all,
            untold,
            counts,
            refused,
            objects,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.refused == 0
    }

    /// Whether all was refused, and only because of a rate: it may pass later.
    pub(crate) fn is_passing(&self) -> bool {
        let all = [(Code::QuotaExceeded, self.refused)];
        self.received() == 0 && self.refused > 0 && self.counts == all
    }

    /// How many objects were refused.
    pub(crate) fn refused(&self) -> u64 {
        self.refused
    }

    /// How many objects were not.
    pub(crate) fn received(&self) -> u64 {
        self.objects.saturating_sub(self.refused)
    }

    /// How many were refused for each reason.
    pub(crate) fn counts(&self) -> &[(Code, u64)] {
        &self.counts
    }

    /// The refusals that an answer lists, as they are.
    pub(crate) fn listed(&self) -> &[Refused] {
        &self.told
    }

    /// The refusals that it does not list, most without a name and a message, until they are forgotten.
    pub(crate) fn unlisted(&self) -> &[Refused] {
        &self.untold
    }

    /// What a hostile body made long is not kept until the answer.
    pub(crate) fn forget_unlisted(&mut self) {
        self.untold = Vec::new();
    }

    /// How many `objects` were refused, and what became of the others.
    pub(crate) fn summary(&self, object: &str) -> String {
        let (refused, objects) = (self.refused, self.objects);
        let plural = if objects == 1 { "" } else { "s" };
        let were = if refused == 1 { "was" } else { "were" };
        let others = if self.received() == 0 {
            ""
        } else {
            "; the others are stored"
        };
        format!("{refused} of {objects} {object}{plural} {were} refused{others}")
    }

    /// The code of an answer that refuses: the first sample's where others were stored.
    pub(crate) fn code(&self) -> Code {
        match self.counts.first() {
            Some((code, _)) if self.received() > 0 => *code,
            _ => Code::BatchRefused,
        }
    }

    /// The first one, by its position.
    pub(crate) fn first(&self) -> Option<&Refused> {
        self.told.first()
    }

    /// What an answer lists.
    pub(crate) fn told(&self) -> Vec<Told<'_>> {
        self.told
            .iter()
            .map(|refused| Told {
                index: refused.index,
                metric_name: shortened(&refused.metric_name),
                code: refused.refusal.code.as_str(),
                message: &refused.refusal.message,
            })
            .collect()
    }

    /// How many an answer does not list.
    pub(crate) fn omitted(&self) -> u64 {
        self.refused.saturating_sub(self.told.len() as u64)
    }

    /// Why nothing of the batch was stored.
    pub(crate) fn sentence(&self) -> String {
        let first = self.told.first().map_or_else(String::new, |refused| {
            format!("; sample {}: {}", refused.index, refused.refusal.message)
        });
        match (self.objects, self.refused) {
            (1, _) => format!("the only sample was refused{first}"),
            (objects, refused) if objects == refused => {
                format!("all {objects} samples were refused{first}")
            }
            (objects, refused) => format!(
                "{refused} of {objects} samples {} refused, and strict=true stores all or nothing{first}",
                if refused == 1 { "was" } else { "were" }
            ),
        }
    }
}

fn shortened(name: &str) -> String {
    match name.char_indices().nth(NAME_CHARS) {
        Some((end, _)) => format!("{}…", name.get(..end).unwrap_or_default()),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests;
