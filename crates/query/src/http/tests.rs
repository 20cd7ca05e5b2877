//! Requests get the answers that are documented, through the router.

use axum::body::Body;
use axum::extract::Request;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use super::*;
use crate::testing::{Given, sources_of};

const NOW_MS: i64 = 3_600_000;

fn app(config: Config) -> Router {
    let mine: &[Given<'_>] = &[(
        "load",
        &[("host", "a")],
        &[(3_590_000, 0.5), (3_595_000, 1.5)],
    )];
    let theirs: &[Given<'_>] = &[("load", &[("host", "a")], &[(3_590_000, 7.0)])];
    let sources = sources_of(&[(None, mine), (Some("team"), theirs)]);
    let clock = Arc::new(|| NOW_MS);
    router(Queries::new(
        config,
        sources.recent,
        None,
        clock,
        "X-Scope-OrgID",
    ))
}

async fn sent(request: Request) -> (u16, Value) {
    let answer = app(Config::default()).oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

async fn got(path: &str) -> (u16, Value) {
    sent(Request::get(path).body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn samples_are_shown_newest_last_with_their_tenants() {
    let (status, body) = got("/api/v1/recent/samples?metric_name=load").await;
    assert_eq!(status, 200);
    let values: Vec<&Value> = body["samples"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["value"])
        .collect();
    assert_eq!(values, [7.0, 0.5, 1.5]);
    assert_eq!(body["samples"][0]["tenant"], "team");
    let (_, body) = got("/api/v1/recent/samples?metric_name=load&limit=1").await;
    assert_eq!(
        body.to_string(),
        r#"{"samples":[{"labels":{"host":"a"},"metric_name":"load","timestamp":3595000,"value":1.5}],"warnings":["the newest 1 of 3 samples (limit)"]}"#
    );
}

#[tokio::test]
async fn a_wrong_question_and_a_missing_archive_have_codes() {
    let (status, body) = got("/api/v1/recent/samples?metric=load").await;
    assert_eq!(
        (status, &body["code"]),
        (400, &Value::from("parameter_invalid"))
    );
    let (status, body) = got("/api/v1/archive/series").await;
    assert_eq!((status, &body["code"]), (404, &Value::from("not_found")));
}

#[tokio::test]
async fn a_form_is_read_like_a_query_and_a_header_names_the_tenant() {
    let form = |tenant: &str| {
        Request::post("/prometheus/api/v1/query?time=3599")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("x-scope-orgid", tenant)
            .body(Body::from("query=load"))
            .unwrap()
    };
    let (status, body) = sent(form("team")).await;
    assert_eq!(status, 200);
    assert_eq!(
        body["data"]["result"].to_string(),
        r#"[{"metric":{"__name__":"load","host":"a"},"value":[3599,"7"]}]"#
    );
    let (_, body) = sent(form("nobody")).await;
    assert_eq!(body["data"]["result"].to_string(), "[]");
}

#[tokio::test]
async fn a_form_without_an_end_is_refused() {
    let request = Request::post("/prometheus/api/v1/query")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(vec![b'a'; 200_000]))
        .unwrap();
    let (status, body) = sent(request).await;
    assert_eq!(
        (status, &body["errorType"]),
        (400, &Value::from("bad_data"))
    );
}

#[tokio::test]
async fn a_range_of_too_many_steps_is_refused() {
    let (status, body) =
        got("/prometheus/api/v1/query_range?query=load&start=0&end=3600&step=0.1").await;
    assert_eq!(
        (status, &body["errorType"]),
        (400, &Value::from("bad_data"))
    );
    assert!(
        body["error"]
            .as_str()
            .unwrap()
            .starts_with("36001 steps for each series are more than 11000")
    );
    for (path, why) in [
        ("query=load&start=1&end=0&step=1", "end is before start"),
        (
            "query=load&start=0&end=1&step=0",
            "step=\"0\" is no duration; write seconds, or a unit as in 15s, more than none",
        ),
        ("query=load&start=0&end=1", "the parameter step is missing"),
        (
            "query=load&start=0&end=1&step=NaN",
            "step=\"NaN\" is no duration; write seconds, or a unit as in 15s, more than none",
        ),
        (
            "query=load&start=0&end=1&step=1e300",
            "step=\"1e300\" is no duration; write seconds, or a unit as in 15s, more than none",
        ),
        (
            "query=load&start=x&end=1&step=1",
            "start=\"x\" is no time; write Unix seconds or RFC 3339",
        ),
        (
            "query=load&start=0&end=1e300&step=1",
            "end=\"1e300\" is no time; write Unix seconds or RFC 3339",
        ),
    ] {
        let (status, body) = got(&format!("/prometheus/api/v1/query_range?{path}")).await;
        assert_eq!((status, body["error"].as_str().unwrap()), (400, why));
    }
}

#[tokio::test]
async fn what_browsers_of_metrics_ask_is_answered() {
    for (path, data) in [
        ("labels", r#"["__name__","__tenant_id__","host"]"#),
        ("label/__name__/values", r#"["load"]"#),
        ("label/U____tenant__id__/values", "[]"),
        ("label/__tenant_id__/values", r#"["team"]"#),
        (
            "series?match[]=load",
            r#"[{"__name__":"load","__tenant_id__":"team","host":"a"},{"__name__":"load","host":"a"}]"#,
        ),
        (
            "metadata",
            r#"{"load":[{"help":"","type":"gauge","unit":""}]}"#,
        ),
        ("query_exemplars", "[]"),
        ("rules", r#"{"groups":[]}"#),
        ("alerts", r#"{"alerts":[]}"#),
    ] {
        let (status, body) = got(&format!("/prometheus/api/v1/{path}")).await;
        assert_eq!(
            (status, body["data"].to_string()),
            (200, data.to_owned()),
            "{path}"
        );
    }
    let (_, body) = got("/prometheus/api/v1/series?match[]=load&limit=1").await;
    assert_eq!(body["warnings"][0], "results truncated due to limit");
}

#[tokio::test]
async fn times_before_the_epoch_and_between_seconds_are_written_as_they_are() {
    for (time, shown) in [
        ("-0.5", "-0.5"),
        ("1.25", "1.25"),
        ("-3", "-3.0"),
        ("1970-01-01T00:00:01Z", "1.0"),
    ] {
        let (_, body) = got(&format!(
            "/prometheus/api/v1/query?query=time()&time={time}"
        ))
        .await;
        let at = body["data"]["result"][0].as_f64().unwrap();
        assert_eq!(format!("{at:?}"), shown);
    }
}

#[tokio::test]
async fn what_was_left_out_is_said_in_a_header_in_every_format() {
    for format in ["json", "csv", "arrow"] {
        let got = async |limit: usize| {
            let path =
                format!("/api/v1/recent/samples?metric_name=load&limit={limit}&format={format}");
            let request = Request::get(path).body(Body::empty()).unwrap();
            let answer = app(Config::default()).oneshot(request).await.unwrap();
            answer.headers().get(WARNINGS).cloned()
        };
        assert_eq!(got(1).await.unwrap(), "the newest 1 of 3 samples (limit)");
        assert_eq!(got(3).await, None);
    }
}

#[tokio::test]
async fn a_label_that_is_no_text_is_refused_in_the_shape_of_the_api() {
    let (status, body) = got("/prometheus/api/v1/label/%FF/values").await;
    assert_eq!(
        (status, &body["errorType"]),
        (400, &Value::from("bad_data"))
    );
}

#[tokio::test]
async fn metadata_costs_by_name_and_prefers_what_is_known() {
    let hosts: Vec<String> = (0..20).map(|host| host.to_string()).collect();
    let labels: Vec<[(&str, &str); 1]> = hosts.iter().map(|host| [("host", &**host)]).collect();
    let samples: &[(i64, f64)] = &[(1000, 1.0)];
    let series: Vec<Given<'_>> = labels
        .iter()
        .map(|labels| ("load", &labels[..], samples))
        .chain([("other", &[][..], samples)])
        .collect();
    let config = Config {
        max_series: 3,
        ..Config::default()
    };
    let recent = sources_of(&[(None, &series)]).recent;
    let clock = Arc::new(|| NOW_MS);
    let app = router(Queries::new(config, recent, None, clock, "X-Scope-OrgID"));
    let request = Request::get("/prometheus/api/v1/metadata?limit=1");
    let request = request.body(Body::empty()).unwrap();
    let answer = app.oneshot(request).await.unwrap();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        body["data"].to_string(),
        r#"{"load":[{"help":"","type":"gauge","unit":""}]}"#
    );
}
