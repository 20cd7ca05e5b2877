//! A JSON Schema as lines that a person reads: names, types and what they mean.

use serde_json::Value;

/// Deeper is not read by anybody, and a schema may contain itself.
const DEEPEST: usize = 6;

/// The lines of a schema, whose references point into `schemas`.
pub(super) fn outline(schema: &Value, schemas: &Value) -> String {
    let mut lines = String::new();
    let kind = describe(schema, schemas, 0, &mut lines);
    format!("{kind}\n{lines}")
}

/// The type in some words; what it is made of goes into lines below.
fn describe(schema: &Value, schemas: &Value, depth: usize, lines: &mut String) -> String {
    let schema = resolved(schema, schemas);
    if depth > DEEPEST {
        return "…".to_owned();
    }
    for (word, joint) in [("oneOf", " or "), ("anyOf", " or "), ("allOf", " and ")] {
        if let Some(choices) = schema[word].as_array() {
            let mut kinds: Vec<String> = choices
                .iter()
                .map(|choice| describe(choice, schemas, depth, lines))
                .collect();
            kinds.dedup();
            if let Some(fields) = schema["properties"].as_object() {
                write_fields(schema, fields, schemas, depth, lines);
            }
            return kinds.join(joint);
        }
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<String> = words.iter().map(Value::to_string).collect();
        return words.join(" | ");
    }
    if !schema["const"].is_null() {
        return schema["const"].to_string();
    }
    let kind = match &schema["type"] {
        Value::String(kind) => kind.clone(),
        Value::Array(kinds) => {
            let kinds: Vec<&str> = kinds.iter().filter_map(Value::as_str).collect();
            kinds.join(" or ")
        }
        _ if schema["properties"].is_object() => "object".to_owned(),
        _ => return "any".to_owned(),
    };
    if kind.starts_with("array") {
        let items = describe(&schema["items"], schemas, depth, lines);
        return format!("array of {items}");
    }
    if let Some(fields) = schema["properties"].as_object() {
        write_fields(schema, fields, schemas, depth, lines);
    } else if schema["additionalProperties"].is_object() {
        let values = describe(&schema["additionalProperties"], schemas, depth + 1, lines);
        return format!("object of {values}");
    }
    format!("{kind}{}", bounds(schema))
}

fn write_fields(
    schema: &Value,
    fields: &serde_json::Map<String, Value>,
    schemas: &Value,
    depth: usize,
    lines: &mut String,
) {
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    // What must not be there is said with `false`.
    for (name, field) in fields
        .iter()
        .filter(|(_, field)| **field != Value::Bool(false))
    {
        let mut below = String::new();
        let kind = describe(field, schemas, depth + 1, &mut below);
        let mark = if required.contains(&name.as_str()) {
            ""
        } else {
            "?"
        };
        let what = field["description"].as_str().unwrap_or_default();
        let what = what.lines().next().unwrap_or_default();
        let dash = if what.is_empty() { "" } else { "  — " };
        let indent = "  ".repeat(depth + 1);
        lines.push_str(&format!(
            "{indent}{name}{mark}: {kind}{dash}{what}\n{below}"
        ));
    }
}

fn bounds(schema: &Value) -> String {
    let mut text = String::new();
    let mut add = |least: &str, most: &str, what: &str| {
        let (least, most) = (&schema[least], &schema[most]);
        match (least.is_null(), most.is_null()) {
            (true, true) => {}
            (false, true) => text.push_str(&format!(" ≥ {least}{what}")),
            (true, false) => text.push_str(&format!(" ≤ {most}{what}")),
            (false, false) => text.push_str(&format!(" {least}…{most}{what}")),
        }
    };
    add("minimum", "maximum", "");
    add("minLength", "maxLength", " characters");
    add("minProperties", "maxProperties", " entries");
    if let Some(pattern) = schema["pattern"].as_str() {
        text.push_str(&format!(" like {pattern}"));
    }
    text
}

fn resolved<'d>(schema: &'d Value, schemas: &'d Value) -> &'d Value {
    let name = schema["$ref"].as_str();
    match name.and_then(|name| name.strip_prefix("#/components/schemas/")) {
        Some(name) => &schemas[name],
        None => schema,
    }
}
