//! Lines that begin with `#`: what they say of a family, or nothing.

use std::borrow::Cow;

use model::{Code, MetricType, Refusal, head};

use super::Dialect;
use super::cursor::{Cursor, unescaped};
use super::families::Families;

/// What a line with `#` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    /// Metadata of the family with this number.
    Family(usize),
    Comment,
    Eof,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Help,
    Type,
    Unit,
}

impl Word {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Help => "HELP",
            Self::Type => "TYPE",
            Self::Unit => "UNIT",
        }
    }
}

fn bad(message: impl Into<String>) -> Refusal {
    Refusal::new(Code::MetadataInvalid, message)
}

/// Reads a line of the text format. What is no metadata is a comment, except a type that there is not.
///
/// # Errors
/// When the type is unknown.
pub(super) fn read_text<'a>(line: &'a str, families: &mut Families<'a>) -> Result<Hash, Refusal> {
    let mut cursor = Cursor { rest: line };
    cursor.advance(1);
    if !cursor.skip_blanks() {
        return Ok(Hash::Comment);
    }
    let word = match cursor.word() {
        "HELP" => Word::Help,
        "TYPE" => Word::Type,
        "UNIT" => Word::Unit,
        _ => return Ok(Hash::Comment),
    };
    cursor.skip_blanks();
    let Some(name) = name(&mut cursor) else {
        return Ok(Hash::Comment);
    };
    if !cursor.rest.is_empty() && !cursor.skip_blanks() {
        return Ok(Hash::Comment);
    }
    let text = cursor.rest;
    let number = match word {
        Word::Help => {
            let number = families.open(name);
            if let Some(known) = families.get_mut(number) {
                known.help = Some(unescaped(text, false));
            }
            number
        }
        Word::Type => {
            let text = text.trim_end();
            let kind =
                kind_named(&text.to_ascii_lowercase()).ok_or_else(|| unknown_type(&name, text))?;
            let number = families.open(name);
            if let Some(known) = families.get_mut(number) {
                known.kind = Some(kind);
            }
            number
        }
        Word::Unit => {
            // Not of this format, but harmless where it is what OpenMetrics means by it.
            if !is_unit_of(text, &name) {
                return Ok(Hash::Comment);
            }
            let number = families.open(name);
            if let Some(known) = families.get_mut(number) {
                known.unit = Some(Cow::Borrowed(text));
            }
            number
        }
    };
    Ok(Hash::Family(number))
}

/// Reads a line of OpenMetrics, which has no comments. `last` is the name of the sample before it.
///
/// # Errors
/// When it is not exactly one of the four lines that there are, or comes where it may not.
pub(super) fn read_openmetrics<'a>(
    line: &'a str,
    last: &str,
    families: &mut Families<'a>,
) -> Result<Hash, Refusal> {
    if line == "# EOF" {
        return Ok(Hash::Eof);
    }
    let (word, rest) = [Word::Help, Word::Type, Word::Unit]
        .into_iter()
        .find_map(|word| {
            let rest = line.strip_prefix("# ")?.strip_prefix(word.as_str())?;
            Some((word, rest))
        })
        .ok_or_else(|| {
            bad(format!(
                "{:?} is none of # HELP, # TYPE, # UNIT and # EOF, and OpenMetrics has no comments",
                head(line)
            ))
        })?;
    let mut cursor = Cursor { rest };
    let shape = || {
        bad(format!(
            "{} is not followed by a name and a text",
            word.as_str()
        ))
    };
    if !cursor.eat(b' ') {
        return Err(shape());
    }
    let name = name(&mut cursor).ok_or_else(shape)?;
    if !cursor.eat(b' ') {
        return Err(shape());
    }
    let text = cursor.rest;
    let has_samples = families
        .named(&name)
        .and_then(|number| families.get(number))
        .is_some_and(|known| known.has_samples);
    if has_samples || name == last {
        return Err(bad(format!(
            "{} of {:?} comes after samples of it",
            word.as_str(),
            head(&name)
        )));
    }
    set(word, name, text, families).map(Hash::Family)
}

fn set<'a>(
    word: Word,
    name: Cow<'a, str>,
    text: &'a str,
    families: &mut Families<'a>,
) -> Result<usize, Refusal> {
    let known = families
        .named(&name)
        .and_then(|number| families.get(number));
    let is_repeated = known.is_some_and(|known| match word {
        Word::Help => known.help.is_some(),
        Word::Type => known.kind.is_some(),
        Word::Unit => known.unit.is_some(),
    });
    if is_repeated {
        return Err(bad(format!(
            "{} of {:?} appears twice",
            word.as_str(),
            head(&name)
        )));
    }
    let mut kind = known.and_then(|known| known.kind);
    let mut has_unit =
        known.is_some_and(|known| known.unit.as_deref().is_some_and(|unit| !unit.is_empty()));
    match word {
        Word::Help => {}
        Word::Type => {
            let stated = kind_named(text)
                .filter(|_| !matches!(text, "untyped" | "gauge_histogram"))
                .ok_or_else(|| unknown_type(&name, text))?;
            if let Some(other) = families.clash(&name, stated, Dialect::OpenMetrics) {
                return Err(bad(format!(
                    "the families {:?} and {:?} would have samples of one name",
                    head(&name),
                    head(other)
                )));
            }
            kind = Some(stated);
        }
        Word::Unit => {
            if !text.is_empty() && !is_unit_of(text, &name) {
                return Err(bad(format!(
                    "the unit {:?} is not what the name {:?} ends with after an underscore",
                    head(text),
                    head(&name)
                )));
            }
            has_unit |= !text.is_empty();
        }
    }
    if has_unit && let Some(kind @ (MetricType::Info | MetricType::StateSet)) = kind {
        return Err(bad(format!(
            "{:?} is of the type {}, which has no unit",
            head(&name),
            kind.as_str()
        )));
    }
    let number = families.open(name);
    if let Some(known) = families.get_mut(number) {
        known.kind = kind;
        match word {
            Word::Help => known.help = Some(unescaped(text, true)),
            Word::Type => {}
            Word::Unit => known.unit = Some(Cow::Borrowed(text)),
        }
    }
    Ok(number)
}

fn name<'a>(cursor: &mut Cursor<'a>) -> Option<Cow<'a, str>> {
    let name = if cursor.peek() == Some(b'"') {
        cursor.quoted()?
    } else {
        Cow::Borrowed(cursor.bare_name(true))
    };
    (!name.is_empty()).then_some(name)
}

fn is_unit_of(unit: &str, name: &str) -> bool {
    !unit.is_empty()
        && name
            .strip_suffix(unit)
            .is_some_and(|base| base.ends_with('_'))
}

fn kind_named(text: &str) -> Option<MetricType> {
    match text {
        "untyped" => Some(MetricType::Unspecified),
        "gauge_histogram" => Some(MetricType::GaugeHistogram),
        text => MetricType::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text),
    }
}

fn unknown_type(name: &str, found: &str) -> Refusal {
    bad(format!(
        "the type of {:?} is {:?}; it can be counter, gauge, histogram, gaugehistogram, summary, info, stateset or unknown",
        head(name),
        head(found)
    ))
}
