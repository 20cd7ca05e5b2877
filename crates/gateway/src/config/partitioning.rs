//! What an operator can set about the partitions of metric names.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use service::units::{Period, Size};

use super::{BadSetting, bad};

/// Section `partitioning`: which partition of Kafka's topic a sample goes to. All gateways must agree. Reloaded without a
/// restart. The embedded log has no partitions.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PartitioningConfig {
    /// `name`: all series of a metric name share the partition where every Kafka client puts that key. `series`: each
    /// series has a partition of its own choice, which costs a record for each partition instead of one for each name,
    /// and is not for changing while samples are in the buffer: their order around the change is not kept.
    pub by: PartitionBy,
    /// Hot metric names, and over how many partitions their series are spread: a power of two, up to 256. Each series
    /// stays in order. To change it, say when: `1 to 8 from 2030-01-31T12:00:00Z`, some minutes ahead, so that every
    /// gateway knows it by then. Samples of series that move wait in the consumer for those before them.
    pub spread: BTreeMap<String, Spread>,
    /// Which names and partitions get most.
    pub heat: HeatConfig,
}

/// What decides on the partition of a sample.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PartitionBy {
    /// The metric name.
    #[default]
    Name,
    /// The whole series.
    Series,
}

/// Over how many partitions the series of a metric name are spread, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spread {
    /// So many.
    pub over: u32,
    /// Before, and until when, in milliseconds since the Unix epoch.
    pub change: Option<(u32, i64)>,
}

/// How many partitions one name may have: as many as a record's header has room for.
const MOST: u32 = 256;

/// How hot names are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HeatConfig {
    /// Whether records are counted by metric name and partition, for `/api/v1/heat` of the admin listener. It costs some
    /// ten instructions a record.
    pub enabled: bool,
    /// Names that are counted at a time: about 100 bytes each. Where there are more, those with little make room.
    pub names: usize,
    /// For how long it is counted until it is shown, and counting begins anew.
    pub window: Period,
    /// How many names are shown as metrics of the gateway; 0 shows none.
    pub top: usize,
    /// The log says how to spread a name that has twice an even partition's share in this gateway for three windows, and
    /// at least so many bytes per second. `0B` asks for no rate.
    pub suggest_above: Size,
}

impl Default for HeatConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            names: 1000,
            window: Period::secs(30),
            top: 10,
            suggest_above: Size(256 << 10),
        }
    }
}

impl PartitioningConfig {
    /// Checks the bounds.
    ///
    /// # Errors
    /// The first key that is out of bounds, and why.
    pub fn check(&self) -> Result<(), BadSetting> {
        let heat = &self.heat;
        if !(16..=100_000).contains(&heat.names) {
            let why = format!("is {}; from 16 to 100000", heat.names);
            return bad("heat.names", &why);
        }
        if heat.window < Period::secs(1) || heat.window > Period::secs(3600) {
            let why = format!("is {}; from 1s to 1h", heat.window);
            return bad("heat.window", &why);
        }
        if heat.top > 50 {
            return bad("heat.top", &format!("is {}; at most 50", heat.top));
        }
        Ok(())
    }
}

impl FromStr for Spread {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        match words[..] {
            [over] => Ok(Self {
                over: partitions(over)?,
                change: None,
            }),
            [was, "to", over, "from", time] => Ok(Self {
                over: partitions(over)?,
                change: Some((partitions(was)?, unix_ms(time)?)),
            }),
            _ => Err(format!(
                "{text:?} is neither a number such as 8 nor a change such as 1 to 8 from 2030-01-31T12:00:00Z"
            )),
        }
    }
}

/// A power of two, so that a change moves a series between few partitions.
fn partitions(text: &str) -> Result<u32, String> {
    let number: Option<u32> = text.parse().ok();
    let number = number.filter(|number| number.is_power_of_two() && *number <= MOST);
    number.ok_or_else(|| format!("{text:?} is not a power of two from 1 to {MOST}"))
}

fn unix_ms(text: &str) -> Result<i64, String> {
    let time = humantime::parse_rfc3339(text).ok();
    let since = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .ok_or_else(|| format!("{text:?} is not a time such as 2030-01-31T12:00:00Z"))
}

/// As the setting has it.
pub(crate) fn shown_time(at_ms: i64) -> String {
    let since = Duration::from_millis(u64::try_from(at_ms).unwrap_or_default());
    let time: SystemTime = UNIX_EPOCH + since;
    humantime::format_rfc3339_seconds(time).to_string()
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.change {
            None => write!(f, "{}", self.over),
            Some((was, from_ms)) => {
                write!(f, "{was} to {} from {}", self.over, shown_time(from_ms))
            }
        }
    }
}

struct Written;

impl Visitor<'_> for Written {
    type Value = Spread;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of partitions such as 8, or 1 to 8 from 2030-01-31T12:00:00Z")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Spread, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Spread, E> {
        number.to_string().parse().map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Spread, E> {
        number.to_string().parse().map_err(E::custom)
    }
}

impl<'de> Deserialize<'de> for Spread {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

impl Serialize for Spread {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.change {
            None => serializer.serialize_u32(self.over),
            Some(_) => serializer.collect_str(self),
        }
    }
}

impl JsonSchema for Spread {
    fn schema_name() -> Cow<'static, str> {
        "Spread".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "spread" })
    }
}

#[cfg(test)]
mod tests;
