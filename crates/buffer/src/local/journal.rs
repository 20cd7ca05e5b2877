//! Looks through the engine's journals before it opens them, so that damage is said and not cut off.
//!
//! The engine takes what it cannot read in a journal for the torn tail of a crash, and cuts it off with
//! all that follows. A torn tail has no complete write behind it; a flipped bit in the middle of a
//! journal has, and those writes were confirmed. Checksums are the engine's: what has a wrong one it refuses.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use super::failure::Failure;

/// What ends a complete write.
const TRAILER: &[u8] = b"FJL\x03";
/// The engine counts writes and its own work; nobody has ever done so much between two writes.
const MOST_GAP: u64 = 1 << 40;
/// LZ4 cannot say more with a byte.
const MOST_INFLATED: u64 = 255;
/// So many zeros where an entry should begin were never written: a hole that a loss of power left.
const HOLE: usize = 64;

/// Looks through all journals of a log.
///
/// # Errors
/// When a complete write stands behind bytes that cannot be read, or a journal cannot be read at all.
pub(super) fn check(dir: &Path) -> Result<(), Failure> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "jnl")
            && let Some(damage) = damage(&File::open(&path)?)?
        {
            return Err(Failure::corrupt(format!(
                "{} has byte {} changed or missing, and confirmed writes behind it; restore the file, or go on \
                 without them: truncate -s {} {}",
                path.display(),
                damage.at,
                damage.whole,
                path.display()
            )));
        }
    }
    Ok(())
}

/// Where a journal cannot be read any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Damage {
    /// The entry that cannot be read.
    at: u64,
    /// The end of the last write before it that is complete.
    whole: u64,
}

/// Whether a journal with these bytes would be said to be damaged: for the fuzz targets alone.
pub(super) fn is_damaged(journal: &[u8]) -> bool {
    damage(io::Cursor::new(journal)).is_ok_and(|damage| damage.is_some())
}

fn damage(mut file: impl Read + Seek) -> io::Result<Option<Damage>> {
    let mut walk = Walk {
        reader: BufReader::with_capacity(64 << 10, &mut file),
        at: 0,
        stored: Vec::new(),
        value: Vec::new(),
    };
    let mut damage = Damage { at: 0, whole: 0 };
    let mut latest = None;
    loop {
        match walk.write(&mut damage.at)? {
            Write::Whole { number } if follows(latest, number) => {
                latest = Some(number);
                damage.whole = walk.at;
            }
            // All of the last write may be there, and still not be what was written.
            Write::Whole { .. } | Write::Changed => return Ok(Some(damage)),
            Write::Torn => break,
        }
    }
    file.seek(SeekFrom::Start(damage.at))?;
    let mut head = Vec::new();
    file.by_ref().take(HOLE as u64).read_to_end(&mut head)?;
    if head.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(damage.whole))?;
    Ok(has_trailer(BufReader::with_capacity(64 << 10, file))?.then_some(damage))
}

/// Numbers grow, and not by much. A journal may begin with any that is not the engine's own end.
fn follows(latest: Option<u64>, number: u64) -> bool {
    match latest {
        None => number < 1 << 62,
        Some(latest) => number.checked_sub(latest).is_some_and(|gap| gap < MOST_GAP),
    }
}

fn has_trailer(reader: impl BufRead) -> io::Result<bool> {
    let mut matched = 0;
    for byte in reader.bytes() {
        let byte = byte?;
        // No prefix of the trailer repeats within it.
        matched = match TRAILER.get(matched) {
            Some(wanted) if *wanted == byte => matched + 1,
            _ => usize::from(TRAILER.first() == Some(&byte)),
        };
        if matched == TRAILER.len() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What stands where a write should.
enum Write {
    Whole {
        number: u64,
    },
    /// Something else than was written.
    Changed,
    /// Not all of it, or something else: what follows says which.
    Torn,
}

/// Steps from entry to entry.
struct Walk<R> {
    reader: R,
    at: u64,
    /// Room for a value, compressed and not.
    stored: Vec<u8>,
    value: Vec<u8>,
}

impl<R: Read> Walk<R> {
    /// Passes one write, from its start to its trailer. `entry` is where its last entry begins.
    fn write(&mut self, entry: &mut u64) -> io::Result<Write> {
        let mut number = None;
        loop {
            *entry = self.at;
            let Some([tag]) = self.bytes()? else {
                return Ok(Write::Torn);
            };
            match (tag, number) {
                (1, None) => {
                    let _entries = self.bytes::<4>()?;
                    number = self.bytes()?.map(u64::from_le_bytes);
                }
                (2, Some(_)) if self.item()? => {}
                (3, Some(number)) => {
                    let _checksum = self.bytes::<8>()?;
                    return Ok(match self.bytes::<4>()? {
                        Some(trailer) if trailer == TRAILER => Write::Whole { number },
                        Some([.., last]) if last != 0 => Write::Changed,
                        Some(_) | None => Write::Torn,
                    });
                }
                // The keyspace that is emptied.
                (4, Some(_)) if self.bytes::<8>()?.is_some() => {}
                _ => return Ok(Write::Torn),
            }
        }
    }

    fn item(&mut self) -> io::Result<bool> {
        let Some([kind, compression]) = self.bytes()? else {
            return Ok(false);
        };
        let _keyspace = self.bytes::<8>()?;
        let key = self.bytes::<2>()?.map(u16::from_le_bytes);
        let value = self.bytes::<4>()?.map(u32::from_le_bytes);
        let stored = self.bytes::<4>()?.map(u32::from_le_bytes);
        let (Some(key), Some(stored)) = (key, stored) else {
            return Ok(false);
        };
        let is_known = matches!(kind, 0 | 1 | 2 | 4);
        Ok(is_known
            && self.skip(u64::from(key))?
            && match compression {
                0 => value == Some(stored) && self.skip(u64::from(stored))?,
                1 => self.inflates(stored, value)?,
                _ => false,
            })
    }

    /// Whether a value has the length that it says, once it is inflated.
    fn inflates(&mut self, stored: u32, value: Option<u32>) -> io::Result<bool> {
        let (stored, value) = (u64::from(stored), u64::from(value.unwrap_or(u32::MAX)));
        self.stored.clear();
        let mut reader = self.reader.by_ref().take(stored);
        let read = reader.read_to_end(&mut self.stored)? as u64;
        self.at += read;
        // Room is made for what is there, not for what a damaged length says is there.
        let is_possible =
            read == stored && value <= read.saturating_mul(MOST_INFLATED).saturating_add(64);
        let Some(value) = usize::try_from(value).ok().filter(|_| is_possible) else {
            return Ok(false);
        };
        self.value.resize(value, 0);
        let inflated = lz4_flex::block::decompress_into(&self.stored, &mut self.value);
        Ok(inflated.is_ok_and(|len| len == value))
    }

    fn bytes<const N: usize>(&mut self) -> io::Result<Option<[u8; N]>> {
        let mut bytes = [0; N];
        match self.reader.read_exact(&mut bytes) {
            Ok(()) => {
                self.at += N as u64;
                Ok(Some(bytes))
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn skip(&mut self, len: u64) -> io::Result<bool> {
        let skipped = io::copy(&mut self.reader.by_ref().take(len), &mut io::sink())?;
        self.at += skipped;
        Ok(skipped == len)
    }
}

#[cfg(test)]
mod tests;
