//! The table as CSV with a header line, as RFC 4180 has it.

use std::borrow::Cow;

use super::{Kind, Table, metric, tenant};
use crate::answer::Page;
use crate::error::Error;
use crate::http::shown_number;
use crate::labels::Labels;

pub(super) fn write(table: &Table, page: &mut Page<'_>) -> Result<(), Error> {
    let has_type = table.kind == Kind::Series;
    page.text("metric_name,labels,tenant,")?;
    if has_type {
        page.text("type,")?;
    }
    page.text(table.time_column())?;
    for column in table.columns() {
        page.text(",")?;
        page.text(column)?;
    }
    page.text("\r\n")?;
    // Rows of one series follow one another, or alternate between few.
    let mut texts: Vec<Option<String>> = vec![None; table.series.len()];
    for row in &table.rows {
        let (labels, kind) = table.series_of(row);
        let text = match texts.get_mut(row.series) {
            Some(text) => &*text.get_or_insert_with(|| head(labels)),
            None => "",
        };
        page.text(text)?;
        if has_type {
            page.text(kind.as_str())?;
            page.text(",")?;
        }
        page.text(&row.at_ms.to_string())?;
        for value in &row.values {
            page.text(",")?;
            if let Some(value) = value {
                page.text(&shown_number(*value))?;
            }
        }
        page.text("\r\n")?;
    }
    Ok(())
}

fn head(labels: &Labels) -> String {
    let object: serde_json::Map<String, serde_json::Value> = labels
        .plain()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    let object = serde_json::Value::Object(object).to_string();
    format!(
        "{},{},{},",
        field(metric(labels)),
        field(&object),
        field(tenant(labels).unwrap_or_default())
    )
}

/// A field, in quotes where it has to be.
fn field(text: &str) -> Cow<'_, str> {
    // A spreadsheet runs what begins like a formula.
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if is_formula {
        return format!("\"'{}\"", text.replace('"', "\"\"")).into();
    }
    if text.contains([',', '"', '\r', '\n']) {
        return format!("\"{}\"", text.replace('"', "\"\"")).into();
    }
    text.into()
}
