//! The codes of `model` as a description has them.

use std::borrow::Cow;

use model::Code;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// The name of a code, in the place of a text that has one.
pub(crate) struct CodeName;

impl JsonSchema for CodeName {
    fn schema_name() -> Cow<'static, str> {
        "Code".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        json_schema!({
            "type": "string",
            "enum": words,
            "description": "Why, for programs: a code is added, never renamed. `x-codes` says what each means.",
        })
    }
}

/// Every code with its status and its meaning.
pub(crate) fn all() -> Vec<(&'static str, u16, &'static str)> {
    Code::ALL
        .iter()
        .map(|code| (code.as_str(), code.status(), code.meaning()))
        .collect()
}

/// Whether a code is of one sample, not of a request.
pub(crate) fn is_of_sample(code: Code) -> bool {
    // The first of the request's own is the first in the list behind the samples'.
    code < Code::BodyInvalid
}
