//! Memberships as objects of their own: a table of rows, each with its id. The same row can be there twice.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    application::{missing, page},
    fake_target::{Answer, Seen},
};

/// The table.
#[derive(Debug, Default)]
pub struct Rows {
    last_id: u64,
    rows: BTreeMap<u64, (u64, u64)>,
}

impl Rows {
    /// The users of a group, in the order in which they came.
    pub fn users_of(&self, group: u64) -> Vec<u64> {
        let own = self.rows.values().filter(|(of, _)| *of == group);
        own.map(|(_, user)| *user).collect()
    }

    /// Removes the rows of a user.
    pub fn remove_user(&mut self, id: u64) {
        self.rows.retain(|_, (_, user)| *user != id);
    }

    /// `GET /rows?group=&user=`, `POST /rows`, `DELETE /rows/ID`.
    pub fn answer(&mut self, method: &str, path: &[&str], seen: &Seen) -> Answer {
        let number = |name: &str| seen.parameter(name).and_then(|text| text.parse().ok());
        match (method, path) {
            ("GET", []) => {
                let (group, user) = (number("group"), number("user"));
                let rows = self.rows.iter().filter(|(_, (of, member))| {
                    group.is_none_or(|group: u64| group == *of)
                        && user.is_none_or(|user: u64| user == *member)
                });
                let rows = rows
                    .map(|(id, (group, user))| json!({ "id": id, "group": group, "user": user }));
                let rows: Vec<Value> = rows.collect();
                page(seen, rows.iter())
            }
            ("POST", []) => {
                let body = seen.json();
                let (Some(group), Some(user)) = (body["group"].as_u64(), body["user"].as_u64())
                else {
                    return Answer::json(400, json!({ "message": "a row needs both" }));
                };
                self.last_id += 1;
                self.rows.insert(self.last_id, (group, user));
                Answer::json(201, json!({ "id": self.last_id }))
            }
            ("DELETE", [id]) => match self.rows.remove(&id.parse().unwrap_or(0)) {
                Some(_) => Answer::empty(204),
                None => missing(),
            },
            _ => missing(),
        }
    }
}
