//! `groups` of a user (RFC 7643 §4.1.2), read from the target in whichever way it knows membership.

use std::{borrow::Cow, collections::HashSet};

use serde_json::{Value, json};

use crate::{
    mapping::{
        call::own_names,
        expression::Expression,
        model::{Call, Form, Read, TypeMapping, UserGroups, With},
        names::Names,
        path::JsonPath,
        read::is_nobody,
        value::names_in,
    },
    scim::Error,
    store::TargetId,
    target::ScanSource,
};

use super::{
    context::Context, get::id_value, identity::scim_id_of, join::Joined, memberships,
    shown_groups::Shown,
};

/// The groups of a user, each with value, `$ref`, display and type; absent if they cannot be told.
pub async fn read(
    ctx: &Context,
    t: &TypeMapping,
    user: &Joined,
) -> Result<Option<Vec<Value>>, Error> {
    let Some(group_type) = ctx.mapping().types.iter().find(|t| t.members.is_some()) else {
        return Ok(Some(Vec::new()));
    };
    match &t.groups {
        None => Ok(None),
        Some(UserGroups::Members { most }) => {
            memberships::of(ctx, group_type, *most, &user.target_id).await
        }
        Some(
            groups @ UserGroups::Field {
                items,
                form,
                id,
                display,
                only,
                is_indirect,
            },
        ) => {
            let found = match (form, items.all(&user.object).as_slice()) {
                (Form::Joined(_), [text]) => names_in(form, text),
                _ => items.items(&user.object).into_iter().cloned().collect(),
            };
            let mut own = ctx.names();
            own.with("old", Cow::Borrowed(&user.object));
            let items = chosen(&own, only.as_ref(), found);
            let rules = (id.as_ref(), display.as_ref(), is_indirect.as_ref());
            let shown = Shown::new(ctx, group_type, groups);
            groups_of(&shown, &own, &items, rules).await.map(Some)
        }
        Some(
            groups @ UserGroups::Call {
                call,
                id,
                display,
                only,
                is_indirect,
                ..
            },
        ) => {
            let mut names = ctx.names();
            names.with("id", Cow::Owned(id_value(t, user.target_id.as_str())));
            names.with("scim", Cow::Owned(json!({ "id": user.scim_id.as_str() })));
            names.with("old", Cow::Borrowed(&user.object));
            names.object(&user.object);
            let own = names_of_items(ctx, call, &names, &user.object)?;
            let mut scan = ctx.driver().scan(ScanSource::Groups(groups), &names);
            let mut items = Vec::new();
            while let Some(page) = scan.next_page(&ctx.journey).await? {
                items.extend(chosen(&own, only.as_ref(), page.items));
            }
            let rules = (id.as_ref(), display.as_ref(), is_indirect.as_ref());
            let shown = Shown::new(ctx, group_type, groups);
            groups_of(&shown, &own, &items, rules).await.map(Some)
        }
    }
}

async fn groups_of(
    shown: &Shown<'_>,
    own: &Names<'_>,
    items: &[Value],
    (id, display, is_indirect): (Option<&Read>, Option<&JsonPath>, Option<&Expression>),
) -> Result<Vec<Value>, Error> {
    let (ctx, t) = (shown.ctx, shown.t);
    let mut groups = Vec::with_capacity(items.len());
    let mut seen = HashSet::new();
    for item in items {
        let Some(target_id) = id_of(ctx, id, item) else {
            if is_nobody(item) {
                continue;
            }
            return Err(without_id("a user's groups", "`[user.groups]`"));
        };
        let Some(known) = shown.find(TargetId::new(&target_id), item).await? else {
            continue;
        };
        let kind = match is_indirect.is_some_and(|rule| rule.holds_for(item, own)) {
            true => "indirect",
            false => "direct",
        };
        // A list may name a group twice, in two spellings.
        if !seen.insert((known.id.clone(), kind)) {
            continue;
        }
        let display = text_of(display.and_then(|path| path.first(item))).or(known.name);
        groups.push(value(ctx, t, &known.id, display, kind).await?);
    }
    Ok(groups)
}

/// A value of a user's `groups`.
pub async fn value(
    ctx: &Context,
    t: &TypeMapping,
    group: &TargetId,
    display: Option<String>,
    kind: &str,
) -> Result<Value, Error> {
    let id = scim_id_of(ctx, t, group).await?;
    let mut value =
        json!({ "value": id.as_str(), "$ref": ctx.location(t, id.as_str()), "type": kind });
    if let Some(display) = display {
        value["display"] = json!(display);
    }
    Ok(value)
}

/// The target's id within an item of a list of members or groups; without a rule the item is the id.
pub fn id_of(ctx: &Context, rule: Option<&Read>, item: &Value) -> Option<String> {
    match rule {
        Some(rule) => text_of(rule.find(item, &ctx.mapping().settings).as_ref()),
        None => text_of(Some(item)),
    }
}

/// What cannot be told must not look as if it were not there.
pub fn without_id(list: &str, place: &str) -> Error {
    Error::new(
        502,
        format!(
            "An item of the application's list of {list} has no id where the mapping looks for it ({place}: `items` and `id`); its operator must look at it."
        ),
    )
}

/// What `only` can name beside the item: settings, what the call names itself (`with`), and the object the items are
/// about as `old`. Not the call's `id`, which would hide the item's own.
pub fn names_of_items<'a>(
    ctx: &'a Context,
    call: &Call,
    names: &Names<'_>,
    old: &'a Value,
) -> Result<Names<'a>, Error> {
    let mut own = ctx.names();
    own.with("old", Cow::Borrowed(old));
    let given = own_names(call, names)?;
    for With { name, .. } in &call.with {
        if let Some(value) = given.get(name) {
            own.with(name, Cow::Owned(value.into_owned()));
        }
    }
    Ok(own)
}

/// The items for which a condition holds, `own` being known beside them; one that cannot be worked out does not hold.
pub fn chosen(own: &Names<'_>, only: Option<&Expression>, mut items: Vec<Value>) -> Vec<Value> {
    if let Some(only) = only {
        items.retain(|item| only.holds_for(item, own));
    }
    items
}

/// A string, or a number as text.
pub fn text_of(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
