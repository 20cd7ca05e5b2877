//! Rules for Markdown: every link inside the repository leads somewhere.

use std::{
    collections::BTreeSet,
    path::{Component, Path, PathBuf},
};

use crate::tree::{files, none, text};

/// The lines of a document that are not inside of a code block.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// Targets of `[text](target)` and `[name]: target`.
fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in prose(text) {
        let mut rest = line;
        while let Some((_, after)) = rest.split_once("](") {
            let (target, next) = after.split_once(')').unwrap_or((after, ""));
            found.push(target.split(' ').next().unwrap_or_default().to_owned());
            rest = next;
        }
        if let Some((_, target)) = line.split_once("]: ")
            && line.starts_with('[')
        {
            found.push(target.trim().to_owned());
        }
    }
    found
}

/// The anchors of a document's headings, as the usual hosts make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    for line in prose(text) {
        let title = line.trim_start_matches('#');
        if title.len() < line.len() && title.starts_with(' ') {
            let base: String = title
                .trim()
                .to_lowercase()
                .chars()
                .filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect();
            let mut anchor = base.clone();
            let mut number = 0;
            while !anchors.insert(anchor.clone()) {
                number += 1;
                anchor = format!("{base}-{number}");
            }
        }
    }
    anchors
}

fn resolved(document: &Path, target: &str) -> PathBuf {
    let mut path = document.parent().unwrap().to_owned();
    for part in Path::new(target).components() {
        match part {
            Component::ParentDir => assert!(path.pop(), "{target} leaves the repository"),
            Component::CurDir => {}
            part => path.push(part),
        }
    }
    path
}

#[test]
fn every_relative_link_leads_somewhere() {
    let mut broken = Vec::new();
    for document in files(&[".md"]) {
        let own = text(&document);
        for link in links(&own) {
            if link.contains("://") || link.starts_with("mailto:") || link.is_empty() {
                continue;
            }
            let (target, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let path = if target.is_empty() {
                document.clone()
            } else {
                resolved(&document, target)
            };
            let full = testkit::repository().join(&path);
            if !full.exists() {
                broken.push(format!("{}: {link}: no such file", document.display()));
            } else if !anchor.is_empty()
                && full.is_file()
                && !anchors(&text(&path)).contains(anchor)
            {
                broken.push(format!("{}: {link}: no such heading", document.display()));
            }
        }
    }
    none("dead links", &broken);
}

#[test]
fn every_page_of_the_documents_is_in_the_book() {
    let book = text(Path::new("docs/README.md"));
    let listed: BTreeSet<PathBuf> = links(&book)
        .iter()
        .map(|link| resolved(Path::new("docs/README.md"), link.split('#').next().unwrap()))
        .collect();
    let broken: Vec<_> = files(&[".md"])
        .into_iter()
        .filter(|page| page.starts_with("docs") && !page.starts_with("docs/adr"))
        .filter(|page| page != Path::new("docs/README.md") && !listed.contains(page))
        .map(|page| page.display().to_string())
        .collect();
    none("pages that docs/README.md does not list", &broken);
}

#[test]
fn the_checker_sees_links_and_headings_as_a_host_does() {
    let document = "# A `b` & c\n\n## Twice\n## Twice\n\n[x](a.md#b) [y](c.md \"t\")\n[z]: d.md\n\
                    ```text\n# not a heading [no](no.md)\n```\n";
    assert_eq!(links(document), ["a.md#b", "c.md", "d.md"]);
    let expected = ["a-b--c", "twice", "twice-1"].map(str::to_owned);
    assert_eq!(anchors(document), BTreeSet::from(expected));
}
