//! Attributes with several values, as a whole: `items` and `each`.

use crate::{
    mapping::{
        model::{Each, EachPart, Form},
        path::FieldPlace,
    },
    scim::Attribute,
};

use super::{
    form::{self, AS_KEY, UNKNOWN_KEY, VALUES_KEY},
    location,
    reader::Reader,
    shape::{Kind, Shape, key},
    syntax,
    tree::Entry,
    ways::{Ways, conflict},
};

/// A sub-attribute's field in an element.
pub(super) static PART: Shape = Shape {
    name: "a part of `each`",
    about: "A sub-attribute's field in an element. A text `'address'` stands for `{ field = 'address' }`.",
    keys: &[
        key(
            "field",
            Kind::Place,
            "the element itself",
            "The field in an element.",
            "'label'",
        ),
        VALUES_KEY,
        UNKNOWN_KEY,
        AS_KEY,
    ],
    base: None,
    others: None,
};

/// The elements of a line with `items`.
pub(super) fn each(reader: &Reader<'_>, attribute: &Attribute, ways: &Ways) -> Option<Each> {
    let items = syntax::place_at(reader, "items")?;
    if !attribute.is_multi_valued {
        conflict(
            reader,
            "items",
            &format!("`{}` has one value, not a list.", attribute.name),
            "use `field`",
        );
        return None;
    }
    Some(Each {
        items,
        is_read: ways.may_read,
        is_written: ways.may_write,
        parts: parts(reader, attribute)?,
        condition: syntax::expression_at(reader, "if"),
        constants: syntax::constants(reader, "constants"),
    })
}

fn parts(reader: &Reader<'_>, attribute: &Attribute) -> Option<Vec<EachPart>> {
    let whole = |place| EachPart {
        sub_attribute: "value".to_owned(),
        place,
        values: None,
        form: Form::Same,
    };
    let Some(node) = reader.node("each") else {
        return Some(vec![whole(FieldPlace::parse("").ok()?)]);
    };
    if node.as_text().is_some() {
        return Some(vec![whole(syntax::place(reader.context, node)?)]);
    }
    let entries = reader.named("each");
    Some(
        entries
            .iter()
            .filter_map(|entry| part(reader, entry, attribute))
            .collect(),
    )
}

fn part(reader: &Reader<'_>, entry: &Entry, attribute: &Attribute) -> Option<EachPart> {
    let context = reader.context;
    let sub = if attribute.is_complex() {
        let Some(sub) = attribute.sub(&entry.key) else {
            location::unknown_sub(context, &entry.place, attribute, &entry.key);
            return None;
        };
        sub
    } else {
        attribute
    };
    let sub_attribute = if attribute.is_complex() {
        sub.name.clone()
    } else {
        "value".to_owned()
    };
    if entry.node.as_text().is_some() {
        let place = syntax::place(context, &entry.node)?;
        return Some(EachPart {
            sub_attribute,
            place,
            values: None,
            form: Form::Same,
        });
    }
    let part = Reader::new(context, &entry.node, &PART)?;
    let place = match part.node("field") {
        Some(node) => syntax::place(context, node)?,
        None => FieldPlace::parse("").ok()?,
    };
    Some(EachPart {
        sub_attribute,
        place,
        values: form::values(&part, sub),
        form: form::form(&part),
    })
}
