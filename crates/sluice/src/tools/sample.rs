//! Samples for people and for programs: a line of a table, or of JSON. Pure.

use std::borrow::Cow;
use std::fmt::Write as _;

use model::SeriesView;

use super::filter::Filter;
use super::when::shown;

/// How samples are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Columns for people.
    Table,
    /// One JSON object per line: the push API's sample, and where it is in the buffer.
    Json,
}

/// Writes samples in one format.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    pub(crate) format: Format,
    pub(crate) has_colours: bool,
}

/// The record that samples are of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin<'a> {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) received_at_ms: i64,
    pub(crate) tenant: Option<&'a str>,
    /// Who sent them.
    pub(crate) sender: Option<&'a str>,
}

/// The table's first line.
pub(crate) const HEADER: &str = "TIME                                VALUE  SERIES\n";

impl Style {
    /// The samples of a record's series that are chosen, `most` of them at most. Answers how many there were.
    pub(crate) fn record(
        self,
        text: &mut String,
        origin: Origin<'_>,
        block: &model::Block,
        filter: &Filter,
        most: u64,
    ) -> u64 {
        let mut count = 0;
        for view in block.iter().filter(|view| filter.has_series(*view)) {
            for point in view.points() {
                if count >= most {
                    return count;
                }
                count += 1;
                match self.format {
                    Format::Table => {
                        self.row(text, origin, view, point.at_ms, &number(point.value));
                    }
                    Format::Json => {
                        let sample = codec::json::sample(
                            view.name(),
                            labels(view),
                            point.at_ms,
                            point.value,
                            view.kind(),
                            view.unit(),
                            view.help(),
                        );
                        object(text, &sample, origin);
                    }
                }
            }
            for histogram in view.histograms() {
                if count >= most {
                    return count;
                }
                count += 1;
                let Some(classic) = codec::native::classic(&histogram.message) else {
                    continue;
                };
                match self.format {
                    Format::Table => {
                        let value = format!("{} observations", classic.count);
                        self.row(text, origin, view, histogram.at_ms, &value);
                    }
                    Format::Json => {
                        let (unit, help) = (view.unit(), view.help());
                        let sample = codec::json::histogram(
                            view.name(),
                            labels(view),
                            histogram.at_ms,
                            &classic,
                            unit,
                            help,
                        );
                        object(text, &sample, origin);
                    }
                }
            }
        }
        count
    }

    /// A record that nobody can read.
    pub(crate) fn undecodable(self, text: &mut String, origin: Origin<'_>, why: &str) {
        let Origin {
            partition, offset, ..
        } = origin;
        match self.format {
            Format::Table => {
                let time = shown(origin.received_at_ms);
                let why = printable(why);
                writeln!(
                    text,
                    "{time} {:>16}  partition {partition} offset {offset}: {why}",
                    "undecodable"
                )
                .unwrap_or_default();
            }
            Format::Json => {
                let line = serde_json::json!({
                    "error": why, "partition": partition, "offset": offset, "received_at": origin.received_at_ms,
                });
                writeln!(text, "{line}").unwrap_or_default();
            }
        }
    }

    fn row(
        self,
        text: &mut String,
        origin: Origin<'_>,
        view: SeriesView<'_>,
        at_ms: i64,
        value: &str,
    ) {
        let time = shown(at_ms);
        let (dim, bold, plain) = if self.has_colours {
            ("\x1b[2m", "\x1b[1m", "\x1b[0m")
        } else {
            ("", "", "")
        };
        let name = printable(view.name());
        write!(text, "{dim}{time}{plain} {value:>16}  {bold}{name}{plain}").unwrap_or_default();
        let mut separator = '{';
        for (name, value) in labels(view) {
            write!(text, "{separator}{}={value:?}", printable(name)).unwrap_or_default();
            separator = ',';
        }
        if separator == ',' {
            text.push('}');
        }
        for (what, value) in [("tenant", origin.tenant), ("from", origin.sender)] {
            if let Some(value) = value {
                write!(text, "  {dim}{what} {}{plain}", printable(value)).unwrap_or_default();
            }
        }
        text.push('\n');
    }
}

fn labels<'a>(view: SeriesView<'a>) -> impl Iterator<Item = (&'a str, &'a str)> {
    view.labels().filter(|(name, _)| *name != "__name__")
}

fn number(value: f64) -> String {
    const STALE: u64 = 0x7ff0_0000_0000_0002;
    if value.to_bits() == STALE {
        return "stale".to_owned();
    }
    value.to_string()
}

/// What senders chose must not move a terminal's cursor.
fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().any(char::is_control) {
        text.escape_debug().to_string().into()
    } else {
        text.into()
    }
}

/// Adds where it is to the sample's own object.
fn object(text: &mut String, sample: &[u8], origin: Origin<'_>) {
    let sample = String::from_utf8_lossy(sample);
    text.push_str(sample.strip_suffix('}').unwrap_or(&sample));
    for (what, value) in [("tenant", origin.tenant), ("source", origin.sender)] {
        if let Some(value) = value {
            write!(text, ",\"{what}\":{}", serde_json::Value::from(value)).unwrap_or_default();
        }
    }
    let Origin {
        partition,
        offset,
        received_at_ms,
        ..
    } = origin;
    writeln!(
        text,
        ",\"partition\":{partition},\"offset\":{offset},\"received_at\":{received_at_ms}}}"
    )
    .unwrap_or_default();
}

#[cfg(test)]
mod tests;
