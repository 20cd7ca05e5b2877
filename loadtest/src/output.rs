//! Files of results: a line of JSON per outcome.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context;

use crate::outcome::Outcome;

/// Appends outcomes.
pub(crate) fn append(path: &Path, outcomes: &[Outcome]) -> anyhow::Result<()> {
    let mut text = Vec::new();
    for outcome in outcomes {
        serde_json::to_writer(&mut text, outcome)?;
        text.push(b'\n');
    }
    File::options()
        .create(true)
        .append(true)
        .open(path)
        .and_then(|mut file| file.write_all(&text))
        .with_context(|| path.display().to_string())
}
