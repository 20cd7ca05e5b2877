//! StatsD packets whose values change, made once and patched in place.

use std::fmt::Write as _;

/// What DogStatsD's clients fill a packet up to, so that it fits into an Ethernet frame.
pub(super) const PACKET_BYTES: usize = 1432;

/// Hosts that name their metrics alike.
const NAMES: usize = 50;

/// One packet, and where its values are.
#[derive(Debug)]
pub(super) struct Packet {
    bytes: Vec<u8>,
    /// The last digit of each line's value.
    digits: Vec<usize>,
}

/// Packets over all series, in turn.
#[derive(Debug)]
pub(super) struct Packets {
    packets: Vec<Packet>,
    next: usize,
    /// Values sent so far.
    values: u64,
}

impl Packets {
    /// With so many lines in each, or as many as fit.
    pub(super) fn new(series: usize, lines: usize, tags: usize) -> Self {
        let mut packets: Vec<Packet> = Vec::new();
        let mut line = String::new();
        for number in 0..series {
            line.clear();
            let value_end = write_line(&mut line, number, tags);
            let is_open = packets.last().is_some_and(|packet| {
                packet.digits.len() < lines && packet.bytes.len() + line.len() < PACKET_BYTES
            });
            if !is_open {
                packets.push(Packet {
                    bytes: Vec::new(),
                    digits: Vec::new(),
                });
            }
            if let Some(packet) = packets.last_mut() {
                if !packet.bytes.is_empty() {
                    packet.bytes.push(b'\n');
                }
                packet.digits.push(packet.bytes.len() + value_end - 1);
                packet.bytes.extend_from_slice(line.as_bytes());
            }
        }
        Self {
            packets,
            next: 0,
            values: 0,
        }
    }

    /// Lines of all packets, and packets.
    pub(super) fn lines_per_packet(&self) -> f64 {
        let lines: usize = self.packets.iter().map(|packet| packet.digits.len()).sum();
        lines as f64 / self.packets.len() as f64
    }

    /// Bytes of a packet, on average.
    pub(super) fn bytes_per_packet(&self) -> usize {
        let bytes: usize = self.packets.iter().map(|packet| packet.bytes.len()).sum();
        bytes / self.packets.len()
    }

    /// The next packets, at most so many, with values that they did not have before.
    pub(super) fn take(&mut self, most: usize) -> impl ExactSizeIterator<Item = &[u8]> {
        if self.next >= self.packets.len() {
            self.next = 0;
        }
        let from = self.next;
        let to = self.packets.len().min(from + most);
        self.next = to;
        let packets = self.packets.get_mut(from..to).unwrap_or_default();
        for packet in &mut *packets {
            for last in &packet.digits {
                self.values += 1;
                let mut value = self.values;
                for place in (0..4).filter_map(|back| last.checked_sub(back)) {
                    if let Some(digit) = packet.bytes.get_mut(place) {
                        *digit = b'0' + u8::try_from(value % 10).unwrap_or_default();
                        value /= 10;
                    }
                }
            }
        }
        packets.iter().map(|packet| packet.bytes.as_slice())
    }
}

/// Writes a line; answers where its value of four digits ends.
fn write_line(line: &mut String, number: usize, tags: usize) -> usize {
    let (name, host) = (number % NAMES, number / NAMES);
    write!(line, "service_{name:02}.requests:1000").expect("a text grows");
    let value_end = line.len();
    // Every host has its own series, tags or not.
    write!(line, "|c|#host:web-server-{host:03}.example").expect("a text grows");
    let others = [("region", "us-east-1"), ("environment", "production")];
    for (name, value) in others.iter().take(tags.saturating_sub(1)) {
        write!(line, ",{name}:{value}").expect("a text grows");
    }
    value_end
}

#[cfg(test)]
mod tests;
