//! The table: what it is created as, and whether an existing one takes our rows. Pure.

use super::config::{Config, LabelColumn};

/// The columns of a row, in its order.
pub(super) const COLUMNS: [&str; 6] = ["metric", "labels", "time", "value", "histogram", "tenant"];

/// A name between backquotes.
fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`"))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn name(config: &Config) -> String {
    format!("{}.{}", quoted(&config.database), quoted(&config.table))
}

pub(super) fn insert(config: &Config) -> String {
    let columns = COLUMNS.map(quoted).join(", ");
    format!("INSERT INTO {} ({columns}) FORMAT RowBinary", name(config))
}

pub(super) fn create(config: &Config) -> String {
    let labels = match config.labels {
        LabelColumn::Map => "Map(LowCardinality(String), String)",
        LabelColumn::Json => "String",
    };
    let retention = config.retention.0.as_secs();
    let ttl = match retention {
        0 => String::new(),
        seconds => format!(" TTL toDateTime(time) + INTERVAL {seconds} SECOND"),
    };
    format!(
        "CREATE TABLE IF NOT EXISTS {} (\
         metric LowCardinality(String), \
         labels {labels} CODEC(ZSTD(1)), \
         time DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)), \
         value Float64 CODEC(Gorilla, ZSTD(1)), \
         histogram Nullable(String) CODEC(ZSTD(1)), \
         tenant LowCardinality(Nullable(String)), \
         series UInt64 MATERIALIZED sipHash64(ifNull(tenant, ''), metric, labels) CODEC(ZSTD(1))) \
         ENGINE = {} PARTITION BY toDate(time) ORDER BY (metric, series, time){ttl}",
        name(config),
        config.engine,
    )
}

/// Asks for the names and types of the columns, a line each.
pub(super) fn columns(config: &Config) -> String {
    format!(
        "SELECT name, type FROM system.columns WHERE database = {} AND table = {} FORMAT TabSeparatedRaw",
        literal(&config.database),
        literal(&config.table)
    )
}

/// Whether columns of these names and types take our rows.
pub(super) fn check(config: &Config, found: &str) -> Result<(), String> {
    let name = format!("{}.{}", config.database, config.table);
    let columns: Vec<(&str, &str)> = found
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .collect();
    if columns.is_empty() {
        return Err(format!(
            "there is no table {name}, or we may not see it; create it or set the store's create_table"
        ));
    }
    for column in COLUMNS {
        let Some((_, kind)) = columns.iter().find(|(name, _)| *name == column) else {
            return Err(format!("the table {name} has no column {column}"));
        };
        let (expected, fits) = fits(config, column, kind);
        if !fits {
            return Err(format!(
                "the column {column} of the table {name} is {kind}, and should be {expected}"
            ));
        }
    }
    Ok(())
}

fn fits(config: &Config, column: &str, kind: &str) -> (&'static str, bool) {
    // A low cardinality is how a column is kept, not how it is sent.
    let plain = kind.replace("LowCardinality(String)", "String");
    let nullable = plain.contains("Nullable(String)");
    match column {
        "metric" => ("String", plain == "String"),
        "labels" if config.labels == LabelColumn::Json => ("String", plain == "String"),
        "labels" => ("Map(String, String)", plain == "Map(String, String)"),
        "time" => (
            "DateTime64(3)",
            plain.starts_with("DateTime64(3") || plain == "Int64",
        ),
        "value" => ("Float64", plain == "Float64"),
        _ => ("Nullable(String)", nullable),
    }
}
