//! Which group a path names: `/metrics/job/{job}[/{label}/{value}]…`.
//!
//! The Pushgateway's grammar: a name with `@base64` behind it has a value in URL-safe base64, with or without padding,
//! `=` alone being the empty one; `U__` names are escaped UTF-8. A value may also have a percent-encoded slash.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::percent_decode_str;

/// A group's labels, `job` among them. A value may be empty: it takes the label away from pushed series.
pub(crate) type GroupLabels = BTreeMap<String, String>;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// Reads a path as it came: percent-encoded, with whatever stands before `/metrics/`.
///
/// # Errors
/// A sentence about what is wrong with it.
pub(crate) fn group(path: &str) -> Result<GroupLabels, String> {
    let (_, rest) = path
        .split_once("/metrics/")
        .ok_or("the path names no group; it is /metrics/job/{job}/{label}/{value}")?;
    let parts: Vec<&str> = rest.split('/').collect();
    let (pairs, odd) = parts.as_chunks::<2>();
    if let [odd] = odd
        && !(odd.is_empty() && pairs.len() == 1)
    {
        if pairs.is_empty() {
            return Err("the job's name is missing".to_owned());
        }
        return Err(format!(
            "the path has {} parts behind /metrics/, but labels and values come in pairs; \
             a value with a slash is written {{label}}@base64/{{its base64}}",
            parts.len()
        ));
    }
    let mut labels = GroupLabels::new();
    let mut job = None;
    for [name, value] in pairs {
        let (name, value) = label(name, value)?;
        if job.is_none() {
            job = Some(value);
        } else {
            labels.insert(name, value);
        }
    }
    match job {
        Some(job) if !job.is_empty() => {
            labels.insert("job".to_owned(), job);
            Ok(labels)
        }
        _ => Err("the job's name is empty".to_owned()),
    }
}

fn label(name: &str, value: &str) -> Result<(String, String), String> {
    let name = percent_decoded(name)?;
    let (escaped, is_base64) = match name.strip_suffix("@base64") {
        Some(name) => (name, true),
        None => (name.as_str(), false),
    };
    let name = checked_name(escaped)?;
    let value = percent_decoded(value)?;
    if !is_base64 {
        return Ok((name, value));
    }
    let bytes = BASE64
        .decode(value.trim_end_matches('='))
        .map_err(|error| {
            let shown = head(&value);
            format!("the value {shown:?} of {name}@base64 is not URL-safe base64: {error}")
        })?;
    let value = String::from_utf8(bytes)
        .map_err(|_| format!("the value of {name}@base64 is not UTF-8 once decoded"))?;
    Ok((name, value))
}

/// A classic label name, or an escaped one.
fn checked_name(escaped: &str) -> Result<String, String> {
    let is_classic = escaped.bytes().enumerate().all(|(at, byte)| {
        byte == b'_' || byte.is_ascii_alphabetic() || (at > 0 && byte.is_ascii_digit())
    });
    let why = if escaped.is_empty() {
        "is empty"
    } else if !is_classic {
        "has other characters than a-z, A-Z, 0-9 and _ (others are written as in U__dotted_2e_name)"
    } else if escaped.starts_with("__") {
        "starts with __, which is reserved"
    } else {
        return Ok(unescaped(escaped).unwrap_or_else(|| escaped.to_owned()));
    };
    Err(format!("the label name {:?} {why}", head(escaped)))
}

/// Prometheus' value encoding: `U__`, then `__` for an underscore and `_<hex>_` for any other character.
fn unescaped(name: &str) -> Option<String> {
    let mut rest = name.strip_prefix("U__")?;
    let mut text = String::with_capacity(rest.len());
    while let Some((before, behind)) = rest.split_once('_') {
        text.push_str(before);
        if let Some(next) = behind.strip_prefix('_') {
            text.push('_');
            rest = next;
            continue;
        }
        let (hex, next) = behind.split_once('_')?;
        if hex.is_empty() || hex.len() > 6 {
            return None;
        }
        text.push(char::from_u32(u32::from_str_radix(hex, 16).ok()?)?);
        rest = next;
    }
    text.push_str(rest);
    (!text.is_empty() && !text.starts_with("__")).then_some(text)
}

fn percent_decoded(text: &str) -> Result<String, String> {
    percent_decode_str(text)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| format!("{:?} in the path is not UTF-8 once decoded", head(text)))
}

fn head(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests;
