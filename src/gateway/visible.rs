//! Which objects of the target a tenant may see: those in scope, and not hidden, gone or protected.

use std::borrow::Cow;

use serde_json::Value;

use crate::{
    diagnostic::Place,
    exchange::Hidden,
    mapping::{model::TypeMapping, read},
    scim::Error,
};

use super::{
    context::Context,
    join::{folded, match_name},
};

/// The objects of a list that the tenant may see. One of which the mapping cannot tell, for a condition that fails or for want
/// of a name where some are protected, is not shown.
///
/// # Errors
///
/// 502 if that is so for all of them: then it is the mapping that is wrong, and everybody would look missing.
pub fn shown(ctx: &Context, t: &TypeMapping, objects: Vec<Value>) -> Result<Vec<Value>, Error> {
    let mut shown = Vec::with_capacity(objects.len());
    let (mut is_any_decided, mut undecided) = (false, None);
    for object in objects {
        let Some(hiding) = hiding(ctx, t, &object) else {
            shown.push(object);
            continue;
        };
        if !read::is_nobody(&object) {
            hiding.note(ctx, t);
            let error = hiding.undecided(ctx, t, &object);
            is_any_decided |= error.is_none();
            undecided = undecided.or(error);
        }
    }
    match undecided.filter(|_| !is_any_decided && shown.is_empty()) {
        Some(error) => Err(error),
        None => Ok(shown),
    }
}

/// Sees to it that the mapping can tell whether the tenant may see an object that was read by itself.
///
/// # Errors
///
/// 502 if it cannot: it must not be shown, and it is not missing either.
pub fn expect_decided(ctx: &Context, t: &TypeMapping, object: &Value) -> Result<(), Error> {
    let hiding = hiding(ctx, t, object);
    match hiding.and_then(|hiding| hiding.undecided(ctx, t, object)) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// Whether the tenant may see an object: in scope, not hidden, not gone, not protected. A dry run writes down why not.
pub fn is_visible(ctx: &Context, t: &TypeMapping, object: &Value) -> bool {
    match hiding(ctx, t, object) {
        Some(hiding @ Hiding::By(..)) => {
            hiding.note(ctx, t);
            false
        }
        Some(Hiding::Nameless) | None => true,
    }
}

/// What keeps an object from the tenant.
enum Hiding<'c> {
    /// A key of the mapping, and where the files say it.
    By(&'static str, Option<&'c Place>),
    /// It does not say whose account it is, and some are protected. What a write is answered with may be without a name.
    Nameless,
}

impl Hiding<'_> {
    /// Why the mapping cannot tell whether an object is to be shown; absent if it can.
    fn undecided(&self, ctx: &Context, t: &TypeMapping, object: &Value) -> Option<Error> {
        let why = match self {
            Self::Nameless => format!(
                "no `{}` where its line looks for it, so nothing says that it is not a `protected` account",
                t.match_attribute
            ),
            Self::By("scope" | "hide", _) => format!(
                "values for which `{}` cannot be worked out",
                read::undecided(t, object, &ctx.mapping().settings)?
            ),
            Self::By(..) => return None,
        };
        let section = &t.section;
        let detail = format!(
            "An object of the application has {why} (`[{section}]`), and is not shown; its operator must look at it."
        );
        Some(Error::new(502, detail))
    }

    /// A dry run writes down why an object is not shown.
    fn note(&self, ctx: &Context, t: &TypeMapping) {
        if ctx.journey.is_dry {
            let (by, at) = match self {
                Self::By(key, at) => (*key, *at),
                Self::Nameless => (NAMELESS, None),
            };
            note_hidden(ctx, t, Cow::Borrowed(by), at);
        }
    }
}

/// Whether some accounts of a type are not shown for their name.
pub fn guards_names(ctx: &Context, t: &TypeMapping) -> bool {
    t.resource_type.name == "User" && !ctx.mapping().policy.protected.is_empty()
}

/// What keeps an object from the tenant, if anything.
fn hiding<'c>(ctx: &'c Context, t: &'c TypeMapping, object: &Value) -> Option<Hiding<'c>> {
    let settings = &ctx.mapping().settings;
    let key = match () {
        () if read::is_out_of_scope(t, object, settings) => "scope",
        () if read::is_hidden(t, object, settings) => "hide",
        () if read::is_gone(t, object, settings) => "gone",
        () => return protection(ctx, t, object),
    };
    let mut places = t.conditions_at.iter();
    let at = places.find(|(name, _)| *name == key);
    Some(Hiding::By(key, at.map(|(_, at)| at)))
}

/// Writes down, for an operator, what is kept from the client.
pub fn note_hidden(ctx: &Context, t: &TypeMapping, by: Cow<'static, str>, at: Option<&Place>) {
    let resource_type = &t.resource_type.name;
    ctx.record(|exchange| {
        let mut known = exchange.hidden.iter_mut();
        let same = known.find(|hidden| {
            hidden.by == by && hidden.at.as_ref() == at && hidden.resource_type == *resource_type
        });
        match same {
            Some(hidden) => hidden.count += 1,
            None => exchange.hidden.push(Hidden {
                resource_type: resource_type.clone(),
                by,
                at: at.cloned(),
                count: 1,
            }),
        }
    });
}

/// Whether an object is an account that the operator protects.
pub fn is_protected(ctx: &Context, t: &TypeMapping, object: &Value) -> bool {
    matches!(protection(ctx, t, object), Some(Hiding::By(..)))
}

/// What protects an object, and where the files say it. Accounts can be protected; a group that has the name of one is
/// another thing.
fn protection<'c>(ctx: &'c Context, t: &TypeMapping, object: &Value) -> Option<Hiding<'c>> {
    if !guards_names(ctx, t) {
        return None;
    }
    let policy = &ctx.mapping().policy;
    let Some(name) = match_name(ctx, t, object) else {
        return Some(Hiding::Nameless);
    };
    let name = folded(&name);
    let mut protected = policy.protected.iter();
    let index = protected.position(|other| folded(other) == name)?;
    Some(Hiding::By("protected", policy.protected_at.get(index)))
}

/// Why a tombstone hides its object.
pub const DELETED_HERE: &str = "the client has deleted it, and the application keeps it; a create of the same name brings it back";

/// Why an object without a name is not shown.
const NAMELESS: &str =
    "`protected`: nothing that was read says whose account it is, so it may be a protected one";
