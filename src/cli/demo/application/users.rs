//! Calls to `/users`.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::api::{Answer, Call, not_allowed, not_found};
use super::fields::{Change, Complaints, Fields};
use super::groups;
use super::paging::Page;
use super::staff::{Staff, User};

struct UserChanges {
    login: Change<String>,
    mail: Change<String>,
    first: Change<String>,
    last: Change<String>,
    phone: Change<String>,
    job_title: Change<String>,
    department: Change<String>,
    language: Change<String>,
    state: Change<u64>,
    manager_id: Change<u64>,
    password: Change<String>,
}

/// Answers a call to the list: `GET` or `POST`.
pub(super) fn answer_list(staff: &mut Staff, call: &Call<'_>) -> Answer {
    match (call.method, call.body) {
        ("GET", _) => list(staff, call),
        ("POST", Some(body)) => create(staff, body, call.now),
        _ => not_allowed("GET, POST"),
    }
}

/// Answers a call to one user: `GET`, `PATCH` or `DELETE`.
pub(super) fn answer_one(staff: &mut Staff, id: u64, call: &Call<'_>) -> Answer {
    match (call.method, call.body) {
        ("GET", _) => found(staff, id, Answer::ok),
        ("PATCH", Some(body)) => update(staff, id, body, call.now),
        ("DELETE", _) if staff.remove_user(id) => Answer::empty(),
        ("DELETE", _) => not_found(),
        _ => not_allowed("GET, PATCH, DELETE"),
    }
}

/// Answers a call to the groups of a user: `GET`.
pub(super) fn answer_groups(staff: &Staff, id: u64, call: &Call<'_>) -> Answer {
    if call.method != "GET" {
        return not_allowed("GET");
    }
    if staff.user(id).is_none() {
        return not_found();
    }
    let groups = staff.groups_of(id);
    Answer::ok(Page::from_query(&call.query).of(&groups, |group| groups::show(group)))
}

fn list(staff: &Staff, call: &Call<'_>) -> Answer {
    let page = Page::from_query(&call.query);
    let (login, mail) = (call.parameter("login"), call.parameter("mail"));
    if login.is_none() && mail.is_none() {
        return Answer::ok(page.of(&staff.users, |user| show(staff, user)));
    }
    let owners = [
        login.map(|login| staff.login_owner(login)),
        mail.map(|mail| staff.mail_owner(mail)),
    ];
    // Both parameters together find a user who has both.
    let mut owners = owners.into_iter().flatten();
    let first = owners.next().flatten();
    let both = owners.all(|owner| owner == first);
    let users: Vec<&User> = first
        .filter(|_| both)
        .and_then(|id| staff.user(id))
        .into_iter()
        .collect();
    Answer::ok(page.of(&users, |user| show(staff, user)))
}

fn create(staff: &mut Staff, body: &Map<String, Value>, now: Timestamp) -> Answer {
    let changes = match read(staff, body, None) {
        Ok(changes) => changes,
        Err(complaints) => return Answer::invalid(&complaints),
    };
    let mut user = User::new("", now);
    changes.apply(&mut user, now);
    let id = staff.add_user(user);
    found(staff, id, Answer::created)
}

fn update(staff: &mut Staff, id: u64, body: &Map<String, Value>, now: Timestamp) -> Answer {
    if staff.user(id).is_none() {
        return not_found();
    }
    match read(staff, body, Some(id)) {
        Ok(changes) => staff.change_user(id, |user| changes.apply(user, now)),
        Err(complaints) => return Answer::invalid(&complaints),
    }
    found(staff, id, Answer::ok)
}

fn found(staff: &Staff, id: u64, answer: fn(Value) -> Answer) -> Answer {
    staff
        .user(id)
        .map_or_else(not_found, |user| answer(show(staff, user)))
}

/// Reads a body; `id` is the user's own when it exists already, and then nothing is required.
fn read(
    staff: &Staff,
    body: &Map<String, Value>,
    id: Option<u64>,
) -> Result<UserChanges, Complaints> {
    let mut fields = Fields::new(body);
    let changes = UserChanges {
        login: fields.required_text("login", 200),
        mail: fields.text("mail", 254),
        first: fields.text("first", 100),
        last: fields.text("last", 100),
        phone: fields.text("phone", 50),
        job_title: fields.text("job_title", 100),
        department: fields.text("department", 100),
        language: fields.text("language", 50),
        state: fields.number("state"),
        manager_id: fields.number("manager_id"),
        password: fields.required_text("password", 200),
    };
    if id.is_none() {
        fields.require("login", &changes.login);
        fields.require("password", &changes.password);
    }
    let mut complaints = fields.complaints;
    changes.check(staff, id, &mut complaints);
    complaints.into_result().map(|()| changes)
}

impl UserChanges {
    /// The rules that need more than the type of a member.
    fn check(&self, staff: &Staff, id: Option<u64>, complaints: &mut Complaints) {
        let is_others = |owner: Option<u64>| owner.is_some() && owner != id;
        if let Some(login) = self.login.value() {
            if login.chars().any(char::is_whitespace) {
                complaints.add("login", "must not contain spaces");
            } else if is_others(staff.login_owner(login)) {
                complaints.add("login", "has already been taken");
            }
        }
        if let Some(mail) = self.mail.value() {
            if !is_address(mail) {
                complaints.add("mail", "is not an e-mail address");
            } else if is_others(staff.mail_owner(mail)) {
                complaints.add("mail", "has already been taken");
            }
        }
        if self
            .password
            .value()
            .is_some_and(|password| password.chars().count() < 8)
        {
            complaints.add("password", "is too short (minimum is 8 characters)");
        }
        if self.state == Change::Clear
            || self
                .state
                .value()
                .is_some_and(|state| !(1..=3).contains(state))
        {
            complaints.add("state", "is not 1 (active), 2 (invited) or 3 (locked)");
        }
        if let Some(manager) = self.manager_id.value() {
            if staff.user(*manager).is_none() {
                complaints.add("manager_id", "does not exist");
            } else if Some(*manager) == id {
                complaints.add("manager_id", "cannot be the user itself");
            }
        }
    }

    fn apply(self, user: &mut User, now: Timestamp) {
        if self.password.value().is_some() {
            user.password_changed_at = now;
        }
        self.login.apply_required(&mut user.login);
        self.mail.apply(&mut user.mail);
        self.first.apply(&mut user.first);
        self.last.apply(&mut user.last);
        self.phone.apply(&mut user.phone);
        self.job_title.apply(&mut user.job_title);
        self.department.apply(&mut user.department);
        self.language.apply(&mut user.language);
        self.manager_id.apply(&mut user.manager_id);
        if let Some(state) = self
            .state
            .value()
            .and_then(|state| u8::try_from(*state).ok())
        {
            user.state = state;
        }
        user.updated_at = now;
    }
}

/// One `@` with something on both sides, and no spaces: as much as such applications check.
fn is_address(mail: &str) -> bool {
    let parts: Vec<&str> = mail.split('@').collect();
    let has_both =
        matches!(parts.as_slice(), [local, domain] if !local.is_empty() && !domain.is_empty());
    has_both && !mail.chars().any(char::is_whitespace)
}

/// A user as the API shows it.
pub(super) fn show(staff: &Staff, user: &User) -> Value {
    json!({
        "id": user.id,
        "login": user.login,
        "mail": user.mail,
        "first": user.first,
        "last": user.last,
        "phone": user.phone,
        "job_title": user.job_title,
        "department": user.department,
        "state": user.state,
        // A manager who was deleted is nobody's manager.
        "manager_id": user.manager_id.filter(|id| staff.user(*id).is_some()),
        "language": user.language,
        "created_at": user.created_at.strftime(TIME).to_string(),
        "updated_at": user.updated_at.strftime(TIME).to_string(),
    })
}

/// How times are shown: UTC, whole seconds.
pub(super) const TIME: &str = "%Y-%m-%dT%H:%M:%SZ";
