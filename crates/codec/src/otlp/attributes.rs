//! Attributes as labels: any value as text, names in the alphabet of the setting, collisions joined.

use std::borrow::Cow;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::{Code, Label, Refusal};

use super::names::Names;
use crate::protobuf::{Malformed, Reader, Value};

/// Lists in lists deeper than this become `null`.
const MAX_DEPTH: u8 = 16;

/// A `KeyValue`, its value as text.
pub(super) fn attribute(message: &[u8]) -> Result<(&str, Cow<'_, str>), Malformed> {
    let (mut key, mut value) = ("", Cow::Borrowed(""));
    let mut reader = Reader(message);
    while let Some((number, field)) = reader.field()? {
        match number {
            1 => key = field.text()?,
            2 => value = any_value(field.bytes()?)?,
            _ => {}
        }
    }
    Ok((key, value))
}

/// An `AnyValue` as a label's value: text as it is, lists and maps as JSON.
fn any_value(message: &[u8]) -> Result<Cow<'_, str>, Malformed> {
    let mut text = Cow::Borrowed("");
    let mut reader = Reader(message);
    while let Some((number, field)) = reader.field()? {
        text = match number {
            1 => Cow::Borrowed(field.text()?),
            2 if field.bool()? => Cow::Borrowed("true"),
            2 => Cow::Borrowed("false"),
            3 => Cow::Owned(field.int64()?.to_string()),
            4 => Cow::Owned(float(field.double()?)),
            5 | 6 => {
                let mut output = String::new();
                list(number, field, &mut output, 0)?;
                Cow::Owned(output)
            }
            7 => Cow::Owned(STANDARD.encode(field.bytes()?)),
            _ => text,
        };
    }
    Ok(text)
}

/// The shortest text that reads as the same number; large and small ones with an exponent.
fn float(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let size = number.abs();
    if size < 1e-6 && size > 0.0 {
        format!("{number:e}")
    } else if size >= 1e21 {
        format!("{number:e}").replace('e', "e+")
    } else {
        format!("{number}")
    }
}

fn list(number: u32, field: Value<'_>, output: &mut String, depth: u8) -> Result<(), Malformed> {
    if depth >= MAX_DEPTH {
        output.push_str("null");
        return Ok(());
    }
    let mut reader = Reader(field.bytes()?);
    let mut is_first = true;
    output.push(if number == 5 { '[' } else { '{' });
    if number == 6 {
        let mut entries: Vec<(&str, &[u8])> = Vec::new();
        while let Some((number, field)) = reader.field()? {
            if number == 1 {
                entries.push(entry(field.bytes()?)?);
            }
        }
        entries.sort_by_key(|(key, _)| *key);
        for (key, value) in entries {
            comma(&mut is_first, output);
            quoted(key, output);
            output.push(':');
            json(value, output, depth)?;
        }
    } else {
        while let Some((number, field)) = reader.field()? {
            if number == 1 {
                comma(&mut is_first, output);
                json(field.bytes()?, output, depth)?;
            }
        }
    }
    output.push(if number == 5 { ']' } else { '}' });
    Ok(())
}

fn entry(message: &[u8]) -> Result<(&str, &[u8]), Malformed> {
    let (mut key, mut value): (&str, &[u8]) = ("", &[]);
    let mut reader = Reader(message);
    while let Some((number, field)) = reader.field()? {
        match number {
            1 => key = field.text()?,
            2 => value = field.bytes()?,
            _ => {}
        }
    }
    Ok((key, value))
}

fn json(message: &[u8], output: &mut String, depth: u8) -> Result<(), Malformed> {
    let mut reader = Reader(message);
    let mut last = None;
    while let Some((number, field)) = reader.field()? {
        if (1..=7).contains(&number) {
            last = Some((number, field));
        }
    }
    match last {
        None => output.push_str("null"),
        Some((1, field)) => quoted(field.text()?, output),
        Some((2, field)) => output.push_str(if field.bool()? { "true" } else { "false" }),
        Some((3, field)) => write!(output, "{}", field.int64()?).unwrap_or_default(),
        Some((4, field)) => {
            let number = field.double()?;
            if number.is_finite() {
                output.push_str(&float(number));
            } else {
                quoted(&float(number), output);
            }
        }
        Some((number @ (5 | 6), field)) => list(number, field, output, depth + 1)?,
        Some((_, field)) => quoted(&STANDARD.encode(field.bytes()?), output),
    }
    Ok(())
}

fn comma(is_first: &mut bool, output: &mut String) {
    if !std::mem::take(is_first) {
        output.push(',');
    }
}

fn quoted(text: &str, output: &mut String) {
    match serde_json::to_string(text) {
        Ok(text) => output.push_str(&text),
        Err(_) => output.push_str("\"\""),
    }
}

/// The labels of one data point or resource, in the making.
#[derive(Debug, Default)]
pub(super) struct Labels<'a> {
    raw: Vec<(&'a str, Cow<'a, str>)>,
    pub(super) finished: Vec<Label<'a>>,
}

impl<'a> Labels<'a> {
    pub(super) fn clear(&mut self) {
        self.raw.clear();
        self.finished.clear();
    }

    /// Adds a `KeyValue`.
    pub(super) fn add(&mut self, message: &'a [u8]) -> Result<(), Malformed> {
        let (key, value) = attribute(message)?;
        // The metric's name has a place of its own.
        if key != model::NAME_LABEL {
            self.raw.push((key, value));
        }
        Ok(())
    }

    /// Drops attributes by their original names.
    pub(super) fn drop_keys(&mut self, keys: &[&str]) {
        self.raw.retain(|(key, _)| !keys.contains(key));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    /// How many attributes there are.
    pub(super) fn len(&self) -> usize {
        self.raw.len()
    }

    /// Names the labels. Attributes whose names become one are joined by `;`, in the order of their names.
    ///
    /// `default` are added where there is no such label yet, `fixed` replace one.
    pub(super) fn finish(
        &mut self,
        names: Names,
        default: &[Label<'a>],
        fixed: &[Label<'a>],
    ) -> Result<(), Refusal> {
        for (key, value) in self.raw.drain(..) {
            let Some(name) = names.label(key) else {
                let shown: String = key.chars().take(40).collect();
                let message =
                    format!("attribute {shown:?} has no character that a label's name may have");
                return Err(Refusal::new(Code::LabelNameInvalid, message));
            };
            self.finished.push(Label { name, value });
        }
        if self.has_collision() {
            self.join_collisions();
        }
        for label in default {
            if !self.finished.iter().any(|have| have.name == label.name) {
                self.finished.push(label.clone());
            }
        }
        for label in fixed {
            match self
                .finished
                .iter_mut()
                .find(|have| have.name == label.name)
            {
                Some(have) => have.value = label.value.clone(),
                None => self.finished.push(label.clone()),
            }
        }
        Ok(())
    }

    fn has_collision(&self) -> bool {
        let labels = &self.finished;
        if labels.len() > 32 {
            // Sorting finds them; so many labels are refused anyway.
            return true;
        }
        let pairs = labels.iter().enumerate();
        pairs.into_iter().any(|(at, label)| {
            labels
                .iter()
                .skip(at + 1)
                .any(|other| other.name == label.name)
        })
    }

    fn join_collisions(&mut self) {
        // Equal names keep the order in which the sender has them, which SDKs sort by the original name.
        self.finished.sort_by(|a, b| a.name.cmp(&b.name));
        self.finished.dedup_by(|later, kept| {
            let is_same = later.name == kept.name;
            if is_same {
                let value = kept.value.to_mut();
                value.push(';');
                value.push_str(&later.value);
            }
            is_same
        });
    }
}
