//! Filters on users' groups, where users do not say their groups: the groups that a filter names say who is in them.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use crate::{
    gateway::{
        context::Context,
        get::{Want, fetch},
        members, memberships,
    },
    mapping::model::{TypeMapping, UserGroups},
    scim::{AttributePath, CompareOp, Error, Filter, Resource, ScimType},
    store::TargetId,
};

use super::Plan;

/// The members of the groups that a filter names.
pub struct Grouped {
    /// By the group's id.
    members: HashMap<String, Users>,
}

/// The users of one group.
#[derive(Default)]
struct Users {
    /// Their ids in the application's order, each once: a list's pages are cut from it.
    ids: Vec<String>,
    /// The same, to be asked who is among them.
    known: HashSet<String>,
}

impl Grouped {
    /// What a filter has to know; absent if it says nothing of groups, or users' own `groups` are read for it.
    ///
    /// # Errors
    ///
    /// `invalidFilter` if the filter asks for more than whether users are in groups that it names by id, and that cannot be
    /// told: the answer would look as if nobody were in one. Otherwise what the calls fail with.
    pub async fn of(ctx: &Context, t: &TypeMapping, plan: &Plan) -> Result<Option<Self>, Error> {
        let Some((filter, _)) = plan.filter.as_ref().filter(|_| plan.inspects("groups")) else {
            return Ok(None);
        };
        let Some(groups) = ctx.mapping().types.iter().find(|t| t.members.is_some()) else {
            return Ok(None);
        };
        let most = match &t.groups {
            None => None,
            Some(UserGroups::Members { most }) => Some(*most),
            Some(UserGroups::Call { .. } | UserGroups::Field { .. }) => return Ok(None),
        };
        if let Some(names) = named(filter) {
            let mut members = HashMap::new();
            for name in names {
                let users = users_of(ctx, t, groups, &name).await?;
                members.insert(name, users);
            }
            return Ok(Some(Self { members }));
        }
        // Whoever it is asked for: whether it can be told at all.
        let is_told = match most {
            None => false,
            Some(most) => memberships::of(ctx, groups, most, &TargetId::new(""))
                .await?
                .is_some(),
        };
        match is_told {
            true => Ok(None),
            false => Err(Error::of(
                ScimType::InvalidFilter,
                "The application does not tell the groups of a user: a filter can ask for the users of one group, `groups.value eq \"ID\"`.",
            )),
        }
    }

    /// The ids of a group's users, if the filter names it.
    pub fn users_of(&self, group: &str) -> Option<Vec<String>> {
        Some(self.members.get(group)?.ids.clone())
    }

    /// Puts those of the named groups into a user that the user is in, to be matched.
    pub fn show(&self, user: &mut Resource) {
        let id = user.0.get("id").and_then(Value::as_str).unwrap_or_default();
        let own = self
            .members
            .iter()
            .filter(|(_, users)| users.known.contains(id));
        let own: Vec<Value> = own.map(|(group, _)| json!({ "value": group })).collect();
        if !own.is_empty() {
            user.0.insert("groups".to_owned(), Value::Array(own));
        }
    }

    /// Takes them out again: they need not be all that the user is in.
    pub fn hide(&self, user: &mut Resource) {
        user.0.shift_remove("groups");
    }
}

/// The groups that a filter names by id; absent if it asks anything else about groups.
fn named(filter: &Filter) -> Option<Vec<String>> {
    let is_groups = |path: &AttributePath| {
        path.schema.is_none() && path.attribute.eq_ignore_ascii_case("groups")
    };
    let is_value = |sub: Option<&str>| sub.is_none_or(|sub| sub.eq_ignore_ascii_case("value"));
    match filter {
        Filter::And(parts) | Filter::Or(parts) => {
            let parts: Option<Vec<_>> = parts.iter().map(named).collect();
            Some(parts?.concat())
        }
        Filter::Not(part) => named(part),
        Filter::Compare(path, op, value) if is_groups(path) => {
            let is_one = *op == CompareOp::Eq && is_value(path.sub_attribute.as_deref());
            Some(vec![value.as_str().filter(|_| is_one)?.to_owned()])
        }
        Filter::ValuePath(path, inner) if is_groups(path) => match &**inner {
            Filter::Compare(sub, CompareOp::Eq, value)
                if sub.attribute.eq_ignore_ascii_case("value") =>
            {
                Some(vec![value.as_str()?.to_owned()])
            }
            _ => None,
        },
        Filter::Present(path) if is_groups(path) => None,
        _ => Some(Vec::new()),
    }
}

async fn users_of(
    ctx: &Context,
    t: &TypeMapping,
    groups: &TypeMapping,
    id: &str,
) -> Result<Users, Error> {
    let group = match fetch(ctx, groups, id, Want::NEITHER).await {
        Ok(group) => group,
        Err(error) if error.status == 404 => return Ok(Users::default()),
        Err(error) => return Err(error),
    };
    let values = members::read(ctx, groups, &group).await?.values;
    let mut users = Users::default();
    for value in &values {
        let is_user = value["type"] == t.resource_type.name.as_str();
        if let Some(id) = value["value"].as_str().filter(|_| is_user)
            && users.known.insert(id.to_owned())
        {
            users.ids.push(id.to_owned());
        }
    }
    Ok(users)
}
