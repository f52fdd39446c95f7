//! `scimgate explain --origin`: which line of which file each used part of a mapping came from.

use serde_json::{Map, Value};

use crate::{
    diagnostic::Place,
    mapping::model::{AttributeRule, Mapping, TypeMapping},
    scim::AttributePath,
};

/// The lines about the attributes that a request changed; of a read, about those that it shows. In the order of the file.
pub fn of_attributes<'m>(
    mapping: &'m Mapping,
    path: &str,
    changed: &[String],
    body: Option<&Value>,
) -> Vec<&'m AttributeRule> {
    let Some(t) = type_at(mapping, path) else {
        return Vec::new();
    };
    let touched: Vec<AttributePath> = match changed {
        [] => body.map(shown).unwrap_or_default(),
        changed => {
            let changed = changed.iter();
            changed
                .filter_map(|path| AttributePath::parse(path).ok())
                .collect()
        }
    };
    let is_touched = |rule: &&AttributeRule| {
        let mut touched = touched.iter();
        touched.any(|path| rule.location.overlaps(path))
    };
    t.attributes.iter().filter(is_touched).collect()
}

/// `mappings/acme.toml:12`.
pub fn place(place: &Place) -> String {
    let (line, _) = place.file.line_and_column(place.span.start);
    format!("{}:{line}", place.file.path.display())
}

/// A line's own words: what it is about.
pub fn words(rule: &AttributeRule) -> String {
    rule.place.text().to_owned()
}

fn type_at<'m>(mapping: &'m Mapping, path: &str) -> Option<&'m TypeMapping> {
    let path = path.split('?').next().unwrap_or(path);
    mapping.types.iter().find(|t| {
        path.split_once(t.resource_type.endpoint.as_str())
            .is_some_and(|(_, rest)| rest.is_empty() || rest.starts_with('/'))
    })
}

/// The attributes that a resource, or those of a list, have.
fn shown(body: &Value) -> Vec<AttributePath> {
    let mut paths: Vec<AttributePath> = Vec::new();
    let mut add = |path: AttributePath| {
        if !paths.contains(&path) {
            paths.push(path);
        }
    };
    let listed = body.get("Resources").and_then(Value::as_array);
    let resources = match listed {
        Some(resources) => resources.as_slice(),
        None => std::slice::from_ref(body),
    };
    let empty = Map::new();
    for resource in resources {
        for (name, value) in resource.as_object().unwrap_or(&empty) {
            match (name.contains(':'), value.as_object()) {
                (true, Some(extension)) => extension.keys().for_each(|inner| {
                    add(AttributePath {
                        schema: Some(name.clone()),
                        ..AttributePath::of(inner)
                    });
                }),
                _ => add(AttributePath::of(name)),
            }
        }
    }
    paths
}
