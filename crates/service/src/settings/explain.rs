//! What serde says about a setting, in words for whoever wrote it.

/// A message without the library's vocabulary.
pub(super) enum Problem {
    /// `name` is not a key here; these are.
    UnknownKey { name: String, known: Vec<String> },
    /// `name` has to be set.
    Missing { name: String },
    /// Anything else, ready to print.
    Other(String),
}

pub(super) fn explain(message: &str) -> Problem {
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let mut names = quoted(rest);
        if !names.is_empty() {
            let name = names.remove(0);
            return Problem::UnknownKey { name, known: names };
        }
    }
    if let Some(name) = message
        .strip_prefix("missing field ")
        .and_then(|rest| quoted(rest).pop())
    {
        return Problem::Missing { name };
    }
    if let Some(rest) = message.strip_prefix("unknown variant ") {
        let mut names = quoted(rest);
        if !names.is_empty() {
            let found = names.remove(0);
            let hint = nearest(&found, names.iter().map(String::as_str))
                .map(|name| format!("; did you mean {name}?"))
                .unwrap_or_default();
            let allowed = one_of(&names);
            return Problem::Other(format!("found {found:?}, expected {allowed}{hint}"));
        }
    }
    let mismatch = message
        .strip_prefix("invalid type: ")
        .or_else(|| message.strip_prefix("invalid value: "))
        .and_then(|rest| rest.rsplit_once(", expected "));
    match mismatch {
        Some((found, expected)) => {
            let (found, expected) = (self::found(found), self::expected(expected));
            Problem::Other(format!("found {found}, expected {expected}"))
        }
        None => Problem::Other(message.to_owned()),
    }
}

/// `a, b or c`.
pub(super) fn one_of(names: &[String]) -> String {
    match names {
        [] => "nothing".to_owned(),
        [name] => name.clone(),
        [names @ .., last] => format!("{} or {last}", names.join(", ")),
    }
}

/// The name that was probably meant.
pub(super) fn nearest<'a>(
    found: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let tolerance = found.chars().count() / 4;
    names
        .into_iter()
        .map(|name| (distance(found, name), name))
        .filter(|(distance, _)| (1..=tolerance).contains(distance))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Letters to insert, remove, replace or swap with their neighbour.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=to.len()).collect();
    for (row, letter) in from.iter().enumerate() {
        let mut line = vec![row + 1];
        for (column, other) in to.iter().enumerate() {
            let replaced = above[column] + usize::from(letter != other);
            let mut least = replaced.min(above[column + 1] + 1).min(line[column] + 1);
            let is_swap =
                row > 0 && column > 0 && from[row - 1] == *other && *letter == to[column - 1];
            if is_swap {
                least = least.min(before[column - 1] + 1);
            }
            line.push(least);
        }
        before = std::mem::replace(&mut above, line);
    }
    above.last().copied().unwrap_or(0)
}

/// The names between backticks.
fn quoted(text: &str) -> Vec<String> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

fn found(found: &str) -> String {
    match found {
        "map" => "a section".to_owned(),
        "sequence" => "a list".to_owned(),
        "null" | "unit value" | "Option value" => "nothing".to_owned(),
        _ => found
            .strip_prefix("string ")
            .or_else(|| {
                found
                    .split_once('`')
                    .map(|(_, value)| value.trim_end_matches('`'))
            })
            .unwrap_or(found)
            .to_owned(),
    }
}

fn expected(expected: &str) -> String {
    let plain = match expected {
        "a boolean" => "true or false",
        "a string" | "path string" | "string" => "a text",
        "a sequence" => "a list",
        "a map" => "a section",
        "f64" | "f32" => "a number",
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" | "u64" | "usize" => "a whole number, not negative",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        _ if expected.starts_with("a nonzero") => "a whole number above 0",
        _ if expected.starts_with("struct ") || expected.starts_with("internally tagged ") => {
            "a section"
        }
        _ => expected,
    };
    plain.to_owned()
}
