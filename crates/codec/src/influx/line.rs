//! One line after the other: measurement, tags, fields, timestamp.
//!
//! The parser never goes back beyond the start of a token, so that no body costs more than its length.

use std::borrow::Cow;

use model::{Batch, Code, Refusal, head};

use super::value::{Bad, Value};

const COMMA: u8 = 1;
const SPACE: u8 = 2;
const EQUALS: u8 = 4;
const BACKSLASH: u8 = 8;
const LINE_FEED: u8 = 16;
const TAB: u8 = 32;

/// What a byte is; 0 for most.
static KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    kinds[b',' as usize] = COMMA;
    kinds[b' ' as usize] = SPACE;
    kinds[b'=' as usize] = EQUALS;
    kinds[b'\\' as usize] = BACKSLASH;
    kinds[b'\n' as usize] = LINE_FEED;
    kinds[b'\t' as usize] = TAB;
    kinds
};

/// A line without its tags, which are labels of the batch by then.
#[derive(Debug, Default)]
pub(super) struct Point<'a> {
    pub(super) measurement: Cow<'a, str>,
    pub(super) fields: Vec<(Cow<'a, str>, Value)>,
    pub(super) timestamp: Option<i64>,
}

/// Where in a body the parser is.
pub(super) struct Parser<'a> {
    body: &'a [u8],
    /// The whole body, unless some of it is not UTF-8.
    text: Option<&'a str>,
    at: usize,
    /// The number of the line, from 0, as an editor counts.
    line: u32,
    is_in_fields: bool,
    /// A field in memory is larger than the shortest one in a body.
    max_fields: usize,
}

/// A piece of a line up to something that ends it.
struct Token {
    from: usize,
    to: usize,
    has_escapes: bool,
}

impl Token {
    fn is_empty(&self) -> bool {
        self.from == self.to
    }
}

impl<'a> Parser<'a> {
    pub(super) fn new(body: &'a [u8], max_fields: usize) -> Self {
        Self {
            body,
            text: std::str::from_utf8(body).ok(),
            at: 0,
            line: 0,
            is_in_fields: false,
            max_fields,
        }
    }

    /// Goes to the next line that is neither empty nor a comment, and answers its number.
    pub(super) fn next_line(&mut self) -> Option<u32> {
        loop {
            self.skip_blanks();
            match self.peek()? {
                b'\n' => self.line_feed(),
                b'\r' if self.is_line_end() => self.at += 1,
                b'#' => self.skip_to(LINE_FEED),
                _ => {
                    self.is_in_fields = false;
                    return Some(self.line);
                }
            }
        }
    }

    /// The body from here on.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.body.get(self.at..).unwrap_or_default()
    }

    /// Goes behind a line that has so many bytes from here on, its line feed not counted.
    pub(super) fn end_line_at(&mut self, bytes: usize) {
        self.at += bytes;
        if self.peek() == Some(b'\n') {
            self.line_feed();
        }
    }

    /// Reads the line that [`Self::next_line`] found; its tags become open labels of the batch.
    pub(super) fn point(
        &mut self,
        batch: &mut Batch<'a>,
        point: &mut Point<'a>,
    ) -> Result<(), Refusal> {
        point.fields.clear();
        point.timestamp = None;
        let measurement = self.token(COMMA | SPACE);
        if measurement.is_empty() {
            return Err(invalid("the measurement is missing"));
        }
        point.measurement = self.unescaped(&measurement, "measurement", b", ")?;
        while self.peek() == Some(b',') {
            self.at += 1;
            self.tag(batch)?;
        }
        self.skip_blanks();
        self.is_in_fields = true;
        if self.is_line_end() {
            let message = "the line has no fields; it is `measurement,tag=value field=1 timestamp`";
            return Err(invalid(message));
        }
        loop {
            let field = self.field()?;
            if point.fields.len() == self.max_fields {
                let message = format!(
                    "a line has more than {} fields, the limit is that of samples",
                    self.max_fields
                );
                return Err(Refusal::new(Code::TooManySamples, message));
            }
            point.fields.push(field);
            if self.peek() != Some(b',') {
                break;
            }
            self.at += 1;
        }
        self.skip_blanks();
        if !self.is_line_end() {
            point.timestamp = Some(self.timestamp()?);
            self.skip_blanks();
        }
        if self.is_line_end() {
            return Ok(());
        }
        let rest = self.bare();
        let message = format!("{:?} stands behind the timestamp", self.shown(&rest));
        Err(invalid(message))
    }

    /// Goes behind the line, whether it was read to its end or not. A line feed within a quoted field of a bad line
    /// does not end it: what a field says is never taken for a line.
    pub(super) fn end_line(&mut self) {
        if !self.is_in_fields {
            self.at = self.token(SPACE).to;
        }
        let mut previous = 0;
        while let Some(byte) = self.peek() {
            match byte {
                b'\n' => {
                    self.line_feed();
                    return;
                }
                b'"' if previous == b'=' => {
                    self.at += 1;
                    self.skip_string();
                }
                _ => self.at += 1,
            }
            previous = byte;
        }
    }

    fn tag(&mut self, batch: &mut Batch<'a>) -> Result<(), Refusal> {
        let key = self.token(COMMA | SPACE | EQUALS);
        if key.is_empty() {
            return Err(invalid(
                "a tag has no name: nothing, or a space, follows a comma",
            ));
        }
        let is_pair = self.peek() == Some(b'=');
        let name = self.unescaped(&key, "tag name", b",= ")?;
        if !is_pair {
            return Err(no_value(&name));
        }
        self.at += 1;
        let token = self.token(COMMA | SPACE | EQUALS);
        if self.peek() == Some(b'=') {
            let message = format!(
                "the value of tag {:?} has an equals sign; write it as \\=",
                head(&name)
            );
            return Err(invalid(message));
        }
        if token.is_empty() {
            return Err(no_value(&name));
        }
        let value = self.unescaped(&token, "tag value", b",= ")?;
        batch.push_label(name, value);
        Ok(())
    }

    fn field(&mut self) -> Result<(Cow<'a, str>, Value), Refusal> {
        let key = self.token(COMMA | SPACE | EQUALS);
        if key.is_empty() {
            return Err(invalid("a field has no name"));
        }
        let is_pair = self.peek() == Some(b'=');
        let name = self.unescaped(&key, "field name", b",= ")?;
        if !is_pair {
            let message = format!("field {:?} has no value", head(&name));
            return Err(Refusal::new(Code::ValueMissing, message));
        }
        self.at += 1;
        if self.peek() == Some(b'"') {
            self.at += 1;
            if !self.skip_string() {
                let message = format!("field {:?} has no closing quote", head(&name));
                return Err(Refusal::new(Code::ValueInvalid, message));
            }
            if !self.is_line_end() && !matches!(self.peek(), Some(b',' | b' ' | b'\t')) {
                let message = format!(
                    "field {:?} goes on behind its closing quote; write a quote within it as \\\"",
                    head(&name)
                );
                return Err(Refusal::new(Code::ValueInvalid, message));
            }
            return Ok((name, Value::Text));
        }
        let token = self.bare();
        if token.is_empty() {
            let message = format!("field {:?} has no value", head(&name));
            return Err(Refusal::new(Code::ValueMissing, message));
        }
        let text = self.text(&token, "field value")?;
        let value = Value::parse(text).map_err(|bad| bad_value(&name, text, bad))?;
        Ok((name, value))
    }

    fn timestamp(&mut self) -> Result<i64, Refusal> {
        let token = self.bare();
        let text = self.text(&token, "timestamp")?;
        if !text.starts_with('+')
            && let Ok(timestamp) = text.parse()
        {
            return Ok(timestamp);
        }
        let message = format!(
            "timestamp {:?} is not an integer of 64 bits, as it would have to be there",
            head(text)
        );
        Err(Refusal::new(Code::TimestampInvalid, message))
    }

    fn peek(&self) -> Option<u8> {
        self.body.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn line_feed(&mut self) {
        self.at += 1;
        self.line = self.line.saturating_add(1);
    }

    /// At the end of the body, at a line feed, or at a carriage return that belongs to one.
    fn is_line_end(&self) -> bool {
        match self.peek() {
            None | Some(b'\n') => true,
            Some(b'\r') => matches!(self.body.get(self.at + 1), None | Some(b'\n')),
            Some(_) => false,
        }
    }

    /// Goes behind the closing quote; answers whether there is one.
    fn skip_string(&mut self) -> bool {
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.at += 1;
                    return true;
                }
                b'\\' if self.body.get(self.at + 1) != Some(&b'\n') => self.at += 2,
                b'\n' => self.line_feed(),
                _ => self.at += 1,
            }
        }
        self.at = self.at.min(self.body.len());
        false
    }

    /// Up to a byte of these kinds without a backslash before it, or to the end of the line.
    fn token(&mut self, ends: u8) -> Token {
        let from = self.at;
        let mut has_escapes = false;
        self.skip_to(ends | LINE_FEED | BACKSLASH);
        while self.peek() == Some(b'\\') {
            has_escapes = true;
            self.at += 1;
            match self.peek() {
                None | Some(b'\\' | b'\n') => {}
                Some(_) => self.at += 1,
            }
            self.skip_to(ends | LINE_FEED | BACKSLASH);
        }
        self.without_return(from, has_escapes)
    }

    /// Up to a comma, blank or the end of the line.
    fn bare(&mut self) -> Token {
        let from = self.at;
        self.skip_to(COMMA | SPACE | TAB | LINE_FEED);
        self.without_return(from, false)
    }

    /// Up to a byte of these kinds, or to the end of the body.
    fn skip_to(&mut self, kinds: u8) {
        let rest = self.body.get(self.at..).unwrap_or_default();
        let is_found = |byte: &u8| KINDS[usize::from(*byte)] & kinds != 0;
        self.at += rest.iter().position(is_found).unwrap_or(rest.len());
    }

    /// What lies between `from` and here; a carriage return at the end of the line is not of it.
    fn without_return(&mut self, from: usize, has_escapes: bool) -> Token {
        let last = self.at.checked_sub(1).filter(|last| *last >= from);
        if matches!(self.peek(), None | Some(b'\n'))
            && let Some(last) = last
            && self.body.get(last) == Some(&b'\r')
        {
            self.at = last;
        }
        Token {
            from,
            to: self.at,
            has_escapes,
        }
    }

    fn text(&self, token: &Token, what: &str) -> Result<&'a str, Refusal> {
        let piece = match self.text {
            Some(text) => text.get(token.from..token.to),
            None => {
                let bytes = self.body.get(token.from..token.to).unwrap_or_default();
                std::str::from_utf8(bytes).ok()
            }
        };
        piece.ok_or_else(|| {
            let message = format!("the {what} {:?} is not UTF-8", self.shown(token));
            invalid(message)
        })
    }

    /// A token as text, without the backslashes before those bytes.
    fn unescaped(
        &self,
        token: &Token,
        what: &str,
        escaped: &[u8],
    ) -> Result<Cow<'a, str>, Refusal> {
        let text = self.text(token, what)?;
        if !token.has_escapes {
            return Ok(Cow::Borrowed(text));
        }
        let mut plain = String::with_capacity(text.len());
        let mut rest = text.chars().peekable();
        while let Some(character) = rest.next() {
            let is_before =
                |next: &char| u8::try_from(*next).is_ok_and(|next| escaped.contains(&next));
            if character == '\\'
                && let Some(next) = rest.next_if(is_before)
            {
                plain.push(next);
            } else {
                plain.push(character);
            }
        }
        Ok(Cow::Owned(plain))
    }

    fn shown(&self, token: &Token) -> String {
        let bytes = self.body.get(token.from..token.to).unwrap_or_default();
        let start = bytes.get(..200).unwrap_or(bytes);
        head(&String::from_utf8_lossy(start))
    }
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(Code::SampleInvalid, message)
}

fn no_value(tag: &str) -> Refusal {
    invalid(format!("tag {:?} has no value; leave it out", head(tag)))
}

fn bad_value(name: &str, text: &str, bad: Bad) -> Refusal {
    let why = match bad {
        Bad::Unknown => "which is no number, boolean or quoted text",
        Bad::OutOfRange => "which is out of range",
    };
    let message = format!("field {:?} is {:?}, {why}", head(name), head(text));
    Refusal::new(Code::ValueInvalid, message)
}
