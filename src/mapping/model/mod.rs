//! The compiled form of a tenant's mapping: what `load` makes of the files and everything else works with.

mod attributes;
mod client;
mod look_up;
mod operations;
mod paging;
mod scim_id;
mod target;
mod told;

use std::sync::Arc;

use serde_json::{Map, Value};

pub use attributes::*;
pub use client::*;
pub use look_up::*;
pub use operations::*;
pub use paging::*;
pub use scim_id::IdRule;
pub use target::*;
pub use told::{is_secret_name, is_secret_variable};

use crate::{
    diagnostic::Place,
    mapping::{expression::Expression, splice::Splice, template::Tree},
    scim::{AttributePath, Projection, ResourceType},
};

/// One customer's mapping: the tenant file on top of the application's file, compiled.
#[derive(Debug)]
pub struct Mapping {
    /// The tenant's name.
    pub tenant: Arc<str>,
    /// The application's name.
    pub app: String,
    /// Whether writes reach the target.
    pub mode: Mode,
    /// Who calls, with which habits and credentials.
    pub client: Client,
    /// What may happen to accounts.
    pub policy: Policy,
    /// Named values of the installation: `settings.NAME` in expressions.
    pub settings: Map<String, Value>,
    /// How to reach the application.
    pub target: Target,
    /// The resource types served, `User` and `Group` among them where the files have them.
    pub types: Vec<TypeMapping>,
    /// Value tables that are read from the application (`[values.NAME]`), in file order.
    pub look_ups: Vec<Arc<LookUp>>,
    /// The `[[example]]` blocks.
    pub examples: Vec<Example>,
    /// Values of environment variables that are secrets by their names: nobody is shown them, wherever they stand.
    pub secrets: Vec<String>,
}

/// Whether writes reach the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// They do.
    Live,
    /// They are planned and logged, not sent.
    Shadow,
    /// Every request is answered 503 with `Retry-After`.
    Paused,
}

/// How one resource type is kept in the application.
#[derive(Debug)]
pub struct TypeMapping {
    /// The schema served, made from the built-in one or the operator's own.
    pub resource_type: Arc<ResourceType>,
    /// The section's name in the file: `user`, `group`, or `resource.NAME`.
    pub section: String,
    /// Where the application's id of an object is, and whether it may serve as the SCIM id.
    pub id: IdRule,
    /// Objects for which this is false do not exist for the tenant (`scope`).
    pub scope: Option<Expression>,
    /// Objects for which this is true are not shown (`hide`): system users, built-in groups.
    pub hide: Option<Expression>,
    /// A single object for which this is true is answered 404 (`gone`): soft deletion.
    pub gone: Option<Expression>,
    /// Where the mapping says `scope`, `hide` and `gone`, as far as it does, by the key.
    pub conditions_at: Vec<(&'static str, Place)>,
    /// Whether a field that is `""` is an absent attribute.
    pub empty_is_absent: bool,
    /// The attribute that makes a second create a duplicate: `userName` or `displayName`, or the operator's choice.
    pub match_attribute: AttributePath,
    /// Reads of all objects; several are put together in order.
    pub lists: Vec<ListOperation>,
    /// Filters that the application can answer.
    pub finds: Vec<Find>,
    /// Reads one object.
    pub get: Option<Operation>,
    /// Creates an object.
    pub create: Option<Operation>,
    /// Changes an object; each covers some attributes, the last may cover the rest.
    pub updates: Vec<Operation>,
    /// Sets `active` to true by calls of its own.
    pub activate: Option<Operation>,
    /// Sets `active` to false by calls of its own.
    pub deactivate: Option<Operation>,
    /// Changes the attribute the application uses as its key.
    pub rename: Option<Operation>,
    /// Sets the password by calls of its own.
    pub set_password: Option<Operation>,
    /// Removes an object.
    pub delete: Option<Operation>,
    /// One rule a line of `[….attributes]`, in file order.
    pub attributes: Vec<AttributeRule>,
    /// Fields always written at creation, by name (`[….create] constants`).
    pub constants: Vec<(FieldPlace, Tree)>,
    /// Members of a group.
    pub members: Option<Members>,
    /// How a user's `groups` are read.
    pub groups: Option<UserGroups>,
    /// Objects that exist in configuration only (`fixed`): SCIM id to the object as the application would give it.
    pub fixed: Vec<Value>,
    /// What an answer has if nobody asks for anything else.
    pub usual: Arc<Projection>,
    /// The quick way from a row's text to a resource's; absent: every row goes the long way.
    pub splice: Option<Splice>,
}

impl TypeMapping {
    /// Whether the objects exist in configuration only: `fixed`, which may be an empty list. The application has no call
    /// for them.
    pub fn is_fixed(&self) -> bool {
        !self.fixed.is_empty()
            || (self.lists.is_empty() && self.get.is_none() && self.finds.is_empty())
    }

    /// The find that looks an object up by its id (`filter = "id eq"`): how one is read where there is no `get`.
    pub fn find_of_id(&self) -> Option<&Find> {
        self.finds.iter().find(|find| {
            let of = &find.attribute;
            let is_id = of.schema.is_none() && of.attribute == "id" && of.sub_attribute.is_none();
            is_id && find.operator == crate::scim::CompareOp::Eq
        })
    }

    /// The find that looks an object up by its match attribute (`filter = "userName eq"`).
    pub fn find_of_name(&self) -> Option<&Find> {
        let is_eq = |find: &&Find| find.operator == crate::scim::CompareOp::Eq;
        let mut finds = self.finds.iter().filter(is_eq);
        finds.find(|find| find.attribute == self.match_attribute)
    }

    /// Whether the mapping shows that the application itself refuses a second object of a name: by a rule that calls an answer
    /// to a create `uniqueness`.
    pub fn refuses_duplicates(&self, target: &Target) -> bool {
        let steps = self.create.iter().flat_map(|create| &create.steps);
        let own = steps.flat_map(|call| &call.rules);
        let mut rules = own.chain(&target.rules);
        rules.any(|rule| rule.is == Meaning::Uniqueness)
    }

    /// The find that looks an object up by what a line reads (`filter = "emails.value eq"` or `"emails eq"`).
    pub fn find_of(&self, rule: &AttributeRule) -> Option<&Find> {
        let leaf = rule.location.leaf();
        let sub = leaf.sub_attribute.as_deref().unwrap_or("value");
        self.finds.iter().find(|find| {
            let asked = find.attribute.sub_attribute.as_deref().unwrap_or("value");
            let is_eq = find.operator == crate::scim::CompareOp::Eq;
            is_eq && find.attribute.is_same_attribute(&leaf) && asked.eq_ignore_ascii_case(sub)
        })
    }

    /// Whether an object that `get` reads may be without its id, and has the one it was asked by: the mapping shows that ids
    /// stand elsewhere, by references (`rows = "reference"`), by rows into which it puts the id itself, or by a `get` of
    /// nothing but parts.
    pub fn knows_id_beforehand(&self) -> bool {
        let rows = self.lists.iter().map(|list| (&list.rows, &list.set));
        let puts_id = |set: &[(FieldPlace, Tree)]| {
            set.iter()
                .any(|(at, _)| self.id.from.as_place().as_ref() == Some(at))
        };
        self.get.as_ref().is_some_and(Operation::is_of_parts)
            || rows
                .chain(self.finds.iter().map(|find| (&find.rows, &find.set)))
                .any(|(rows, set)| *rows == Rows::Reference || puts_id(set))
    }

    /// Whether an object's id says all that is read of an attribute: each of its lines reads the very place of the id.
    pub fn is_told_by_id(&self, path: &AttributePath) -> bool {
        let about = self.attributes.iter().filter(|line| line.is_read());
        let mut about = about
            .filter(|line| line.location.path.is_same_attribute(path))
            .peekable();
        let place = self.id.from.as_place();
        let is_id = |line: &AttributeRule| {
            let read = match &line.read {
                Some(Read::Path(path)) => path.as_place(),
                _ => None,
            };
            line.each.is_none() && read.is_some() && read == place
        };
        about.peek().is_some() && about.all(is_id)
    }
}

/// An `[[example]]`: run by `check`, without a network.
#[derive(Debug)]
pub struct Example {
    /// What it shows.
    pub title: String,
    /// The pairs of `[values.NAME]` while it runs, by name: SCIM's value, the application's.
    pub values: Vec<(String, Vec<(Value, Value)>)>,
    /// The tenant's settings while it runs: those of the files, and over them the example's own.
    pub settings: Map<String, Value>,
    /// The section it is about: `user` unless said.
    pub section: String,
    /// What is given and expected.
    pub kind: ExampleKind,
    /// Where it stands.
    pub place: Place,
}

/// What an example says.
#[derive(Debug)]
pub enum ExampleKind {
    /// A reply of the application, and (a part of) the resource it means.
    Reply { reply: Value, expect: Value },
    /// A SCIM request, and the calls it makes: each `call` line with (a part of) its body.
    Request {
        method: String,
        path: String,
        body: Option<Value>,
        stored: Option<Value>,
        calls: Vec<ExpectedCall>,
    },
    /// A status and reply that mean an error: the SCIM status and type.
    Error {
        operation: String,
        status: u16,
        reply: Value,
        scim_status: u16,
        scim_type: Option<String>,
    },
}

/// A call an example expects.
#[derive(Debug)]
pub struct ExpectedCall {
    /// `POST /users.json`.
    pub call: String,
    /// Body as data; absent: not looked at.
    pub body: Option<Value>,
}
