//! An OpenAPI document as one page for people, without scripts.

mod outline;

use std::fmt::Write as _;

use serde_json::Value;

use outline::outline;

/// Methods in the order in which they are shown.
const METHODS: [&str; 5] = ["get", "put", "post", "patch", "delete"];

/// A page that shows a document. Everything from the document is escaped.
pub(super) fn page(document: &Value) -> String {
    let mut html = String::from(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <link rel=\"stylesheet\" href=\"/docs/style.css\">",
    );
    let info = &document["info"];
    html.push_str(&format!(
        "<title>{0}</title></head><body>\n<a class=\"skip\" href=\"#content\">To the content</a>\n<header><h1>{0}</h1>\
         <p>Version {1} · OpenAPI {2}: <a href=\"/openapi.json\">openapi.json</a></p></header>\n",
        escaped(text(&info["title"])),
        escaped(text(&info["version"])),
        escaped(text(&document["openapi"])),
    ));
    let groups = groups(document);
    html.push_str("<nav aria-label=\"Operations\">");
    for (tag, operations) in &groups {
        html.push_str(&format!("<h2>{}</h2><ul>", escaped(text(&tag["name"]))));
        for one in operations {
            html.push_str(&format!(
                "<li><a href=\"#{}\"><b class=\"{}\">{}</b> {}</a></li>",
                escaped(one.id()),
                one.method,
                one.method.to_ascii_uppercase(),
                escaped(one.path),
            ));
        }
        html.push_str("</ul>");
    }
    html.push_str("</nav>\n<main id=\"content\">\n");
    html.push_str(&markdown(text(&info["description"])));
    for (tag, operations) in &groups {
        html.push_str(&format!(
            "<h2>{}</h2>\n{}",
            escaped(text(&tag["name"])),
            markdown(text(&tag["description"]))
        ));
        for one in operations {
            html.push_str(&section(document, one));
        }
    }
    html.push_str(&shared_answers(document));
    html.push_str("</main></body></html>\n");
    html
}

/// One method of one path.
struct One<'d> {
    method: &'static str,
    path: &'d str,
    operation: &'d Value,
    servers: &'d Value,
}

impl One<'_> {
    fn id(&self) -> &str {
        text(&self.operation["operationId"])
    }
}

/// The operations by their tags, in the order of these.
fn groups(document: &Value) -> Vec<(&Value, Vec<One<'_>>)> {
    let tags = document["tags"].as_array();
    tags.into_iter()
        .flatten()
        .map(|tag| (tag, of_tag(document, &tag["name"])))
        .collect()
}

fn of_tag<'d>(document: &'d Value, tag: &Value) -> Vec<One<'d>> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for method in METHODS {
            let operation = &item[method];
            if operation["tags"][0] == *tag {
                found.push(One {
                    method,
                    path,
                    operation,
                    servers: &item["servers"],
                });
            }
        }
    }
    found
}

fn section(document: &Value, one: &One<'_>) -> String {
    let operation = one.operation;
    let mut html = format!(
        "<section id=\"{id}\"><h3><a href=\"#{id}\"><b class=\"{method}\">{upper}</b> <code>{path}</code></a></h3>\
         <p class=\"summary\">{summary}</p>\n",
        id = escaped(one.id()),
        method = one.method,
        upper = one.method.to_ascii_uppercase(),
        path = escaped(one.path),
        summary = escaped(text(&operation["summary"])),
    );
    html.push_str(&markdown(text(&operation["description"])));
    let places: Vec<String> = one
        .servers
        .as_array()
        .into_iter()
        .flatten()
        .skip(1)
        .map(|server| {
            format!(
                "<code>{}{}</code>",
                escaped(text(&server["url"])),
                escaped(one.path)
            )
        })
        .collect();
    if !places.is_empty() {
        html.push_str(&format!("<p>Also at {}.</p>", places.join(", ")));
    }
    html.push_str(&parameters(operation));
    let body = &operation["requestBody"];
    if body.is_object() {
        html.push_str("<h4>Body</h4>");
        html.push_str(&contents(document, &body["content"]));
    }
    html.push_str("<h4>Answers</h4>");
    for (status, answer) in operation["responses"].as_object().into_iter().flatten() {
        html.push_str(&match shared_name(answer) {
            Some(name) => shared(document, status, name),
            None => self::answer(document, status, answer),
        });
    }
    html.push_str("</section>\n");
    html
}

fn parameters(operation: &Value) -> String {
    let Some(parameters) = operation["parameters"].as_array() else {
        return String::new();
    };
    let mut html = String::from(
        "<h4>Parameters</h4><div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Parameters\"><table><thead><tr><th>Name<th>In<th>What</thead><tbody>",
    );
    for parameter in parameters {
        let required = if parameter["required"] == Value::Bool(true) {
            " <i>required</i>"
        } else {
            ""
        };
        html.push_str(&format!(
            "<tr><td><code>{}</code>{required}<td>{}<td>{} <span class=\"type\">{}</span>",
            escaped(text(&parameter["name"])),
            escaped(text(&parameter["in"])),
            inline(text(&parameter["description"])),
            escaped(outline(&parameter["schema"], &Value::Null).trim_end()),
        ));
    }
    html.push_str("</tbody></table></div>");
    html
}

/// Under which other operations answer so too.
fn shared_name(answer: &Value) -> Option<&str> {
    answer["$ref"].as_str()?.rsplit('/').next()
}

/// An answer that is told once, further down.
fn shared(document: &Value, status: &str, name: &str) -> String {
    let answer = &document["components"]["responses"][name];
    format!(
        "<p class=\"answer s{}\"><a href=\"#answer-{}\"><b>{}</b></a> {}</p>\n",
        escaped(status.get(..1).unwrap_or_default()),
        escaped(name),
        escaped(status),
        inline(first_line(answer)),
    )
}

fn first_line(answer: &Value) -> &str {
    let text = text(&answer["description"]);
    text.lines().next().unwrap_or_default()
}

/// The answers that several operations share, and the codes.
fn shared_answers(document: &Value) -> String {
    let mut html = String::new();
    let answers = document["components"]["responses"].as_object();
    if answers.is_some_and(|all| !all.is_empty()) {
        html.push_str("<h2>Refusals</h2>\n");
    }
    for (name, answer) in answers.into_iter().flatten() {
        let (kind, status) = name.split_at(name.len().saturating_sub(3));
        html.push_str(&format!(
            "<section id=\"answer-{}\"><h3>{} {}</h3>",
            escaped(name),
            escaped(status),
            escaped(kind)
        ));
        html.push_str(&self::answer(document, status, answer));
        html.push_str("</section>\n");
    }
    let codes = document["x-codes"].as_array();
    if codes.is_some_and(|codes| !codes.is_empty()) {
        html.push_str("<h2 id=\"codes\">Codes</h2><table><thead><tr><th>Code<th>Status<th>What</thead><tbody>");
        for code in codes.into_iter().flatten() {
            html.push_str(&format!(
                "<tr><td><code>{}</code><td>{}<td>{}",
                escaped(text(&code["code"])),
                escaped(&code["status"].to_string()),
                inline(text(&code["meaning"])),
            ));
        }
        html.push_str("</tbody></table>\n");
    }
    html
}

fn answer(document: &Value, status: &str, answer: &Value) -> String {
    let mut html = format!(
        "<details class=\"s{}\"><summary><b>{}</b> {}</summary>",
        escaped(status.get(..1).unwrap_or_default()),
        escaped(status),
        inline(first_line(answer)),
    );
    let rest: Vec<&str> = text(&answer["description"]).lines().skip(1).collect();
    html.push_str(&markdown(&rest.join("\n")));
    for (name, header) in answer["headers"].as_object().into_iter().flatten() {
        html.push_str(&format!(
            "<p>Header <code>{}</code>: {}</p>",
            escaped(name),
            inline(text(&header["description"]))
        ));
    }
    html.push_str(&contents(document, &answer["content"]));
    html.push_str("</details>\n");
    html
}

fn contents(document: &Value, contents: &Value) -> String {
    let mut html = String::new();
    for (media_type, content) in contents.as_object().into_iter().flatten() {
        html.push_str(&format!("<p><code>{}</code></p>", escaped(media_type)));
        let lines = outline(&content["schema"], &document["components"]["schemas"]);
        if !lines.trim().is_empty() && lines.trim() != "any" {
            html.push_str(&format!(
                "<pre tabindex=\"0\">{}</pre>",
                escaped(lines.trim_end())
            ));
        }
        for (_, example) in content["examples"].as_object().into_iter().flatten() {
            html.push_str(&format!(
                "<details><summary>{}</summary><pre tabindex=\"0\">{}</pre></details>",
                inline(text(&example["summary"])),
                escaped(&written(&example["value"])),
            ));
        }
    }
    html
}

fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => serde_json::to_string_pretty(value).unwrap_or_default(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// Paragraphs, lists and code: what descriptions are written with.
fn markdown(text: &str) -> String {
    let mut html = String::new();
    for block in text
        .split("\n\n")
        .map(str::trim)
        .filter(|it| !it.is_empty())
    {
        if block.starts_with("* ") {
            html.push_str("<ul>");
            for item in block.split("\n* ") {
                let item = item.trim_start_matches("* ");
                write!(html, "<li>{}</li>", inline(item)).unwrap_or_default();
            }
            html.push_str("</ul>");
        } else {
            write!(html, "<p>{}</p>", inline(block)).unwrap_or_default();
        }
    }
    html
}

/// Text with code in backticks.
fn inline(text: &str) -> String {
    let mut html = String::new();
    for (number, part) in text.split('`').enumerate() {
        let part = escaped(part);
        if number % 2 == 1 {
            write!(html, "<code>{part}</code>").unwrap_or_default();
        } else {
            html.push_str(&part);
        }
    }
    html
}
