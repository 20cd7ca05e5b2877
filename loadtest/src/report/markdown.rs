//! The tables as Markdown.

use super::standing::Standing;
use super::subjects::{COLUMNS, Scenario};

/// The table of bars, then everybody by scenario.
pub(super) fn write(standings: &[Standing], scenarios: &[Scenario]) -> String {
    let mut text = table_head(&["figure", "bar", "aim", "seen", "", "from"]);
    for row in standings {
        text.push_str(&table_row(&[
            row.figure,
            &row.bar,
            &row.aim,
            row.seen.as_deref().unwrap_or("–"),
            row.reached.as_str(),
            &row.from,
        ]));
    }
    for scenario in scenarios {
        text.push_str(&format!("\n### {}\n\n", scenario.name));
        text.push_str(&table_head(&COLUMNS));
        for row in &scenario.rows {
            text.push_str(&table_row(&row.cells.each_ref().map(String::as_str)));
        }
    }
    text
}

fn table_head(columns: &[&str]) -> String {
    let rule = vec!["---"; columns.len()];
    table_row(columns) + &table_row(&rule)
}

fn table_row(cells: &[&str]) -> String {
    let cells: Vec<_> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}
