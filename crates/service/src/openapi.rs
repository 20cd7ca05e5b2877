//! What a listener serves, said once and shown twice: as OpenAPI 3.1 for programs and as a page for people.
//!
//! An [`Operation`] stands beside its handler and takes its shapes from the types that the handler reads and writes. An
//! [`Api`] says where operations are. That nothing is served that is not described, and nothing described that is not
//! served, is for tests to check: [`served()`] tells them what a router has.

mod document;
mod page;
mod routes;
mod served;

use http::Method;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Value, json};

pub use document::{About, document};
pub use routes::{describing, routes};
pub use served::served;

/// What a body, a parameter or an answer is made of.
#[derive(Debug, Clone)]
pub enum Shape {
    /// As a type is read or written.
    Of(fn(&mut SchemaGenerator) -> schemars::Schema),
    /// As it is written here.
    Written(Value),
}

impl Shape {
    /// As `T` is read or written.
    #[must_use]
    pub fn of<T: JsonSchema>() -> Self {
        Self::Of(SchemaGenerator::subschema_for::<T>)
    }

    /// Any text.
    #[must_use]
    pub fn text() -> Self {
        Self::Written(json!({ "type": "string" }))
    }

    /// Text that this expression matches.
    #[must_use]
    pub fn matching(pattern: &str) -> Self {
        Self::Written(json!({ "type": "string", "pattern": pattern }))
    }

    /// Bytes that JSON Schema has no words for.
    #[must_use]
    pub fn bytes() -> Self {
        // JSON Schema says nothing about what is no JSON.
        Self::Written(json!({}))
    }

    /// One of these words.
    #[must_use]
    pub fn one_of(words: &[&str]) -> Self {
        Self::Written(json!({ "type": "string", "enum": words }))
    }

    /// A whole number from `least` to `most`.
    #[must_use]
    pub fn whole(least: u64, most: u64) -> Self {
        Self::Written(json!({ "type": "integer", "minimum": least, "maximum": most }))
    }
}

/// A name and something that stands for what it names, as it was tried.
#[derive(Debug, Clone)]
pub struct Example {
    name: String,
    summary: String,
    value: Value,
}

impl Example {
    /// An example; text that is JSON is shown as JSON.
    #[must_use]
    pub fn new(name: &str, summary: &str, text: &str) -> Self {
        let value = serde_json::from_str(text).unwrap_or_else(|_| json!(text));
        Self {
            name: name.to_owned(),
            summary: summary.to_owned(),
            value,
        }
    }
}

/// One content type of a body or an answer.
#[derive(Debug, Clone)]
pub struct Content {
    media_type: &'static str,
    shape: Shape,
    examples: Vec<Example>,
}

impl Content {
    /// A content type and what it is made of.
    #[must_use]
    pub fn new(media_type: &'static str, shape: Shape) -> Self {
        Self {
            media_type,
            shape,
            examples: Vec::new(),
        }
    }

    /// JSON as `T` is written.
    #[must_use]
    pub fn json<T: JsonSchema>() -> Self {
        Self::new("application/json", Shape::of::<T>())
    }

    /// JSON as it is written here.
    #[must_use]
    pub fn written(schema: Value) -> Self {
        Self::new("application/json", Shape::Written(schema))
    }

    /// Plain text.
    #[must_use]
    pub fn text() -> Self {
        Self::new("text/plain", Shape::text())
    }

    /// With an example that a test has tried.
    #[must_use]
    pub fn example(mut self, example: Example) -> Self {
        self.examples.push(example);
        self
    }

    /// With several.
    #[must_use]
    pub fn examples(mut self, examples: impl IntoIterator<Item = Example>) -> Self {
        self.examples.extend(examples);
        self
    }
}

/// Where a parameter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Path,
    Query,
    Header,
}

/// What a request says beside its body.
#[derive(Debug, Clone)]
pub struct Parameter {
    place: Place,
    name: &'static str,
    about: String,
    shape: Shape,
    is_repeated: bool,
    is_required: bool,
    example: Option<Value>,
}

impl Parameter {
    fn new(place: Place, name: &'static str, shape: Shape, about: &str) -> Self {
        Self {
            place,
            name,
            about: about.to_owned(),
            shape,
            is_repeated: false,
            is_required: place == Place::Path,
            example: None,
        }
    }

    /// A part of the path.
    #[must_use]
    pub fn path(name: &'static str, shape: Shape, about: &str) -> Self {
        Self::new(Place::Path, name, shape, about)
    }

    /// In the query.
    #[must_use]
    pub fn query(name: &'static str, shape: Shape, about: &str) -> Self {
        Self::new(Place::Query, name, shape, about)
    }

    /// A header.
    #[must_use]
    pub fn header(name: &'static str, shape: Shape, about: &str) -> Self {
        Self::new(Place::Header, name, shape, about)
    }

    /// It must be there.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    /// It may be there several times.
    #[must_use]
    pub fn repeated(mut self) -> Self {
        self.is_repeated = true;
        self
    }

    /// Such as this.
    #[must_use]
    pub fn such_as(mut self, example: impl Into<Value>) -> Self {
        self.example = Some(example.into());
        self
    }
}

/// An answer of one status.
#[derive(Debug, Clone)]
pub struct Answer {
    status: u16,
    /// Shared with other operations under this name.
    name: Option<String>,
    about: String,
    headers: Vec<Parameter>,
    contents: Vec<Content>,
}

impl Answer {
    /// An answer without a body.
    #[must_use]
    pub fn new(status: u16, about: &str) -> Self {
        Self {
            status,
            name: None,
            about: about.to_owned(),
            headers: Vec::new(),
            contents: Vec::new(),
        }
    }

    /// Its status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// With a body.
    #[must_use]
    pub fn with(mut self, content: Content) -> Self {
        self.contents.push(content);
        self
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, shape: Shape, about: &str) -> Self {
        let header = Parameter::header(name, shape, about);
        self.headers.push(header);
        self
    }

    /// Said once for all operations that answer so.
    #[must_use]
    pub fn shared(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

/// What one method of one path does.
#[derive(Debug, Clone)]
pub struct Operation {
    id: &'static str,
    tag: &'static str,
    summary: &'static str,
    about: String,
    is_open: bool,
    parameters: Vec<Parameter>,
    is_body_required: bool,
    body: Vec<Content>,
    answers: Vec<Answer>,
}

impl Operation {
    /// An operation, by a name that programs may use, a heading, and what it does in some words.
    #[must_use]
    pub fn new(id: &'static str, tag: &'static str, summary: &'static str) -> Self {
        Self {
            id,
            tag,
            summary,
            about: String::new(),
            is_open: false,
            parameters: Vec::new(),
            is_body_required: true,
            body: Vec::new(),
            answers: Vec::new(),
        }
    }

    /// More words, in Markdown.
    #[must_use]
    pub fn about(mut self, about: &str) -> Self {
        about.clone_into(&mut self.about);
        self
    }

    /// Anybody may ask, whatever section `access` says.
    #[must_use]
    pub fn open(mut self) -> Self {
        self.is_open = true;
        self
    }

    /// With a parameter.
    #[must_use]
    pub fn takes(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// With several.
    #[must_use]
    pub fn takes_all(mut self, parameters: impl IntoIterator<Item = Parameter>) -> Self {
        self.parameters.extend(parameters);
        self
    }

    /// Reads a body of this type, among others.
    #[must_use]
    pub fn reads(mut self, content: Content) -> Self {
        self.body.push(content);
        self
    }

    /// The body may be missing.
    #[must_use]
    pub fn even_without_body(mut self) -> Self {
        self.is_body_required = false;
        self
    }

    /// Answers so, among others.
    #[must_use]
    pub fn answers(mut self, answer: Answer) -> Self {
        self.answers.push(answer);
        self
    }

    /// Answers in all these ways, among others.
    #[must_use]
    pub fn answers_all(mut self, answers: impl IntoIterator<Item = Answer>) -> Self {
        self.answers.extend(answers);
        self
    }
}

/// An operation at its place.
#[derive(Debug, Clone)]
struct Described {
    method: Method,
    path: &'static str,
    /// The one that the operation is named by.
    first_path: &'static str,
    operation: Operation,
    /// What the router calls it, where that is something else.
    routes: Vec<&'static str>,
    /// Paths before which everything is there again.
    prefixes: Vec<String>,
}

/// What a listener serves.
#[derive(Debug, Clone, Default)]
pub struct Api {
    operations: Vec<Described>,
}

impl Api {
    /// With an operation.
    #[must_use]
    pub fn at(self, method: Method, path: &'static str, operation: Operation) -> Self {
        self.at_all(&method, &[path], &operation)
    }

    /// With an operation that has several paths; the first is the one to use.
    #[must_use]
    pub fn at_all(
        mut self,
        method: &Method,
        paths: &[&'static str],
        operation: &Operation,
    ) -> Self {
        for path in paths {
            self.operations.push(Described {
                method: method.clone(),
                path,
                first_path: paths.first().unwrap_or(path),
                operation: operation.clone(),
                routes: vec![path],
                prefixes: Vec::new(),
            });
        }
        self
    }

    /// Says what the router calls the last operation's path, which OpenAPI cannot say.
    #[must_use]
    pub fn routed_as(mut self, routes: &[&'static str]) -> Self {
        if let Some(last) = self.operations.last_mut() {
            last.routes = routes.to_vec();
        }
        self
    }

    /// All of it is there again behind this.
    #[must_use]
    pub fn also_under(mut self, prefix: &'static str) -> Self {
        for described in &mut self.operations {
            let again = described.prefixes.iter();
            let again: Vec<String> = again.map(|other| format!("{prefix}{other}")).collect();
            described.prefixes.push(prefix.to_owned());
            described.prefixes.extend(again);
        }
        self
    }

    /// All of its operations answer so too, but those that have such a status already.
    #[must_use]
    pub fn all_answer(mut self, answer: &Answer) -> Self {
        for described in &mut self.operations {
            let answers = &mut described.operation.answers;
            if answers.iter().all(|known| known.status != answer.status) {
                answers.push(answer.clone());
            }
        }
        self
    }

    /// With another's operations.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.operations.extend(other.operations);
        self
    }

    /// Every method and route that is described, as a router calls them, prefixes included.
    #[must_use]
    pub fn routes(&self) -> Vec<(Method, String)> {
        let mut all = Vec::new();
        for described in &self.operations {
            for route in &described.routes {
                all.push((described.method.clone(), (*route).to_owned()));
                for prefix in &described.prefixes {
                    all.push((described.method.clone(), format!("{prefix}{route}")));
                }
            }
        }
        all
    }
}

#[cfg(test)]
mod tests;
