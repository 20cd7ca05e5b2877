//! The admin listener's questions are refused with codes, as the public one's are.

use axum::body::{Body, to_bytes};

use super::*;
use crate::settings::Role;

#[tokio::test]
async fn a_method_that_is_not_possible_has_a_code() {
    let settings = Settings::defaults(Role::Standalone);
    let shown = Shown::default();
    shown.is(&queries(&settings, Recent::new(&settings.recent), None));
    let request = Request::post("/api/v1/recent/samples");
    let request = request.body(Body::empty()).unwrap();
    let answer = router(shown).oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert!(answer.headers().contains_key("allow"));
    let body = to_bytes(answer.into_body(), 10_000).await.unwrap();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["code"], "method_not_allowed");
}
