//! librdkafka's own options, as the settings hold them: any key, any value, secrets never shown.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Options by their name. Numbers and truth values may be written without quotes, and `_` for `.`,
/// so that `SLUICE_KAFKA__PROPERTIES__SASL_PASSWORD` works.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Properties(BTreeMap<String, String>);

impl Properties {
    /// All options.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Sets one.
    pub fn set(&mut self, key: &str, value: impl Into<String>) {
        self.0.insert(name(key), value.into());
    }

    fn shown(&self) -> impl Iterator<Item = (&str, &str)> {
        self.iter()
            .map(|(key, value)| (key, if is_secret(key) { "***" } else { value }))
    }
}

/// The only option of librdkafka that has an underscore and can be written in a file.
const WITH_UNDERSCORE: &str = "log_level";

fn name(key: &str) -> String {
    if key == WITH_UNDERSCORE {
        key.to_owned()
    } else {
        key.replace('_', ".")
    }
}

/// Whether an option's value is nobody's business. In doubt it is not shown.
pub(super) fn is_secret(key: &str) -> bool {
    [
        "password",
        "secret",
        "token",
        "pem",
        "jaas",
        "sasl.oauthbearer",
    ]
    .iter()
    .any(|part| key.contains(part))
}

impl<K: AsRef<str>, V: Into<String>> FromIterator<(K, V)> for Properties {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(options: I) -> Self {
        let mut properties = Self::default();
        for (key, value) in options {
            properties.set(key.as_ref(), value);
        }
        properties
    }
}

impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.shown()).finish()
    }
}

/// Writes `***` for secrets: settings can be printed.
impl Serialize for Properties {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in self.shown() {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a text, a number, true or false")]
enum Scalar {
    Text(String),
    Truth(bool),
    Integer(i64),
    Number(f64),
}

struct Options;

impl<'de> Visitor<'de> for Options {
    type Value = Properties;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of librdkafka's options")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Properties, A::Error> {
        let mut properties = Properties::default();
        while let Some((key, value)) = map.next_entry::<String, Scalar>()? {
            let value = match value {
                Scalar::Text(text) => text,
                // A number has lost its leading zeros already.
                _ if is_secret(&name(&key)) => {
                    return Err(A::Error::custom(format_args!(
                        "{key} must be a text; put it in quotes"
                    )));
                }
                Scalar::Truth(truth) => truth.to_string(),
                Scalar::Integer(integer) => integer.to_string(),
                Scalar::Number(number) => number.to_string(),
            };
            properties.set(&key, value);
        }
        Ok(properties)
    }
}

impl<'de> Deserialize<'de> for Properties {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Options)
    }
}

impl JsonSchema for Properties {
    fn schema_name() -> Cow<'static, str> {
        "KafkaProperties".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "additionalProperties": { "type": ["string", "number", "boolean"] }
        })
    }
}

#[cfg(test)]
mod tests;
