//! Rules for alerts and dashboards: each alert can be acted on and is tested, each panel says what it shows of metrics that exist.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use serde_json::Value;

use crate::tree::{files, none, text};

/// Labels that scraping adds, or that a histogram's buckets have.
const ADDED: [&str; 5] = ["instance", "job", "le", "namespace", "pod"];

/// What follows `name: ` in a line of YAML, without quotes.
fn setting<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let rest = line.trim().trim_start_matches("- ").strip_prefix(name)?;
    Some(rest.strip_prefix(": ")?.trim().trim_matches('"'))
}

/// Each alert with the lines of its rule.
fn alerts() -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut current = None;
    for line in text(Path::new("monitoring/alerts.yaml")).lines() {
        if let Some(name) = setting(line, "alert") {
            current = Some(name.to_owned());
        }
        if let Some(name) = &current {
            found.entry(name.clone()).or_default().push(line.to_owned());
        }
    }
    assert!(found.len() > 20, "{found:?}");
    found
}

#[test]
fn every_alert_says_what_to_do_and_has_a_section_in_the_runbook() {
    let runbook = text(Path::new("docs/runbook.md"));
    let mut broken = Vec::new();
    for (alert, rule) in alerts() {
        let says = |name: &str| {
            rule.iter()
                .any(|line| setting(line, name).is_some() || line.trim() == format!("{name}: >-"))
        };
        for name in ["severity", "summary", "description", "expr"] {
            if !says(name) {
                broken.push(format!("{alert}: no {name}"));
            }
        }
        let link = format!("docs/runbook.md#{}", alert.to_lowercase());
        if !rule
            .iter()
            .any(|line| setting(line, "runbook") == Some(link.as_str()))
        {
            broken.push(format!("{alert}: no annotation `runbook: {link}`"));
        }
        if !runbook.lines().any(|line| line == format!("### {alert}")) {
            broken.push(format!("docs/runbook.md: no section `### {alert}`"));
        }
    }
    for line in runbook.lines() {
        if let Some(alert) = line.strip_prefix("### Sluice")
            && !alerts().contains_key(&format!("Sluice{alert}"))
        {
            broken.push(format!("docs/runbook.md: there is no alert Sluice{alert}"));
        }
    }
    none("alerts that nobody can act on", &broken);
}

#[test]
fn every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not() {
    let cases = text(Path::new("monitoring/alerts_test.yaml"));
    let (mut fires, mut silent) = (BTreeSet::new(), BTreeSet::new());
    for line in cases.lines() {
        let Some((_, rest)) = line.split_once("alertname: ") else {
            continue;
        };
        let name = rest.split([',', ' ']).next().unwrap().to_owned();
        if rest.contains("exp_alerts: []") {
            silent.insert(name);
        } else {
            fires.insert(name);
        }
    }
    let mut broken = Vec::new();
    for alert in alerts().into_keys() {
        if !fires.contains(&alert) {
            broken.push(format!("{alert}: no case in which it fires"));
        }
        if !silent.contains(&alert) {
            broken.push(format!("{alert}: no case in which it does not"));
        }
    }
    none("alerts without tests", &broken);
}

/// The labels of each metric, as docs/metrics.md has them.
fn catalogue() -> BTreeMap<String, BTreeSet<String>> {
    let document = text(Path::new("docs/metrics.md"));
    let rows = document.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let names = |cell: &str| -> BTreeSet<String> {
            cell.split(',')
                .map(|name| name.trim().trim_matches('`').to_owned())
                .filter(|name| !name.is_empty())
                .collect()
        };
        (cells[1].trim_matches('`').to_owned(), names(cells[3]))
    })
    .collect()
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Metrics that stand in an expression, each with the labels that its braces name.
fn selectors(expression: &str) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    let mut rest = expression;
    while let Some(at) = ["sluice_", "process_"]
        .iter()
        .filter_map(|prefix| rest.find(prefix))
        .min()
    {
        let (before, from) = rest.split_at(at);
        let end = from.find(|c| !is_word(c)).unwrap_or(from.len());
        let (name, after) = from.split_at(end);
        let inside = before.ends_with('"');
        let mut labels = Vec::new();
        rest = after;
        if let Some(braces) = after.strip_prefix('{') {
            let (matchers, after) = braces.split_once('}').unwrap();
            labels = matchers
                .split(',')
                .filter_map(|matcher| matcher.split(['=', '!']).next())
                .map(|label| label.trim().to_owned())
                .filter(|label| !label.is_empty() && label.chars().all(is_word))
                .collect();
            rest = after;
        }
        if !inside {
            found.push((name.to_owned(), labels));
        }
    }
    found
}

/// Labels in the parentheses after `by`, `on` and `group_left`, and in a legend's braces.
fn grouped(expression: &str, legend: &str) -> Vec<String> {
    let mut found = Vec::new();
    for word in ["by (", "on (", "group_left ("] {
        for part in expression.split(word).skip(1) {
            found.extend(
                part.split(')')
                    .next()
                    .unwrap()
                    .split(',')
                    .map(str::to_owned),
            );
        }
    }
    for part in legend.split("{{").skip(1) {
        found.push(part.split("}}").next().unwrap().to_owned());
    }
    found
        .iter()
        .map(|label| label.trim().to_owned())
        .filter(|label| !label.is_empty())
        .collect()
}

fn dashboards() -> Vec<(String, Value)> {
    let all = files(&[".json"]);
    let found: Vec<_> = all
        .iter()
        .filter(|path| path.starts_with("monitoring/dashboards"))
        .map(|path| {
            (
                path.display().to_string(),
                serde_json::from_str(&text(path)).unwrap(),
            )
        })
        .collect();
    assert!(found.len() >= 4, "{all:?}");
    found
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

#[test]
fn dashboards_name_only_metrics_and_labels_that_exist() {
    let catalogue = catalogue();
    let mut broken = Vec::new();
    for (file, dashboard) in dashboards() {
        for panel in list(&dashboard, "panels") {
            let title = panel["title"].as_str().unwrap();
            for query in list(panel, "targets") {
                let expression = query["expr"].as_str().unwrap();
                let selectors = selectors(expression);
                if selectors.is_empty() {
                    broken.push(format!("{file}: {title}: no metric in {expression}"));
                }
                let mut known: BTreeSet<String> =
                    ADDED.iter().map(|label| (*label).to_owned()).collect();
                for (name, labels) in selectors {
                    let base = ["_bucket", "_sum", "_count"]
                        .iter()
                        .find_map(|suffix| name.strip_suffix(suffix))
                        .unwrap_or(&name);
                    let Some(own) = catalogue.get(&name).or_else(|| catalogue.get(base)) else {
                        broken.push(format!("{file}: {title}: there is no {name}"));
                        continue;
                    };
                    for label in labels {
                        if !own.contains(&label) && !ADDED.contains(&label.as_str()) {
                            broken.push(format!("{file}: {title}: {name} has no label {label}"));
                        }
                    }
                    known.extend(own.iter().cloned());
                }
                for label in grouped(expression, query["legendFormat"].as_str().unwrap()) {
                    if !known.contains(&label) {
                        broken.push(format!(
                            "{file}: {title}: nothing there has a label {label}"
                        ));
                    }
                }
            }
        }
    }
    none("dashboards that show nothing", &broken);
}

#[test]
fn panels_say_what_they_show_and_do_not_overlap() {
    let mut broken = Vec::new();
    let mut titles = BTreeSet::new();
    for (file, dashboard) in dashboards() {
        let uid = dashboard["uid"].as_str().unwrap().to_owned();
        if !titles.insert(uid.clone()) {
            broken.push(format!("{file}: {uid} is another dashboard's"));
        }
        let variables: Vec<&str> = list(&dashboard["templating"], "list")
            .iter()
            .map(|variable| variable["name"].as_str().unwrap())
            .collect();
        let mut taken: BTreeMap<(u64, u64), String> = BTreeMap::new();
        let mut numbers = BTreeSet::new();
        for panel in list(&dashboard, "panels") {
            let title = panel["title"].as_str().unwrap();
            let said = |name: &str| panel[name].as_str().is_some_and(|said| said.len() > 2);
            if panel["type"] != "row" && (!said("description") || !said("title")) {
                broken.push(format!("{file}: {title}: no description"));
            }
            if panel["type"] != "row" && !panel["fieldConfig"]["defaults"]["unit"].is_string() {
                broken.push(format!("{file}: {title}: no unit"));
            }
            if !numbers.insert(panel["id"].as_u64().unwrap()) {
                broken.push(format!("{file}: {title}: its id is another panel's"));
            }
            let place = |name: &str| panel["gridPos"][name].as_u64().unwrap();
            for x in place("x")..place("x") + place("w") {
                for y in place("y")..place("y") + place("h") {
                    if x >= 24 || taken.insert((x, y), title.to_owned()).is_some() {
                        broken.push(format!("{file}: {title}: lies over another panel"));
                    }
                }
            }
            for query in list(panel, "targets") {
                for part in query["expr"].as_str().unwrap().split('$').skip(1) {
                    let name = part.split(|c| !is_word(c)).next().unwrap();
                    if !name.starts_with("__") && !variables.contains(&name) {
                        broken.push(format!("{file}: {title}: no variable ${name}"));
                    }
                }
            }
        }
    }
    none("panels that nobody understands", &broken);
}

#[test]
fn dashboards_are_what_their_source_says() {
    let output = Command::new("python3")
        .arg(testkit::repository().join("monitoring/dashboards.py"))
        .arg("--check")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn the_checker_finds_metrics_and_labels_in_an_expression() {
    let expression = "sum by (le, store) (rate(sluice_a_bucket{job=~\"$job\", x!=\"1\"}[5m])) / on () group_left (version) sluice_b";
    let expected = vec![
        (
            "sluice_a_bucket".to_owned(),
            vec!["job".to_owned(), "x".to_owned()],
        ),
        ("sluice_b".to_owned(), Vec::new()),
    ];
    assert_eq!(selectors(expression), expected);
    assert_eq!(
        grouped(expression, "{{z}} p99"),
        ["le", "store", "version", "z"]
    );
}
