//! Label sets as a receiver wants them: sorted, without empty values, in its alphabet.

use std::borrow::Cow;

use model::NAME_LABEL;

use super::NameEscaping;

/// Whether a label's name, or the metric name that it holds, is outside the classic alphabet.
pub(super) fn needs_escaping(name: &str, value: &str, names: NameEscaping) -> bool {
    match names {
        NameEscaping::Utf8 => false,
        NameEscaping::Underscores if name == NAME_LABEL => !is_classic(value, true),
        NameEscaping::Underscores => !is_classic(name, false),
    }
}

fn is_classic(name: &str, colons: bool) -> bool {
    name.char_indices()
        .all(|(at, character)| allowed(at, character, colons))
}

fn allowed(at: usize, character: char, colons: bool) -> bool {
    character.is_ascii_alphabetic()
        || character == '_'
        || (colons && character == ':')
        || (at > 0 && character.is_ascii_digit())
}

fn escaped(name: &str, colons: bool) -> Cow<'_, str> {
    if is_classic(name, colons) {
        return Cow::Borrowed(name);
    }
    let escape = |(at, character)| match allowed(at, character, colons) {
        true => character,
        false => '_',
    };
    Cow::Owned(name.char_indices().map(escape).collect())
}

type Label<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The labels sorted by their escaped names; each name once, if escaping made some equal.
pub(super) fn tidy<'a>(
    labels: impl Iterator<Item = (&'a str, &'a str)>,
    names: NameEscaping,
) -> Vec<Label<'a>> {
    let mut labels: Vec<(&str, &str)> = labels.filter(|(_, value)| !value.is_empty()).collect();
    labels.sort_by_key(|(name, _)| *name);
    let mut tidied: Vec<Label<'_>> = labels
        .into_iter()
        .map(|(name, value)| match names {
            NameEscaping::Utf8 => (name.into(), value.into()),
            NameEscaping::Underscores if name == NAME_LABEL => (name.into(), escaped(value, true)),
            NameEscaping::Underscores => match escaped(name, false) {
                taken if taken == NAME_LABEL => ("key__name__".into(), value.into()),
                name => (name, value.into()),
            },
        })
        .collect();
    // Stable: equal names keep the order of the originals.
    tidied.sort_by(|a, b| a.0.cmp(&b.0));
    if names == NameEscaping::Underscores {
        tidied.dedup_by(|later, kept| {
            let equal = later.0 == kept.0;
            if equal {
                kept.1 = format!("{};{}", kept.1, later.1).into();
            }
            equal
        });
    }
    tidied
}
