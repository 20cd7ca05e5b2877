//! JSON bodies as plain structs that borrow, in which nothing can be wrong.

use std::borrow::Cow;

use serde::Deserialize;

/// A body.
#[derive(Deserialize)]
pub(super) struct PlainBody<'a> {
    #[serde(borrow)]
    pub(super) metrics: Vec<PlainSample<'a>>,
}

/// A sample.
#[derive(Deserialize)]
pub(super) struct PlainSample<'a> {
    #[serde(borrow)]
    pub(super) metric_name: Cow<'a, str>,
    pub(super) timestamp: i64,
    pub(super) value: f64,
    #[serde(borrow)]
    pub(super) labels: PlainLabels<'a>,
}

/// Names and values, in the order of the body.
pub(super) struct PlainLabels<'a>(pub(super) Vec<(&'a str, &'a str)>);

impl<'de: 'a, 'a> Deserialize<'de> for PlainLabels<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = PlainLabels<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("labels")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Self::Value, A::Error> {
                let mut labels = Vec::with_capacity(4);
                while let Some(label) = map.next_entry()? {
                    labels.push(label);
                }
                Ok(PlainLabels(labels))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}
