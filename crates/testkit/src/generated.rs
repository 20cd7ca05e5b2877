//! Parts of documents that are generated from code, kept up to date by tests.
//!
//! A block stands between `<!-- generated:NAME -->` and `<!-- /generated:NAME -->`. A test calls
//! [`generated`] with what the block must say: it fails when the document says something else, and
//! rewrites the block instead when `UPDATE_DOCS=1` is set, which is what `make docs` does.

use std::{
    fmt::Write as _,
    fs::File,
    io::{Read as _, Seek as _, Write as _},
    path::Path,
};

#[cfg(test)]
mod tests;

/// Checks, or with `UPDATE_DOCS=1` rewrites, the block `marker` of the document at `path`.
///
/// `path` is relative to the top of the repository. Blank lines around `content` do not matter.
/// When rewriting, a missing document is created and a missing block is added at its end.
///
/// # Panics
///
/// When the block differs from `content` (with the lines that do), or is not there.
#[track_caller]
pub fn generated(path: impl AsRef<Path>, marker: &str, content: &str) {
    let path = path.as_ref();
    let full = crate::repository().join(path);
    let path = path.display();
    let update = std::env::var_os("UPDATE_DOCS").is_some_and(|value| value == "1");
    if update && let Some(folder) = full.parent() {
        std::fs::create_dir_all(folder)
            .unwrap_or_else(|error| panic!("{path}: cannot create its folder: {error}"));
    }
    let mut file = File::options()
        .read(true)
        .write(update)
        .create(update)
        .truncate(false)
        .open(&full)
        .unwrap_or_else(|error| panic!("{path}: {error}; run `make docs`"));
    if update {
        // Two tests may own two blocks of one document; each rewrites the other's text unchanged.
        file.lock()
            .unwrap_or_else(|error| panic!("{path}: cannot lock: {error}"));
    }
    let mut document = String::new();
    file.read_to_string(&mut document)
        .unwrap_or_else(|error| panic!("{path}: {error}"));
    if update {
        let updated = replaced(&document, marker, content);
        if updated != document {
            file.rewind()
                .and_then(|()| file.set_len(0))
                .and_then(|()| file.write_all(updated.as_bytes()))
                .unwrap_or_else(|error| panic!("{path}: cannot rewrite: {error}"));
        }
    } else if let Err(why) = compared(&document, marker, content) {
        panic!("{path}: {why}\nrun `make docs` and commit what it changes");
    }
}

/// The text between the two markers, with what is before and after it.
fn split<'a>(document: &'a str, marker: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let (before, rest) = document.split_once(&opening(marker))?;
    let (block, after) = rest.split_once(&closing(marker))?;
    Some((before, block, after))
}

fn opening(marker: &str) -> String {
    format!("<!-- generated:{marker} -->")
}

fn closing(marker: &str) -> String {
    format!("<!-- /generated:{marker} -->")
}

fn block(marker: &str, content: &str) -> String {
    let body = content.trim_matches('\n');
    format!("{}\n\n{body}\n\n{}", opening(marker), closing(marker))
}

fn replaced(document: &str, marker: &str, content: &str) -> String {
    let block = block(marker, content);
    match split(document, marker) {
        Some((before, _, after)) => format!("{before}{block}{after}"),
        None if document.trim().is_empty() => format!("{block}\n"),
        None => format!("{}\n\n{block}\n", document.trim_end()),
    }
}

fn compared(document: &str, marker: &str, content: &str) -> Result<(), String> {
    let Some((_, found, _)) = split(document, marker) else {
        return Err(format!("the block `generated:{marker}` is not there"));
    };
    let (found, wanted) = (found.trim_matches('\n'), content.trim_matches('\n'));
    if found == wanted {
        return Ok(());
    }
    Err(format!(
        "the block `generated:{marker}` is out of date (- document, + code):\n{}",
        difference(found, wanted)
    ))
}

/// The lines that differ, between the first and the last that do.
fn difference(found: &str, wanted: &str) -> String {
    let (found, wanted): (Vec<_>, Vec<_>) = (found.lines().collect(), wanted.lines().collect());
    let head = found
        .iter()
        .zip(&wanted)
        .take_while(|(a, b)| a == b)
        .count();
    let tail = found
        .iter()
        .skip(head)
        .rev()
        .zip(wanted.iter().skip(head).rev())
        .take_while(|(a, b)| a == b)
        .count();
    let mut text = String::new();
    for (sign, lines) in [('-', &found), ('+', &wanted)] {
        for line in lines.iter().take(lines.len() - tail).skip(head) {
            writeln!(text, "{sign} {line}").unwrap_or_default();
        }
    }
    text
}
