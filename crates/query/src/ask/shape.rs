//! The size of an expression, looked at before a tree is made of it: its brackets, operators, patterns and durations.
//!
//! The parser walks its tree by recursion, compiles each pattern with room for megabytes, and panics at seconds that no
//! duration has and at escapes of more than a byte. So what it would choke on does not get there.

use promql_parser::util::unquote_string;

use super::{LATEST_MS, cut, duration};
use crate::budget::Budget;
use crate::error::{Error, invalid};
use crate::pattern;

/// How deep brackets may be in each other.
const MAX_BRACKETS: usize = 64;

/// Signs and operators of one expression; each may make its tree one deeper.
const MAX_OPERATORS: usize = 512;

/// Refuses what no person writes.
pub(super) fn check(text: &str, budget: &mut Budget) -> Result<(), Error> {
    let mut shape = Shape::default();
    let mut rest = text;
    while let Some((piece, after)) = Piece::first(rest) {
        shape.add(piece, budget)?;
        rest = after;
    }
    Ok(())
}

/// What an expression consists of.
#[derive(Debug, Clone, Copy)]
enum Piece<'t> {
    /// Spaces, or a comment.
    Gap,
    /// With its quotes.
    Quoted(&'t str),
    /// A name, a number, a duration, or an operator that is a word.
    Word(&'t str),
    Sign(char),
}

impl<'t> Piece<'t> {
    /// The first piece, and what follows it.
    fn first(text: &'t str) -> Option<(Self, &'t str)> {
        let mut chars = text.chars();
        let first = chars.next()?;
        let until = |is_end: fn(char) -> bool| text.find(is_end).unwrap_or(text.len());
        let len = match first {
            '#' => until(|char| char == '\n' || char == '\r'),
            '"' | '\'' | '`' => quoted(text, first),
            _ if first.is_whitespace() => until(|char| !char.is_whitespace()),
            _ if is_of_word(first) => word(text),
            _ => first.len_utf8(),
        };
        let (piece, after) = text.split_at_checked(len)?;
        let piece = match first {
            '#' => Self::Gap,
            '"' | '\'' | '`' => Self::Quoted(piece),
            _ if first.is_whitespace() => Self::Gap,
            _ if is_of_word(first) => Self::Word(piece),
            _ => Self::Sign(first),
        };
        Some((piece, after))
    }
}

fn is_of_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_' || char == '.'
}

/// The length of a text in quotes; of all the rest where it does not end.
fn quoted(text: &str, quote: char) -> usize {
    let mut chars = text.char_indices().skip(1);
    while let Some((at, char)) = chars.next() {
        if char == quote {
            return at + char.len_utf8();
        }
        // In any quotes, as the parser has it.
        if char == '\\' {
            chars.next();
        }
    }
    text.len()
}

/// The length of a word; the sign of an exponent belongs to its number.
fn word(text: &str) -> usize {
    let is_number = text.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    let is_hex = text.starts_with("0x") || text.starts_with("0X");
    let mut before = ' ';
    let end = text.find(|char| {
        let is_exponent = is_number && !is_hex && matches!(before, 'e' | 'E');
        before = char;
        !(is_of_word(char) || is_exponent && matches!(char, '+' | '-'))
    });
    end.unwrap_or(text.len())
}

/// What was seen so far.
#[derive(Debug, Default)]
struct Shape {
    open: usize,
    operators: usize,
    is_gap: bool,
    /// After a closing bracket or quote, where a word is an operator.
    is_closed: bool,
    /// After `=~` and `!~`.
    is_pattern: bool,
    /// Within `[…]`.
    is_range: bool,
    /// After `offset`.
    is_offset: bool,
}

impl Shape {
    fn add(&mut self, piece: Piece<'_>, budget: &mut Budget) -> Result<(), Error> {
        if matches!(piece, Piece::Gap) {
            // Operators that are words stand between spaces or brackets.
            self.operators += usize::from(!self.is_gap);
            self.is_gap = true;
            return self.bound();
        }
        let (is_pattern, is_offset) = (self.is_pattern, self.is_offset);
        let is_joined = self.is_closed && !self.is_gap;
        (self.is_gap, self.is_closed) = (false, false);
        (self.is_pattern, self.is_offset) = (false, false);
        match piece {
            Piece::Gap => {}
            Piece::Quoted(text) => {
                self.is_closed = true;
                check_escapes(text)?;
                // What is no text, the parser refuses.
                if is_pattern && let Ok(text) = unquote_string(text) {
                    pattern::anchored(&text, budget)?;
                }
            }
            Piece::Word(word) => {
                self.operators += usize::from(is_joined) + word.matches(['+', '-']).count();
                if is_offset || self.is_range {
                    check_duration(word)?;
                }
                self.is_offset = word.eq_ignore_ascii_case("offset");
            }
            Piece::Sign('(' | '[' | '{') => {
                self.open += 1;
                self.is_range = matches!(piece, Piece::Sign('['));
                if self.open > MAX_BRACKETS {
                    return invalid(format!(
                        "the expression has brackets in each other more than {MAX_BRACKETS} deep"
                    ));
                }
            }
            Piece::Sign(')' | ']' | '}') => {
                self.open = self.open.saturating_sub(1);
                (self.is_range, self.is_closed) = (false, true);
            }
            Piece::Sign('~') => self.is_pattern = true,
            Piece::Sign('+' | '-' | '*' | '/' | '%' | '^' | '=' | '!' | '<' | '>') => {
                self.operators += 1;
                self.is_offset = is_offset && matches!(piece, Piece::Sign('+' | '-'));
            }
            Piece::Sign(_) => {}
        }
        self.bound()
    }

    fn bound(&self) -> Result<(), Error> {
        if self.operators > MAX_OPERATORS {
            return invalid(format!(
                "the expression has more than {MAX_OPERATORS} operators and words"
            ));
        }
        Ok(())
    }
}

/// Refuses a backslash before a character that none stands before.
fn check_escapes(text: &str) -> Result<(), Error> {
    if text.starts_with('`') {
        // There it is a character as any.
        return Ok(());
    }
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        if char == '\\'
            && let Some(escaped) = chars.next().filter(|escaped| !escaped.is_ascii())
        {
            return invalid(format!(
                "{} has a backslash before {escaped:?}, which is no escape; write two for a backslash",
                cut(text)
            ));
        }
    }
    Ok(())
}

/// Refuses what stands for a duration and is none.
#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn check_duration(word: &str) -> Result<(), Error> {
    let hex = || i64::from_str_radix(word.strip_prefix("0x")?, 16).ok();
    let is_one = match word.parse::<f64>() {
        Ok(seconds) => seconds.is_finite() && seconds <= LATEST_MS as f64 / 1000.0,
        Err(_) if word.starts_with(|first: char| first.is_ascii_digit()) => {
            duration(word).is_some() || hex().is_some_and(|seconds| seconds <= LATEST_MS / 1000)
        }
        // A name, which the parser refuses.
        Err(_) => true,
    };
    if is_one {
        Ok(())
    } else {
        invalid(format!(
            "{} is no duration such as 5m, or too long",
            cut(word)
        ))
    }
}
