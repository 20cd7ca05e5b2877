//! From a stream's bytes to whole lines.
//!
//! DogStatsD's clients put a length of four bytes (little endian) before each packet on a Unix stream; all others end
//! each line. A line begins with text, a length of less than 64 KiB has zeros at its end, so the first bytes tell.

use super::intake::Intake;

/// What a line, or a packet with its length before it, may have.
const MOST_BYTES: usize = 64 << 10;

const LENGTH_BYTES: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    Lines,
    Lengths,
}

/// Takes the whole packets that bytes make.
pub(super) trait Packets {
    fn packet(&mut self, packet: &[u8]);
    fn reject(&mut self, reason: &'static str, bytes: &[u8]);
}

impl Packets for Intake {
    fn packet(&mut self, packet: &[u8]) {
        self.packet(packet);
    }

    fn reject(&mut self, reason: &'static str, bytes: &[u8]) {
        self.reject(reason, bytes);
    }
}

/// The bytes that are no whole line yet.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    pending: Vec<u8>,
    framing: Option<Framing>,
}

impl Pieces {
    /// Hands on what is whole. Answers no when the stream makes no sense any more.
    pub(super) fn feed(&mut self, bytes: &[u8], to: &mut impl Packets) -> bool {
        self.pending.extend_from_slice(bytes);
        if self.framing.is_none()
            && let Some((first, _)) = self.pending.split_first_chunk::<LENGTH_BYTES>()
        {
            let is_length = matches!(first, [_, _, _, 0]);
            self.framing = Some(if is_length {
                Framing::Lengths
            } else {
                Framing::Lines
            });
        }
        let taken = match self.framing {
            None => return true,
            Some(Framing::Lines) => {
                let end = self.pending.iter().rposition(|byte| *byte == b'\n');
                let whole = end.map_or(0, |end| end + 1);
                if let Some(lines) = self.pending.get(..whole).filter(|it| !it.is_empty()) {
                    to.packet(lines);
                }
                Some(whole)
            }
            Some(Framing::Lengths) => self.frames(to),
        };
        let Some(taken) = taken else {
            to.reject("frame_too_long", &std::mem::take(&mut self.pending));
            return false;
        };
        self.pending.drain(..taken.min(self.pending.len()));
        if self.pending.len() > MOST_BYTES + LENGTH_BYTES {
            to.reject("line_too_long", &std::mem::take(&mut self.pending));
            return false;
        }
        true
    }

    /// How many bytes the whole packets had; none when one is longer than it may be.
    fn frames(&self, to: &mut impl Packets) -> Option<usize> {
        let (mut rest, mut taken) = (self.pending.as_slice(), 0);
        while let Some((length, body)) = rest.split_first_chunk::<LENGTH_BYTES>() {
            let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
            if length > MOST_BYTES {
                return None;
            }
            let Some((packet, others)) = body.split_at_checked(length) else {
                break;
            };
            to.packet(packet);
            rest = others;
            taken += LENGTH_BYTES + length;
        }
        Some(taken)
    }

    /// The stream is not read any further: what has no end is not taken for whole.
    pub(super) fn break_off(&mut self, to: &mut impl Packets) {
        let pending = std::mem::take(&mut self.pending);
        if !pending.is_empty() {
            let reason = match self.framing {
                None | Some(Framing::Lines) => "line_broken_off",
                Some(Framing::Lengths) => "frame_broken_off",
            };
            to.reject(reason, &pending);
        }
    }

    /// The stream has ended in good order: its last line may lack its end.
    pub(super) fn end(&mut self, to: &mut impl Packets) {
        if self.framing == Some(Framing::Lengths) {
            return self.break_off(to);
        }
        let pending = std::mem::take(&mut self.pending);
        if !pending.is_empty() {
            to.packet(&pending);
        }
    }
}

/// The packets of a stream that came in these pieces, and why the rest was thrown away: for the fuzz targets alone.
pub fn packets_of<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<u8>, Vec<&'static str>) {
    let mut found = Found::default();
    let mut stream = Pieces::default();
    for piece in pieces {
        if !stream.feed(piece, &mut found) {
            return (found.bytes, found.rejected);
        }
    }
    stream.end(&mut found);
    (found.bytes, found.rejected)
}

#[derive(Debug, Default)]
struct Found {
    bytes: Vec<u8>,
    rejected: Vec<&'static str>,
}

impl Packets for Found {
    fn packet(&mut self, packet: &[u8]) {
        self.bytes.extend_from_slice(packet);
    }

    fn reject(&mut self, reason: &'static str, _bytes: &[u8]) {
        self.rejected.push(reason);
    }
}

#[cfg(test)]
mod tests;
