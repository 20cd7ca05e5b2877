//! What is left of a line, and the tokens that both dialects share.

use std::borrow::Cow;

/// A line as far as it has not been read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    pub(super) rest: &'a str,
}

impl<'a> Cursor<'a> {
    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.as_bytes().first().copied()
    }

    /// Takes this character, which is one byte, if it is the next.
    #[inline]
    pub(super) fn eat(&mut self, character: u8) -> bool {
        let is_next = self.peek() == Some(character);
        if is_next {
            self.advance(1);
        }
        is_next
    }

    /// Takes the first bytes, which end between characters.
    #[inline]
    pub(super) fn advance(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    /// Takes spaces and tabs; whether there were any.
    #[inline]
    pub(super) fn skip_blanks(&mut self) -> bool {
        let count = self.count(|byte| matches!(byte, b' ' | b'\t'));
        self.advance(count);
        count > 0
    }

    /// Takes everything up to a space or tab.
    #[inline]
    pub(super) fn word(&mut self) -> &'a str {
        let count = self.count(|byte| !matches!(byte, b' ' | b'\t'));
        self.advance(count)
    }

    /// Takes a name as it may stand without quotes; empty if there is none.
    #[inline]
    pub(super) fn bare_name(&mut self, with_colons: bool) -> &'a str {
        if self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return "";
        }
        let count = self.count(|byte| {
            byte.is_ascii_alphanumeric() || byte == b'_' || (with_colons && byte == b':')
        });
        self.advance(count)
    }

    /// Takes a text in quotes, which is next, and resolves its escapes; `None` if it does not end.
    #[inline]
    pub(super) fn quoted(&mut self) -> Option<Cow<'a, str>> {
        let inner = self.rest.get(1..)?;
        let bytes = inner.as_bytes();
        let mut at = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
        if bytes.get(at) == Some(&b'"') {
            let text = inner.get(..at)?;
            self.rest = inner.get(at + 1..)?;
            return Some(Cow::Borrowed(text));
        }
        loop {
            let skipped = match bytes.get(at)? {
                b'"' => break,
                b'\\' => 2,
                _ => 1,
            };
            at += skipped;
        }
        let text = inner.get(..at)?;
        self.rest = inner.get(at + 1..)?;
        Some(unescaped(text, true))
    }

    #[inline]
    fn count(&self, is_part: impl Fn(u8) -> bool) -> usize {
        let bytes = self.rest.as_bytes();
        let end = bytes.iter().position(|byte| !is_part(*byte));
        end.unwrap_or(bytes.len())
    }
}

/// Resolves `\\`, `\n` and, where quotes are escaped, `\"`. Other backslashes stand for themselves.
pub(super) fn unescaped(text: &str, with_quotes: bool) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            plain.push(character);
            continue;
        }
        match characters.next() {
            Some('\\') => plain.push('\\'),
            Some('n') => plain.push('\n'),
            Some('"') if with_quotes => plain.push('"'),
            Some(other) => plain.extend(['\\', other]),
            None => plain.push('\\'),
        }
    }
    Cow::Owned(plain)
}
