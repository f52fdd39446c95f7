//! One page of a list: the call, and the rows in its reply.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{Driver, Journey, TargetError, conduct::Ask};
use crate::mapping::{
    body::scalar_text,
    expression::Expression,
    model::{
        Call, FieldPlace, Find, IdRule, ListOperation, Meaning, MemberRead, Paging, Source,
        UserGroups,
    },
    names::Names,
    page::{Next, PageError, Pager, Position, body_paths},
    path::JsonPath,
    reply::{CallClass, Cut, Reply, Row, fails_without_list, plain_names, says_nothing_at, source},
    template::Tree,
};

/// A list as it is read, whatever it is for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listing<'d> {
    pub name: &'d str,
    pub call: &'d Call,
    pub class: CallClass,
    pub page: &'d Paging,
    items: Items<'d>,
    set: &'d [(FieldPlace, Tree)],
    keyed_by: Option<&'d str>,
    /// Where the reply has the id of what is found, and the rule by which objects hold it.
    id: Option<(&'d Source, &'d IdRule)>,
    /// Whether rows are wanted as text, where that is possible.
    is_text: bool,
}

/// Where the rows are in a reply.
#[derive(Debug, Clone, Copy)]
enum Items<'d> {
    At(&'d JsonPath),
    /// Where the type's list has them, if that is a list in this reply; otherwise the reply is the object, in its envelope.
    LikeList(Option<&'d JsonPath>, Option<&'d str>),
}

impl<'d> Listing<'d> {
    pub fn of_list(list: &'d ListOperation) -> Self {
        Self {
            name: &list.name,
            call: &list.call,
            class: CallClass::List,
            page: &list.page,
            items: Items::At(&list.items),
            set: &list.set,
            keyed_by: list.keyed_by.as_deref(),
            id: None,
            is_text: false,
        }
    }

    /// The same list, its rows as text where nothing else needs a tree of them.
    pub fn as_text(self, is_text: bool) -> Self {
        Self { is_text, ..self }
    }

    pub fn of_find(find: &'d Find, driver: &'d Driver) -> Self {
        let kind = driver.type_of(&find.name);
        let list = kind
            .and_then(|kind| kind.lists.first())
            .map(|list| &list.items);
        let envelope = kind
            .and_then(|kind| kind.get.as_ref())
            .and_then(|get| get.envelope.as_deref());
        Self {
            items: match &find.items {
                Some(path) => Items::At(path),
                None => Items::LikeList(list, envelope),
            },
            set: &find.set,
            id: find.id.as_ref().zip(kind.map(|kind| &kind.id)),
            ..Self::plain(&find.name, &find.call, CallClass::Find, &find.page)
        }
    }

    pub fn of_members(read: &'d MemberRead) -> Self {
        Self {
            items: Items::At(&read.items),
            ..Self::plain("group.members", &read.call, CallClass::Get, &read.page)
        }
    }

    /// Absent if the groups have no call of their own.
    pub fn of_groups(groups: &'d UserGroups) -> Option<Self> {
        match groups {
            UserGroups::Call {
                call, items, page, ..
            } => Some(Self {
                items: Items::At(items),
                ..Self::plain("user.groups", call, CallClass::Get, page)
            }),
            UserGroups::Field { .. } | UserGroups::Members { .. } => None,
        }
    }

    fn plain(name: &'d str, call: &'d Call, class: CallClass, page: &'d Paging) -> Self {
        Self {
            name,
            call,
            class,
            page,
            items: Items::LikeList(None, None),
            set: &[],
            keyed_by: None,
            id: None,
            is_text: false,
        }
    }

    /// Tells lists apart whose page sizes may differ.
    pub fn key(&self) -> String {
        format!(
            "{} {} {}",
            self.name,
            self.call.method,
            self.call.path.source()
        )
    }

    /// Where the rows are cut out; absent if a tree is needed.
    fn cut(&self) -> Option<Cut<'d>> {
        let path = match self.items {
            Items::At(path) => path,
            // Where it is no list in a reply, nothing is cut out of that reply.
            Items::LikeList(list, _) => list?,
        };
        let cut = Cut::of_list(path)?;
        let is_as_it_comes = self.set.is_empty() && self.keyed_by.is_none() && self.id.is_none();
        (self.is_text && self.leaves_marks(&cut) && is_as_it_comes).then_some(cut)
    }

    /// Whether what the page style looks for is there when the rows are taken out: not so where it is in the last of them.
    fn leaves_marks(&self, cut: &Cut<'_>) -> bool {
        let named = self.page.more.iter().flat_map(Expression::names);
        body_paths(self.page).all(|path| cut.leaves(path))
            && named.into_iter().all(|name| cut.leaves_named(&name.names))
    }

    fn rows(&self, reply: &mut Reply, names: &Names<'_>) -> Result<Vec<Row>, TargetError> {
        Ok(match reply.rows.take() {
            Some(rows) => rows.into_iter().map(Row::Text).collect(),
            None => self
                .trees(reply, names)?
                .into_iter()
                .map(Row::Tree)
                .collect(),
        })
    }

    fn trees(&self, reply: &mut Reply, names: &Names<'_>) -> Result<Vec<Value>, TargetError> {
        let mut rows = match self.id {
            Some((from, rule)) => match id_in(from, reply, names)? {
                Some(id) => identified(self.items(reply), rule, id),
                None => return Ok(Vec::new()),
            },
            None => self.items(reply),
        };
        if let Items::At(path) = self.items
            && rows.is_empty()
            && fails_without_list(path, reply)
        {
            let place = path.source().to_owned();
            return Err(TargetError::NoObject { place });
        }
        for row in &mut rows {
            put_in(self.set, row, names);
        }
        Ok(rows)
    }

    fn items(&self, reply: &mut Reply) -> Vec<Value> {
        match self.items {
            Items::At(path) => match self.keyed_by {
                Some(name) => keyed(path, name, &reply.content),
                None if Cut::of_list(path).is_some_and(|cut| self.leaves_marks(&cut)) => {
                    take_items(path, &mut reply.content)
                }
                None => path.items(&reply.content).into_iter().cloned().collect(),
            },
            Items::LikeList(list, envelope) => like_list(list, envelope, &mut reply.content),
        }
    }
}

/// The id of what a find finds; absent if the reply says that there is none.
///
/// # Errors
///
/// `NoObject` if the reply holds other things, in which the place does not occur: nobody must look missing for a misspelt path.
fn id_in(from: &Source, reply: &Reply, names: &Names<'_>) -> Result<Option<Value>, TargetError> {
    let id = source(from, reply, names)?.filter(|id| scalar_text(id).is_some());
    match (from, &id) {
        (Source::Body(path), None) => match path.names() {
            Some((names, _)) if !says_nothing_at(&names, &reply.content) => {
                let place = path.source().to_owned();
                Err(TargetError::NoObject { place })
            }
            _ => Ok(None),
        },
        _ => Ok(id),
    }
}

/// What was found, with its id: the one object, or where there is none the id alone.
fn identified(mut rows: Vec<Value>, rule: &IdRule, id: Value) -> Vec<Value> {
    match rows.as_mut_slice() {
        [object @ Value::Object(_)] => rule.put_into(object, id),
        [] | [_] => return vec![id],
        _ => {}
    }
    rows
}

/// Puts the fields of `set` into an object, all of them made of it as it was.
pub(super) fn put_in(set: &[(FieldPlace, Tree)], object: &mut Value, names: &Names<'_>) {
    for (place, value) in made_of(set, object, names) {
        match (place.is_whole(), object.as_object_mut(), value) {
            (true, Some(object), Value::Object(members)) => object.extend(members),
            (_, _, value) => place.write(object, value),
        }
    }
}

/// The values of `set` for a row; one that cannot be worked out from it is absent, as in a line's `read`.
fn made_of<'d>(
    set: &'d [(FieldPlace, Tree)],
    row: &Value,
    names: &Names<'_>,
) -> Vec<(&'d FieldPlace, Value)> {
    let value = |tree: &Tree| {
        let mut names = names.child();
        names.object(row).with("value", Cow::Borrowed(row));
        tree.render(&names).ok().flatten()
    };
    set.iter()
        .filter_map(|(place, tree)| Some((place, value(tree)?)))
        .collect()
}

impl Driver {
    /// Reads a list of the application from its beginning; see [`Pager::new`].
    pub(super) fn pager<'p>(&'p self, paging: &'p Paging, wanted: Option<u64>) -> Pager<'p> {
        let target = &self.mapping.target;
        Pager::new(paging, &target.base_url, wanted).known_as(target.public_url.as_ref())
    }

    /// Reads the page a pager stands at, and moves the pager on.
    pub(super) async fn page(
        &self,
        journey: &Journey,
        listing: &Listing<'_>,
        names: &Names<'_>,
        pager: &mut Pager<'_>,
    ) -> Result<(Vec<Row>, Next), TargetError> {
        let request = pager.request();
        let cut = listing.cut();
        let following = match pager.position() {
            Position::Start => None,
            _ => listing.page.following.as_deref(),
        };
        let ask = Ask {
            operation: listing.name,
            call: following.unwrap_or(listing.call),
            class: listing.class,
            names,
            body: None,
            page: &request,
            headers: &[],
            cut: cut.as_ref(),
        };
        let answer = match self.conduct(journey, &ask).await {
            // No object has a name that cannot be sent.
            Err(error) if listing.class == CallClass::Find && error.is_unfit_for_path() => None,
            answer => answer?,
        };
        let Some(answer) = answer else {
            return Ok((Vec::new(), Next::Done));
        };
        match answer.verdict.meaning {
            meaning if meaning.is_done() => {}
            // Nobody has been found (promise R8).
            Meaning::NotFound if listing.class == CallClass::Find => {
                return Ok((Vec::new(), Next::Done));
            }
            _ => return Err(answer.verdict.into()),
        }
        let mut reply = answer.reply;
        let rows = listing
            .rows(&mut reply, names)
            .inspect_err(|error| journey.trouble(listing.name, error))?;
        let next = pager
            .absorb(&answer.asked, &reply, &rows)
            .map_err(|error| match (error, listing.class) {
                (PageError::Repeated, CallClass::Find) => PageError::RepeatedSearch,
                (error, _) => error,
            })
            .map_err(TargetError::from)
            .inspect_err(|error| journey.trouble(listing.name, error))?;
        Ok((rows, next))
    }
}

/// The items of a list, moved out of the reply where their place is plain (`$.users[*]`), copied elsewhere.
fn take_items(path: &JsonPath, content: &mut Value) -> Vec<Value> {
    if let Some(names) = plain_names(path) {
        let place = names
            .iter()
            .try_fold(&mut *content, |at, name| at.get_mut(name));
        if let Some(Value::Array(items)) = place {
            return std::mem::take(items);
        }
    }
    path.items(content).into_iter().cloned().collect()
}

/// `{"7": {…}}` as a list of objects, the key put into a member.
fn keyed(path: &JsonPath, name: &str, content: &Value) -> Vec<Value> {
    let objects = path.all(content).into_iter().filter_map(Value::as_object);
    objects
        .flatten()
        .map(|(key, value)| {
            let mut members = match value {
                Value::Object(members) => members.clone(),
                other => Map::from_iter([("value".to_owned(), other.clone())]),
            };
            members.insert(name.to_owned(), Value::String(key.clone()));
            Value::Object(members)
        })
        .collect()
}

fn like_list(list: Option<&JsonPath>, envelope: Option<&str>, content: &mut Value) -> Vec<Value> {
    if let Some(path) = list {
        // A wildcard over an object would take its members for items: only a real list counts.
        let before = path.source().strip_suffix("[*]");
        let holder = before.map_or_else(|| Ok(path.clone()), JsonPath::parse);
        if holder.is_ok_and(|holder| holder.first(content).is_some_and(Value::is_array)) {
            return take_items(path, content);
        }
    }
    let object = match envelope {
        Some(envelope) => content.get_mut(envelope).map(Value::take),
        None => Some(content.take()),
    };
    match object {
        Some(Value::Array(items)) => items,
        Some(object @ Value::Object(_)) => vec![object],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn path(text: &str) -> JsonPath {
        JsonPath::parse(text).unwrap()
    }

    #[test]
    fn items_are_found_wherever_they_are() {
        let cases = [
            ("$.users[*]", json!({"users": [1, 2]}), json!([1, 2])),
            ("$.users", json!({"users": [1, 2]}), json!([1, 2])),
            ("$[*]", json!([1, 2]), json!([1, 2])),
            ("$", json!([1, 2]), json!([1, 2])),
            ("$.a.b_c[*]", json!({"a": {"b_c": [1]}}), json!([1])),
            ("$.users[*]", json!({}), json!([])),
            ("$.users[*]", json!({"users": null}), json!([])),
            ("$.user", json!({"user": {"id": 1}}), json!([{"id": 1}])),
            (
                "$.users[*].id",
                json!({"users": [{"id": 1}, {"id": 2}]}),
                json!([1, 2]),
            ),
            (
                "$.users[?@.on==true]",
                json!({"users": [{"on": true}, {"on": false}]}),
                json!([{"on": true}]),
            ),
        ];
        for (text, mut content, expected) in cases {
            let items = take_items(&path(text), &mut content);
            assert_eq!(Value::Array(items), expected, "{text}");
        }
    }

    #[test]
    fn keyed_objects_become_a_list() {
        let content = json!({"users": {"7": {"name": "a"}, "8": "b"}});
        assert_eq!(
            keyed(&path("$.users"), "id", &content),
            [
                json!({"name": "a", "id": "7"}),
                json!({"value": "b", "id": "8"})
            ]
        );
        assert!(keyed(&path("$.users"), "id", &json!({"users": []})).is_empty());
    }

    #[test]
    fn a_find_without_items_gives_the_list_or_the_object() {
        let list = path("$.users[*]");
        let root = path("$[*]");
        let cases = [
            (
                Some(&list),
                None,
                json!({"users": [{"id": 1}]}),
                json!([{"id": 1}]),
            ),
            (Some(&list), None, json!({"users": []}), json!([])),
            (
                Some(&list),
                Some("user"),
                json!({"user": {"id": 1}}),
                json!([{"id": 1}]),
            ),
            (Some(&root), None, json!({"id": 1}), json!([{"id": 1}])),
            (Some(&root), None, json!([{"id": 1}]), json!([{"id": 1}])),
            (None, None, json!({"id": 1}), json!([{"id": 1}])),
            (None, None, json!(null), json!([])),
            (None, Some("user"), json!({}), json!([])),
        ];
        for (list, envelope, mut content, expected) in cases {
            let shown = content.to_string();
            assert_eq!(
                Value::Array(like_list(list, envelope, &mut content)),
                expected,
                "{shown}"
            );
        }
    }
}
