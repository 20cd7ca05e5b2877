//! The page: one file of HTML without scripts, for light and dark screens and for phones.

use std::fmt::Write as _;

use super::chart::{Bars, Chart};
use super::charts::Plot;
use super::standing::{Reached, Standing};
use super::subjects::{COLUMNS, Scenario};
use crate::outcome::Kind;

const STYLE: &str = include_str!("page.css");
const TITLE: &str = "Sluice: what a sample costs";

/// Writes all of it.
pub(super) fn write(standings: &[Standing], scenarios: &[Scenario], plots: &[Plot]) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{TITLE}</title><style>\n{STYLE}</style></head><body>\n<h1>{TITLE}</h1>\n"
    );
    bars(&mut page, standings);
    page.push_str("<h2>Plots</h2>\n<div class=\"plots\">\n");
    for plot in plots {
        match plot {
            Plot::Chart(chart) => figure(
                &mut page,
                (&chart.title, &chart.about),
                &chart.svg(),
                &legend(chart),
            ),
            Plot::Bars(bars) => figure(
                &mut page,
                (&bars.title, &bars.about),
                &bars.svg(),
                &kinds(bars),
            ),
            Plot::Missing { title, why } => {
                _ = writeln!(
                    page,
                    "<figure><figcaption><b>{}</b></figcaption><p class=\"missing\">Missing: {}.</p></figure>",
                    escape(title),
                    escape(why)
                );
            }
        }
    }
    page.push_str("</div>\n<h2>Everybody, by scenario</h2>\n<p class=\"about\">By samples per CPU-second of the process, user and \
                   system time as the kernel counts it. Limits have no rank: they do a part of the work.</p>\n");
    for scenario in scenarios {
        subjects(&mut page, scenario);
    }
    page.push_str("</body></html>\n");
    page
}

fn bars(page: &mut String, standings: &[Standing]) {
    let count = |reached: Reached| {
        standings
            .iter()
            .filter(|row| row.reached == reached)
            .count()
    };
    _ = writeln!(
        page,
        "<p class=\"about\">{} figures: {} reach their aim, {} their bar, {} neither, {} are missing. Ratios are within these results.</p>",
        standings.len(),
        count(Reached::Aim),
        count(Reached::Bar),
        count(Reached::Neither),
        count(Reached::Unknown),
    );
    page.push_str("<div class=\"wide\"><table class=\"bars\"><thead><tr><th>figure</th><th>bar</th><th>aim</th><th>seen</th><th></th><th>from</th></tr></thead><tbody>\n");
    for row in standings {
        let class = match row.reached {
            Reached::Aim => "aim",
            Reached::Bar => "bar",
            Reached::Neither => "neither",
            Reached::Unknown => "unknown",
        };
        _ = writeln!(
            page,
            "<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\"><b>{}</b></td><td><span class=\"mark {class}\">{}</span></td><td class=\"from\">{}</td></tr>",
            escape(row.figure),
            escape(&row.bar),
            escape(&row.aim),
            escape(row.seen.as_deref().unwrap_or("–")),
            row.reached.as_str(),
            escape(&row.from),
        );
    }
    page.push_str("</tbody></table></div>\n");
}

fn figure(page: &mut String, (title, about): (&str, &str), svg: &str, legend: &str) {
    _ = writeln!(
        page,
        "<figure><figcaption><b>{}</b><br>{}</figcaption>{svg}{legend}</figure>",
        escape(title),
        escape(about)
    );
}

fn legend(chart: &Chart) -> String {
    entries(chart.legend().into_iter())
}

/// What the colours of bars mean.
fn kinds(bars: &Bars) -> String {
    let has = |colour: usize| bars.bars.iter().any(|bar| bar.colour == colour);
    let all = [(0, "Sluice"), (1, "alternatives"), (8, "limits")];
    entries(all.into_iter().filter(|(colour, _)| has(*colour)))
}

fn entries<'a>(names: impl Iterator<Item = (usize, &'a str)>) -> String {
    let mut text = String::from("<ul class=\"legend\">");
    for (colour, name) in names {
        _ = write!(text, "<li><i class=\"c{colour}\"></i>{}</li>", escape(name));
    }
    text.push_str("</ul>");
    text
}

fn subjects(page: &mut String, scenario: &Scenario) {
    _ = write!(
        page,
        "<h3>{}</h3>\n<div class=\"wide\"><table><thead><tr>",
        escape(&scenario.name)
    );
    for column in COLUMNS {
        _ = write!(page, "<th>{}</th>", escape(column));
    }
    page.push_str("<th>note</th></tr></thead><tbody>\n");
    for row in &scenario.rows {
        let class = match row.kind {
            Kind::Sluice => "sluice",
            Kind::Peer => "peer",
            Kind::Limit => "limit",
        };
        _ = write!(page, "<tr class=\"{class}\">");
        for (number, cell) in row.cells.iter().enumerate() {
            let class = if matches!(number, 1 | 9) {
                ""
            } else {
                " class=\"n\""
            };
            _ = write!(page, "<td{class}>{}</td>", escape(cell));
        }
        _ = writeln!(page, "<td class=\"from\">{}</td></tr>", escape(&row.note));
    }
    page.push_str("</tbody></table></div>\n");
}

/// Text as HTML and SVG want it.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}
