//! The costs that were accepted, and what is said when one has changed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// How far instructions may be from what was accepted, up or down, in percent. Runs on one machine differ by less than a
/// fifth of it; compilers of C and C libraries that differ between machines need the rest.
pub const TOLERANCE_PERCENT: f64 = 5.0;

/// How far allocations per sample may be, beside [`TOLERANCE_PERCENT`]: a table that grows now and then, a timer more, an
/// answer that is read in two pieces.
pub const TOLERANCE_ALLOCATIONS: f64 = 0.01;

/// Only instructions of one kind of processor can be compared.
const IS_COUNTED_HERE: bool = cfg!(target_arch = "x86_64");

/// The command that accepts what is measured.
pub const ACCEPT: &str = "make guard ARGS=--accept";

/// What a sample costs on a path.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Instructions per sample.
    pub instructions: f64,
    /// Heap allocations per sample.
    pub allocations: f64,
}

/// Costs by the name of the path.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Baseline(pub BTreeMap<String, Cost>);

/// A file beside this crate.
fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("baseline.json")
}

impl Baseline {
    /// What was accepted last.
    ///
    /// # Errors
    /// When the file is not there, or is none of ours.
    pub fn load() -> anyhow::Result<Self> {
        let file = file();
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        serde_json::from_str(&text).with_context(|| format!("cannot read {}", file.display()))
    }

    /// Accepts these.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn store(&self) -> anyhow::Result<()> {
        let mut rounded = self.clone();
        for cost in rounded.0.values_mut() {
            cost.instructions = cost.instructions.round();
            cost.allocations = (cost.allocations * 1e4).round() / 1e4;
        }
        let file = file();
        let text = serde_json::to_string_pretty(&rounded)? + "\n";
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
    }

    /// Everything that is not as it was accepted, one line each.
    #[must_use]
    pub fn differences(&self, measured: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        for (path, now) in &measured.0 {
            lines.extend(self.instructions_differ(path, now.instructions));
            lines.extend(self.allocations_differ(path, now.allocations));
        }
        lines
    }

    fn instructions_differ(&self, path: &str, now: f64) -> Option<String> {
        let accepted = self.0.get(path)?.instructions;
        let percent = change_percent(accepted, now);
        (IS_COUNTED_HERE && percent.abs() > TOLERANCE_PERCENT).then(|| {
            format!(
                "{path}: {now:.0} instructions per sample, accepted were {accepted:.0} ({percent:+.1} %)"
            )
        })
    }

    /// What is to be said of a path's allocations.
    #[must_use]
    pub fn allocations_differ(&self, path: &str, now: f64) -> Option<String> {
        let Some(Cost {
            allocations: accepted,
            ..
        }) = self.0.get(path)
        else {
            return Some(format!(
                "{path}: was not measured before, now {now:.4} allocations per sample"
            ));
        };
        let room = accepted * TOLERANCE_PERCENT / 100.0 + TOLERANCE_ALLOCATIONS;
        ((now - accepted).abs() > room).then(|| {
            format!("{path}: {now:.4} allocations per sample, accepted were {accepted:.4}")
        })
    }

    /// A table for people, with what was accepted where it is known.
    #[must_use]
    pub fn table(&self, measured: &Self) -> String {
        let mut text = String::from(
            "| Path | Instructions per sample | accepted | change | Allocations per sample | accepted |\n\
             | --- | ---: | ---: | ---: | ---: | ---: |\n",
        );
        for (path, now) in &measured.0 {
            let accepted = self.0.get(path);
            let shown = |show: &dyn Fn(&Cost) -> String| accepted.map_or(String::new(), show);
            writeln!(
                text,
                "| {path} | {:.0} | {} | {} | {:.4} | {} |",
                now.instructions,
                shown(&|it| format!("{:.0}", it.instructions)),
                shown(&|it| format!(
                    "{:+.1} %",
                    change_percent(it.instructions, now.instructions)
                )),
                now.allocations,
                shown(&|it| format!("{:.4}", it.allocations)),
            )
            .unwrap_or_default();
        }
        text
    }
}

fn change_percent(before: f64, now: f64) -> f64 {
    (now / before - 1.0) * 100.0
}

#[cfg(test)]
mod tests;
