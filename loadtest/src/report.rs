//! Lines of results as a page with plots and as a Markdown table.
//!
//! Nothing is measured here, and nothing is invented: what no line says is shown as missing, with what would have to be
//! run. The page is one file without scripts, so that it can be attached to a mail.

mod bars;
mod chart;
mod charts;
mod figures;
mod lines;
mod markdown;
mod page;
mod standing;
mod subjects;
mod sweeps;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use self::lines::Lines;

/// Turn files of results into a page and a table.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Files of results; lines of all of them count as one run.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Writes the page here.
    #[arg(long)]
    html: Option<PathBuf>,
    /// Writes the table here; without it and without a page, it is printed.
    #[arg(long)]
    markdown: Option<PathBuf>,
}

/// Runs the subcommand.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let lines = Lines::read(&arguments.files)?;
    let standings = standing::all(&lines);
    let subjects = subjects::all(&lines);
    if let Some(path) = &arguments.html {
        let page = page::write(&standings, &subjects, &charts::all(&lines));
        fs::write(path, page).with_context(|| path.display().to_string())?;
    }
    let table = markdown::write(&standings, &subjects);
    match &arguments.markdown {
        Some(path) => fs::write(path, table).with_context(|| path.display().to_string())?,
        None if arguments.html.is_none() => println!("{table}"),
        None => {}
    }
    Ok(())
}
