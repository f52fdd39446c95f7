//! A SCIM request, and the calls it makes.

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::{
    mapping::{
        call,
        model::{Call, ExpectedCall, Mapping, MemberCall, Members, Operation, TypeMapping},
        names::Names,
        plan::{self, Plan},
        write::{self, Wish, member_element},
    },
    scim::{
        AttributePath, Resource, diff, intake,
        patch::{self, PatchRequest},
        replace,
    },
};

use super::{compare, id_value, reply};

/// What an example gives.
pub(super) struct Request<'e> {
    pub method: &'e str,
    pub path: &'e str,
    pub body: Option<&'e Value>,
    /// The object as the application has it.
    pub stored: Option<&'e Value>,
    pub settings: &'e Map<String, Value>,
}

/// A call as it would be sent.
struct Planned {
    line: String,
    body: Value,
}

/// Plans the request and compares the calls, in order.
pub(super) fn run(
    mapping: &Mapping,
    section: &TypeMapping,
    request: &Request<'_>,
    expected: &[ExpectedCall],
) -> Result<(), String> {
    let planner = Planner {
        mapping,
        section,
        settings: request.settings,
        id: id_of(section, request)?,
    };
    let calls = match request.method {
        "POST" => planner.create(request),
        "DELETE" => planner.delete(request),
        _ => planner.update(request),
    }?;
    let lines: Vec<&str> = calls.iter().map(|call| call.line.as_str()).collect();
    for (at, expected) in expected.iter().enumerate() {
        let Some(call) = calls.get(at) else {
            return Err(format!(
                "call {} is missing, `{}`; the calls are {}",
                at + 1,
                expected.call,
                listed(&lines)
            ));
        };
        if call.line != expected.call {
            return Err(format!(
                "call {} is `{}`, not `{}`",
                at + 1,
                call.line,
                expected.call
            ));
        }
        if let Some(body) = &expected.body {
            compare::contains(&call.body, body)
                .map_err(|difference| format!("in the body of call {}, {difference}", at + 1))?;
        }
    }
    match calls.get(expected.len()) {
        Some(further) => Err(format!("there is a further call, `{}`", further.line)),
        None => Ok(()),
    }
}

fn listed(lines: &[&str]) -> String {
    if lines.is_empty() {
        "none".to_owned()
    } else {
        lines.join(", ")
    }
}

/// The id in the request's path: `/Users/9`.
fn id_of(section: &TypeMapping, request: &Request<'_>) -> Result<Option<String>, String> {
    let endpoint = &section.resource_type.endpoint;
    let rest = request
        .path
        .strip_prefix(endpoint.as_str())
        .ok_or_else(|| format!("the path of `{}` begins with `{endpoint}`", section.section))?;
    let id = rest.trim_matches('/');
    match (id.is_empty(), request.method) {
        (true, "POST") => Ok(None),
        (false, "POST") => Err(format!("a POST goes to `{endpoint}`")),
        (true, _) => Err(format!("the path names no object: `{endpoint}/1`")),
        (false, _) => Ok(Some(id.to_owned())),
    }
}

/// What every operation of the request works with.
struct Planner<'e> {
    mapping: &'e Mapping,
    section: &'e TypeMapping,
    settings: &'e Map<String, Value>,
    id: Option<String>,
}

impl Planner<'_> {
    fn create(&self, request: &Request<'_>) -> Result<Vec<Planned>, String> {
        let operation = self
            .section
            .create
            .as_ref()
            .ok_or("it would be answered 501: there is no `create`")?;
        let wish = self.taken_in(request, true)?;
        write::check(self.section, &wish, &Wish::Create).map_err(|error| error.to_string())?;
        let mut names = self.names();
        names.resource(&wish);
        let fields = write::fields(self.section, operation, &wish, Wish::Create, None, &names)
            .map_err(|error| error.to_string())?;
        let mut calls = self.operation(operation, &names, Some(fields), &[])?;
        let members = ids(wish.0.get("members"));
        if self
            .section
            .members
            .as_ref()
            .is_some_and(|members| members.field.is_none())
            && !members.is_empty()
        {
            calls.extend(self.members(&members, &[], &members)?);
        }
        Ok(calls)
    }

    fn update(&self, request: &Request<'_>) -> Result<Vec<Planned>, String> {
        let object = request.stored.cloned().unwrap_or_else(|| json!({}));
        let old = Resource(reply::resource(self.section, self.settings, &object));
        let (new, add, remove) = self.wanted(request, &old)?;
        let changed = diff::changed(&self.section.resource_type, &old, &new);
        write::check(
            self.section,
            &new,
            &Wish::Update {
                changed: &changed,
                old: &old,
            },
        )
        .map_err(|error| error.to_string())?;
        let Plan { steps, dropped } = plan::update(self.section, &new, &changed);
        if let Some(path) = dropped.first() {
            return Err(format!("nothing writes `{path}`"));
        }
        let mut calls = Vec::new();
        for step in steps {
            let mut names = self.names();
            names.resource(&new).with("old", Cow::Borrowed(&object));
            let wish = Wish::Update {
                changed: &step.covers,
                old: &old,
            };
            let fields = write::fields(
                self.section,
                step.operation,
                &new,
                wish,
                Some(&object),
                &names,
            )
            .map_err(|error| error.to_string())?;
            calls.extend(self.operation(step.operation, &names, Some(fields), &step.covers)?);
        }
        if !add.is_empty() || !remove.is_empty() {
            calls.extend(self.members(&add, &remove, &ids(new.0.get("members")))?);
        }
        Ok(calls)
    }

    /// The resource as it should be, and the members to add and to remove.
    fn wanted(
        &self,
        request: &Request<'_>,
        old: &Resource,
    ) -> Result<(Resource, Vec<String>, Vec<String>), String> {
        let resource_type = &self.section.resource_type;
        if request.method == "PUT" {
            let wish = self.taken_in(request, false)?;
            let new = replace::replace(resource_type, old, wish, &replace::ReplaceRules::default())
                .map_err(|error| error.detail)?;
            let delta = member_change(old, &new);
            return Ok((new, delta.0, delta.1));
        }
        let body = with_schema(request, "urn:ietf:params:scim:api:messages:2.0:PatchOp")?;
        let patch = PatchRequest::parse(body).map_err(|error| error.detail)?;
        // Where only the whole list can be set, the change is worked out on the whole list.
        let has_deltas = |members: &&Members| members.add.is_some() && members.remove.is_some();
        let split = self
            .section
            .members
            .as_ref()
            .filter(has_deltas)
            .and_then(|_| patch.split_members(resource_type, "members"));
        if let Some(split) = split {
            let new = if split.rest.operations.is_empty() {
                old.clone()
            } else {
                patch::apply(&split.rest, resource_type, old).map_err(|error| error.detail)?
            };
            return Ok((new, ids(Some(&Value::Array(split.add))), split.remove));
        }
        let new = patch::apply(&patch, resource_type, old).map_err(|error| error.detail)?;
        let delta = member_change(old, &new);
        Ok((new, delta.0, delta.1))
    }

    fn delete(&self, request: &Request<'_>) -> Result<Vec<Planned>, String> {
        let operation = self
            .section
            .delete
            .as_ref()
            .ok_or("it would be answered 501: there is no `delete`")?;
        let mut names = self.names();
        if let Some(stored) = request.stored {
            names.with("old", Cow::Borrowed(stored));
        }
        self.operation(operation, &names, None, &[])
    }

    /// The body as a resource.
    fn taken_in(&self, request: &Request<'_>, is_create: bool) -> Result<Resource, String> {
        let resource_type = &self.section.resource_type;
        let mut body = with_schema(request, &resource_type.schema.id)?;
        for extension in &resource_type.extensions {
            let urn = &extension.schema.id;
            if body.get(urn).is_some()
                && let Some(Value::Array(schemas)) = body.get_mut("schemas")
                && !schemas.iter().any(|schema| schema == urn)
            {
                schemas.push(Value::from(urn.as_str()));
            }
        }
        intake::resource(resource_type, body, is_create).map_err(|error| error.detail)
    }

    fn names(&self) -> Names<'_> {
        let mut names = Names::new();
        names
            .settings(self.settings)
            .random(RANDOM)
            .at(Timestamp::UNIX_EPOCH);
        if let Some(id) = &self.id {
            names.with("id", Cow::Owned(id_value(self.section, id)));
            names.with("group", Cow::Owned(id_value(self.section, id)));
            names.with("scim", Cow::Owned(json!({ "id": id })));
        }
        names
    }

    /// The calls of an operation. What a step takes is its name, as in every plan that is not carried out.
    fn operation(
        &self,
        operation: &Operation,
        names: &Names<'_>,
        fields: Option<Map<String, Value>>,
        changed: &[AttributePath],
    ) -> Result<Vec<Planned>, String> {
        let fields = fields.map(Value::Object);
        let mut names = names.child();
        if !changed.is_empty() {
            let changed: Vec<Value> = changed
                .iter()
                .map(|path| Value::from(call::spelled(path)))
                .collect();
            names.with("changed", Cow::Owned(Value::Array(changed)));
        }
        if let Some(fields) = &fields {
            names.with("fields", Cow::Owned(fields.clone()));
        }
        let body = fields.map(|fields| match &operation.envelope {
            Some(envelope) => Value::Object(Map::from_iter([(envelope.clone(), fields)])),
            None => fields,
        });
        let mut calls = Vec::new();
        for step in &operation.steps {
            let body = body.clone().filter(|_| carries_fields(step));
            match &step.each {
                None => calls.extend(self.call(step, &operation.name, &names, body)?),
                Some(each) => {
                    let items = call::elements_of(each, &names);
                    for item in items.map_err(|error| error.to_string())? {
                        let mut names = names.child();
                        names.with("item", Cow::Owned(item));
                        let body = body.clone();
                        calls.extend(self.call(step, &operation.name, &names, body)?);
                    }
                }
            }
            for (name, _) in &step.take {
                names.with(name, Cow::Owned(Value::from(name.as_str())));
            }
        }
        Ok(calls)
    }

    fn call(
        &self,
        step: &Call,
        name: &str,
        names: &Names<'_>,
        body: Option<Value>,
    ) -> Result<Option<Planned>, String> {
        let planned = call::plan(step, name, &self.mapping.target, names, body)
            .map_err(|error| error.to_string())?;
        Ok(planned.map(|planned| Planned {
            line: format!("{} {}", planned.method, planned.path_and_query),
            body: planned.body.map_or(Value::Null, |(_, body)| body),
        }))
    }

    /// The calls that change members: removals first.
    fn members(
        &self,
        add: &[String],
        remove: &[String],
        all: &[String],
    ) -> Result<Vec<Planned>, String> {
        let members = self
            .section
            .members
            .as_ref()
            .ok_or("the section has no members")?;
        let mut calls = Vec::new();
        match (&members.add, &members.remove, &members.replace) {
            (Some(adding), Some(removing), _) => {
                calls.extend(self.change(removing, "remove", remove)?);
                calls.extend(self.change(adding, "add", add)?);
            }
            (Some(adding), None, None) if remove.is_empty() => {
                calls.extend(self.change(adding, "add", add)?)
            }
            (_, _, Some(replacing)) => {
                calls.extend(self.steps(
                    replacing,
                    "replace",
                    self.member_names(replacing, all, None)?,
                )?);
            }
            _ => {}
        }
        Ok(calls)
    }

    fn change(
        &self,
        change: &MemberCall,
        name: &str,
        ids: &[String],
    ) -> Result<Vec<Planned>, String> {
        let mut calls = Vec::new();
        for batch in ids.chunks(change.batch.unwrap_or(1).max(1)) {
            let single = batch.first().filter(|_| batch.len() == 1);
            calls.extend(self.steps(change, name, self.member_names(change, batch, single)?)?);
        }
        Ok(calls)
    }

    /// The calls of one change. What a step takes stands for itself: there is no reply here.
    fn steps<'n>(
        &'n self,
        change: &'n MemberCall,
        name: &str,
        mut names: Names<'n>,
    ) -> Result<Vec<Planned>, String> {
        let mut calls = Vec::new();
        for step in change.before.iter().chain([&change.call]) {
            calls.extend(self.call(step, &format!("group.members.{name}"), &names, None)?);
            for (name, _) in &step.take {
                names.with(name, Cow::Owned(Value::from(name.as_str())));
            }
        }
        Ok(calls)
    }

    /// `members`, and `member` for one alone. A member's id is its SCIM id here.
    fn member_names(
        &self,
        change: &MemberCall,
        ids: &[String],
        single: Option<&String>,
    ) -> Result<Names<'_>, String> {
        let of = self
            .section
            .members
            .as_ref()
            .and_then(|members| members.types.first());
        let section = of
            .and_then(|name| {
                self.mapping
                    .types
                    .iter()
                    .find(|t| t.resource_type.name == *name)
            })
            .unwrap_or(self.section);
        let mut names = self.names();
        let of = Value::from(section.resource_type.name.as_str());
        let mut values = Vec::with_capacity(ids.len());
        for id in ids {
            let (id, element) = (id_value(section, id), change.element.as_ref());
            let value = member_element(element, &id, &of, &names);
            values.extend(value.map_err(|error| error.to_string())?);
        }
        if let Some(id) = single {
            names.with("member", Cow::Owned(id_value(section, id)));
        }
        names.with("members", Cow::Owned(Value::Array(values)));
        Ok(names)
    }
}

/// Stands for random characters: an example's outcome is the same every time.
const RANDOM: &str = "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\
                      000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000";

/// Whether the mapped fields are this call's body, if it has none of its own.
fn carries_fields(call: &Call) -> bool {
    [http::Method::POST, http::Method::PUT, http::Method::PATCH].contains(&call.method)
}

/// The body with `schemas`, which examples may leave out.
fn with_schema(request: &Request<'_>, urn: &str) -> Result<Value, String> {
    let mut body = request.body.cloned().ok_or("the request has no body")?;
    let members = body
        .as_object_mut()
        .ok_or("the request's body is no object")?;
    members.entry("schemas").or_insert_with(|| json!([urn]));
    Ok(body)
}

fn ids(members: Option<&Value>) -> Vec<String> {
    let members = members
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    members
        .iter()
        .filter_map(|member| member.get("value")?.as_str().map(str::to_owned))
        .collect()
}

fn member_change(old: &Resource, new: &Resource) -> (Vec<String>, Vec<String>) {
    let list = |resource: &Resource| {
        resource
            .0
            .get("members")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let delta = diff::member_delta(&list(old), &list(new));
    (ids(Some(&Value::Array(delta.add))), delta.remove)
}
