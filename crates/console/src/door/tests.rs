//! Browsers of this machine, pages of others, names that were made to lead here, and machines.

use std::net::SocketAddr;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

use super::Names;

fn names(listen: &str, hosts: &[&str]) -> Names {
    let listen: SocketAddr = listen.parse().unwrap();
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    Names::new(listen, "Gateway-1.example.net", &hosts)
}

fn ask(names: &Names, method: &Method, headers: &[(&'static str, &str)]) -> Option<&'static str> {
    let headers = headers.iter().map(|(name, value)| {
        let value = HeaderValue::from_str(value).unwrap();
        (HeaderName::from_static(name), value)
    });
    let headers: HeaderMap = headers.collect();
    let uri = Uri::from_static("/api/v1/overview");
    names
        .check(method, &uri, &headers)
        .err()
        .map(|refused| refused.reason)
}

fn check(listen: &str, headers: &[(&'static str, &str)], expected: Option<&'static str>) {
    let names = names(listen, &["console.example.org"]);
    assert_eq!(
        ask(&names, &Method::GET, headers),
        expected,
        "{listen} {headers:?}"
    );
}

const LOCAL: &str = "127.0.0.1:8081";
const OPEN: &str = "0.0.0.0:8081";

#[test]
fn names_of_this_machine_are_let_in() {
    for host in [
        "localhost:8081",
        "LOCALHOST",
        "127.0.0.1:8081",
        "[::1]:8081",
        "192.168.1.7:8081",
        "gateway-1:8081",
        "gateway-1.example.net",
        "sluice.localhost:8081",
        "console.example.org:443",
        "console.example.org.",
    ] {
        check(LOCAL, &[("host", host)], None);
    }
}

#[test]
fn a_name_that_was_made_to_lead_to_this_machine_is_not() {
    for host in [
        "evil.example:8081",
        "127.0.0.1.evil.example",
        "localhost.evil.example:8081",
    ] {
        check(LOCAL, &[("host", host)], Some("host"));
        check("[::1]:8081", &[("host", host)], Some("host"));
    }
}

#[test]
fn a_listener_that_others_reach_has_whatever_name_they_gave_it() {
    check(OPEN, &[("host", "sluice.monitoring.svc:8081")], None);
    check("10.0.0.7:8081", &[("host", "sluice.example.com")], None);
}

#[test]
fn a_page_of_another_site_is_refused_and_our_own_is_not() {
    for listen in [LOCAL, OPEN] {
        let own = [
            ("host", "localhost:8081"),
            ("origin", "http://localhost:8081"),
        ];
        check(listen, &own, None);
        for origin in [
            "http://evil.example",
            "null",
            "http://localhost:9999",
            "http://evil.example:8081",
        ] {
            let other = [("host", "localhost:8081"), ("origin", origin)];
            check(listen, &other, Some("origin"));
        }
        let listed = [
            ("host", "10.0.0.7:8081"),
            ("origin", "https://console.example.org"),
        ];
        check(listen, &listed, None);
    }
}

#[test]
fn what_another_site_fetches_is_refused_and_a_link_from_there_is_not() {
    let from = |site, mode| {
        vec![
            ("host", "localhost:8081"),
            ("sec-fetch-site", site),
            ("sec-fetch-mode", mode),
        ]
    };
    check(LOCAL, &from("same-origin", "cors"), None);
    check(LOCAL, &from("none", "navigate"), None);
    check(LOCAL, &from("cross-site", "navigate"), None);
    check(LOCAL, &from("cross-site", "no-cors"), Some("origin"));
    check(LOCAL, &from("same-site", "cors"), Some("origin"));
    let form = from("cross-site", "navigate");
    assert_eq!(
        ask(&names(LOCAL, &[]), &Method::POST, &form),
        Some("origin")
    );
}

#[test]
fn who_is_no_browser_says_none_of_it() {
    check(LOCAL, &[], None);
    check(
        LOCAL,
        &[("host", "localhost:8081"), ("user-agent", "curl/8.0")],
        None,
    );
}
