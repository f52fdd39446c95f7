//! Tests of writing, by what they are about.

mod create;
mod lists;
mod properties;
mod round_trip;
mod rules;
mod update;

use serde_json::{Value, json};

use crate::{
    mapping::{
        fixture::{operation, user},
        model::{AttributeRule, OnUnknown, Send, TablePairs, TypeMapping, ValueTable},
        names::Names,
    },
    scim::{AttributePath, Resource},
};

use super::*;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn resource(value: Value) -> Resource {
    match value {
        Value::Object(map) => Resource(map),
        other => panic!("{other} is no resource"),
    }
}

fn paths(texts: &[&str]) -> Vec<AttributePath> {
    texts
        .iter()
        .map(|t| AttributePath::parse(t).unwrap())
        .collect()
}

fn created(t: &mut TypeMapping, wish: Value) -> Result<Value, WriteError> {
    t.create = Some(operation("user.create", Send::Changed, &[]));
    let mut names = Names::new();
    names.random("abcdefghijklmnop");
    let op = t.create.as_ref().unwrap();
    fields(t, op, &resource(wish), Wish::Create, None, &names).map(Value::Object)
}

/// The body of the first update.
fn updated(
    t: &TypeMapping,
    changed: &[&str],
    old: Value,
    new: Value,
    present: Option<Value>,
) -> Result<Value, WriteError> {
    let (old, changed) = (resource(old), paths(changed));
    let wish = Wish::Update {
        changed: &changed,
        old: &old,
    };
    fields(
        t,
        &t.updates[0],
        &resource(new),
        wish,
        present.as_ref(),
        &Names::new(),
    )
    .map(Value::Object)
}

fn with_update(rules: Vec<AttributeRule>, send: Send) -> TypeMapping {
    let mut t = user(rules);
    t.updates = vec![operation("user.update", send, &[])];
    t
}

fn on_off(unknown_write: OnUnknown) -> ValueTable {
    ValueTable {
        pairs: TablePairs::Fixed(vec![(json!(true), json!(1)), (json!(false), json!(3))]),
        unknown_read: OnUnknown::Drop,
        unknown_write,
    }
}
