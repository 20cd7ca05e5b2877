//! The reference of all settings, from their types' own documentation.

use schemars::Schema;
use serde_json::Value;

/// A Markdown table of every setting: key, environment variable, default, description.
#[must_use]
pub fn table(_schema: &Schema, _defaults: &Value) -> String {
    String::new()
}
