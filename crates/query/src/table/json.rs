//! The table as JSON, in the shapes that `docs/queries.md` has.

use super::{Kind, Row, Table, metric, tenant};
use crate::answer::Page;
use crate::error::Error;
use crate::labels::Labels;

pub(super) fn write(table: &Table, page: &mut Page<'_>) -> Result<(), Error> {
    match &table.kind {
        Kind::Samples => {
            page.text("{\"samples\":[")?;
            for (number, row) in table.rows.iter().enumerate() {
                page.comma(number)?;
                let (labels, _) = table.series_of(row);
                page.text("{\"metric_name\":")?;
                page.json(metric(labels))?;
                page.text(&format!(",\"timestamp\":{},\"value\":", row.at_ms))?;
                page.number(value(row, 0))?;
                object(labels, page)?;
                page.text("}")?;
            }
        }
        Kind::Series => {
            page.text("{\"series\":[")?;
            for (number, row) in table.rows.iter().enumerate() {
                page.comma(number)?;
                let (labels, kind) = table.series_of(row);
                page.text("{\"metric_name\":")?;
                page.json(metric(labels))?;
                object(labels, page)?;
                page.text(&format!(
                    ",\"type\":\"{}\",\"last_timestamp\":{},\"last_value\":",
                    kind.as_str(),
                    row.at_ms
                ))?;
                page.number(value(row, 0))?;
                page.text("}")?;
            }
        }
        Kind::Aggregates {
            columns,
            from_ms,
            to_ms,
            step_ms,
        } => {
            page.text(&format!("{{\"from\":{from_ms},\"to\":{to_ms},\"step\":"))?;
            match step_ms {
                Some(step_ms) => page.text(&step_ms.to_string())?,
                None => page.text("null")?,
            }
            page.text(",\"series\":[")?;
            let groups = table.rows.chunk_by(|a, b| a.series == b.series);
            for (number, rows) in groups.enumerate() {
                page.comma(number)?;
                group(table, columns, rows, page)?;
            }
        }
    }
    page.text("]")?;
    if !table.warnings.is_empty() {
        page.text(",\"warnings\":")?;
        page.json(&table.warnings)?;
    }
    page.text("}")
}

fn value(row: &Row, column: usize) -> Option<f64> {
    row.values.get(column).copied().flatten()
}

/// Labels, and whose it is.
fn object(labels: &Labels, page: &mut Page<'_>) -> Result<(), Error> {
    page.text(",\"labels\":{")?;
    for (number, (name, value)) in labels.plain().enumerate() {
        page.comma(number)?;
        page.json(name)?;
        page.text(":")?;
        page.json(value)?;
    }
    page.text("}")?;
    match tenant(labels) {
        Some(tenant) => {
            page.text(",\"tenant\":")?;
            page.json(tenant)
        }
        None => Ok(()),
    }
}

fn group(
    table: &Table,
    columns: &[&'static str],
    rows: &[Row],
    page: &mut Page<'_>,
) -> Result<(), Error> {
    let Some(first) = rows.first() else {
        return Ok(());
    };
    let (labels, _) = table.series_of(first);
    page.text("{\"metric_name\":")?;
    page.json(metric(labels))?;
    object(labels, page)?;
    page.text(",\"timestamps\":[")?;
    for (number, row) in rows.iter().enumerate() {
        page.comma(number)?;
        page.text(&row.at_ms.to_string())?;
    }
    page.text("],\"values\":{")?;
    for (column, name) in columns.iter().enumerate() {
        page.comma(column)?;
        page.text(&format!("\"{name}\":["))?;
        for (number, row) in rows.iter().enumerate() {
            page.comma(number)?;
            page.number(value(row, column))?;
        }
        page.text("]")?;
    }
    page.text("}}")
}
