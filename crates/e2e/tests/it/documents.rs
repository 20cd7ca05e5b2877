//! Commands of the documents, run as they stand: each against a `standalone` of its document's own.
//!
//! Blocks of `sh` are scripts; in blocks of `console` the lines after `$ ` are, and the others are what they print. A
//! block after `<!-- not run here: why -->` is not run. Ports are replaced by those of the process.

use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use testkit::{path_with, repository};

use crate::push::now_ms;
use crate::sluice::{Sluice, binary};

const MARK: &str = "<!-- not run here: ";

/// A block that is to be run, and what it says that it prints.
#[derive(Debug, PartialEq)]
struct Block {
    line: usize,
    script: String,
    prints: Vec<String>,
}

/// The blocks of a document, and how many are marked as not to be run.
fn blocks(text: &str) -> (Vec<Block>, usize) {
    let (mut found, mut marked) = (Vec::new(), 0);
    let mut lines = text.lines().enumerate();
    let mut before = "";
    while let Some((number, line)) = lines.next() {
        let language = line.strip_prefix("```");
        if let Some(language) = language {
            let body: Vec<&str> = lines
                .by_ref()
                .map(|(_, line)| line)
                .take_while(|line| !line.starts_with("```"))
                .collect();
            let is_marked = before.starts_with(MARK) && before.ends_with(" -->");
            let block = match language {
                "sh" => Some((body.join("\n"), Vec::new())),
                "console" => Some(session(&body)),
                _ => None,
            };
            match block {
                Some(_) if is_marked => marked += 1,
                Some((script, prints)) => found.push(Block {
                    line: number + 1,
                    script,
                    prints,
                }),
                None => {}
            }
        }
        if !line.trim().is_empty() {
            before = line;
        }
    }
    (found, marked)
}

/// What is typed in a session, and what is printed.
fn session(body: &[&str]) -> (String, Vec<String>) {
    let (mut script, mut prints) = (String::new(), Vec::new());
    let mut command = String::new();
    for line in body {
        if let Some(typed) = line.strip_prefix("$ ") {
            command = typed.to_owned();
        } else if is_complete(&command) {
            prints.push((*line).to_owned());
            continue;
        } else {
            command = format!("{command}\n{line}");
        }
        if is_complete(&command) {
            script = format!("{script}{command}\n");
        }
    }
    (script, prints)
}

/// Whether the shell would run this, or wait for another line.
fn is_complete(command: &str) -> bool {
    let output = Command::new("bash")
        .args(["-n", "-c", command])
        .output()
        .unwrap();
    let continues = command.trim_end().ends_with('\\');
    output.status.success() && output.stderr.is_empty() && !continues
}

fn documents() -> Vec<PathBuf> {
    let folders = ["docs", "docs/protocols", "k8s", "monitoring"];
    let mut found: Vec<PathBuf> = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(repository().join(folder)).unwrap())
        .map(|file| file.unwrap().path())
        .filter(|file| file.extension().is_some_and(|end| end == "md"))
        .collect();
    found.sort();
    found
}

/// A standalone with StatsD, and the ports that its documents' commands are to use.
struct Host {
    sluice: Sluice,
    statsd_port: u16,
}

impl Host {
    fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let statsd_port = socket.local_addr().unwrap().port();
        drop(socket);
        let listen = format!("127.0.0.1:{statsd_port}");
        let sluice = Sluice::start("standalone", &[("SLUICE_STATSD__LISTEN", &listen)]);
        Self {
            sluice,
            statsd_port,
        }
    }

    /// The command with this process's ports.
    fn addressed(&self, script: &str) -> String {
        let public = self.sluice.http_port();
        script
            .replace("localhost:8080", &format!("127.0.0.1:{public}"))
            .replace("localhost -port 8080", &format!("127.0.0.1 -port {public}"))
            .replace(
                "localhost:8081",
                &format!("127.0.0.1:{}", self.sluice.admin_port()),
            )
            .replace("127.0.0.1/8125", &format!("127.0.0.1/{}", self.statsd_port))
    }

    fn run(&self, folder: &Path, block: &Block) -> Output {
        let programs = binary().parent().unwrap().display().to_string();
        Command::new("bash")
            .args(["-euo", "pipefail", "-c", &self.addressed(&block.script)])
            .current_dir(folder)
            .env("PATH", format!("{programs}:{}", path_with(&["influx"])))
            // A key, where a document speaks of one.
            .env("KEY", "slc_example")
            .output()
            .unwrap()
    }
}

/// Lines that a block says it prints and that say whether it went well: an answer's status.
fn is_as_said(block: &Block, output: &str) -> bool {
    let status = block.prints.iter().find(|line| line.starts_with("HTTP/"));
    status.is_none_or(|status| output.contains(status.trim_end()))
}

#[test]
fn every_command_in_the_documents_can_be_run_or_says_why_not() {
    let (mut seen, mut not_run) = (0, 0);
    let mut broken = Vec::new();
    for document in documents() {
        let (blocks, marked) = blocks(&std::fs::read_to_string(&document).unwrap());
        not_run += marked;
        if blocks.is_empty() {
            continue;
        }
        let host = Host::start();
        let folder = testkit::run_dir("documents");
        for block in &blocks {
            seen += 1;
            let output = host.run(&folder, block);
            let printed = String::from_utf8_lossy(&output.stdout);
            if !output.status.success() || !is_as_said(block, &printed) {
                broken.push(format!(
                    "{}:{}: {}\n{}\n{printed}\n{}",
                    document.display(),
                    block.line,
                    output.status,
                    host.addressed(&block.script),
                    String::from_utf8_lossy(&output.stderr)
                ));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n\n"));
    // More are run than are not, or the book has become a story.
    assert!(seen > 20 && seen > 2 * not_run, "{seen} run, {not_run} not");
}

#[test]
fn commands_and_what_they_print_are_told_apart() {
    let at_ms = now_ms();
    let text = format!(
        "```console\n$ cat <<END\n{at_ms}\nEND\n$ echo 'a\nb' \\\n  c\nprinted\n```\n\n{MARK}x -->\n```sh\nno\n```\n```sh\nls\n```\n"
    );
    let (found, marked) = blocks(&text);
    assert_eq!(marked, 1);
    assert_eq!(found.len(), 2);
    assert_eq!(
        found[0].script,
        format!("cat <<END\n{at_ms}\nEND\necho 'a\nb' \\\n  c\n")
    );
    assert_eq!(found[0].prints, ["printed"]);
    assert_eq!(found[1].script, "ls");
}
