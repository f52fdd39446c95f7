//! Where an object is within a body or a reply: the whole, a member such as `data`, or the one element of a list.

use serde_json::Value;

use super::{
    document::{Document, Endpoint, type_of},
    names::{is_noun, normal},
    paging::{joined, json_path},
    sheet::{Row, literal, quoted},
};

/// A place and what is there.
#[derive(Clone)]
pub(super) struct Place<'d> {
    /// Members from the outside in; none: the whole.
    steps: Vec<&'d str>,
    /// The object is the one element of a list there.
    is_listed: bool,
    pub schema: &'d Value,
}

/// The places in the bodies and replies of one type's operations.
pub(super) struct Wrapping<'d> {
    document: &'d Document<'d>,
    /// Names that the object has, wherever it was seen.
    known: Vec<String>,
    /// The one member of all bodies and replies.
    envelope: Option<&'d str>,
}

impl<'d> Place<'d> {
    /// The place where most of the known names are. Of two that have as many the outer one.
    pub fn of(document: &'d Document<'d>, schema: &'d Value, known: &[String]) -> Self {
        let whole = |schema, is_listed| Self {
            steps: Vec::new(),
            is_listed,
            schema,
        };
        let top = match document.elements(schema) {
            Some(element) => return whole(element, true),
            None => whole(schema, false),
        };
        let all = Self::within(document, top.clone());
        let score = |place: &Self| {
            let properties = document.properties(place.schema);
            let is_known = |name: &str| known.iter().any(|known| known == name);
            properties.iter().filter(|p| is_known(p.name)).count()
        };
        let own = score(&top);
        let best = all.iter().rev().max_by_key(|place| score(place));
        match best {
            // Half of what the whole has is no object of its own: an author, an address.
            Some(best) if score(best) > own.max(1) => best.clone(),
            _ if own == 0 => wrapper(document, &all).cloned().unwrap_or(top),
            _ => top,
        }
    }

    /// The place itself and those within it, from the outside in.
    fn within(document: &'d Document<'d>, top: Self) -> Vec<Self> {
        let mut all = vec![top];
        let mut at = 0;
        let has_id = |schema: &'d Value| {
            let properties = document.properties(schema);
            properties.iter().any(|p| normal(p.name) == "id")
        };
        while let Some(outer) = all.get(at).cloned() {
            at += 1;
            let outer_has_id = has_id(outer.schema);
            if outer.steps.len() >= DEEPEST || outer.is_listed {
                continue;
            }
            for property in document.properties(outer.schema) {
                let element = document.elements(property.schema);
                let inner = element.unwrap_or(property.schema);
                // What stands beside an id and has none is a part of the object: JSON:API's `attributes`.
                if document.properties(inner).is_empty() || outer_has_id && !has_id(inner) {
                    continue;
                }
                let steps = outer.steps.iter().copied().chain([property.name]);
                all.push(Self {
                    steps: steps.collect(),
                    is_listed: element.is_some(),
                    schema: inner,
                });
            }
        }
        all
    }

    /// `$.data`, `$.Employees[0]`; absent: the whole.
    fn path(&self) -> Option<String> {
        if self.steps.is_empty() && !self.is_listed {
            return None;
        }
        let path = if self.steps.is_empty() {
            "$".to_owned()
        } else {
            json_path(&joined(&self.steps))
        };
        Some(if self.is_listed {
            format!("{path}[0]")
        } else {
            path
        })
    }

    /// The one member, if it is that.
    fn member(&self) -> Option<&'d str> {
        match self.steps.as_slice() {
            [only] if !self.is_listed => Some(only),
            _ => None,
        }
    }
}

impl<'d> Wrapping<'d> {
    /// What is known of an object: a row of the list, and the operations.
    pub fn of(
        document: &'d Document<'d>,
        row: Option<&'d Value>,
        get: Option<&Endpoint<'d>>,
        writes: &[&Endpoint<'d>],
    ) -> Self {
        let names = |schema: &'d Value| -> Vec<String> {
            let properties = document.properties(schema);
            properties.iter().map(|p| p.name.to_owned()).collect()
        };
        let mut wrapping = Self {
            document,
            known: row.map(names).unwrap_or_default(),
            envelope: None,
        };
        let bodies: Vec<Place<'d>> = writes
            .iter()
            .filter_map(|write| wrapping.body(write))
            .collect();
        for body in &bodies {
            wrapping.known.extend(names(body.schema));
        }
        let reply = get.and_then(|get| wrapping.reply(get));
        if let Some(reply) = &reply {
            wrapping.known.extend(names(reply.schema));
        }
        let reply = reply.or_else(|| writes.iter().find_map(|write| wrapping.reply(write)));
        let common = reply.and_then(|reply| reply.member());
        let is_everywhere = bodies.iter().all(|body| body.member() == common);
        let is_said = |name: &&str| !bodies.is_empty() || document.is_probed() && is_noun(name);
        wrapping.envelope = common.filter(|_| is_everywhere).filter(is_said);
        wrapping
    }

    pub fn envelope(&self) -> Option<&'d str> {
        self.envelope
    }

    /// The object in the reply of an operation.
    pub fn reply(&self, endpoint: &Endpoint<'d>) -> Option<Place<'d>> {
        Some(Place::of(self.document, endpoint.reply()?, &self.known))
    }

    /// The object in the body of an operation.
    pub fn body(&self, endpoint: &Endpoint<'d>) -> Option<Place<'d>> {
        Some(Place::of(self.document, endpoint.request()?.1, &self.known))
    }

    /// Where the reply of an operation has a member of this name, the outermost first: `$.data.id`.
    pub fn member(&self, endpoint: &Endpoint<'d>, name: &str) -> Option<String> {
        let top = Place {
            steps: Vec::new(),
            is_listed: false,
            schema: endpoint.reply()?,
        };
        let all = Place::within(self.document, top);
        let place = all.iter().find(|place| {
            let properties = self.document.properties(place.schema);
            !place.is_listed && properties.iter().any(|property| property.name == name)
        })?;
        let steps: Vec<&str> = place.steps.iter().copied().chain([name]).collect();
        Some(json_path(&joined(&steps)))
    }

    /// `envelope` and `object` of an operation, where they are not the section's.
    pub fn rows(&self, endpoint: &Endpoint<'d>, is_write: bool) -> Vec<Row> {
        let mut rows = Vec::new();
        let body = is_write.then(|| self.body(endpoint)).flatten();
        let envelope = match body {
            Some(body) => body.member(),
            None => self.envelope,
        };
        if envelope != self.envelope {
            rows.push(Row::new("envelope", quoted(envelope.unwrap_or(""))));
        }
        let usual = envelope.map(json_path);
        let place = self.reply(endpoint).and_then(|place| place.path());
        if place != usual {
            let place = place.unwrap_or_else(|| "$".into());
            rows.push(Row::new("object", literal(&place)));
        }
        rows
    }
}

/// The one member that is an object, of a schema that has no id itself: nothing better is known.
fn wrapper<'p, 'd>(document: &'d Document<'d>, all: &'p [Place<'d>]) -> Option<&'p Place<'d>> {
    let (top, inner) = all.split_first()?;
    let properties = document.properties(top.schema);
    let is_object_itself = properties.len() > 3
        || properties.iter().any(|property| {
            ["id", "uuid", "name", "login", "email", "username"]
                .contains(&normal(property.name).as_str())
        });
    let mut objects = inner.iter().filter(|place| {
        let name = place.member().map(normal).unwrap_or_default();
        !place.is_listed
            && place.steps.len() == 1
            && type_of(place.schema) == "object"
            && document.properties(place.schema).len() > 1
            && !["meta", "links", "paging", "pagination", "profile"].contains(&name.as_str())
    });
    let only = objects.next().filter(|_| objects.next().is_none())?;
    (!is_object_itself).then_some(only)
}

/// How many members deep an object is at most: `data.user`.
const DEEPEST: usize = 2;
