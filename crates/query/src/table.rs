//! An answer of our own API as a table, and as JSON, CSV and Arrow.

mod arrow;
mod csv;
mod json;

use model::{MetricType, NAME_LABEL};

use crate::answer::Page;
use crate::ask::Format;
use crate::error::Error;
use crate::labels::{Labels, TENANT_LABEL};

/// What the rows are.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Samples,
    Series,
    /// Columns by name; from, to and step.
    Aggregates {
        columns: Vec<&'static str>,
        from_ms: i64,
        to_ms: i64,
        step_ms: Option<i64>,
    },
}

/// A row: a series by its number, a time, and values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) series: usize,
    pub(crate) at_ms: i64,
    pub(crate) values: Vec<Option<f64>>,
}

/// Rows of series, those of one series together where they are aggregates.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) kind: Kind,
    pub(crate) series: Vec<(Labels, MetricType)>,
    pub(crate) rows: Vec<Row>,
    pub(crate) warnings: Vec<String>,
}

impl Table {
    /// Writes it.
    pub(crate) fn write(&self, format: Format, page: &mut Page<'_>) -> Result<(), Error> {
        match format {
            Format::Json => json::write(self, page),
            Format::Csv => csv::write(self, page),
            Format::Arrow => arrow::write(self, page),
        }
    }

    fn series_of(&self, row: &Row) -> (&Labels, MetricType) {
        static NONE: Labels = Labels::NONE;
        let series = self.series.get(row.series);
        series.map_or((&NONE, MetricType::Unspecified), |(labels, kind)| {
            (labels, *kind)
        })
    }

    /// The columns of values.
    fn columns(&self) -> &[&'static str] {
        match &self.kind {
            Kind::Samples => &["value"],
            Kind::Series => &["last_value"],
            Kind::Aggregates { columns, .. } => columns,
        }
    }

    /// What the column of times is called.
    fn time_column(&self) -> &'static str {
        match self.kind {
            Kind::Series => "last_timestamp",
            Kind::Samples | Kind::Aggregates { .. } => "timestamp",
        }
    }
}

/// The metric's name.
fn metric(labels: &Labels) -> &str {
    labels.get(NAME_LABEL)
}

/// Whose it is, if that was not the question.
fn tenant(labels: &Labels) -> Option<&str> {
    Some(labels.get(TENANT_LABEL)).filter(|tenant| !tenant.is_empty())
}

#[cfg(test)]
mod tests;
