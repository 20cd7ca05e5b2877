//! Tags in all the places where StatsD's dialects have them.

use std::borrow::Cow;

/// The tags of a sample: those in its name, then those in its section `|#`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tags<'a> {
    in_name: &'a str,
    in_section: &'a str,
}

impl<'a> Tags<'a> {
    /// Parts a name from the tags in it.
    pub(super) fn of_name(head: &'a str) -> (Cow<'a, str>, Self) {
        let is_mark = |byte: u8| matches!(byte, b',' | b';' | b'#' | b'[');
        let Some(at) = head.bytes().position(is_mark) else {
            return (Cow::Borrowed(head), Self::default());
        };
        let part = |from: usize, to: usize| head.get(from..to).unwrap_or_default();
        let tags = |in_name| Self {
            in_name,
            in_section: "",
        };
        let (name, inside) = (part(0, at), part(at + 1, head.len()));
        if head.as_bytes().get(at) != Some(&b'[') {
            return (Cow::Borrowed(name), tags(inside));
        }
        // Without its end it is a name with a bracket.
        match inside.split_once(']') {
            Some((inside, "")) => (Cow::Borrowed(name), tags(inside)),
            Some((inside, tail)) => (Cow::Owned(format!("{name}{tail}")), tags(inside)),
            None => (Cow::Borrowed(head), Self::default()),
        }
    }

    /// Adds those of a section.
    pub(super) fn with_section(self, in_section: &'a str) -> Self {
        Self { in_section, ..self }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.in_name.is_empty() && self.in_section.is_empty()
    }

    /// Names and values in the sender's order, with what the sender repeats. A tag without a value is `true`.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let in_name = self.in_name.split([',', ';']).map(|tag| pair(tag, '='));
        // A client for PHP writes a # before each.
        let in_section = self.in_section.split(',');
        let in_section = in_section.map(|tag| pair(tag.strip_prefix('#').unwrap_or(tag), ':'));
        in_name
            .chain(in_section)
            .filter(|(name, _)| !name.is_empty())
    }
}

fn pair(tag: &str, separator: char) -> (&str, &str) {
    match tag.split_once(separator) {
        Some((name, "")) => (name, "true"),
        Some(pair) => pair,
        None => (tag, "true"),
    }
}
