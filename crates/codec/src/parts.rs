//! The bytes of single objects of a body, found again by their index: for receipts of what was refused.
//!
//! Only the first mebibyte is looked through, so that whoever sends large bad bodies does not pay with our time. What
//! is not found is left out; nothing here fails.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::protobuf::{Reader, delimited};

/// How much of a body is looked through, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// An object's index, and its bytes as they were sent.
pub type Part<'a> = (u32, &'a [u8]);

fn searched(body: &[u8]) -> &[u8] {
    body.get(..MAX_BYTES).unwrap_or(body)
}

/// Lines by their number, from 0. `wanted` is sorted.
#[must_use]
pub fn lines<'a>(body: &'a [u8], wanted: &[u32]) -> Vec<Part<'a>> {
    let mut wanted = wanted.iter().copied().peekable();
    let mut found = Vec::new();
    for (number, line) in (0_u32..).zip(searched(body).split(|byte| *byte == b'\n')) {
        let Some(next) = wanted.peek() else {
            break;
        };
        if *next == number {
            found.push((number, line.strip_suffix(b"\r").unwrap_or(line)));
            wanted.next();
        }
    }
    found
}

/// Elements of the array `metrics` of an object, or of the array that the body is. `wanted` is sorted.
#[must_use]
pub fn elements<'a>(body: &'a [u8], wanted: &[u32]) -> Vec<Part<'a>> {
    let mut found = Vec::new();
    let mut reader = serde_json::Deserializer::from_slice(searched(body));
    let seed = Body(Wanted {
        wanted,
        found: &mut found,
    });
    // Whatever was found before an error is what was asked for.
    seed.deserialize(&mut reader).unwrap_or_default();
    found
}

struct Wanted<'w, 'de> {
    wanted: &'w [u32],
    found: &'w mut Vec<Part<'de>>,
}

/// The body as a whole.
struct Body<'w, 'de>(Wanted<'w, 'de>);

/// The array.
struct Array<'w, 'de>(Wanted<'w, 'de>);

impl<'de> DeserializeSeed<'de> for Body<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Body<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a batch")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Wanted { wanted, found } = self.0;
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            if key == "metrics" {
                let found = &mut *found;
                map.next_value_seed(Array(Wanted { wanted, found }))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        Array(self.0).visit_seq(seq)
    }
}

impl<'de> DeserializeSeed<'de> for Array<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Array<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array of samples")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Wanted { wanted, found } = self.0;
        let mut wanted = wanted.iter().copied().peekable();
        for number in 0_u32.. {
            let is_wanted = wanted.peek().is_some_and(|next| *next == number);
            if is_wanted {
                let Some(raw) = seq.next_element::<&RawValue>()? else {
                    break;
                };
                found.push((number, raw.get().as_bytes()));
                wanted.next();
            } else if seq.next_element::<IgnoredAny>()?.is_none() {
                break;
            }
        }
        Ok(())
    }
}

/// Series of a remote-write 1.0 request by the index of a sample of theirs, each as a request of its own. `wanted` is
/// sorted.
#[must_use]
pub fn series<'a>(body: &'a [u8], wanted: &[u32]) -> Vec<Part<'a>> {
    let mut found = Vec::new();
    let mut wanted = wanted.iter().copied().peekable();
    let mut samples = 0_u32;
    let body = searched(body);
    let mut reader = Reader(body);
    loop {
        let before = reader.0;
        let Ok(Some((field, value))) = reader.field() else {
            break;
        };
        let Ok(series) = value.bytes() else {
            continue;
        };
        if field != 1 || before.first() != Some(&delimited(1)) {
            continue;
        }
        samples = samples.saturating_add(count(series));
        let length = before.len() - reader.0.len();
        while let Some(index) = wanted.next_if(|next| *next < samples) {
            found.push((index, before.get(..length).unwrap_or_default()));
        }
        if wanted.peek().is_none() {
            break;
        }
    }
    found
}

/// How many samples and histograms a series of version 1.0 has.
fn count(series: &[u8]) -> u32 {
    let mut reader = Reader(series);
    let mut count = 0_u32;
    while let Ok(Some((field, _))) = reader.field() {
        count = count.saturating_add(u32::from(matches!(field, 2 | 4)));
    }
    count
}

#[cfg(test)]
mod tests;
