//! What an operator can set about InfluxDB's line protocol.

use codec::influx::{Booleans, Strings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BadSetting, bad};

/// What becomes of fields of text in the line protocol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum InfluxStrings {
    /// They are passed over, and counted.
    #[default]
    Skip,
    /// Their line is refused.
    Refuse,
}

/// What becomes of fields that are true or false in the line protocol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum InfluxBooleans {
    /// They are 1 or 0.
    #[default]
    Number,
    /// They are passed over, and counted.
    Skip,
}

/// Section `influx`: how InfluxDB's line protocol becomes samples.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InfluxConfig {
    /// What stands between measurement and field in a metric name. The field `value` has the measurement's name alone.
    pub separator: String,
    /// The label that says which database (`db`) or bucket a sample was written to, so that two of them with the
    /// same measurements stay apart; a tag of that name goes before it. Empty for no label.
    pub database_label: String,
    /// Fields of text: `skip` passes over and counts them, `refuse` refuses their line.
    pub strings: InfluxStrings,
    /// Fields that are true or false: `number` makes them 1 and 0, `skip` passes over and counts them.
    pub booleans: InfluxBooleans,
}

impl Default for InfluxConfig {
    fn default() -> Self {
        Self {
            separator: "_".to_owned(),
            // VictoriaMetrics' name for it.
            database_label: "db".to_owned(),
            strings: InfluxStrings::Skip,
            booleans: InfluxBooleans::Number,
        }
    }
}

impl InfluxConfig {
    /// Checks what becomes part of names.
    ///
    /// # Errors
    /// The first key that no name can have, and why.
    pub fn check(&self) -> Result<(), BadSetting> {
        for (key, text) in [
            ("separator", &self.separator),
            ("database_label", &self.database_label),
        ] {
            if text.chars().any(char::is_control) {
                return bad(key, "has a control character, which no name may have");
            }
            if text.len() > 100 {
                return bad(key, "is longer than 100 bytes");
            }
        }
        if self.database_label == model::NAME_LABEL {
            return bad("database_label", "is the label of the metric name");
        }
        Ok(())
    }

    pub(crate) fn strings(&self) -> Strings {
        match self.strings {
            InfluxStrings::Skip => Strings::Skip,
            InfluxStrings::Refuse => Strings::Refuse,
        }
    }

    pub(crate) fn booleans(&self) -> Booleans {
        match self.booleans {
            InfluxBooleans::Number => Booleans::Number,
            InfluxBooleans::Skip => Booleans::Skip,
        }
    }
}
