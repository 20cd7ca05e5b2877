//! Where each promised figure stands: reached or not, or nobody knows.

use super::bars::{BARS, Bar, Measure, Pick};
use super::figures::Figure;
use super::lines::{Found, Lines};
use crate::outcome::Kind;

/// A row of the table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Standing {
    pub(super) figure: &'static str,
    pub(super) bar: String,
    pub(super) aim: String,
    pub(super) reached: Reached,
    /// The figure; `None` where lines are missing.
    pub(super) seen: Option<String>,
    /// What it is made of, or what is missing.
    pub(super) from: String,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reached {
    Aim,
    Bar,
    Neither,
    Unknown,
}

impl Reached {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Aim => "aim reached",
            Self::Bar => "bar reached",
            Self::Neither => "not reached",
            Self::Unknown => "missing",
        }
    }
}

/// All rows.
pub(super) fn all(lines: &Lines) -> Vec<Standing> {
    BARS.iter().map(|bar| standing(bar, lines)).collect()
}

fn standing(bar: &Bar, lines: &Lines) -> Standing {
    let (value, from) = match seen(&bar.measure, lines) {
        Ok((value, from)) => (Some(bar.unit.scaled(value)), from),
        Err(missing) => (None, missing),
    };
    let reached = match value {
        None => Reached::Unknown,
        Some(value) if bar.unit.reaches(value, bar.aim) => Reached::Aim,
        Some(value) if bar.unit.reaches(value, bar.bar) => Reached::Bar,
        Some(_) => Reached::Neither,
    };
    Standing {
        figure: bar.figure,
        bar: bar.unit.show(bar.bar),
        aim: bar.unit.show(bar.aim),
        reached,
        seen: value.map(|value| bar.unit.show(value)),
        from,
    }
}

/// The figure and what it is made of, or what is missing for it.
fn seen(measure: &Measure, lines: &Lines) -> Result<(f64, String), String> {
    let find = |pick: &Pick, figure: Figure| {
        lines
            .best(pick, figure)
            .ok_or_else(|| missing(pick, figure))
    };
    match measure {
        Measure::Ratio {
            of,
            to,
            figure,
            added,
        } => {
            let (one, other) = match (find(of, *figure), find(to, *figure)) {
                (Ok(one), Ok(other)) => (one, other),
                (Err(one), Err(other)) => return Err(format!("{one}; {other}")),
                (Err(missing), Ok(_)) | (Ok(_), Err(missing)) => return Err(missing),
            };
            let mut from = format!("{} of {}", told(&one, *figure), told(&other, *figure));
            if *added > 0.0 {
                from.push_str(&format!(" + {}", figure.show(*added)));
            }
            Ok((one.value / (other.value + added), from))
        }
        Measure::Beside { of, figure, other } => {
            let found = find(of, *figure)?;
            Ok((found.value / other, told(&found, *figure)))
        }
        Measure::Plain { of, figure } => {
            let found = find(of, *figure)?;
            Ok((found.value, told(&found, *figure)))
        }
    }
}

fn told(found: &Found, figure: Figure) -> String {
    let several = match found.lines {
        1 => String::new(),
        lines if figure.takes_the_largest() => format!(", the largest of {lines} runs"),
        lines => format!(", the middle of {lines} runs"),
    };
    format!("{} ({}{several})", figure.show(found.value), found.subject)
}

fn missing(pick: &Pick, figure: Figure) -> String {
    let who = match (pick.kind, pick.subject) {
        (Kind::Limit, _) => "a limit".to_owned(),
        (Kind::Peer, "") => "an alternative".to_owned(),
        (Kind::Sluice, "") => "Sluice".to_owned(),
        (_, subject) => subject.to_owned(),
    };
    let with = match (pick.parameter, figure) {
        (Some((key, value)), _) => format!(" with {key} {value}"),
        (None, Figure::Parameter(name)) => format!(" with {name}"),
        (None, Figure::PacketsPerCpu) => " without drops".to_owned(),
        (None, _) => String::new(),
    };
    format!("no line of {who} for {}{with}", pick.scenario)
}
