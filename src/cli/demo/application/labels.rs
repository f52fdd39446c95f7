//! Roles and entitlements: two flat lists of the same form.

use serde_json::{Map, Value, json};

use super::api::{Answer, Call, not_allowed, not_found};
use super::fields::{Change, Complaints, Fields};
use super::paging::Page;

/// A short list of labels with ids of its own. Everything is a walk through it.
#[derive(Debug, Default)]
pub(super) struct Labels {
    items: Vec<Label>,
    last_id: u64,
}

#[derive(Debug)]
struct Label {
    id: u64,
    label: String,
    note: Option<String>,
    kind: Option<String>,
}

struct LabelChanges {
    label: Change<String>,
    note: Change<String>,
    kind: Change<String>,
}

impl Labels {
    /// A list with these labels.
    pub fn seeded(labels: &[&str]) -> Self {
        let mut list = Self::default();
        for label in labels {
            list.add(LabelChanges {
                label: Change::Set((*label).to_owned()),
                note: Change::Absent,
                kind: Change::Set("built-in".to_owned()),
            });
        }
        list
    }

    /// The whole list.
    pub fn to_json(&self) -> Value {
        self.items.iter().map(Label::to_json).collect()
    }

    /// Answers a call to the list itself: `GET` or `POST`.
    pub fn answer_list(&mut self, call: &Call<'_>) -> Answer {
        match (call.method, call.body) {
            ("GET", _) => Answer::ok(Page::from_query(&call.query).of(&self.items, Label::to_json)),
            ("POST", Some(body)) => match self.read(body, None) {
                Ok(changes) => {
                    let id = self.add(changes);
                    Answer::created(self.show(id))
                }
                Err(complaints) => Answer::invalid(&complaints),
            },
            _ => not_allowed("GET, POST"),
        }
    }

    /// Answers a call to one label: `GET`, `PATCH` or `DELETE`.
    pub fn answer_one(&mut self, id: u64, call: &Call<'_>) -> Answer {
        let Some(index) = self.items.iter().position(|item| item.id == id) else {
            return not_found();
        };
        match (call.method, call.body) {
            ("GET", _) => Answer::ok(self.show(id)),
            ("PATCH", Some(body)) => match self.read(body, Some(id)) {
                Ok(changes) => {
                    if let Some(item) = self.items.get_mut(index) {
                        item.apply(changes);
                    }
                    Answer::ok(self.show(id))
                }
                Err(complaints) => Answer::invalid(&complaints),
            },
            ("DELETE", _) => {
                self.items.remove(index);
                Answer::empty()
            }
            _ => not_allowed("GET, PATCH, DELETE"),
        }
    }

    fn show(&self, id: u64) -> Value {
        let item = self.items.iter().find(|item| item.id == id);
        item.map_or(Value::Null, Label::to_json)
    }

    fn read(&self, body: &Map<String, Value>, id: Option<u64>) -> Result<LabelChanges, Complaints> {
        let mut fields = Fields::new(body);
        let changes = LabelChanges {
            label: fields.required_text("label", 100),
            note: fields.text("note", 500),
            kind: fields.text("kind", 50),
        };
        if id.is_none() {
            fields.require("label", &changes.label);
        }
        let is_taken = |wanted: &String| {
            let mut others = self.items.iter().filter(|item| Some(item.id) != id);
            others.any(|item| item.label.to_lowercase() == wanted.to_lowercase())
        };
        if changes.label.value().is_some_and(is_taken) {
            fields.complaints.add("label", "has already been taken");
        }
        fields.complaints.into_result().map(|()| changes)
    }

    fn add(&mut self, changes: LabelChanges) -> u64 {
        self.last_id += 1;
        let mut item = Label {
            id: self.last_id,
            label: String::new(),
            note: None,
            kind: None,
        };
        item.apply(changes);
        self.items.push(item);
        self.last_id
    }
}

impl Label {
    fn apply(&mut self, changes: LabelChanges) {
        changes.label.apply_required(&mut self.label);
        changes.note.apply(&mut self.note);
        changes.kind.apply(&mut self.kind);
    }

    fn to_json(&self) -> Value {
        json!({"id": self.id, "label": self.label, "note": self.note, "kind": self.kind})
    }
}
