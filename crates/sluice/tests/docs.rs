//! Documents that are made from code say what the code says; `make docs` writes them anew.

use std::fmt::Write as _;

use clap::CommandFactory;
use service::catalogue::Kind;
use sluice::settings::{Role, Settings};
use testkit::{generated, repository};

#[test]
fn configuration_md_lists_every_setting() {
    let defaults = serde_json::to_value(Settings::defaults(Role::Standalone)).unwrap();
    let table = service::settings::docs::table(&schemars::schema_for!(Settings), &defaults);
    generated(
        repository().join("docs/configuration.md"),
        "settings",
        &table,
    );
}

#[test]
fn metrics_md_lists_every_metric() {
    let mut text = String::new();
    for (part, catalogue) in sluice::CATALOGUES {
        write!(
            text,
            "\n## {part}\n\n| Metric | Kind | Labels | What |\n| --- | --- | --- | --- |\n"
        )
        .unwrap();
        for metric in catalogue {
            let kind = match metric.kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
                Kind::Histogram(_) => "histogram",
            };
            let labels: Vec<String> = metric
                .labels
                .iter()
                .map(|label| format!("`{label}`"))
                .collect();
            writeln!(
                text,
                "| `{}` | {kind} | {} | {} |",
                metric.name,
                labels.join(", "),
                metric.help
            )
            .unwrap();
        }
    }
    generated(repository().join("docs/metrics.md"), "metrics", &text);
}

#[test]
fn the_readme_shows_the_help_text() {
    let help = sluice::cli::Cli::command().render_long_help().to_string();
    let help = help
        .lines()
        .map(str::trim_end)
        .collect::<Vec<_>>()
        .join("\n");
    generated(
        repository().join("docs/commands.md"),
        "help",
        &format!("```text\n{help}\n```"),
    );
}
