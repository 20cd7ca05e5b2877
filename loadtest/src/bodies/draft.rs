//! A body that is encoded once and then only changes in fixed places.
//!
//! A body that never changes flatters compression and caches threefold, and one that is encoded
//! anew for each request costs the generator more than the gateway. So whatever changes has a fixed
//! width: times, values, the numbers in metric names and host names.

use super::number::{self, write_digits};

/// Digits of the number in a metric name.
const NAME_DIGITS: usize = 6;
/// Digits of the number in a host's name.
const HOST_DIGITS: usize = 8;

/// How times are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeAs {
    /// 13 digits.
    Millis,
    /// 19 digits.
    Nanos,
    /// 10 digits.
    Seconds,
    /// Eight bytes of protobuf.
    FixedNanos,
    /// Six bytes of protobuf, until the year 2109.
    VarintMillis,
}

/// How values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueAs {
    /// 14 digits.
    Digits,
    /// Eight bytes of protobuf.
    Double,
}

/// A time as it is written into every place.
struct Time {
    bytes: [u8; 19],
    len: usize,
}

impl TimeAs {
    const fn width(self) -> usize {
        match self {
            Self::Millis => 13,
            Self::Nanos => 19,
            Self::Seconds => 10,
            Self::FixedNanos => 8,
            Self::VarintMillis => 6,
        }
    }

    fn render(self, at_ms: u64) -> Time {
        let (mut bytes, len) = ([0; 19], self.width());
        let room = bytes.get_mut(..len).unwrap_or_default();
        match self {
            Self::Millis => write_digits(room, at_ms),
            Self::Nanos => write_digits(room, at_ms * 1_000_000),
            Self::Seconds => write_digits(room, at_ms / 1000),
            Self::FixedNanos => room.copy_from_slice(&(at_ms * 1_000_000).to_le_bytes()),
            Self::VarintMillis => {
                let mut rest = at_ms;
                for byte in room.iter_mut() {
                    *byte = (rest & 0x7f) as u8 | 0x80;
                    rest >>= 7;
                }
                if let Some(last) = room.last_mut() {
                    *last &= 0x7f;
                }
            }
        }
        Time { bytes, len }
    }
}

/// A body and its places.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) bytes: Vec<u8>,
    times: Vec<usize>,
    values: Vec<usize>,
    /// Places with the slot whose number is there.
    names: Vec<(usize, u32)>,
    hosts: Vec<(usize, u32)>,
    time: Option<TimeAs>,
    value: Option<ValueAs>,
}

impl Draft {
    pub(super) fn text(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// `service_metric_000000_percent`.
    pub(super) fn name(&mut self, slot: u32) {
        self.text("service_metric_");
        self.names.push((self.bytes.len(), slot));
        self.room(NAME_DIGITS);
        self.text("_percent");
    }

    /// `web-srv-00000000`.
    pub(super) fn host(&mut self, slot: u32) {
        self.text("web-srv-");
        self.hosts.push((self.bytes.len(), slot));
        self.room(HOST_DIGITS);
    }

    /// A time; all of a body are written alike.
    pub(super) fn time(&mut self, time: TimeAs) {
        self.times.push(self.bytes.len());
        self.time = Some(time);
        self.room(time.width());
    }

    /// A value; all of a body are written alike, and in the order of their samples.
    pub(super) fn value(&mut self, value: ValueAs) {
        self.values.push(self.bytes.len());
        self.value = Some(value);
        self.room(match value {
            ValueAs::Digits => number::DIGITS,
            ValueAs::Double => 8,
        });
    }

    fn room(&mut self, len: usize) {
        self.bytes.resize(self.bytes.len() + len, b'1');
    }

    /// A field of protobuf that holds what `write` writes.
    pub(super) fn message(&mut self, field: u8, write: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        write(&mut inner);
        self.bytes.push(field << 3 | 2);
        self.varint(inner.bytes.len() as u64);
        let start = self.bytes.len();
        self.bytes.append(&mut inner.bytes);
        let shift = |(at, slot): &(usize, u32)| (at + start, *slot);
        self.times.extend(inner.times.iter().map(|at| at + start));
        self.values.extend(inner.values.iter().map(|at| at + start));
        self.names.extend(inner.names.iter().map(shift));
        self.hosts.extend(inner.hosts.iter().map(shift));
        self.time = inner.time.or(self.time);
        self.value = inner.value.or(self.value);
    }

    /// A field of protobuf that holds text.
    pub(super) fn field(&mut self, field: u8, text: &str) {
        self.message(field, |inner| inner.text(text));
    }

    pub(super) fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push((number & 0x7f) as u8);
    }

    /// Writes the numbers of the names' slots.
    pub(super) fn set_names(&mut self, numbers: &[u64]) {
        set(&mut self.bytes, &self.names, numbers, NAME_DIGITS);
    }

    /// Writes the numbers of the hosts' slots.
    pub(super) fn set_hosts(&mut self, numbers: &[u64]) {
        set(&mut self.bytes, &self.hosts, numbers, HOST_DIGITS);
    }

    /// Writes the time, and values from this place of the sequence on.
    pub(super) fn set_samples(&mut self, at_ms: u64, first: u64) {
        if let Some(time) = self.time {
            let time = time.render(at_ms);
            let text = time.bytes.get(..time.len).unwrap_or_default();
            for &at in &self.times {
                if let Some(room) = self.bytes.get_mut(at..at + time.len) {
                    room.copy_from_slice(text);
                }
            }
        }
        let width = match self.value {
            Some(ValueAs::Double) => 8,
            Some(ValueAs::Digits) | None => number::DIGITS,
        };
        for (&at, place) in self.values.iter().zip(first..) {
            let Some(room) = self.bytes.get_mut(at..at + width) else {
                continue;
            };
            let value = number::value(place);
            if width == 8 {
                room.copy_from_slice(&(value as f64).to_le_bytes());
            } else {
                write_digits(room, value);
            }
        }
    }
}

fn set(bytes: &mut [u8], places: &[(usize, u32)], numbers: &[u64], width: usize) {
    let mut text = [0; HOST_DIGITS];
    let text = text.get_mut(..width).unwrap_or_default();
    let mut written = None;
    for &(at, slot) in places {
        let number = numbers.get(slot as usize).copied().unwrap_or(0);
        // Neighbours often share their number.
        if written != Some(number) {
            write_digits(text, number);
            written = Some(number);
        }
        if let Some(room) = bytes.get_mut(at..at + width) {
            room.copy_from_slice(text);
        }
    }
}
