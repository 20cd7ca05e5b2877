//! One sample line: name, labels, value, and what may follow.

use std::borrow::Cow;

use model::{Batch, Code, Refusal, head};

use super::Dialect;
use super::cursor::Cursor;
use super::number;

/// A label of an exemplar.
pub(super) type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// What an exemplar says beside its labels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Exemplar {
    pub(super) value: f64,
    pub(super) at_ms: Option<i64>,
}

/// What a line says. Its labels are the open ones of the batch.
#[derive(Debug)]
pub(super) struct Line<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) value: f64,
    pub(super) at_ms: Option<i64>,
    pub(super) exemplar: Trailer,
}

/// What follows the timestamp.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Trailer {
    Nothing,
    Exemplar(Exemplar),
    /// Something with the shape of an exemplar that is none.
    BadExemplar,
}

/// Why a line is refused, and the metric name as far as it was read.
pub(super) type Bad<'a> = (Cow<'a, str>, Refusal);

/// Reads a line, its labels into the batch and those of its exemplar into `pairs`.
///
/// # Errors
/// The first thing that is wrong with it; labels that were read are left in the batch.
#[inline]
pub(super) fn read<'a>(
    text: &'a str,
    dialect: Dialect,
    batch: &mut Batch<'a>,
    pairs: &mut Vec<Pair<'a>>,
) -> Result<Line<'a>, Bad<'a>> {
    let mut cursor = Cursor { rest: text };
    let bare = cursor.bare_name(true);
    let mut name = (!bare.is_empty()).then_some(Cow::Borrowed(bare));
    match rest(&mut cursor, dialect, &mut name, batch, pairs) {
        Ok((value, at_ms, exemplar)) => match name {
            Some(name) if !name.is_empty() => Ok(Line {
                name,
                value,
                at_ms,
                exemplar,
            }),
            _ => Err((Cow::Borrowed(""), nameless())),
        },
        Err(refusal) => Err((name.unwrap_or_default(), refusal)),
    }
}

#[inline]
fn rest<'a>(
    cursor: &mut Cursor<'a>,
    dialect: Dialect,
    name: &mut Option<Cow<'a, str>>,
    batch: &mut Batch<'a>,
    pairs: &mut Vec<Pair<'a>>,
) -> Result<(f64, Option<i64>, Trailer), Refusal> {
    let mut spaced = *cursor;
    spaced.skip_blanks();
    let has_labels = spaced.peek() == Some(b'{');
    if has_labels {
        *cursor = spaced;
        cursor.advance(1);
        labels(cursor, Some(name), |key, value| {
            batch.push_label(key, value);
        })?;
    }
    let Some(name) = name else {
        return Err(if has_labels {
            nameless()
        } else {
            no_name(cursor.rest)
        });
    };
    gap(cursor, dialect, has_labels, name)?;
    let value = number::value(cursor.word())?;
    if cursor.rest.is_empty() {
        return Ok((value, None, Trailer::Nothing));
    }
    let mut at_ms = None;
    separator(cursor, dialect)?;
    if !matches!(cursor.peek(), None | Some(b'#')) {
        at_ms = Some(number::timestamp(cursor.word(), dialect)?);
        if !cursor.rest.is_empty() {
            separator(cursor, dialect)?;
        }
    }
    let trailer = match cursor.peek() {
        None => Trailer::Nothing,
        Some(b'#') => exemplar(cursor, dialect, pairs)?,
        Some(_) => {
            let message = format!("{:?} follows where the line should end", head(cursor.rest));
            return Err(Refusal::new(Code::SampleInvalid, message));
        }
    };
    Ok((value, at_ms, trailer))
}

/// What is between a series and its value.
#[inline]
fn gap(
    cursor: &mut Cursor<'_>,
    dialect: Dialect,
    has_labels: bool,
    name: &str,
) -> Result<(), Refusal> {
    let before = cursor.rest;
    match dialect {
        Dialect::Text => {
            if cursor.skip_blanks() || has_labels || before.is_empty() {
                return Ok(());
            }
        }
        Dialect::OpenMetrics => {
            if cursor.eat(b' ') || before.is_empty() {
                return match cursor.peek() {
                    Some(b' ' | b'\t') => Err(Refusal::new(
                        Code::ValueInvalid,
                        "OpenMetrics has one space before the value",
                    )),
                    _ => Ok(()),
                };
            }
        }
    }
    if has_labels {
        let message = format!("there is no space between }} and {:?}", head(before));
        return Err(Refusal::new(Code::ValueInvalid, message));
    }
    let found = before.chars().next().unwrap_or_default();
    let message = format!(
        "the metric name has {found:?} after {:?}; other characters than a-z, A-Z, 0-9, _ and : need quotes, such as {{\"a.b\"}}",
        head(name)
    );
    Err(Refusal::new(Code::MetricNameInvalid, message))
}

/// What is between a value, a timestamp and an exemplar.
#[inline]
fn separator(cursor: &mut Cursor<'_>, dialect: Dialect) -> Result<(), Refusal> {
    match dialect {
        Dialect::Text => {
            cursor.skip_blanks();
            Ok(())
        }
        Dialect::OpenMetrics => {
            cursor.eat(b' ');
            match cursor.peek() {
                None => Err(Refusal::new(
                    Code::SampleInvalid,
                    "there is a space at the end of the line, which OpenMetrics does not have",
                )),
                Some(b' ' | b'\t') => Err(Refusal::new(
                    Code::SampleInvalid,
                    "OpenMetrics separates by one space and no tabs",
                )),
                Some(_) => Ok(()),
            }
        }
    }
}

/// Reads labels up to the closing brace. A text in quotes without a value is the metric name, where there may be one.
#[inline]
fn labels<'a>(
    cursor: &mut Cursor<'a>,
    mut name: Option<&mut Option<Cow<'a, str>>>,
    mut each: impl FnMut(Cow<'a, str>, Cow<'a, str>),
) -> Result<(), Refusal> {
    loop {
        cursor.skip_blanks();
        let is_quoted = match cursor.peek() {
            Some(b'}') => {
                cursor.advance(1);
                return Ok(());
            }
            first => first == Some(b'"'),
        };
        let key = if is_quoted {
            quoted(cursor, || "the quoted name".to_owned())?
        } else {
            Cow::Borrowed(cursor.bare_name(false))
        };
        cursor.skip_blanks();
        if cursor.eat(b'=') {
            if key.is_empty() {
                return Err(Refusal::new(
                    Code::LabelNameInvalid,
                    "a label name is empty",
                ));
            }
            cursor.skip_blanks();
            if cursor.peek() != Some(b'"') {
                let message = format!(
                    "the value of label {:?} is not in double quotes",
                    head(&key)
                );
                return Err(Refusal::new(Code::LabelsInvalid, message));
            }
            let value = quoted(cursor, || format!("the value of label {:?}", head(&key)))?;
            each(key, value);
        } else {
            match name.as_deref_mut() {
                Some(name) if is_quoted && matches!(cursor.peek(), Some(b',' | b'}')) => {
                    if let Some(name) = name {
                        return Err(second_name(name, &key));
                    }
                    *name = Some(key);
                }
                _ => return Err(no_label(&key, cursor)),
            }
        }
        cursor.skip_blanks();
        if !cursor.eat(b',') && cursor.peek() != Some(b'}') {
            return Err(Refusal::new(
                Code::LabelsInvalid,
                match cursor.rest {
                    "" => "the labels do not end with }".to_owned(),
                    rest => format!("after a label comes {:?}, not a comma or }}", head(rest)),
                },
            ));
        }
    }
}

fn quoted<'a>(
    cursor: &mut Cursor<'a>,
    what: impl FnOnce() -> String,
) -> Result<Cow<'a, str>, Refusal> {
    cursor.quoted().ok_or_else(|| {
        let message = format!("{} does not end with a double quote", what());
        Refusal::new(Code::LabelsInvalid, message)
    })
}

/// Reads ` # {labels} value [timestamp]`, whose `#` is next.
fn exemplar<'a>(
    cursor: &mut Cursor<'a>,
    dialect: Dialect,
    pairs: &mut Vec<Pair<'a>>,
) -> Result<Trailer, Refusal> {
    let whole = cursor.rest;
    cursor.advance(1);
    let is_spaced = cursor.eat(b' ');
    if !(is_spaced || dialect == Dialect::Text) || !cursor.eat(b'{') {
        let message = format!(
            "{:?} is no exemplar, which would be # {{labels}} value [timestamp]",
            head(whole)
        );
        return Err(Refusal::new(Code::SampleInvalid, message));
    }
    pairs.clear();
    labels(cursor, None, |key, value| pairs.push((key, value)))?;
    let is_separate = match dialect {
        Dialect::Text => cursor.skip_blanks(),
        Dialect::OpenMetrics => cursor.eat(b' '),
    };
    let mut words = cursor.rest.split(' ');
    let value = words.next().and_then(number::float);
    let at_ms = words.next().map(number::seconds_as_ms);
    Ok(match (value, at_ms, words.next()) {
        (Some(value), None, None) if is_separate => {
            Trailer::Exemplar(Exemplar { value, at_ms: None })
        }
        (Some(value), Some(Some(at_ms)), None) if is_separate => Trailer::Exemplar(Exemplar {
            value,
            at_ms: Some(at_ms),
        }),
        _ => Trailer::BadExemplar,
    })
}

fn nameless() -> Refusal {
    Refusal::new(Code::MetricNameMissing, "the series has no metric name")
}

/// The line does not begin as one may.
fn no_name(line: &str) -> Refusal {
    match line.chars().next() {
        None => Refusal::new(Code::SampleInvalid, "the line is empty"),
        Some(found) => {
            let message = format!("the line begins with {found:?}, not with a metric name");
            Refusal::new(Code::MetricNameInvalid, message)
        }
    }
}

fn second_name(name: &str, second: &str) -> Refusal {
    let message = format!(
        "the series has two metric names, {:?} and {:?}",
        head(name),
        head(second)
    );
    Refusal::new(Code::MetricNameInvalid, message)
}

fn no_label(key: &str, cursor: &Cursor<'_>) -> Refusal {
    let rest = cursor.rest;
    let message = match (key, rest) {
        ("", "") => "the labels do not end with }".to_owned(),
        ("", rest) => format!("a label name cannot begin with {:?}", head(rest)),
        (key, "") => format!(
            "label {:?} has no value, and the labels do not end",
            head(key)
        ),
        (key, rest) => format!(
            "after the label name {:?} comes {:?}, not =",
            head(key),
            head(rest)
        ),
    };
    Refusal::new(Code::LabelsInvalid, message)
}
