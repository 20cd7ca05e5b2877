//! Where objects begin and end, and where their times and values are, without reading the rest.
//!
//! What is found here is not checked: that is for who reads the object. Strings are passed over as a whole, so that
//! no brace within one counts.

use std::ops::Range;

use memchr::memchr2;

/// How deep an object may go and still be scanned: labels are one level.
const MOST_DEPTH: usize = 8;

/// An object's extent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scanned {
    /// Behind its closing brace.
    pub(super) end: usize,
    /// The numbers of the fields `timestamp` and `value`, if both are numbers and there is one of each.
    pub(super) numbers: Option<(Range<usize>, Range<usize>)>,
}

/// Where the first element of `metrics` begins, if that is the first field and has an element.
pub(super) fn begin(body: &[u8]) -> Option<usize> {
    let mut at = 0;
    for token in [&b"{"[..], b"\"metrics\"", b":", b"["] {
        at = skip_space(body, at);
        if !body.get(at..)?.starts_with(token) {
            return None;
        }
        at += token.len();
    }
    Some(skip_space(body, at))
}

/// Whether nothing but the end of the body is left behind its array.
pub(super) fn is_end(body: &[u8], at: usize) -> bool {
    let at = skip_space(body, at);
    body.get(at) == Some(&b'}') && skip_space(body, at + 1) == body.len()
}

/// The comma or bracket behind an element; then the next begins.
#[inline]
pub(super) fn separator(body: &[u8], at: &mut usize) -> Option<u8> {
    *at = skip_space(body, *at);
    let separator = *body.get(*at)?;
    if !matches!(separator, b',' | b']') {
        return None;
    }
    *at = skip_space(body, *at + 1);
    Some(separator)
}

/// Scans the object that begins at `start`; `None` for what is no object or never ends.
pub(super) fn object(body: &[u8], start: usize) -> Option<Scanned> {
    let mut at = start;
    if body.get(at) != Some(&b'{') {
        return None;
    }
    at = skip_space(body, at + 1);
    let (mut time, mut value) = (Seen::default(), Seen::default());
    if body.get(at) == Some(&b'}') {
        return Some(Scanned {
            end: at + 1,
            numbers: None,
        });
    }
    loop {
        let key_end = string(body, at)?;
        let key = body.get(at + 1..key_end - 1)?;
        at = skip_space(body, key_end);
        if body.get(at) != Some(&b':') {
            return None;
        }
        at = skip_space(body, at + 1);
        let from = at;
        at = any(body, at)?;
        let is_number = matches!(body.get(from), Some(b'-' | b'0'..=b'9'));
        match key {
            b"timestamp" => time.take(from..at, is_number),
            b"value" => value.take(from..at, is_number),
            _ => {}
        }
        at = skip_space(body, at);
        match body.get(at)? {
            b',' => at = skip_space(body, at + 1),
            b'}' => break,
            _ => return None,
        }
    }
    Some(Scanned {
        end: at + 1,
        numbers: time.once().zip(value.once()),
    })
}

/// Behind white space.
#[inline]
pub(super) fn skip_space(body: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\t' | b'\r') = body.get(at) {
        at += 1;
    }
    at
}

/// A field that may have come several times.
#[derive(Default)]
struct Seen {
    count: usize,
    number: Option<Range<usize>>,
}

impl Seen {
    fn take(&mut self, range: Range<usize>, is_number: bool) {
        self.count += 1;
        self.number = is_number.then_some(range);
    }

    fn once(self) -> Option<Range<usize>> {
        self.number.filter(|_| self.count == 1)
    }
}

/// Behind the string that begins at `start`.
#[inline]
fn string(body: &[u8], start: usize) -> Option<usize> {
    if body.get(start) != Some(&b'"') {
        return None;
    }
    let mut at = start + 1;
    loop {
        at += memchr2(b'"', b'\\', body.get(at..)?)?;
        if body.get(at) == Some(&b'"') {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// Behind the value that begins at `start`.
fn any(body: &[u8], start: usize) -> Option<usize> {
    match body.get(start)? {
        b'"' => string(body, start),
        b'{' | b'[' => nested(body, start),
        _ => {
            let rest = body.get(start..)?;
            let is_over =
                |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\t' | b'\r');
            let length = rest.iter().position(is_over)?;
            (length > 0).then_some(start + length)
        }
    }
}

/// Behind an object or an array.
fn nested(body: &[u8], start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = start;
    loop {
        match body.get(at)? {
            b'"' => {
                at = string(body, at)?;
                continue;
            }
            b'{' | b'[' => {
                depth += 1;
                if depth > MOST_DEPTH {
                    return None;
                }
            }
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests;
