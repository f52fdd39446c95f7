//! Mappings for tests, made without files.

use std::{path::PathBuf, sync::Arc};

use serde_json::Value;

use crate::{
    diagnostic::{Place, SourceFile},
    scim::{AttributePath, Filter, PatchPath, Projection, ResourceType, schema::builtin},
};

use super::{
    model::{
        AttributeRule, Call, Each, EachPart, FieldPlace, Form, IdRule, Location, Operation, Read,
        ReplyKind, Send, TypeMapping, ValueTable, WhenRemoved, Write,
    },
    path::JsonPath,
    template::{PathTemplate, Template},
};

pub(crate) fn place() -> Place {
    let file = SourceFile {
        path: PathBuf::from("test.toml"),
        text: String::new(),
    };
    Place {
        file: Arc::new(file),
        span: 0..0,
    }
}

/// A user mapping with these rules: ids are numbers, every operation is absent.
pub(crate) fn user(attributes: Vec<AttributeRule>) -> TypeMapping {
    let resource_type = Arc::new(ResourceType::user(vec![builtin::enterprise_user()]));
    TypeMapping {
        usual: Arc::new(Projection::usual(&resource_type)),
        resource_type,
        section: "user".into(),
        id: IdRule {
            from: JsonPath::parse("$.id").unwrap(),
            is_stable: true,
            is_number: true,
            pattern: None,
            prefix: String::new(),
        },
        scope: None,
        conditions_at: Vec::new(),
        hide: None,
        gone: None,
        empty_is_absent: false,
        match_attribute: AttributePath::of("userName"),
        lists: Vec::new(),
        finds: Vec::new(),
        get: None,
        create: None,
        updates: Vec::new(),
        activate: None,
        deactivate: None,
        rename: None,
        set_password: None,
        delete: None,
        attributes,
        constants: Vec::new(),
        members: None,
        groups: None,
        fixed: Vec::new(),
        splice: None,
    }
}

/// A bare call: `GET /users`.
pub(crate) fn call(line: &str) -> Call {
    let (method, path) = line.split_once(' ').unwrap();
    Call {
        method: method.parse().unwrap(),
        path: PathTemplate::parse(path).unwrap(),
        query: Vec::new(),
        headers: Vec::new(),
        body: None,
        format: None,
        content_type: None,
        with: Vec::new(),
        when_changed: Vec::new(),
        condition: None,
        each: None,
        take: Vec::new(),
        into: None,
        rules: Vec::new(),
        tolerate: Vec::new(),
        poll: None,
        is_repeatable: false,
        has_effect: false,
        is_wrapped: true,
        apart: std::sync::OnceLock::new(),
        remember: None,
        place: place(),
    }
}

pub(crate) fn operation(name: &str, send: Send, covers: &[&str]) -> Operation {
    Operation {
        name: name.into(),
        steps: Vec::new(),
        covers: covers
            .iter()
            .map(|c| AttributePath::parse(c).unwrap())
            .collect(),
        send,
        reply: ReplyKind::Object,
        object: None,
        id: None,
        set: Vec::new(),
        envelope: None,
        if_match: None,
        gets_first: false,
        empties_first: false,
        stash: Vec::new(),
        place: place(),
    }
}

/// A location from a PATCH path: `emails[type eq "work"].value`.
pub(crate) fn location(text: &str) -> Location {
    let path = PatchPath::parse(text).unwrap();
    let rt = ResourceType::user(vec![builtin::enterprise_user()]);
    let is_multi_valued = rt
        .resolve(&path.path)
        .and_then(|r| r.attribute)
        .is_some_and(|a| a.is_multi_valued);
    let (attribute, sub) = match is_multi_valued {
        true => (path.path.parent(), path.path.sub_attribute.clone()),
        false => (path.path.clone(), None),
    };
    Location {
        path: attribute,
        element: path.filter.as_ref().map(constants),
        sub_attribute: path.sub_attribute.or(sub),
    }
}

fn constants(filter: &Filter) -> Vec<(String, Value)> {
    match filter {
        Filter::Compare(path, _, value) => vec![(path.attribute.clone(), value.clone())],
        Filter::And(all) => all.iter().flat_map(constants).collect(),
        other => panic!("{other} is no element"),
    }
}

/// A rule that reads and writes a field.
pub(crate) fn rule(at: &str, field: &str) -> AttributeRule {
    AttributeRule {
        read: Some(Read::Path(JsonPath::parse(field).unwrap())),
        write: Some(Write {
            place: FieldPlace::parse(field).unwrap(),
            value: None,
        }),
        ..bare(at)
    }
}

/// A rule that is kept here only.
pub(crate) fn kept(at: &str) -> AttributeRule {
    AttributeRule {
        is_kept: true,
        ..bare(at)
    }
}

/// A rule that does nothing yet.
pub(crate) fn bare(at: &str) -> AttributeRule {
    AttributeRule {
        location: location(at),
        read: None,
        write: None,
        values: None,
        form: Form::Same,
        each: None,
        reference: None,
        is_kept: false,
        is_required: false,
        is_create_only: false,
        is_unique: false,
        on_create: None,
        when_removed: WhenRemoved::Null,
        when_absent: None,
        pattern: None,
        max_length: None,
        place: place(),
    }
}

/// A rule for all elements: sub-attributes with their places.
pub(crate) fn each(at: &str, items: &str, parts: &[(&str, &str)]) -> AttributeRule {
    let parts = parts.iter().map(|(sub, place)| EachPart {
        sub_attribute: (*sub).into(),
        place: FieldPlace::parse(place).unwrap(),
        values: None,
        form: Form::Same,
    });
    AttributeRule {
        each: Some(Each {
            items: FieldPlace::parse(items).unwrap(),
            is_read: true,
            is_written: true,
            parts: parts.collect(),
            condition: None,
            constants: Vec::new(),
        }),
        ..bare(at)
    }
}

impl AttributeRule {
    pub(crate) fn form(self, form: Form) -> Self {
        Self { form, ..self }
    }

    pub(crate) fn values(self, values: ValueTable) -> Self {
        Self {
            values: Some(values),
            ..self
        }
    }

    pub(crate) fn and_kept(self) -> Self {
        Self {
            is_kept: true,
            ..self
        }
    }

    pub(crate) fn removed(self, when_removed: WhenRemoved) -> Self {
        Self {
            when_removed,
            ..self
        }
    }

    /// Written by this template.
    pub(crate) fn written(mut self, template: &str) -> Self {
        if let Some(write) = &mut self.write {
            write.value = Some(Template::parse(template).unwrap());
        }
        self
    }

    /// Read only, by this template.
    pub(crate) fn reading(at: &str, template: &str) -> Self {
        Self {
            read: Some(Read::Template(Template::parse(template).unwrap())),
            ..bare(at)
        }
    }
}
