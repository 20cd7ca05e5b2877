//! The reference of all settings, from their types' own documentation.

use schemars::Schema;
use serde_json::Value;

use super::environment;

/// A Markdown reference of every setting: key, environment variable, default, description.
///
/// Sections have a heading and a table each; so has each type of a section that comes in several.
#[must_use]
pub fn table(schema: &Schema, defaults: &Value) -> String {
    let mut reference = Reference {
        root: schema.as_value(),
        text: String::new(),
    };
    reference.section(&Section {
        key: String::new(),
        title: String::new(),
        about: String::new(),
        properties: properties(schema.as_value()),
        required: required(schema.as_value()),
        defaults: Some(defaults),
    });
    reference.text
}

struct Reference<'a> {
    root: &'a Value,
    text: String,
}

struct Section<'a> {
    /// Dotted, with `<name>` for any name.
    key: String,
    title: String,
    about: String,
    properties: Vec<(&'a String, &'a Value)>,
    required: Vec<&'a str>,
    defaults: Option<&'a Value>,
}

/// What a schema is about, once references, options and documentation around it are taken off.
enum Shape<'a> {
    /// A section with these keys.
    Section(&'a Value),
    /// A section of one of several types.
    Tagged(&'a [Value]),
    /// A section with any names and one kind of value.
    Map(&'a Value),
    /// One value.
    Scalar(&'a Value),
}

impl<'a> Reference<'a> {
    fn section(&mut self, section: &Section<'a>) {
        let mut rows = String::new();
        let mut below = Vec::new();
        for &(name, schema) in &section.properties {
            let key = if section.key.is_empty() {
                name.clone()
            } else {
                format!("{}.{name}", section.key)
            };
            let default = section.defaults.and_then(|defaults| defaults.get(name));
            let default = default.or_else(|| schema.get("default"));
            match self.shape(schema) {
                Shape::Scalar(inner) => {
                    let is_optional = !section.required.contains(&name.as_str());
                    let default = default.or(is_optional.then_some(&Value::Null));
                    self.row(&mut rows, &key, schema, inner, default);
                }
                // Its values are simple, so they are listed here.
                Shape::Map(value) if let Shape::Scalar(inner) = self.shape(value) => {
                    self.row(&mut rows, &format!("{key}.<name>"), schema, inner, None);
                }
                shape => below.push((key, schema, shape, default)),
            }
        }
        if !section.title.is_empty() {
            self.line(&format!("\n## {}\n", section.title));
            if !section.about.is_empty() {
                self.line(&format!("{}\n", section.about));
            }
        }
        if !rows.is_empty() {
            self.line("| Key | Environment variable | Default | Meaning |");
            self.line("| --- | --- | --- | --- |");
            self.text.push_str(&rows);
        }
        for (key, schema, shape, default) in below {
            self.below(key, description(schema), shape, default);
        }
    }

    fn below(&mut self, key: String, about: String, shape: Shape<'a>, default: Option<&'a Value>) {
        let title = format!("`{key}`");
        match shape {
            Shape::Section(schema) => self.section(&Section {
                key,
                title,
                about,
                properties: properties(schema),
                required: required(schema),
                defaults: default,
            }),
            Shape::Tagged(types) => {
                for schema in types {
                    self.tagged(&key, &about, schema, default);
                }
            }
            Shape::Map(value) => {
                let key = format!("{key}.<name>");
                self.below(key, about, self.shape(value), None);
            }
            Shape::Scalar(_) => {}
        }
    }

    fn tagged(&mut self, key: &str, about: &str, schema: &'a Value, default: Option<&'a Value>) {
        // A type with a struct of its own is a reference beside the tag.
        let inner = self.inner(schema);
        let mut all = properties(schema);
        let mut needed = required(schema);
        if !std::ptr::eq(inner, schema) {
            all.extend(properties(inner));
            needed.extend(required(inner));
        }
        let tag = all
            .iter()
            .find_map(|(name, schema)| Some((*name, schema.get("const")?.as_str()?)));
        let title = match tag {
            Some((name, tag)) => format!("`{key}` with `{name}: {tag}`"),
            None => format!("`{key}`"),
        };
        let own = description(schema);
        let about = [about, own.as_str()].map(str::trim);
        let about: Vec<_> = about
            .into_iter()
            .filter(|about| !about.is_empty())
            .collect();
        let is_default = |default: &&Value| {
            tag.is_some_and(|(name, tag)| default.get(name).and_then(Value::as_str) == Some(tag))
        };
        self.section(&Section {
            key: key.to_owned(),
            title,
            about: about.join(" "),
            properties: all,
            required: needed,
            defaults: default.filter(is_default),
        });
    }

    fn row(
        &self,
        rows: &mut String,
        key: &str,
        schema: &Value,
        inner: &Value,
        default: Option<&Value>,
    ) {
        let default = match (default, inner.get("const")) {
            (_, Some(only)) => format!("`{}`", plain(only)),
            (None, None) => "required".to_owned(),
            (Some(Value::Null), None) => "none".to_owned(),
            (Some(Value::String(text)), None) if text.is_empty() => "empty".to_owned(),
            (Some(Value::Array(items)), None) if items.is_empty() => "empty".to_owned(),
            (Some(default), None) => format!("`{}`", plain(default)),
        };
        // A name in a map has no default, and does not have to be there.
        let default = if key.ends_with("<name>") {
            String::new()
        } else {
            default
        };
        let mut meaning = description(schema);
        if meaning.is_empty() {
            meaning = description(inner);
        }
        let choices = self.choices(inner);
        if !choices.is_empty() {
            let separator = if meaning.is_empty() { "" } else { " " };
            meaning = format!("{meaning}{separator}{choices}");
        }
        let variable = environment::name(key).replace("<NAME>", "<name>");
        let cells = [
            format!("`{key}`"),
            format!("`{variable}`"),
            default,
            meaning,
        ];
        let cells = cells.map(|cell| cell.replace('|', "\\|"));
        rows.push_str(&format!("| {} |\n", cells.join(" | ")));
    }

    /// `One of `a`: what it means; `b`.`, for a value that is one of a few.
    fn choices(&self, schema: &Value) -> String {
        let mut choices = Vec::new();
        for choice in array(schema, "enum") {
            if !choice.is_null() {
                choices.push(format!("`{}`", plain(choice)));
            }
        }
        for choice in array(schema, "oneOf") {
            let about = description(choice);
            let about = about.trim_end_matches('.');
            let names = choice.get("const").into_iter().chain(array(choice, "enum"));
            for name in names {
                let name = plain(name);
                choices.push(match about {
                    "" => format!("`{name}`"),
                    about => format!("`{name}` ({about})"),
                });
            }
        }
        if choices.is_empty() {
            return String::new();
        }
        format!("One of {}.", choices.join(", "))
    }

    fn shape(&self, schema: &'a Value) -> Shape<'a> {
        let schema = self.inner(schema);
        let variants = array(schema, "oneOf");
        let is_tagged = !variants.is_empty()
            && variants
                .iter()
                .all(|variant| variant.get("properties").is_some());
        if is_tagged {
            return Shape::Tagged(variants);
        }
        if schema.get("properties").is_some() {
            return Shape::Section(schema);
        }
        match schema.get("additionalProperties") {
            Some(value) if value.is_object() => Shape::Map(value),
            _ => Shape::Scalar(schema),
        }
    }

    /// Follows references, and takes the part of an option that is not null.
    fn inner(&self, schema: &'a Value) -> &'a Value {
        let pointer = schema.get("$ref").and_then(Value::as_str);
        let referenced = pointer
            .and_then(|pointer| pointer.strip_prefix('#'))
            .and_then(|pointer| self.root.pointer(pointer));
        if let Some(referenced) = referenced {
            return self.inner(referenced);
        }
        let mut variants = array(schema, "anyOf")
            .iter()
            .filter(|variant| variant.get("type").and_then(Value::as_str) != Some("null"));
        match (variants.next(), variants.next()) {
            (Some(only), None) => self.inner(only),
            _ => schema,
        }
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }
}

fn properties(schema: &Value) -> Vec<(&String, &Value)> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.into_iter().flatten().collect()
}

fn required(schema: &Value) -> Vec<&str> {
    array(schema, "required")
        .iter()
        .filter_map(Value::as_str)
        .collect()
}

fn array<'a>(schema: &'a Value, key: &str) -> &'a [Value] {
    schema
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn description(schema: &Value) -> String {
    let text = schema.get("description").and_then(Value::as_str);
    text.unwrap_or_default()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
