//! Runs scenarios one after another, whatever becomes of each.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;

use crate::arguments::Arguments;
use crate::row::Row;
use crate::scenario::Scenario;
use crate::scenarios;
use crate::stage::{Brokers, Stage};
use crate::table;

/// Runs what was asked for and prints the table; whether all of it passes.
pub(crate) fn run(arguments: &mut Arguments) -> anyhow::Result<bool> {
    let chosen = chosen(arguments)?;
    let binary = &mut arguments.knobs.binary;
    *binary = binary
        .canonicalize()
        .with_context(|| format!("{} is not built", binary.display()))?;
    let output = output(arguments);
    std::fs::create_dir_all(&output).with_context(|| output.display().to_string())?;
    let seed = arguments
        .seed
        .unwrap_or_else(|| u64::from(rand::random::<u32>()));
    let mut brokers = Brokers::default();
    let mut rows = Vec::new();
    let began = Instant::now();
    for (at, scenario) in (1..).zip(&chosen) {
        let mut row = Row::new(scenario.name);
        let rounds = if scenario.is_random {
            arguments.rounds.max(1)
        } else {
            1
        };
        for round in 0..rounds {
            let seed = seed.wrapping_add(round);
            eprintln!(
                "{} ({at} of {}, round {} of {rounds}, FAULT_SEED={seed}, {} s so far) …",
                scenario.name,
                chosen.len(),
                round + 1,
                began.elapsed().as_secs()
            );
            let folder = output.join(format!("{}-{seed}", scenario.name));
            let mut one = play(arguments, &mut brokers, scenario, &folder, seed)?;
            if !one.passes() {
                one.failures
                    .push(format!("seed {seed}; logs in {}", folder.display()));
                for failure in &one.failures {
                    eprintln!("  FAILED: {failure}");
                }
            }
            row.add(one);
        }
        rows.push(row);
        // After each, so that what was seen is not lost with a run that is ended.
        write(&output, &rows)?;
    }
    println!("{}", table::markdown(&rows));
    eprintln!("written to {}", output.display());
    Ok(rows.iter().all(Row::passes))
}

/// One round.
fn play(
    arguments: &Arguments,
    brokers: &mut Brokers,
    scenario: &Scenario,
    folder: &Path,
    seed: u64,
) -> anyhow::Result<Row> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let began = Instant::now();
    let mut stage = Stage::new(
        &arguments.knobs,
        brokers,
        scenario.name,
        folder.to_owned(),
        seed,
    );
    let outcome = catch_unwind(AssertUnwindSafe(|| (scenario.steps)(&mut stage)));
    let broken = match outcome {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(format!("{error:#}")),
        Err(panic) => Some(words(panic.as_ref())),
    };
    stage.row.failures.extend(broken);
    let mut row = stage.end();
    row.elapsed_s = began.elapsed().as_secs_f64();
    if row.passes() {
        std::fs::remove_dir_all(folder).with_context(|| folder.display().to_string())?;
    } else {
        // Nobody knows in what state they are.
        *brokers = Brokers::default();
    }
    Ok(row)
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a step panicked".to_owned())
}

fn chosen(arguments: &Arguments) -> anyhow::Result<Vec<Scenario>> {
    let words = &arguments.scenarios;
    let is_wanted = |scenario: &Scenario| {
        let is_named = words
            .iter()
            .any(|word| scenario.name.starts_with(word.as_str()));
        (words.is_empty() || is_named) && (!arguments.quick || scenario.is_quick)
    };
    let chosen: Vec<_> = scenarios::all().into_iter().filter(is_wanted).collect();
    anyhow::ensure!(
        !chosen.is_empty(),
        "no scenario's name begins with {words:?}; `faults list` lists them"
    );
    Ok(chosen)
}

fn output(arguments: &Arguments) -> PathBuf {
    arguments.output.clone().unwrap_or_else(|| {
        let started = service::clock::now_ms() / 1000;
        testkit::repository()
            .join(".build/faults")
            .join(started.to_string())
    })
}

fn write(output: &Path, rows: &[Row]) -> anyhow::Result<()> {
    let mut json = String::new();
    for row in rows {
        json.push_str(&serde_json::to_string(row)?);
        json.push('\n');
    }
    std::fs::write(output.join("table.jsonl"), json)?;
    std::fs::write(output.join("table.md"), table::markdown(rows))?;
    Ok(())
}
