//! Metric and label names as Prometheus' own OTLP receiver makes them.
//!
//! The rules are those of the module `otlptranslator` 1.0, whose tables of cases are our tests.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// How names of OTLP become names of Prometheus: the strategies of Prometheus 3.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Names {
    /// `http.server.duration` in seconds becomes `http_server_duration_seconds`.
    #[default]
    UnderscoresWithSuffixes,
    /// `http.server.duration` becomes `http_server_duration`.
    UnderscoresWithoutSuffixes,
    /// `http.server.duration` in seconds becomes `http.server.duration_seconds`.
    Utf8WithSuffixes,
    /// Every name stays as it is.
    Utf8,
}

/// What a metric is, as far as its name depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Suffix {
    /// A monotonic sum.
    Total,
    /// A gauge.
    Ratio,
    /// Everything else.
    None,
}

impl Names {
    fn is_escaping(self) -> bool {
        matches!(
            self,
            Self::UnderscoresWithSuffixes | Self::UnderscoresWithoutSuffixes
        )
    }

    fn has_suffixes(self) -> bool {
        matches!(self, Self::UnderscoresWithSuffixes | Self::Utf8WithSuffixes)
    }

    /// A metric's name; none when nothing is left of it.
    pub(super) fn metric<'a>(
        self,
        name: &'a str,
        unit: &str,
        suffix: Suffix,
    ) -> Option<Cow<'a, str>> {
        let built = match (self.is_escaping(), self.has_suffixes()) {
            (true, true) => Cow::Owned(from_tokens(name, unit, suffix)),
            (true, false) => escaped(name),
            (false, true) => return Some(Cow::Owned(with_suffixes(name, unit, suffix))),
            (false, false) => return Some(Cow::Borrowed(name)),
        };
        let is_good =
            !built.is_empty() && (built == name || built.bytes().any(|byte| byte != b'_'));
        is_good.then_some(built)
    }

    /// A label's name; none when nothing is left of it.
    pub(super) fn label(self, name: &str) -> Option<Cow<'_, str>> {
        if name.bytes().all(|byte| byte == b'_') {
            return None;
        }
        if !self.is_escaping() || is_plain_label(name) {
            return Some(Cow::Borrowed(name));
        }
        let built = escaped_label(name);
        built
            .bytes()
            .any(|byte| byte != b'_')
            .then_some(Cow::Owned(built))
    }
}

/// The unit as metadata has it: `By/s` is `bytes_per_second`.
pub(super) fn unit(unit: &str) -> Cow<'_, str> {
    let (main, per) = units(unit);
    let (main, per) = (cleaned(main), cleaned(&per).into_owned());
    let joined = match (main.is_empty(), per.is_empty()) {
        (_, true) => main,
        (true, false) => Cow::Owned(per),
        (false, false) => Cow::Owned(format!("{main}_{per}")),
    };
    if joined.starts_with('_') || joined.ends_with('_') {
        let tidy = joined.strip_prefix('_').unwrap_or(&joined);
        return Cow::Owned(tidy.strip_suffix('_').unwrap_or(tidy).to_owned());
    }
    joined
}

fn is_name_char(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == ':'
}

/// The name without suffixes: runs of other characters become one underscore, those at its ends go.
fn escaped(name: &str) -> Cow<'_, str> {
    let fits = |character: char| is_name_char(character) || character == '_';
    let is_digit_first = name
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_digit());
    if !is_digit_first && name.chars().all(fits) {
        return Cow::Borrowed(name);
    }
    let parts = name.split(|character| !fits(character));
    joined(parts.filter(|part| !part.is_empty()))
}

fn joined<'p>(parts: impl Iterator<Item = &'p str>) -> Cow<'static, str> {
    let mut built = String::new();
    for part in parts {
        if !built.is_empty() {
            built.push('_');
        }
        built.push_str(part);
    }
    if built
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_digit())
    {
        built.insert(0, '_');
    }
    Cow::Owned(built)
}

fn from_tokens(name: &str, unit: &str, suffix: Suffix) -> String {
    let (main, per) = units(unit);
    let (main, per) = (cleaned(main), cleaned(&per));
    let mut tokens: Vec<&str> = name
        .split(|character| !is_name_char(character))
        .filter(|token| !token.is_empty())
        .collect();
    let has_main = tokens.contains(&main.as_ref());
    let per = per.strip_suffix('_').unwrap_or(&per);
    let per = if per == "per" || tokens.contains(&per) {
        ""
    } else {
        per
    };
    let main = match main.strip_suffix('_') {
        _ if has_main => "",
        Some(main) if !per.is_empty() => main,
        _ => &main,
    };
    tokens.extend([main, per].into_iter().filter(|token| !token.is_empty()));
    let last = match suffix {
        Suffix::Total => "total",
        Suffix::Ratio if unit == "1" => "ratio",
        Suffix::Ratio | Suffix::None => "",
    };
    if !last.is_empty() {
        tokens.retain(|token| *token != last);
        tokens.push(last);
    }
    joined(tokens.into_iter()).into_owned()
}

fn with_suffixes(name: &str, unit: &str, suffix: Suffix) -> String {
    let (main, per) = units(unit);
    let last = match suffix {
        Suffix::Total => "total",
        Suffix::Ratio if unit == "1" => "ratio",
        Suffix::Ratio | Suffix::None => "",
    };
    let mut built = without(name, last);
    built = without(built, &per);
    let mut built = built.to_owned();
    let mut append = |suffix: &str| {
        if !suffix.is_empty() {
            built.push('_');
            built.push_str(suffix);
        }
    };
    if !without(without(name, last), &per).ends_with(main) {
        append(main);
    }
    append(&per);
    append(last);
    built
}

/// The name without a suffix and the character before it.
fn without<'n>(name: &'n str, suffix: &str) -> &'n str {
    if suffix.is_empty() || name.len() <= suffix.len() + 1 {
        return name;
    }
    name.strip_suffix(suffix)
        .and_then(|rest| rest.get(..rest.len().saturating_sub(1)))
        .unwrap_or(name)
}

fn is_plain_label(name: &str) -> bool {
    let mut before = b'0';
    let is_plain = name.bytes().all(|byte| {
        let is_double = byte == b'_' && before == b'_';
        before = byte;
        !is_double && (byte.is_ascii_alphanumeric() || byte == b'_')
    });
    is_plain
        && !name
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_digit())
}

fn escaped_label(name: &str) -> String {
    let inner = name
        .strip_prefix("__")
        .and_then(|rest| rest.strip_suffix("__"));
    let mut built = String::with_capacity(name.len() + 4);
    let mut is_after_underscore = false;
    for character in inner.unwrap_or(name).chars() {
        let is_good = character.is_ascii_alphanumeric();
        if is_good {
            built.push(character);
        } else if !is_after_underscore {
            built.push('_');
        }
        is_after_underscore = !is_good;
    }
    if inner.is_some() {
        return format!("__{built}__");
    }
    if built
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_digit())
    {
        built.insert_str(0, "key_");
    }
    built
}

/// The unit's suffix, and `per_…` of what is behind a slash.
fn units(unit: &str) -> (&str, Cow<'static, str>) {
    let (main, per) = unit.split_once('/').unwrap_or((unit, ""));
    let plain = |text: &'_ str| -> bool { !text.contains(['{', '}']) };
    let (main, per) = (main.trim(), per.trim());
    let main = if plain(main) { main_unit(main) } else { "" };
    let per = if per.is_empty() || !plain(per) {
        Cow::Borrowed("")
    } else {
        Cow::Owned(format!("per_{}", per_unit(per)))
    };
    (main, per)
}

/// Other characters become underscores, several of them one, and none comes first.
fn cleaned(unit: &str) -> Cow<'_, str> {
    if unit.chars().all(is_name_char) {
        return Cow::Borrowed(unit);
    }
    let mut built = String::with_capacity(unit.len());
    for character in unit.chars() {
        if is_name_char(character) {
            built.push(character);
        } else if !built.is_empty() && !built.ends_with('_') {
            built.push('_');
        }
    }
    Cow::Owned(built)
}

fn main_unit(unit: &str) -> &str {
    match unit {
        "d" => "days",
        "h" => "hours",
        "min" => "minutes",
        "s" => "seconds",
        "ms" => "milliseconds",
        "us" => "microseconds",
        "ns" => "nanoseconds",
        "By" => "bytes",
        "KiBy" => "kibibytes",
        "MiBy" => "mebibytes",
        "GiBy" => "gibibytes",
        "TiBy" => "tibibytes",
        "KBy" => "kilobytes",
        "MBy" => "megabytes",
        "GBy" => "gigabytes",
        "TBy" => "terabytes",
        "m" => "meters",
        "V" => "volts",
        "A" => "amperes",
        "J" => "joules",
        "W" => "watts",
        "g" => "grams",
        "Cel" => "celsius",
        "Hz" => "hertz",
        "1" => "",
        "%" => "percent",
        other => other,
    }
}

fn per_unit(unit: &str) -> &str {
    match unit {
        "s" => "second",
        "m" => "minute",
        "h" => "hour",
        "d" => "day",
        "w" => "week",
        "mo" => "month",
        "y" => "year",
        other => other,
    }
}

#[cfg(test)]
mod tests;
