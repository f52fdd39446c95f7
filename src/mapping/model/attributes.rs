//! One line of `[….attributes]`: both directions between a SCIM location and a field.

use std::{borrow::Cow, sync::Arc};

use serde_json::{Map, Value};

use crate::{
    diagnostic::Place,
    mapping::{names::Names, path::JsonPath, template::Template},
    scim::AttributePath,
};

use super::LookUp;

pub use crate::mapping::path::FieldPlace;

/// Ties a SCIM location to a field of the application.
#[derive(Debug)]
pub struct AttributeRule {
    /// Where in the resource.
    pub location: Location,
    /// How it is read; absent: not read from the application (`write-only`, kept, or both).
    pub read: Option<Read>,
    /// Where it is written; absent: `read-only` or kept.
    pub write: Option<Write>,
    /// Value pairs.
    pub values: Option<ValueTable>,
    /// How the value is spelled over there.
    pub form: Form,
    /// Elements of a multi-valued attribute; absent: the location is one value.
    pub each: Option<Each>,
    /// The value names a resource of this type by its SCIM id (`manager`): translated to and from target ids.
    pub reference: Option<String>,
    /// Kept by the gateway as a shadow attribute (`keep = true`).
    pub is_kept: bool,
    /// A create without it is refused before any call.
    pub is_required: bool,
    /// Written at creation only; a later change is 400 `mutability`.
    pub is_create_only: bool,
    /// Whether it is looked up before it is written, and refused if another object has the value.
    pub is_unique: bool,
    /// What the field gets at creation when the client gives no value (`on-create`).
    pub on_create: Option<Template>,
    /// What the field gets when the attribute is removed (`when-removed`).
    pub when_removed: WhenRemoved,
    /// What the attribute reads as when the field is absent or null (`when-absent`).
    pub when_absent: Option<Value>,
    /// What a value must look like, checked before any call.
    pub pattern: Option<regex::Regex>,
    /// Characters at most, checked before any call.
    pub max_length: Option<usize>,
    /// Where it stands.
    pub place: Place,
}

/// Where in a resource: `emails[type eq "work"].value`.
#[derive(Debug, Clone, PartialEq)]
pub struct Location {
    /// The attribute, with its extension's URN if it has one, in the schema's spelling. Its `sub_attribute` is set for
    /// single-valued complex attributes only.
    pub path: AttributePath,
    /// The element of a multi-valued attribute: sub-attributes with the values they must have, in order.
    pub element: Option<Vec<(String, Value)>>,
    /// The sub-attribute of that element.
    pub sub_attribute: Option<String>,
}

/// How a value is read.
#[derive(Debug)]
pub enum Read {
    /// The first match.
    Path(JsonPath),
    /// Text put together from fields; absent if any field in it is absent.
    Template(Template),
}

impl Read {
    /// The value in an object, which may also be a text or a number: the name `value`. A template that fails is absent.
    pub fn find(&self, object: &Value, settings: &Map<String, Value>) -> Option<Value> {
        match self {
            Self::Path(path) => path.first(object).cloned(),
            Self::Template(template) => {
                let mut names = Names::new();
                names
                    .settings(settings)
                    .object(object)
                    .with("value", Cow::Borrowed(object));
                template.value(&names).ok().flatten()
            }
        }
    }
}

/// Where and how an attribute is written.
#[derive(Debug)]
pub struct Write {
    /// The field.
    pub place: FieldPlace,
    /// The value, with `value` and the resource's attributes as names; absent: the attribute's value itself.
    pub value: Option<Template>,
}

/// Pairs of SCIM value and application value.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueTable {
    pub pairs: TablePairs,
    /// An application value that is in no pair.
    pub unknown_read: OnUnknown,
    /// A SCIM value that is in no pair.
    pub unknown_write: OnUnknown,
}

/// Where the pairs of a value table are.
#[derive(Debug, Clone, PartialEq)]
pub enum TablePairs {
    /// In the file: `values = { true = 1, false = 3 }`.
    Fixed(Vec<(Value, Value)>),
    /// In the application: `values = "roles"`.
    LookedUp(Arc<LookUp>),
}

impl TablePairs {
    /// The pairs of the file; none if they are in the application.
    pub fn fixed(&self) -> &[(Value, Value)] {
        match self {
            Self::Fixed(pairs) => pairs,
            Self::LookedUp(_) => &[],
        }
    }
}

/// A value that is in no pair of a table.
#[derive(Debug, Clone, PartialEq)]
pub enum OnUnknown {
    /// Passed on as it is.
    Pass,
    /// Left out, with a note.
    Drop,
    /// 400 `invalidValue` when written; left out when read.
    Refuse,
    /// Replaced.
    Value(Value),
}

/// How a value is spelled in the application.
#[derive(Debug, Clone, PartialEq)]
pub enum Form {
    /// As in SCIM.
    Same,
    /// Text.
    String,
    /// A JSON integer.
    Integer,
    /// `"1"` and `"0"`, or the two texts given: true, false.
    BooleanText(String, String),
    /// Seconds since 1970 as a number.
    EpochSeconds,
    /// Milliseconds since 1970 as a number.
    EpochMilliseconds,
    /// A time with a `strftime` pattern and a time zone for times that have none (`UTC` unless said).
    Time { pattern: String, zone: String },
    /// A list as one text with a separator.
    Joined(String),
    /// Lower case when written.
    Lower,
}

/// Elements of a multi-valued attribute.
#[derive(Debug)]
pub struct Each {
    /// The list in the object.
    pub items: FieldPlace,
    /// Whether the list is read: not for what is `write-only`.
    pub is_read: bool,
    /// Whether the list is written: not for what is `read-only`.
    pub is_written: bool,
    /// Sub-attribute and field of an element; a simple value is the sub-attribute `value` with an empty place.
    pub parts: Vec<EachPart>,
    /// Only elements for which this holds belong to the attribute.
    pub condition: Option<crate::mapping::expression::Expression>,
    /// Fields put into each new element.
    pub constants: Vec<(FieldPlace, Value)>,
}

impl AttributeRule {
    /// Whether the line reads anything of the application's.
    pub fn is_read(&self) -> bool {
        self.read.is_some() || self.each.as_ref().is_some_and(|each| each.is_read)
    }

    /// Whether the line has no field at all, neither here nor there: calls name the attribute.
    pub fn is_for_calls(&self) -> bool {
        !self.is_read() && !self.is_written() && !self.is_kept && !self.is_create_only
    }

    /// Whether the line sends anything to the application.
    pub fn is_written(&self) -> bool {
        self.write.is_some() || self.each.as_ref().is_some_and(|each| each.is_written)
    }
}

/// One sub-attribute of the elements.
#[derive(Debug)]
pub struct EachPart {
    pub sub_attribute: String,
    pub place: FieldPlace,
    pub values: Option<ValueTable>,
    pub form: Form,
}

/// What a field gets when its attribute is removed.
#[derive(Debug, Clone, PartialEq)]
pub enum WhenRemoved {
    /// JSON null.
    Null,
    /// `""`, or `[]` for lists.
    Empty,
    /// The element of a list that holds the field is taken out (`medias[type=1].address`).
    Element,
    /// Nothing is sent: the application keeps the old value.
    Skip,
    /// 400 `mutability`: the application cannot clear it.
    Refuse,
    /// This value.
    Value(Value),
}
