//! What the gateway asks of an application: calls, operations, lists, finds, members.

use std::{borrow::Cow, sync::OnceLock, time::Duration};

use serde_json::Value;

use crate::{
    diagnostic::Place,
    mapping::{
        expression::{EvaluateError, Expression, NamePath},
        names::Names,
        path::JsonPath,
        template::{PathTemplate, Template, Tree},
    },
    scim::{AttributePath, CompareOp},
};

use super::{BodyFormat, FieldPlace, Form, IdRule, Paging, Read, ReplyRule};

/// One HTTP call, as configured.
#[derive(Debug)]
pub struct Call {
    /// `GET`, `POST` …
    pub method: http::Method,
    /// The path below the base URL; each placeholder is one percent-encoded segment.
    pub path: PathTemplate,
    /// Query parameters in order; one whose value is absent is left out.
    pub query: Vec<(String, QueryValue)>,
    /// Headers of this call.
    pub headers: Vec<(String, Template)>,
    /// The body as data. Absent: create and update send the mapped fields (in their envelope), others nothing.
    pub body: Option<Tree>,
    /// Absent: the target's.
    pub format: Option<BodyFormat>,
    /// A media type other than the format's own.
    pub content_type: Option<String>,
    /// What tells it from others of its method and path, once somebody has asked: see [`Call::apart`].
    pub apart: OnceLock<String>,
    /// Whether `[target.wrap]` is put around its body.
    pub is_wrapped: bool,
    /// Names for this call's templates (`with = { method = "user.create" }`), used by `[target.wrap]`.
    pub with: Vec<With>,
    /// Only if one of these attributes changed; empty: always.
    pub when_changed: Vec<AttributePath>,
    /// Only if this holds.
    pub condition: Option<Expression>,
    /// A step of a write: the list for every element of which it is made, as the name `item`; absent: it is made once.
    pub each: Option<Template>,
    /// Values taken from the reply, names for later steps.
    pub take: Vec<(String, Source)>,
    /// The reply is no object of its own: it becomes the object's member at this place (`into = 'addresses'`).
    pub into: Option<FieldPlace>,
    /// What replies mean, before the target's rules.
    pub rules: Vec<ReplyRule>,
    /// Statuses that count as done.
    pub tolerate: Vec<u16>,
    /// Asked again until a condition holds.
    pub poll: Option<Poll>,
    /// Whether it may be sent again when its fate is unknown. What [`Call::is_safe`] always may.
    pub is_repeatable: bool,
    /// Whether it changes something although its method only reads: some APIs write with GET.
    pub has_effect: bool,
    /// A look-up: how long its answer is used instead of asking again; absent: asked each time.
    pub remember: Option<Duration>,
    /// Where it stands in the file.
    pub place: Place,
}

/// Methods that read, beside those that HTTP itself calls safe.
const SAFE: [&str; 5] = ["LIST", "PROPFIND", "QUERY", "REPORT", "SEARCH"];

/// Whether a method changes nothing (RFC 9110 §9.2.1, and the like of other APIs).
fn is_safe(method: &http::Method) -> bool {
    method.is_safe() || SAFE.contains(&method.as_str())
}

impl Call {
    /// Whether it changes nothing.
    pub fn is_safe(&self) -> bool {
        !self.has_effect && is_safe(&self.method)
    }

    /// Whether the mapped fields are its body, if it has none of its own.
    pub fn carries_fields(&self) -> bool {
        use http::Method;
        matches!(self.method, Method::POST | Method::PUT | Method::PATCH)
            || self.method.as_str() == "MERGE"
    }

    /// The names in the path, the query, the headers, the body and `with`.
    pub fn names(&self) -> Vec<NamePath> {
        let mut names = self.path.names();
        names.extend(self.query.iter().flat_map(|(_, value)| value.names()));
        names.extend(self.headers.iter().flat_map(|(_, value)| value.names()));
        let bodies = self.body.iter().chain(self.with.iter().map(|w| &w.tree));
        names.extend(bodies.flat_map(Tree::names));
        names
    }
}

/// A name for a call's templates.
#[derive(Debug, Clone)]
pub struct With {
    /// The name.
    pub name: String,
    /// What it stands for.
    pub tree: Tree,
    /// Whether the file says the value itself: none of it came from a variable of the environment.
    pub is_plain: bool,
}

/// What a query parameter holds.
#[derive(Debug)]
pub enum QueryValue {
    /// A text; a single expression that gives a list or an object is spelled as in a form.
    Text(Template),
    /// A list or a table of the file: sent as JSON text.
    Json(Tree),
}

impl QueryValue {
    /// The names in its templates, in order.
    pub fn names(&self) -> Vec<NamePath> {
        match self {
            Self::Text(template) => template.names(),
            Self::Json(tree) => tree.names(),
        }
    }

    /// The value; absent if it is a text with an absent part.
    ///
    /// # Errors
    ///
    /// As [`Template::value`] and [`Tree::render`].
    pub fn value(&self, names: &Names<'_>) -> Result<Option<Value>, EvaluateError> {
        match self {
            Self::Text(template) => template.value(names),
            Self::Json(tree) => {
                let data = tree.render(names)?;
                Ok(data.map(|data| Value::String(data.to_string())))
            }
        }
    }
}

/// Where a value is taken from a reply.
#[derive(Debug)]
pub enum Source {
    /// Out of the body.
    Body(JsonPath),
    /// A header, whole.
    Header(String),
    /// The last path segment of a header that holds a URL, decoded (`Location`).
    HeaderSegment(String),
    /// A cookie set by the reply.
    Cookie(String),
    /// Worked out from names already there.
    Computed(Template),
}

/// Asks again until a condition holds.
#[derive(Debug)]
pub struct Poll {
    /// Done when it holds for the reply.
    pub until: Expression,
    /// Pause in between.
    pub every: Duration,
    /// Given up after so many.
    pub most: u32,
}

/// An intent carried out by one or more calls.
#[derive(Debug)]
pub struct Operation {
    /// `user.create`: for messages, metrics and `explain`.
    pub name: String,
    /// In order.
    pub steps: Vec<Call>,
    /// The attributes this update can write; empty: every attribute that has a field.
    pub covers: Vec<AttributePath>,
    /// Which fields are sent.
    pub send: Send,
    /// What the last reply holds.
    pub reply: ReplyKind,
    /// Where the object is in the reply; absent: the envelope, or the whole.
    pub object: Option<JsonPath>,
    /// Where the object's id is in the reply; put into an object that does not hold it. Absent: the type's id rule on the
    /// object.
    pub id: Option<Source>,
    /// Fields put into the object that the reply shows, as in a list.
    pub set: Vec<(FieldPlace, Tree)>,
    /// The body's single member that holds the fields (`envelope = "user"`); absent: none.
    pub envelope: Option<String>,
    /// What is sent as `If-Match`, so that nobody else's change is overwritten; absent: nothing.
    pub if_match: Option<IfMatch>,
    /// Whether the object is read first and a missing one answered 404 (`get-first`).
    pub gets_first: bool,
    /// Of a group's `delete`: whether everybody is taken out of it first (`empty-first`).
    pub empties_first: bool,
    /// Of a `deactivate`: what is put aside before it, for `activate` (the name `stash`).
    pub stash: Vec<(FieldPlace, Tree)>,
    /// Where it stands in the file.
    pub place: Place,
}

impl Operation {
    /// Whether every step gives a part of the object (`into`): the parts are all there is of it.
    pub fn is_of_parts(&self) -> bool {
        self.steps.iter().all(|step| step.into.is_some())
    }
}

/// The version that a write names.
#[derive(Debug)]
pub enum IfMatch {
    /// The `ETag` that came with the object when it was read.
    Etag,
    /// Made from the object as it was read, the name `old`.
    Template(Template),
}

/// Which fields an update sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Send {
    /// Only those of changed attributes.
    Changed,
    /// Those of all attributes.
    All,
    /// The object as read, changed fields put in.
    Merged,
}

/// What a reply holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyKind {
    /// The object, whole.
    Object,
    /// Nothing that can be used: the answer is composed of what was read and sent.
    Nothing,
    /// Nothing that can be used: the object is read again (`read-back = true`).
    ReadBack,
}

/// Reads all objects of a type.
#[derive(Debug)]
pub struct ListOperation {
    /// `user.list`.
    pub name: String,
    /// The call; paging parameters are added.
    pub call: Call,
    /// Where the items are; absent there: an empty list. Several matches are the items.
    pub items: JsonPath,
    /// Whether items are objects keyed by id (`{"7": {…}}`): the key becomes the member named here.
    pub keyed_by: Option<String>,
    /// How to read on.
    pub page: Paging,
    /// Fields put into each item, made of its members: `set = { status = 1, mail = "{contact.mail}" }`.
    pub set: Vec<(FieldPlace, Tree)>,
    /// Whether items are references or lack fields: the object is read for each (`rows = "reference"`), only when an
    /// attribute is asked for that the row lacks.
    pub rows: Rows,
}

/// What the items of a list are.
#[derive(Debug, Clone, PartialEq)]
pub enum Rows {
    /// Whole objects.
    Complete,
    /// Each must be read by itself.
    Reference,
    /// Objects that lack the fields of these attributes (`lacks = ["active"]`).
    Lacking(Vec<AttributePath>),
}

/// A filter that the application can answer.
#[derive(Debug)]
pub struct Find {
    /// `user.find`.
    pub name: String,
    pub attribute: AttributePath,
    pub operator: CompareOp,
    /// Made first, in order; what they take are names for the call (`steps`, all but the last). One that is answered "not
    /// found" ends the find: nothing is found.
    pub before: Vec<Call>,
    pub call: Call,
    /// Where the found objects are; absent: the reply is the object (or the list's items path, if the list has one).
    pub items: Option<JsonPath>,
    /// The id of what is found, where the reply does not hold it as the type's rule says: put into the one object that is
    /// found; if there is none, the id is the row. Absent: objects hold their ids.
    pub id: Option<Source>,
    /// How to read on; `None` if the reply holds all.
    pub page: Paging,
    /// Fields put into each item, as in a list.
    pub set: Vec<(FieldPlace, Tree)>,
    /// What is found: objects, or references to read one by one.
    pub rows: Rows,
    /// Whether the list is read where this finds nothing that fits: a search that does not know all (`else = "list"`).
    pub else_list: bool,
}

/// How members of a group are read and changed.
#[derive(Debug)]
pub struct Members {
    /// How a member is named to the application; absent: by its target id.
    pub name: Option<Template>,
    /// Reads the members; absent with `field`: they are in the group object.
    pub read: Option<MemberRead>,
    /// The list in the group object itself: read there, written by the group's create and update.
    pub field: Option<MemberField>,
    /// Adds: `{member}` one a call, `{members}` a batch.
    pub add: Option<MemberCall>,
    /// Removes.
    pub remove: Option<MemberCall>,
    /// Sets the whole list: `{members}`.
    pub replace: Option<MemberCall>,
    /// The list of groups on the user: read there, and written by the user's update unless there are calls for it.
    pub on_user: Option<MemberOnUser>,
    /// What members may be: `User`, and `Group` where the application nests groups.
    pub types: Vec<String>,
    /// Whether the application itself refuses a member that does not exist (`unknown = "refused"`): it is not looked up.
    pub refuses_unknown: bool,
    /// Whether the group is read before a change of its members, and a missing one answered 404 (`get-first`).
    pub gets_first: bool,
}

impl Members {
    /// Whether the list in the group object is the only way to change members: the group's create and update write it.
    pub fn are_in_object(&self) -> bool {
        self.field.is_some() && !self.have_calls()
    }

    /// Whether calls change members: `add`, `remove`, `replace`.
    pub fn have_calls(&self) -> bool {
        self.add.is_some() || self.remove.is_some() || self.replace.is_some()
    }

    /// The list of groups on the user, if the user's update writes it.
    pub fn written_on_user(&self) -> Option<&MemberOnUser> {
        self.on_user.as_ref().filter(|_| !self.have_calls())
    }
}

/// Reads the members of a group.
#[derive(Debug)]
pub struct MemberRead {
    pub call: Call,
    /// One value or object a member.
    pub items: JsonPath,
    /// The member's id within an item; absent: the item itself.
    pub id: Option<Read>,
    /// The member's display name within an item.
    pub display: Option<JsonPath>,
    pub page: Paging,
    /// Items for which this is false are not shown.
    pub only: Option<Expression>,
    /// Items for which this holds are groups; absent: members are of the first of `types`.
    pub is_group: Option<Expression>,
    /// Whether read before add, since the application would repeat a row.
    pub is_read_before_add: bool,
}

/// Members kept as a list in the group object.
#[derive(Debug)]
pub struct MemberField {
    pub place: FieldPlace,
    /// The list of nested groups, if they have one of their own.
    pub groups: Option<FieldPlace>,
    /// The member's id within an element; absent: the element itself.
    pub id: Option<JsonPath>,
    /// Elements for which this holds are groups; absent: members are of the first of `types`.
    pub is_group: Option<Expression>,
    /// An element as written; absent: the bare id.
    pub element: Option<Tree>,
    /// Where the field stands in the file.
    pub at: Place,
}

/// A call that changes membership.
#[derive(Debug)]
pub struct MemberCall {
    /// Made first, in order; what they take are names for the call (`steps`, all but the last).
    pub before: Vec<Call>,
    pub call: Call,
    /// Most members in one call; absent: one (`{member}`).
    pub batch: Option<usize>,
    /// What each of `members` is, made with `member` as the id and `type`; absent: the bare id.
    pub element: Option<Tree>,
}

/// Membership kept on the user.
#[derive(Debug)]
pub struct MemberOnUser {
    /// The list (or single value) on the user object.
    pub place: FieldPlace,
    /// Whether a user has one at most.
    pub is_single: bool,
    /// How a group is named there; absent: its target id.
    pub name: Option<Template>,
    /// Where an element of the list says its group's name; absent: it is the name. Present just where `element` is.
    pub id: Option<JsonPath>,
    /// An element as written, with `group` as the group's name; absent: the bare name.
    pub element: Option<Tree>,
    /// Where the mapping says it.
    pub at: Place,
    /// How the list is spelled: `Same`, or `Joined` to one text.
    pub form: Form,
    /// What the field gets when the last group is taken away; absent: null, an empty list or an empty text.
    pub default: Option<Value>,
    /// Whether letter case and space around them tell names apart (`case-exact`).
    pub is_case_exact: bool,
}

impl MemberOnUser {
    /// A group's name as it is compared with others.
    pub fn compared<'n>(&self, name: &'n str) -> Cow<'n, str> {
        match self.is_case_exact {
            true => Cow::Borrowed(name),
            false => Cow::Owned(name.trim().to_lowercase()),
        }
    }

    /// Whether a group's name in users' lists is its id, letter for letter.
    pub fn names_are_ids(&self, id: &IdRule) -> bool {
        let path = id.from.source();
        let is_id = |name: &Template| path.strip_prefix("$.") == inner(name.source());
        self.is_case_exact && self.name.as_ref().is_none_or(is_id)
    }

    /// Where a group's name is in an element of a user's list; absent if it has none there.
    pub fn name_in<'v>(&self, element: &'v Value) -> Option<&'v Value> {
        match &self.id {
            Some(path) => path.first(element),
            None => Some(element),
        }
    }
}

/// What stands between the braces of a text that is one template.
fn inner(source: &str) -> Option<&str> {
    source.strip_prefix('{')?.strip_suffix('}')
}

/// How a user's `groups` are read.
#[derive(Debug)]
pub enum UserGroups {
    /// A call.
    Call {
        call: Box<Call>,
        items: JsonPath,
        id: Option<Read>,
        display: Option<JsonPath>,
        page: Box<Paging>,
        /// Items for which this is false are not shown.
        only: Option<Expression>,
        /// Items for which this holds have the user only through a group of theirs; absent: none.
        is_indirect: Option<Expression>,
    },
    /// In the user object.
    Field {
        items: JsonPath,
        /// How the list is spelled: `Same`, or `Joined` to one text.
        form: Form,
        id: Option<Read>,
        display: Option<JsonPath>,
        /// Items for which this is false are not shown.
        only: Option<Expression>,
        /// Items for which this holds have the user only through a group of theirs; absent: none.
        is_indirect: Option<Expression>,
    },
    /// Worked out from the members of all groups, which are read once a request.
    Members {
        /// Groups at most; with more nobody's groups are shown.
        most: usize,
    },
}

impl UserGroups {
    /// Items for which this is false are not shown.
    pub fn only(&self) -> Option<&Expression> {
        match self {
            Self::Call { only, .. } | Self::Field { only, .. } => only.as_ref(),
            Self::Members { .. } => None,
        }
    }

    /// Items for which this holds have the user only through a group of theirs.
    pub fn is_indirect(&self) -> Option<&Expression> {
        match self {
            Self::Call { is_indirect, .. } | Self::Field { is_indirect, .. } => {
                is_indirect.as_ref()
            }
            Self::Members { .. } => None,
        }
    }
}
