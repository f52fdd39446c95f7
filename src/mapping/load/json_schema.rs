//! JSON Schemas of mapping files, for editors that complete and check TOML.

use serde_json::{Map, Value, json};

use super::{
    root::{APP_SHAPE, TENANT_SHAPE},
    shape::{Key, Kind, Shape},
};

/// The JSON Schema (draft 2020-12) of an application's file.
pub fn json_schema_app() -> Value {
    schema(&APP_SHAPE, true)
}

/// The JSON Schema (draft 2020-12) of a tenant's file. What the application's file says may be left out here, and `false`
/// takes it away.
pub fn json_schema_tenant() -> Value {
    schema(&TENANT_SHAPE, false)
}

fn schema(root: &'static Shape, requires: bool) -> Value {
    let mut maker = Maker {
        definitions: Map::new(),
        requires,
    };
    let mut schema = maker.table(root, true);
    if let Value::Object(members) = &mut schema {
        members.insert(
            "$schema".to_owned(),
            json!("https://json-schema.org/draft/2020-12/schema"),
        );
        members.insert(
            "title".to_owned(),
            json!(format!("scimgate: {}", root.name)),
        );
        members.insert("$defs".to_owned(), Value::Object(maker.definitions));
    }
    schema
}

/// Collects the definitions of tables on the way.
struct Maker {
    definitions: Map<String, Value>,
    /// Whether keys are required: a tenant's file takes them from its application's.
    requires: bool,
}

impl Maker {
    fn table(&mut self, shape: &'static Shape, is_root: bool) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for key in shape.all_keys() {
            properties.insert(key.name.to_owned(), self.key(key));
            if key.default == "required"
                && (self.requires || is_root && ["tenant", "app"].contains(&key.name))
            {
                required.push(json!(key.name));
            }
        }
        let mut table = json!({
            "type": "object",
            "description": shape.about,
            "properties": properties,
            "additionalProperties": false,
        });
        if let (Value::Object(members), Some(others)) = (&mut table, &shape.others) {
            members.insert("additionalProperties".to_owned(), self.kind(others));
        }
        if let (Value::Object(members), false) = (&mut table, required.is_empty()) {
            members.insert("required".to_owned(), Value::Array(required));
        }
        table
    }

    fn key(&mut self, key: &Key) -> Value {
        let mut words = key.about.to_owned();
        if !["", "required"].contains(&key.default) {
            words.push_str(&format!(" Absent: {}.", key.default));
        }
        if !key.example.is_empty() {
            words.push_str(&format!(" Example: {}", key.example));
        }
        let mut schema = self.kind(&key.kind);
        if let Value::Object(members) = &mut schema {
            members.insert("description".to_owned(), json!(words));
        }
        schema
    }

    fn kind(&mut self, kind: &Kind) -> Value {
        match kind {
            Kind::Text
            | Kind::Secret
            | Kind::Url
            | Kind::Path
            | Kind::Place
            | Kind::Expression
            | Kind::Pattern
            | Kind::Attribute => json!({ "type": "string" }),
            Kind::Template => json!({ "type": ["string", "number", "boolean"] }),
            Kind::Flag => json!({ "type": "boolean" }),
            Kind::False => json!({ "const": false }),
            Kind::Count => json!({ "type": "integer", "minimum": 0 }),
            Kind::Duration => {
                json!({ "type": "string", "pattern": "^ *[0-9]+ *(ms|s|m|min|h|d)$" })
            }
            Kind::Size => json!({ "type": "string", "pattern": "^ *[0-9]+ *(B|[kKMG]B|[KMG]iB)$" }),
            Kind::Rate => {
                json!({ "type": "string", "pattern": "^ *[0-9]+ */ *[0-9]* *(ms|s|m|min|h|d)$" })
            }
            Kind::CallLine => self.optional(json!({
                "type": "string",
                "pattern": "^(GET|HEAD|OPTIONS|POST|PUT|PATCH|DELETE) +/",
            })),
            Kind::Time => {
                json!({ "anyOf": [{ "type": "string" }, { "type": "string", "format": "date-time" }] })
            }
            Kind::Tree | Kind::Any => json!({}),
            Kind::Choice(words) => json!({ "enum": words }),
            Kind::Many(kind) => json!({ "type": "array", "items": self.kind(kind) }),
            Kind::OneOf(kinds) => {
                let kinds: Vec<Value> = kinds.iter().map(|kind| self.kind(kind)).collect();
                json!({ "anyOf": kinds })
            }
            Kind::Table(shape) => self.reference(shape),
            Kind::Tables(shape) => {
                let one = self.reference(shape);
                json!({ "anyOf": [{ "type": "array", "items": one.clone() }, one] })
            }
            Kind::Named(kind) => {
                let values = self.kind(kind);
                json!({ "type": "object", "additionalProperties": self.optional(values) })
            }
        }
    }

    /// The same, or `false` in a tenant's file: the application's line is taken away.
    fn optional(&self, schema: Value) -> Value {
        if self.requires {
            schema
        } else {
            json!({ "anyOf": [schema, { "const": false }] })
        }
    }

    /// A definition of the table, made once.
    fn reference(&mut self, shape: &'static Shape) -> Value {
        let name = slug(shape.name);
        if !self.definitions.contains_key(&name) {
            // In place before it is made: tables may hold each other.
            self.definitions.insert(name.clone(), Value::Null);
            let table = self.table(shape, false);
            self.definitions.insert(name.clone(), table);
        }
        json!({ "$ref": format!("#/$defs/{name}") })
    }
}

/// A shape's name with letters, digits and `-` alone.
pub(super) fn slug(name: &str) -> String {
    let words: Vec<String> = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.join("-")
}
