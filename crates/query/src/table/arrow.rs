//! The table as a stream of Arrow record batches.

use std::sync::Arc;

use arrow_array::builder::{MapBuilder, StringBuilder};
use arrow_array::{ArrayRef, Float64Array, RecordBatch, TimestampMillisecondArray};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::ArrowError;

use super::{Kind, Row, Table, metric, tenant};
use crate::answer::Page;
use crate::error::Error;

/// Rows of one batch.
const BATCH_ROWS: usize = 4096;

pub(super) fn write(table: &Table, page: &mut Page<'_>) -> Result<(), Error> {
    let first = table.rows.chunks(BATCH_ROWS).next().unwrap_or_default();
    let first = batch(table, first, page).map_err(|error| odd(page, &error))?;
    let mut wrote = write_batches(table, &first, page);
    if let Err(error) = &mut wrote {
        return Err(odd(page, error));
    }
    Ok(())
}

fn write_batches(
    table: &Table,
    first: &RecordBatch,
    page: &mut Page<'_>,
) -> Result<(), ArrowError> {
    let mut pending = Vec::new();
    let mut stream = StreamWriter::try_new(&mut pending, &first.schema())?;
    stream.write(first)?;
    flush(&mut stream, page)?;
    for rows in table.rows.chunks(BATCH_ROWS).skip(1) {
        let rows = batch(table, rows, page)?;
        stream.write(&rows)?;
        flush(&mut stream, page)?;
    }
    stream.finish()?;
    flush(&mut stream, page)
}

/// Moves what the stream has written to the page, which counts it.
fn flush(stream: &mut StreamWriter<&mut Vec<u8>>, page: &mut Page<'_>) -> Result<(), ArrowError> {
    let bytes = std::mem::take(*stream.get_mut());
    page.bytes(&bytes)
        .map_err(|error| ArrowError::MemoryError(error.to_string()))
}

/// The budget's own words, where it was that.
fn odd(page: &mut Page<'_>, error: &ArrowError) -> Error {
    page.over().unwrap_or_else(|| {
        tracing::error!(%error, "an answer could not be written as Arrow");
        Error::Defect
    })
}

fn batch(table: &Table, rows: &[Row], page: &mut Page<'_>) -> Result<RecordBatch, ArrowError> {
    let texts = rows.iter().map(|row| table.series_of(row).0.bytes());
    let bytes = texts.sum::<usize>() + rows.len() * 64;
    let taken = page.borrow(bytes);
    taken.map_err(|error| ArrowError::MemoryError(error.to_string()))?;
    let (mut metrics, mut tenants) = (StringBuilder::new(), StringBuilder::new());
    let mut kinds = StringBuilder::new();
    let mut labels = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    for row in rows {
        let (of, kind) = table.series_of(row);
        metrics.append_value(metric(of));
        tenants.append_option(tenant(of));
        kinds.append_value(kind.as_str());
        for (name, value) in of.plain() {
            labels.keys().append_value(name);
            labels.values().append_value(value);
        }
        labels.append(true)?;
    }
    let times: TimestampMillisecondArray = rows.iter().map(|row| Some(row.at_ms)).collect();
    let mut columns: Vec<(&str, ArrayRef, bool)> = vec![
        ("metric_name", Arc::new(metrics.finish()), false),
        ("labels", Arc::new(labels.finish()), false),
        ("tenant", Arc::new(tenants.finish()), true),
    ];
    if table.kind == Kind::Series {
        columns.push(("type", Arc::new(kinds.finish()), false));
    }
    let times = times.with_timezone("UTC");
    columns.push((table.time_column(), Arc::new(times), false));
    for (at, name) in table.columns().iter().enumerate() {
        let values = rows.iter().map(|row| row.values.get(at).copied().flatten());
        columns.push((name, Arc::new(values.collect::<Float64Array>()), true));
    }
    page.repay(bytes);
    RecordBatch::try_from_iter_with_nullable(columns)
}
