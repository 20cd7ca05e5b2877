//! Every snippet of `docs/clients.md` whose client can be installed here is run as it stands there.
//!
//! A comment before a snippet says how: `<!-- expects: a, b -->` are series that must arrive (`name` or `name{label=value}`), `file:` is the
//! name to save it under, `run:` the command to start instead of the snippet itself. Ports are exchanged, nothing else.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use testkit::{Launch, eventually, free_port, path_with};

use crate::sluice::Sluice;

/// Prometheus waits for its first scrape, batch jobs for their interval.
const PATIENCE: Duration = Duration::from_secs(120);

/// A snippet that says how it is run.
#[derive(Debug, Default, Clone)]
struct Snippet {
    heading: String,
    language: String,
    text: String,
    expects: Vec<String>,
    file: Option<String>,
    run: Option<String>,
}

fn snippets(document: &str) -> Vec<Snippet> {
    let mut found = Vec::new();
    let mut heading = String::new();
    let mut next: Option<Snippet> = None;
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        if let Some(title) = line.strip_prefix("## ") {
            assert!(next.is_none(), "{heading}: a comment without its snippet");
            title.clone_into(&mut heading);
        } else if let Some(comment) = line
            .strip_prefix("<!-- ")
            .and_then(|line| line.strip_suffix(" -->"))
        {
            next = Some(described(&heading, comment));
        } else if let Some(language) = line.strip_prefix("```").filter(|_| next.is_some()) {
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            found.extend(next.take().map(|snippet| Snippet {
                language: language.to_owned(),
                text: text.join("\n") + "\n",
                ..snippet
            }));
        }
    }
    found
}

fn described(heading: &str, comment: &str) -> Snippet {
    let mut snippet = Snippet {
        heading: heading.to_owned(),
        ..Snippet::default()
    };
    for part in comment.split(';') {
        let (key, value) = part.split_once(':').expect("a comment is key: value; …");
        let value = value.trim().to_owned();
        match key.trim() {
            "expects" => snippet.expects = value.split(", ").map(str::to_owned).collect(),
            "file" => snippet.file = Some(value),
            "run" => snippet.run = Some(value),
            other => unreachable!("{heading}: {other} is no word of these comments"),
        }
    }
    snippet
}

/// Sluice with every listener on, and the ports that the document writes for each.
fn everything_on(data_dir: &Path) -> (Sluice, Vec<(&'static str, u16)>) {
    let ports = [
        ("4317", free_port()),
        ("4318", free_port()),
        ("8125", free_port()),
    ];
    let listen = ports.map(|(_, port)| format!("127.0.0.1:{port}"));
    let data_dir = data_dir.display().to_string();
    let sluice = Sluice::start(
        "standalone",
        &[
            ("SLUICE_DATA_DIR", &data_dir),
            ("SLUICE_OTLP__GRPC_LISTEN", &listen[0]),
            ("SLUICE_OTLP__HTTP_LISTEN", &listen[1]),
            ("SLUICE_STATSD__LISTEN", &listen[2]),
            ("SLUICE_STATSD__FLUSH_INTERVAL", "1s"),
        ],
    );
    let mut ports = ports.to_vec();
    ports.push(("8080", sluice.http_port()));
    (sluice, ports)
}

/// Whether there is a series of this name, or of this `name{label=value}`.
fn arrived(sluice: &Sluice, expected: &str) -> Result<(), String> {
    let (name, label) = expected.split_once('{').unwrap_or((expected, ""));
    let mut path = format!("/api/v1/recent/series?metric_name={name}");
    if let Some((label, value)) = label.trim_end_matches('}').split_once('=') {
        path.push_str(&format!("&label={label}:{value}"));
    }
    let found = sluice.get(&path).map_err(|error| error.to_string())?;
    match found["series"].as_array() {
        Some(series) if !series.is_empty() => Ok(()),
        _ => Err(format!("{expected} has not arrived")),
    }
}

async fn run(sluice: &Sluice, ports: &[(&str, u16)], path: &str, snippet: &Snippet) {
    let folder = tempfile::tempdir().unwrap();
    let exchanged = |text: &str| {
        ports.iter().fold(text.to_owned(), |text, (port, ours)| {
            text.replace(port, &ours.to_string())
        })
    };
    let (default_file, default_run) = match snippet.language.as_str() {
        "python" => ("snippet.py", "python snippet.py"),
        "sh" => ("snippet.sh", "bash -e snippet.sh"),
        _ => ("", ""),
    };
    let file = snippet.file.as_deref().unwrap_or(default_file);
    let command = snippet.run.as_deref().unwrap_or(default_run);
    assert!(!file.is_empty() && !command.is_empty(), "{snippet:?}");
    std::fs::write(folder.path().join(file), exchanged(&snippet.text)).unwrap();
    let client = Launch::new("client", "bash")
        .args(["-c", &format!("PATH={path}; {}", exchanged(command))])
        .current_dir(folder.path())
        .start();
    for name in &snippet.expects {
        eventually(PATIENCE, async || {
            arrived(sluice, name).map_err(|error| {
                let log = client.log();
                format!("{}: {error}; its client says:\n{log}", snippet.heading)
            })
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documented_snippets_work_as_they_stand() {
    let document = testkit::repository().join("docs/clients.md");
    let snippets = snippets(&std::fs::read_to_string(document).unwrap());
    let clients: BTreeSet<&str> = snippets
        .iter()
        .map(|snippet| snippet.heading.as_str())
        .collect();
    assert!(clients.len() >= 10, "{clients:?}");
    let folder = tempfile::tempdir().unwrap();
    let (sluice, ports) = everything_on(folder.path());
    let path = path_with(&["python", "prometheus", "victoria-metrics", "influx"]);
    let runs = snippets
        .iter()
        .map(|snippet| run(&sluice, &ports, &path, snippet));
    futures::future::join_all(runs).await;
}
