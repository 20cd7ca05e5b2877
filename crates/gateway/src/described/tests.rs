//! That the description says what is there: every route, every code, every example.

use std::collections::BTreeSet;

use axum::body::Body;
use http::{Method, Request};
use model::Code;
use serde_json::Value;
use service::openapi::{describing, document, served};

use super::examples::TRIED;
use super::failures::OF_OTHERS;
use super::{about, public};
use crate::Config;
use crate::fake::{FakeBuffer, Server};
use crate::pushgateway::fake::Pushed;

fn sorted(mut all: Vec<(Method, String)>) -> Vec<String> {
    all.sort_by_key(|(method, path)| (path.clone(), method.to_string()));
    let mut lines: Vec<String> = all
        .iter()
        .map(|(method, path)| format!("{method} {path}"))
        .collect();
    lines.dedup();
    lines
}

#[tokio::test]
async fn every_route_has_an_operation_and_every_operation_a_route() {
    for has_groups in [false, true] {
        let server = if has_groups {
            Pushed::start().server
        } else {
            Server::start(&Config::default(), FakeBuffer::default())
        };
        let routes = sorted(served(server.router.routes()));
        assert!(routes.len() > 60, "{routes:?}");
        let described = sorted(public(has_groups).and(describing()).routes());
        similar(&routes, &described);
    }
}

#[track_caller]
fn similar(routes: &[String], described: &[String]) {
    let (routes, described): (BTreeSet<_>, BTreeSet<_>) =
        (routes.iter().collect(), described.iter().collect());
    let undescribed: Vec<_> = routes.difference(&described).collect();
    let unserved: Vec<_> = described.difference(&routes).collect();
    assert!(
        undescribed.is_empty() && unserved.is_empty(),
        "not described: {undescribed:#?}\nnot served: {unserved:#?}"
    );
}

/// Every answer of every operation, references followed.
fn answers(document: &Value) -> Vec<(u16, String)> {
    let mut all = Vec::new();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            let Some(responses) = operation["responses"].as_object() else {
                continue;
            };
            for (status, answer) in responses {
                let answer = match answer["$ref"].as_str() {
                    Some(reference) => document
                        .pointer(reference.strip_prefix('#').unwrap())
                        .unwrap(),
                    None => answer,
                };
                let text = answer["description"].as_str().unwrap().to_owned();
                all.push((status.parse().unwrap(), text));
            }
        }
    }
    all
}

#[test]
fn every_code_stands_at_its_status_of_some_operation() {
    let document = document(&about(), &public(true));
    let answers = answers(&document);
    for code in Code::ALL {
        let is_of_others = OF_OTHERS.contains(&code);
        let said = answers.iter().any(|(status, text)| {
            *status == code.status() && text.contains(&format!("`{}`", code.as_str()))
        });
        assert!(said || is_of_others, "{}", code.as_str());
    }
    let listed = document["x-codes"].as_array().unwrap();
    assert_eq!(listed.len(), Code::ALL.len());
}

#[test]
fn names_of_operations_and_of_what_they_refer_to_are_good() {
    let document = document(&about(), &public(true));
    let mut ids = BTreeSet::new();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            if let Some(id) = operation["operationId"].as_str() {
                assert!(ids.insert(id.to_owned()), "{id} twice");
            }
        }
    }
    let text = document.to_string();
    for (at, _) in text.match_indices(r##""$ref":"#"##) {
        let reference = text.get(at + 9..).unwrap().split('"').next().unwrap();
        assert!(document.pointer(reference).is_some(), "{reference}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_example_is_answered_as_it_says() {
    for tried in TRIED {
        let server = Server::start(&Config::default(), FakeBuffer::default());
        let is_json = tried.body.starts_with(['{', '[']);
        let content_type = if is_json {
            "application/json"
        } else {
            "text/plain"
        };
        let request = Request::post(tried.path)
            .header("content-type", content_type)
            .body(Body::from(tried.body))
            .unwrap();
        let answer = server.send(request).await;
        let place = format!("{} {}", tried.path, tried.name);
        assert_eq!(
            (answer.status.as_u16(), answer.text()),
            (tried.status, tried.answer.trim_end()),
            "{place}"
        );
    }
}

#[test]
fn the_book_shows_the_same_examples() {
    let book = std::fs::read_to_string(testkit::repository().join("docs/api.md")).unwrap();
    for name in ["histogram", "summary"] {
        let tried = TRIED.iter().find(|tried| tried.name == name).unwrap();
        let sample: Vec<&str> = tried.body.lines().collect();
        let sample = sample[1..sample.len() - 1].join("\n");
        assert!(book.contains(&sample), "{sample}");
    }
}
