//! Lines of the text that `/metrics` answers: a name, labels, a value.

use std::borrow::Cow;

/// The labels of a line, as they stand there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Labels<'l>(&'l str);

/// A line that is a sample.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'l> {
    pub(crate) name: &'l str,
    pub(crate) labels: Labels<'l>,
    value: &'l str,
}

impl<'l> Line<'l> {
    /// Splits a line; none where it is no sample.
    pub(crate) fn of(line: &'l str) -> Option<Self> {
        if line.starts_with('#') {
            return None;
        }
        let (before, value) = line.rsplit_once(' ')?;
        let (name, labels) = match before.split_once('{') {
            Some((name, labels)) => (name, labels.strip_suffix('}')?),
            None => (before, ""),
        };
        Some(Self {
            name,
            labels: Labels(labels),
            value,
        })
    }

    /// The value; not a number where it is none.
    pub(crate) fn value(&self) -> f64 {
        self.value.parse().unwrap_or(f64::NAN)
    }
}

impl<'l> Labels<'l> {
    /// The value of a label; empty where there is none.
    pub(crate) fn get(self, wanted: &str) -> Cow<'l, str> {
        let mut rest = self.0;
        while let Some((name, after)) = rest.split_once("=\"") {
            let end = end_of_value(after);
            let value = after.get(..end).unwrap_or_default();
            if name == wanted {
                return unescaped(value);
            }
            let after = after.get(end + 1..).unwrap_or_default();
            rest = after.strip_prefix(',').unwrap_or(after);
        }
        Cow::Borrowed("")
    }
}

/// Where the quote is that ends a value.
fn end_of_value(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at,
            _ => {}
        }
    }
    text.len()
}

fn unescaped(value: &str) -> Cow<'_, str> {
    if !value.contains('\\') {
        return Cow::Borrowed(value);
    }
    let mut text = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n') => text.push('\n'),
                Some(other) => text.push(other),
                None => text.push('\\'),
            },
            other => text.push(other),
        }
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests;
