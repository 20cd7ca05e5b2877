//! YAML with the line of every key and the text of every scalar as it was written.
//!
//! `version: 1.0` is a number to YAML and `1.0` to the person who wrote it; which one a setting wants is known later.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_saphyr::Spanned;

/// A piece of a file.
#[derive(Debug)]
pub(super) struct Node {
    /// Where it is; its key's line in a mapping.
    pub(super) line: u64,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    /// As YAML understands it, and as it is written.
    Scalar(Value, Value),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    /// # Errors
    /// The line and what is wrong there.
    pub(super) fn parse(text: &str) -> Result<Self, (Option<u64>, String)> {
        let options = serde_saphyr::options! {
            strict_booleans: true,
            with_snippet: false,
        };
        let raw: Spanned<Raw> =
            serde_saphyr::from_str_with_options(text, options).map_err(|error| {
                let line = error.location().map(|location| location.line());
                (line, what_is_wrong(&error))
            })?;
        Ok(raw.node(text, None))
    }

    /// What is at a path of keys.
    pub(super) fn at(&self, path: &[String]) -> Option<&Kind> {
        let Some((key, rest)) = path.split_first() else {
            return Some(&self.kind);
        };
        match &self.kind {
            Kind::Map(entries) => {
                let (_, node) = entries.iter().find(|(known, _)| known == key)?;
                node.at(rest)
            }
            Kind::Scalar(..) | Kind::List(_) => None,
        }
    }

    /// The value, with texts as they are written instead of numbers when `as_written`.
    pub(super) fn value(&self, as_written: bool) -> Value {
        match &self.kind {
            Kind::Scalar(_, written) if as_written => written.clone(),
            Kind::Scalar(typed, _) => typed.clone(),
            Kind::List(nodes) => nodes.iter().map(|node| node.value(as_written)).collect(),
            Kind::Map(entries) => entries
                .iter()
                .map(|(key, node)| (key.clone(), node.value(as_written)))
                .collect(),
        }
    }
}

/// The library's message in one line, without its "at line …" and without advice for programmers.
fn what_is_wrong(error: &serde_saphyr::Error) -> String {
    let message = error.to_string();
    let said = [" at line ", ", set DuplicateKeyPolicy", "; use from_"]
        .into_iter()
        .fold(message.as_str(), |said, rest| {
            said.split(rest).next().unwrap_or(said)
        });
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

enum Raw {
    Scalar(Value),
    List(Vec<Spanned<Self>>),
    Map(Vec<(Spanned<String>, Spanned<Self>)>),
}

trait IntoNode {
    fn node(self, text: &str, key_line: Option<u64>) -> Node;
}

impl IntoNode for Spanned<Raw> {
    fn node(self, text: &str, key_line: Option<u64>) -> Node {
        let line = key_line.unwrap_or_else(|| self.referenced.line());
        let kind = match self.value {
            Raw::Scalar(typed) => {
                let span = self.defined.span();
                let start = span.byte_offset().and_then(|at| usize::try_from(at).ok());
                let len = span.byte_len().and_then(|len| usize::try_from(len).ok());
                let written = start
                    .zip(len)
                    .and_then(|(start, len)| text.get(start..start.checked_add(len)?))
                    .filter(|_| typed.is_number() || typed.is_boolean())
                    .map_or_else(|| typed.clone(), |written| written.trim().into());
                Kind::Scalar(typed, written)
            }
            Raw::List(items) => Kind::List(
                items
                    .into_iter()
                    .map(|item| item.node(text, None))
                    .collect(),
            ),
            Raw::Map(entries) => Kind::Map(
                entries
                    .into_iter()
                    .map(|(key, value)| {
                        let line = key.referenced.line();
                        (key.value, value.node(text, Some(line)))
                    })
                    .collect(),
            ),
        };
        Node { line, kind }
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Anything)
    }
}

struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a setting")
    }

    fn visit_unit<E: Error>(self) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Null))
    }

    fn visit_none<E: Error>(self) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Scalar(value.into()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Scalar(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Scalar(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Scalar(value.into()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Scalar(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}
