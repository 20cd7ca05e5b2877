//! The table's log: lines of JSON that say which files are in it, as Delta Lake's protocol has them.
//!
//! Of the protocol we need its oldest version alone: a file is added, a file is removed. Tables that somebody
//! has given newer features are not touched, because what we do not know of we would break.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// What every reader has known since the format's first days.
const READER_VERSION: u32 = 1;
const WRITER_VERSION: u32 = 2;

/// A line of the log. One field is set; those that we do not know are of no consequence to us.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Line {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) commit_info: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) protocol: Option<Protocol>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) meta_data: Option<Metadata>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) add: Option<Add>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remove: Option<Remove>,
}

/// What a reader and a writer must know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Protocol {
    pub(super) min_reader_version: u32,
    pub(super) min_writer_version: u32,
}

/// The table's columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    pub(super) id: String,
    pub(super) format: Value,
    pub(super) schema_string: String,
    pub(super) partition_columns: Vec<String>,
    pub(super) configuration: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) created_time: Option<i64>,
}

/// A file that is in the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Add {
    pub(super) path: String,
    pub(super) partition_values: BTreeMap<String, Option<String>>,
    pub(super) size: u64,
    pub(super) modification_time: i64,
    pub(super) data_change: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stats: Option<String>,
}

/// A file that no longer is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Remove {
    pub(super) path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) deletion_timestamp: Option<i64>,
    pub(super) data_change: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) extended_file_metadata: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) partition_values: Option<BTreeMap<String, Option<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) size: Option<u64>,
}

impl Add {
    /// A file of `rows` rows of a day, `date=YYYY-MM-DD/…`.
    pub(super) fn new(path: &str, bytes: u64, rows: u64, now_ms: i64) -> Self {
        let day = path.split('/').next().unwrap_or_default();
        let date = day.strip_prefix("date=").unwrap_or(day);
        Self {
            path: path.to_owned(),
            partition_values: BTreeMap::from([("date".to_owned(), Some(date.to_owned()))]),
            size: bytes,
            modification_time: now_ms,
            data_change: true,
            stats: Some(json!({"numRecords": rows}).to_string()),
        }
    }

    /// The folder of its day.
    pub(super) fn day(&self) -> &str {
        self.path.split('/').next().unwrap_or_default()
    }

    /// Takes it out of the table.
    pub(super) fn removed(&self, now_ms: i64, data_change: bool) -> Remove {
        Remove {
            path: self.path.clone(),
            deletion_timestamp: Some(now_ms),
            data_change,
            extended_file_metadata: Some(true),
            partition_values: Some(self.partition_values.clone()),
            size: Some(self.size),
        }
    }
}

/// The archive's columns as Delta's types. All may be null, for readers that take that for a promise.
pub(super) fn schema() -> Value {
    let field = |name: &str, kind: Value| json!({"name": name, "type": kind, "nullable": true, "metadata": {}});
    let labels = json!({"type": "map", "keyType": "string", "valueType": "string", "valueContainsNull": true});
    json!({"type": "struct", "fields": [
        field("metric", json!("string")),
        field("labels", labels),
        field("time", json!("timestamp")),
        field("value", json!("double")),
        field("histogram", json!("binary")),
        field("tenant", json!("string")),
        field("date", json!("date")),
    ]})
}

/// The lines of an empty table.
pub(super) fn beginning(id: String, now_ms: i64) -> Vec<Line> {
    let protocol = Protocol {
        min_reader_version: READER_VERSION,
        min_writer_version: WRITER_VERSION,
    };
    let metadata = Metadata {
        id,
        format: json!({"provider": "parquet", "options": {}}),
        schema_string: schema().to_string(),
        partition_columns: vec!["date".to_owned()],
        // The log says which files were ever in the table, and that is asked before one is added.
        configuration: BTreeMap::from([(
            "delta.enableExpiredLogCleanup".to_owned(),
            "false".to_owned(),
        )]),
        created_time: Some(now_ms),
    };
    vec![
        Line {
            protocol: Some(protocol),
            ..Line::default()
        },
        Line {
            meta_data: Some(metadata),
            ..Line::default()
        },
    ]
}

/// What a commit is for, for people who ask for a table's history.
pub(super) fn commit_info(operation: &str, now_ms: i64) -> Line {
    let version = concat!("sluice/", env!("CARGO_PKG_VERSION"));
    Line {
        commit_info: Some(json!({
            "timestamp": now_ms, "operation": operation, "operationParameters": Map::new(), "engineInfo": version,
        })),
        ..Line::default()
    }
}

/// The lines as the log has them.
pub(super) fn text(lines: &[Line]) -> serde_json::Result<String> {
    let mut text = String::new();
    for line in lines {
        text.push_str(&serde_json::to_string(line)?);
        text.push('\n');
    }
    Ok(text)
}

/// What the log says in the end.
#[derive(Debug, Clone, Default)]
pub(super) struct Files {
    /// In the table.
    pub(super) live: BTreeMap<String, Add>,
    /// Were in the table; and since when they are not, in milliseconds.
    pub(super) gone: HashMap<String, i64>,
    pub(super) metadata: Option<Metadata>,
}

impl Files {
    /// Takes a commit in. The text is somebody else's: nothing of it counts when it cannot be understood.
    pub(super) fn apply(&mut self, text: &str) -> Result<(), String> {
        let mut lines = Vec::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let line: Line = serde_json::from_str(line).map_err(|error| error.to_string())?;
            line.check()?;
            lines.push(line);
        }
        for line in lines {
            if let Some(metadata) = line.meta_data {
                self.metadata = Some(metadata);
            }
            if let Some(remove) = line.remove {
                self.live.remove(&remove.path);
                self.gone
                    .insert(remove.path, remove.deletion_timestamp.unwrap_or(i64::MAX));
            }
            if let Some(add) = line.add {
                self.gone.remove(&add.path);
                self.live.insert(add.path.clone(), add);
            }
        }
        Ok(())
    }

    /// Whether the file is or was in the table.
    pub(super) fn knows(&self, path: &str) -> bool {
        self.live.contains_key(path) || self.gone.contains_key(path)
    }
}

impl Line {
    fn check(&self) -> Result<(), String> {
        if let Some(protocol) = &self.protocol
            && (protocol.min_reader_version > READER_VERSION
                || protocol.min_writer_version > WRITER_VERSION)
        {
            return Err(format!(
                "the table has features of reader version {} and writer version {}, this program knows {READER_VERSION} and {WRITER_VERSION}",
                protocol.min_reader_version, protocol.min_writer_version
            ));
        }
        if let Some(metadata) = &self.meta_data {
            let columns = serde_json::from_str::<Value>(&metadata.schema_string);
            if metadata.partition_columns != ["date"]
                || columns.ok().as_ref().is_none_or(|found| *found != schema())
            {
                return Err(
                    "there is a table of other columns; give the archive a folder of its own"
                        .to_owned(),
                );
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
