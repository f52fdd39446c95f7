//! Calls to `/groups`. Members are a resource below a group, not a part of it.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::api::{Answer, Call, not_allowed, not_found};
use super::fields::{Change, Complaints, Fields};
use super::paging::Page;
use super::staff::{Group, Staff};
use super::users::TIME;

struct GroupChanges {
    name: Change<String>,
    description: Change<String>,
}

/// Answers a call to the list: `GET` or `POST`.
pub(super) fn answer_list(staff: &mut Staff, call: &Call<'_>) -> Answer {
    match (call.method, call.body) {
        ("GET", _) => list(staff, call),
        ("POST", Some(body)) => create(staff, body, call.now),
        _ => not_allowed("GET, POST"),
    }
}

/// Answers a call to one group: `GET`, `PATCH` or `DELETE`.
pub(super) fn answer_one(staff: &mut Staff, id: u64, call: &Call<'_>) -> Answer {
    match (call.method, call.body) {
        ("GET", _) => found(staff, id, Answer::ok),
        ("PATCH", Some(body)) => update(staff, id, body, call.now),
        ("DELETE", _) if staff.remove_group(id) => Answer::empty(),
        ("DELETE", _) => not_found(),
        _ => not_allowed("GET, PATCH, DELETE"),
    }
}

/// Answers a call to the members of a group: `GET` or `POST`.
pub(super) fn answer_members(staff: &mut Staff, id: u64, call: &Call<'_>) -> Answer {
    let Some(group) = staff.group(id) else {
        return not_found();
    };
    match (call.method, call.body) {
        ("GET", _) => {
            let page = Page::from_query(&call.query);
            Answer::ok(page.of(&group.members, |member| {
                json!({"user_id": member, "login": staff.user(*member).map(|user| &user.login)})
            }))
        }
        ("POST", Some(body)) => add_members(staff, id, body, call.now),
        _ => not_allowed("GET, POST"),
    }
}

/// Answers a call to one member of a group: `DELETE`.
pub(super) fn answer_member(staff: &mut Staff, id: u64, user_id: u64, call: &Call<'_>) -> Answer {
    if call.method != "DELETE" {
        return not_allowed("DELETE");
    }
    if !staff.remove_member(id, user_id) {
        return not_found();
    }
    staff.change_group(id, |group| group.updated_at = call.now);
    Answer::empty()
}

fn list(staff: &Staff, call: &Call<'_>) -> Answer {
    let page = Page::from_query(&call.query);
    let Some(name) = call.parameter("name") else {
        return Answer::ok(page.of(&staff.groups, show));
    };
    let group = staff.name_owner(name).and_then(|id| staff.group(id));
    let groups: Vec<&Group> = group.into_iter().collect();
    Answer::ok(page.of(&groups, |group| show(group)))
}

fn create(staff: &mut Staff, body: &Map<String, Value>, now: Timestamp) -> Answer {
    match read(staff, body, None) {
        Ok(changes) => {
            let name = changes.name.value().cloned().unwrap_or_default();
            let mut description = None;
            changes.description.apply(&mut description);
            let id = staff.add_group(&name, description, now);
            found(staff, id, Answer::created)
        }
        Err(complaints) => Answer::invalid(&complaints),
    }
}

fn update(staff: &mut Staff, id: u64, body: &Map<String, Value>, now: Timestamp) -> Answer {
    if staff.group(id).is_none() {
        return not_found();
    }
    match read(staff, body, Some(id)) {
        Ok(changes) => staff.change_group(id, |group| {
            changes.name.apply_required(&mut group.name);
            changes.description.apply(&mut group.description);
            group.updated_at = now;
        }),
        Err(complaints) => return Answer::invalid(&complaints),
    }
    found(staff, id, Answer::ok)
}

fn read(
    staff: &Staff,
    body: &Map<String, Value>,
    id: Option<u64>,
) -> Result<GroupChanges, Complaints> {
    let mut fields = Fields::new(body);
    let changes = GroupChanges {
        name: fields.required_text("name", 200),
        description: fields.text("description", 500),
    };
    if id.is_none() {
        fields.require("name", &changes.name);
    }
    let owner = changes.name.value().and_then(|name| staff.name_owner(name));
    if owner.is_some() && owner != id {
        fields.complaints.add("name", "has already been taken");
    }
    fields.complaints.into_result().map(|()| changes)
}

/// All or nothing: one unknown user, and nobody is added. Who is in already is passed over.
fn add_members(staff: &mut Staff, id: u64, body: &Map<String, Value>, now: Timestamp) -> Answer {
    let mut fields = Fields::new(body);
    let user_ids = fields.numbers("user_ids");
    for user_id in user_ids
        .iter()
        .filter(|user_id| staff.user(**user_id).is_none())
    {
        fields
            .complaints
            .add("user_ids", format!("contains an unknown user ({user_id})"));
    }
    if let Err(complaints) = fields.complaints.into_result() {
        return Answer::invalid(&complaints);
    }
    let added = staff.add_members(id, &user_ids);
    if added > 0 {
        staff.change_group(id, |group| group.updated_at = now);
    }
    let total = staff.group(id).map_or(0, |group| group.members.len());
    Answer::ok(json!({"added": added, "total": total}))
}

fn found(staff: &Staff, id: u64, answer: fn(Value) -> Answer) -> Answer {
    staff
        .group(id)
        .map_or_else(not_found, |group| answer(show(group)))
}

/// A group as the API shows it.
pub(super) fn show(group: &Group) -> Value {
    json!({
        "id": group.id,
        "name": group.name,
        "description": group.description,
        "member_count": group.members.len(),
        "created_at": group.created_at.strftime(TIME).to_string(),
        "updated_at": group.updated_at.strftime(TIME).to_string(),
    })
}
