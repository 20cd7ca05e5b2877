//! Rows as a Markdown table, which a terminal shows well enough, and as lines of JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::row::Row;

/// The table, and below it what failed and what is to be noted.
pub(crate) fn markdown(rows: &[Row]) -> String {
    let mut text = String::from(
        "| scenario | rounds | sent | acknowledged | found | lost | doubled | reordered | longest outage | answers | hung | 500s | peak RSS | result |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- | ---: | ---: | ---: | --- |\n",
    );
    for row in rows {
        writeln!(text, "{}", line(row)).unwrap_or_default();
    }
    for row in rows {
        for failure in &row.failures {
            writeln!(text, "\nFAILED {}: {failure}", row.scenario).unwrap_or_default();
        }
        if let Some(why) = &row.skipped {
            writeln!(text, "\nNOT RUN {}: {why}", row.scenario).unwrap_or_default();
        }
        for note in &row.notes {
            writeln!(text, "\n{}: {note}", row.scenario).unwrap_or_default();
        }
    }
    text
}

fn line(row: &Row) -> String {
    let result = match (row.passes(), &row.skipped) {
        (false, _) => "**failed**",
        (true, Some(_)) => "not run",
        (true, None) => "ok",
    };
    let mut answers: BTreeMap<_, _> = row.answers.clone();
    let hung = answers.remove("hung").unwrap_or(0);
    let answers: Vec<_> = answers
        .iter()
        .map(|(answer, count)| format!("{answer}: {count}"))
        .collect();
    let cells = [
        row.scenario.clone(),
        row.rounds.to_string(),
        row.sent.to_string(),
        row.acknowledged.to_string(),
        row.found.to_string(),
        row.lost.to_string(),
        row.doubled.to_string(),
        row.reordered.to_string(),
        format!("{:.1} s", row.longest_outage_s),
        answers.join(", "),
        hung.to_string(),
        row.answered("500").to_string(),
        format!("{} MiB", row.peak_rss_bytes >> 20),
        result.to_owned(),
    ];
    format!("| {} |", cells.join(" | "))
}
