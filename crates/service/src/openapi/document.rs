//! An API as an OpenAPI 3.1 document.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::{Answer, Api, Content, Described, Example, Operation, Parameter, Place, Shape};

/// What a document says beside its operations.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// Of the whole.
    pub title: &'static str,
    /// In Markdown.
    pub text: String,
    /// Of the program.
    pub version: &'static str,
    /// Groups of operations, and what each is, in the order in which they are shown.
    pub tags: Vec<(&'static str, &'static str)>,
    /// How a request says who it is, by name, where that is asked for.
    pub credentials: Vec<(&'static str, Value)>,
    /// What stands before a path's variable part, by the variable's name: an example and what it is.
    pub prefix: Option<(&'static str, &'static str, &'static str)>,
    /// Codes of errors, with their statuses and what they mean.
    pub codes: Vec<(&'static str, u16, &'static str)>,
}

/// The document.
#[must_use]
pub fn document(about: &About, api: &Api) -> Value {
    let mut writer = Writer {
        generator: generator(),
        answers: Map::new(),
    };
    let mut paths: Map<String, Value> = Map::new();
    for described in &api.operations {
        let operation = writer.operation(described);
        let item = paths
            .entry(described.path)
            .or_insert_with(|| Value::Object(servers(about, described)));
        if let Some(item) = item.as_object_mut() {
            item.insert(described.method.as_str().to_ascii_lowercase(), operation);
        }
    }
    let tags: Vec<Value> = about
        .tags
        .iter()
        .filter(|(tag, _)| api.operations.iter().any(|it| it.operation.tag == *tag))
        .map(|(name, description)| json!({ "name": name, "description": description }))
        .collect();
    // None is needed until section `access` says so.
    let mut security = vec![json!({})];
    security.extend(about.credentials.iter().map(|(name, _)| {
        let mut one = Map::new();
        one.insert((*name).to_owned(), json!([]));
        Value::Object(one)
    }));
    let credentials: Map<String, Value> = about
        .credentials
        .iter()
        .map(|(name, how)| ((*name).to_owned(), how.clone()))
        .collect();
    let codes: Vec<Value> = about
        .codes
        .iter()
        .map(
            |(code, status, meaning)| json!({ "code": code, "status": status, "meaning": meaning }),
        )
        .collect();
    let schemas = Value::Object(writer.generator.take_definitions(true));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": about.title,
            "version": about.version,
            "description": about.text,
            "license": { "name": "Apache License 2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/", "description": "This listener" }],
        "security": security,
        "tags": tags,
        "paths": paths,
        "x-codes": codes,
        "components": {
            "schemas": schemas,
            "responses": writer.answers,
            "securitySchemes": credentials,
        },
    })
}

fn generator() -> SchemaGenerator {
    let settings = SchemaSettings::draft2020_12()
        .for_serialize()
        .with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
    settings.into_generator()
}

/// The places at which a path is there, where there are more than one.
fn servers(about: &About, described: &Described) -> Map<String, Value> {
    let mut item = Map::new();
    if described.prefixes.is_empty() {
        return item;
    }
    let mut servers = vec![json!({ "url": "/" })];
    for prefix in &described.prefixes {
        let mut server = json!({ "url": prefix });
        if let Some((name, example, text)) = about.prefix
            && prefix.contains(&format!("{{{name}}}"))
            && let Some(server) = server.as_object_mut()
        {
            let mut variables = Map::new();
            variables.insert(
                name.to_owned(),
                json!({ "default": example, "description": text }),
            );
            server.insert("variables".to_owned(), Value::Object(variables));
        }
        servers.push(server);
    }
    item.insert("servers".to_owned(), Value::Array(servers));
    item
}

struct Writer {
    generator: SchemaGenerator,
    answers: Map<String, Value>,
}

impl Writer {
    fn operation(&mut self, described: &Described) -> Value {
        let Operation {
            id,
            tag,
            summary,
            about,
            is_open,
            parameters,
            is_body_required,
            body,
            answers,
        } = &described.operation;
        let mut shown = Map::new();
        let id = identifier(id, described);
        shown.insert("operationId".to_owned(), json!(id));
        shown.insert("tags".to_owned(), json!([tag]));
        shown.insert("summary".to_owned(), json!(summary));
        if !about.is_empty() {
            shown.insert("description".to_owned(), json!(about));
        }
        if *is_open {
            shown.insert("security".to_owned(), json!([]));
        }
        if !parameters.is_empty() {
            let parameters: Vec<Value> = parameters.iter().map(|it| self.parameter(it)).collect();
            shown.insert("parameters".to_owned(), Value::Array(parameters));
        }
        if !body.is_empty() {
            let content = self.contents(body);
            shown.insert(
                "requestBody".to_owned(),
                json!({ "required": is_body_required, "content": content }),
            );
        }
        let answers: Map<String, Value> = answers
            .iter()
            .map(|answer| (answer.status.to_string(), self.answer(answer)))
            .collect();
        shown.insert("responses".to_owned(), Value::Object(answers));
        Value::Object(shown)
    }

    fn parameter(&mut self, parameter: &Parameter) -> Value {
        let shape = self.shape(&parameter.shape);
        let schema = if parameter.is_repeated {
            json!({ "type": "array", "items": shape })
        } else {
            shape
        };
        let mut shown = json!({
            "name": parameter.name,
            "in": match parameter.place {
                Place::Path => "path",
                Place::Query => "query",
                Place::Header => "header",
            },
            "required": parameter.is_required,
            "description": parameter.about,
            "schema": schema,
        });
        if let (Some(example), Some(shown)) = (&parameter.example, shown.as_object_mut()) {
            shown.insert("example".to_owned(), example.clone());
        }
        shown
    }

    /// The answer, or where it stands when others answer so too.
    fn answer(&mut self, answer: &Answer) -> Value {
        let mut shown = Map::new();
        shown.insert("description".to_owned(), json!(answer.about));
        if !answer.headers.is_empty() {
            let headers: Map<String, Value> = answer
                .headers
                .iter()
                .map(|header| {
                    let schema = self.shape(&header.shape);
                    let header_shown = json!({ "description": header.about, "schema": schema });
                    (header.name.to_owned(), header_shown)
                })
                .collect();
            shown.insert("headers".to_owned(), Value::Object(headers));
        }
        if !answer.contents.is_empty() {
            shown.insert("content".to_owned(), self.contents(&answer.contents));
        }
        let Some(name) = &answer.name else {
            return Value::Object(shown);
        };
        let name = format!("{name}{}", answer.status);
        let reference = json!({ "$ref": format!("#/components/responses/{name}") });
        self.answers.insert(name, Value::Object(shown));
        reference
    }

    fn contents(&mut self, contents: &[Content]) -> Value {
        let shown: Map<String, Value> = contents
            .iter()
            .map(|content| {
                let mut shown = Map::new();
                shown.insert("schema".to_owned(), self.shape(&content.shape));
                if !content.examples.is_empty() {
                    shown.insert("examples".to_owned(), examples(&content.examples));
                }
                (content.media_type.to_owned(), Value::Object(shown))
            })
            .collect();
        Value::Object(shown)
    }

    fn shape(&mut self, shape: &Shape) -> Value {
        match shape {
            Shape::Of(of) => of(&mut self.generator).to_value(),
            Shape::Written(schema) => schema.clone(),
        }
    }
}

fn examples(examples: &[Example]) -> Value {
    let shown = examples.iter().map(|example| {
        let shown = json!({ "summary": example.summary, "value": example.value });
        (example.name.clone(), shown)
    });
    Value::Object(shown.collect())
}

/// An operation's name is its alone; at its other paths it has theirs too.
fn identifier(id: &str, described: &Described) -> String {
    let path = described.path;
    let is_first = described.first_path == path;
    if is_first {
        return id.to_owned();
    }
    let mut name = id.to_owned();
    for part in path.split(|it: char| !it.is_ascii_alphanumeric()) {
        if !part.is_empty() {
            name.push('_');
            name.push_str(part);
        }
    }
    name
}
