//! A small API, its document and its page.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use http::Method;
use http_body_util::BodyExt as _;
use schemars::JsonSchema;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{
    About, Answer, Api, Content, Example, Operation, Parameter, Shape, document, routes, served,
};

#[derive(JsonSchema)]
#[expect(dead_code, reason = "its shape is what counts")]
struct Cup {
    /// In millilitres.
    size: u32,
    colour: Option<String>,
}

fn api() -> Api {
    let refused = || Answer::new(400, "No.\n\n* `bad`: it is bad").shared("No");
    let read = Operation::new("readCup", "Cups", "A cup")
        .takes(Parameter::path("name", Shape::text(), "Whose"))
        .takes(Parameter::query("with", Shape::text(), "What is `in` it").repeated())
        .answers(
            Answer::new(200, "It").with(Content::json::<Cup>().example(Example::new(
                "small",
                "A small one",
                r#"{"size":1}"#,
            ))),
        )
        .answers(refused());
    let all = Operation::new("listCups", "Cups", "All <cups> & more").answers(refused());
    Api::default()
        .at(Method::GET, "/cups/{name}", read)
        .routed_as(&["/cups/{*name}"])
        .at_all(&Method::GET, &["/cups", "/old/cups"], &all)
        .also_under("/houses/{house}")
}

fn about() -> About {
    About {
        title: "Cups",
        text: "With `tea`.".to_owned(),
        version: "1",
        tags: vec![("Cups", "To drink from"), ("Plates", "There are none")],
        credentials: vec![("key", json!({"type": "http", "scheme": "bearer"}))],
        prefix: Some(("house", "mine", "Whose")),
        codes: vec![("bad", 400, "it is bad")],
    }
}

#[test]
fn a_document_has_each_path_with_its_shapes_and_what_is_shared_once() {
    let document = document(&about(), &api());
    assert_eq!(document["openapi"], "3.1.0");
    let read = &document["paths"]["/cups/{name}"]["get"];
    assert_eq!(
        read["responses"]["200"]["content"]["application/json"]["schema"],
        json!({"$ref": "#/components/schemas/Cup"})
    );
    assert_eq!(
        document["components"]["schemas"]["Cup"]["required"],
        json!(["size", "colour"])
    );
    assert_eq!(read["parameters"][1]["schema"]["type"], "array");
    let refused = json!({"$ref": "#/components/responses/No400"});
    for path in ["/cups", "/old/cups"] {
        assert_eq!(document["paths"][path]["get"]["responses"]["400"], refused);
        let servers = &document["paths"][path]["servers"];
        assert_eq!(servers[1]["url"], "/houses/{house}");
        assert_eq!(servers[1]["variables"]["house"]["default"], "mine");
    }
    assert_eq!(document["paths"]["/cups"]["get"]["operationId"], "listCups");
    let other = &document["paths"]["/old/cups"]["get"]["operationId"];
    assert_eq!(other, "listCups_old_cups");
    // A group of nothing is not shown.
    assert_eq!(document["tags"].as_array().unwrap().len(), 1);
}

#[test]
fn what_a_router_has_is_what_is_described() {
    let inner = Router::new()
        .route("/cups/{*name}", get(async || ""))
        .route("/cups", get(async || ""))
        .route("/old/cups", get(async || ""));
    let router: Router = inner
        .clone()
        .nest("/houses/{house}", inner)
        .fallback(async || "")
        .layer(tower::layer::util::Identity::new());
    let sorted = |mut all: Vec<(Method, String)>| {
        all.sort_by_key(|(method, path)| (path.clone(), method.to_string()));
        all
    };
    assert_eq!(sorted(served(&router)), sorted(api().routes()));
}

async fn fetch(path: &str) -> (String, String) {
    let router: Router = routes(|| (about(), api()));
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = router.oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let policy = response.headers()["content-security-policy"]
        .to_str()
        .unwrap();
    assert!(policy.starts_with("default-src 'self'"), "{policy}");
    let content_type = response.headers()["content-type"]
        .to_str()
        .unwrap()
        .to_owned();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (content_type, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn the_document_describes_itself_too() {
    let (content_type, text) = fetch("/openapi.json").await;
    assert_eq!(content_type, "application/json");
    let document: Value = serde_json::from_str(&text).unwrap();
    assert!(document["paths"]["/openapi.json"]["get"].is_object());
    assert!(document["paths"]["/docs"]["get"].is_object());
}

#[tokio::test]
async fn the_page_shows_everything_escaped_and_fetches_nothing_from_elsewhere() {
    let (content_type, html) = fetch("/docs").await;
    assert_eq!(content_type, "text/html; charset=utf-8");
    assert!(html.contains("All &lt;cups&gt; &amp; more"), "{html}");
    assert!(
        html.contains("size: integer ≥ 0  — In millilitres."),
        "{html}"
    );
    assert!(html.contains("<code>/houses/{house}/cups</code>"), "{html}");
    assert!(
        html.contains("<li><code>bad</code>: it is bad</li>"),
        "{html}"
    );
    for foreign in ["http:", "https:", "<script", " style=", "onclick"] {
        assert!(!html.contains(foreign), "{foreign} in {html}");
    }
    let (content_type, _) = fetch("/docs/style.css").await;
    assert_eq!(content_type, "text/css; charset=utf-8");
}
