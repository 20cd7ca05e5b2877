//! What load balancers ask.

use http::Method;
use serde_json::json;
use service::openapi::{Answer, Api, Content, Operation};

use super::PROBES;

pub(super) fn health() -> Api {
    let health = Operation::new("health", PROBES, "The process answers")
        .about("Whether it should get traffic is `/readyz` of the admin listener.")
        .open()
        .answers(Answer::new(200, "It does.").with(Content::written(json!({
            "type": "object", "required": ["status"], "properties": { "status": { "const": "healthy" } },
        }))));
    Api::default().at(Method::GET, "/health", health)
}
