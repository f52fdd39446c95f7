//! What the application holds: users, groups, who is in which, and two short lists.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use super::labels::Labels;

/// Everything, in memory. Looking somebody up costs the same with ten users and with a million.
#[derive(Debug, Default)]
pub(super) struct Staff {
    /// Sorted by id, so that a page is a slice.
    #[expect(
        clippy::vec_box,
        reason = "with a million users, a deletion moves their addresses only"
    )]
    pub users: Vec<Box<User>>,
    pub groups: Vec<Group>,
    pub roles: Labels,
    pub entitlements: Labels,
    last_user_id: u64,
    last_group_id: u64,
    by_login: HashMap<Box<str>, u64>,
    by_mail: HashMap<Box<str>, u64>,
    by_name: HashMap<Box<str>, u64>,
    groups_of: HashMap<u64, BTreeSet<u64>>,
}

#[derive(Debug)]
pub(super) struct User {
    pub id: u64,
    pub login: Box<str>,
    pub mail: Option<Box<str>>,
    pub first: Option<Box<str>>,
    pub last: Option<Box<str>>,
    pub phone: Option<Box<str>>,
    pub job_title: Option<Box<str>>,
    pub department: Option<Box<str>>,
    /// 1 active, 2 invited, 3 locked.
    pub state: u8,
    pub manager_id: Option<u64>,
    pub language: Option<Box<str>>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Instead of the password, which is not kept.
    pub password_changed_at: Timestamp,
}

#[derive(Debug)]
pub(super) struct Group {
    pub id: u64,
    pub name: Box<str>,
    pub description: Option<Box<str>>,
    /// Sorted user ids.
    pub members: Vec<u64>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl User {
    /// An active user who has nothing but a login yet. It gets its id when it is added.
    pub fn new(login: &str, now: Timestamp) -> Self {
        Self {
            id: 0,
            login: login.into(),
            mail: None,
            first: None,
            last: None,
            phone: None,
            job_title: None,
            department: None,
            state: 1,
            manager_id: None,
            language: None,
            created_at: now,
            updated_at: now,
            password_changed_at: now,
        }
    }
}

impl Staff {
    pub fn user(&self, id: u64) -> Option<&User> {
        let index = self.users.binary_search_by_key(&id, |user| user.id).ok()?;
        self.users.get(index).map(Box::as_ref)
    }

    pub fn group(&self, id: u64) -> Option<&Group> {
        let index = self
            .groups
            .binary_search_by_key(&id, |group| group.id)
            .ok()?;
        self.groups.get(index)
    }

    /// Whose login it is, without regard to case.
    pub fn login_owner(&self, login: &str) -> Option<u64> {
        self.by_login.get(folded(login).as_ref()).copied()
    }

    /// Whose address it is, without regard to case.
    pub fn mail_owner(&self, mail: &str) -> Option<u64> {
        self.by_mail.get(folded(mail).as_ref()).copied()
    }

    /// Which group has the name, without regard to case.
    pub fn name_owner(&self, name: &str) -> Option<u64> {
        self.by_name.get(folded(name).as_ref()).copied()
    }

    /// The groups a user is in, by id.
    pub fn groups_of(&self, user_id: u64) -> Vec<&Group> {
        let ids = self.groups_of.get(&user_id).into_iter().flatten();
        ids.filter_map(|id| self.group(*id)).collect()
    }

    /// Adds a user and returns its id.
    pub fn add_user(&mut self, mut user: User) -> u64 {
        self.last_user_id += 1;
        user.id = self.last_user_id;
        self.index_user(&user);
        self.users.push(Box::new(user));
        self.last_user_id
    }

    /// Changes a user; nothing happens if there is none.
    pub fn change_user(&mut self, id: u64, change: impl FnOnce(&mut User)) {
        let Ok(index) = self.users.binary_search_by_key(&id, |user| user.id) else {
            return;
        };
        let Some(user) = self.users.get_mut(index) else {
            return;
        };
        self.by_login.remove(folded(&user.login).as_ref());
        if let Some(mail) = &user.mail {
            self.by_mail.remove(folded(mail).as_ref());
        }
        change(user);
        self.by_login.insert(folded(&user.login), id);
        if let Some(mail) = &user.mail {
            self.by_mail.insert(folded(mail), id);
        }
    }

    /// Removes a user, also from every group. Whether there was one.
    pub fn remove_user(&mut self, id: u64) -> bool {
        let Ok(index) = self.users.binary_search_by_key(&id, |user| user.id) else {
            return false;
        };
        for group_id in self.groups_of.remove(&id).unwrap_or_default() {
            self.change_group(group_id, |group| {
                group.members.retain(|member| *member != id)
            });
        }
        let user = self.users.remove(index);
        self.by_login.remove(folded(&user.login).as_ref());
        if let Some(mail) = &user.mail {
            self.by_mail.remove(folded(mail).as_ref());
        }
        true
    }

    /// Adds a group without members and returns its id.
    pub fn add_group(&mut self, name: &str, description: Option<Box<str>>, now: Timestamp) -> u64 {
        self.last_group_id += 1;
        self.by_name.insert(folded(name), self.last_group_id);
        self.groups.push(Group {
            id: self.last_group_id,
            name: name.into(),
            description,
            members: Vec::new(),
            created_at: now,
            updated_at: now,
        });
        self.last_group_id
    }

    /// Changes a group; nothing happens if there is none.
    pub fn change_group(&mut self, id: u64, change: impl FnOnce(&mut Group)) {
        let Ok(index) = self.groups.binary_search_by_key(&id, |group| group.id) else {
            return;
        };
        if let Some(group) = self.groups.get_mut(index) {
            self.by_name.remove(folded(&group.name).as_ref());
            change(group);
            self.by_name.insert(folded(&group.name), id);
        }
    }

    /// Removes a group. Whether there was one.
    pub fn remove_group(&mut self, id: u64) -> bool {
        let Ok(index) = self.groups.binary_search_by_key(&id, |group| group.id) else {
            return false;
        };
        let group = self.groups.remove(index);
        self.by_name.remove(folded(&group.name).as_ref());
        for member in &group.members {
            self.leave(*member, id);
        }
        true
    }

    /// Puts users into a group and returns how many were not in it before. The users exist.
    pub fn add_members(&mut self, group_id: u64, user_ids: &[u64]) -> usize {
        let mut added = 0;
        let groups_of = &mut self.groups_of;
        let index = self
            .groups
            .binary_search_by_key(&group_id, |group| group.id);
        if let Some(group) = index.ok().and_then(|index| self.groups.get_mut(index)) {
            let before = group.members.len();
            group.members.extend_from_slice(user_ids);
            group.members.sort_unstable();
            group.members.dedup();
            added = group.members.len() - before;
            for user_id in user_ids {
                groups_of.entry(*user_id).or_default().insert(group_id);
            }
        }
        added
    }

    /// Takes a user out of a group. Whether it was in.
    pub fn remove_member(&mut self, group_id: u64, user_id: u64) -> bool {
        let mut was_in = false;
        self.change_group(group_id, |group| {
            if let Ok(index) = group.members.binary_search(&user_id) {
                group.members.remove(index);
                was_in = true;
            }
        });
        self.leave(user_id, group_id);
        was_in
    }

    fn leave(&mut self, user_id: u64, group_id: u64) {
        if let Some(groups) = self.groups_of.get_mut(&user_id) {
            groups.remove(&group_id);
            if groups.is_empty() {
                self.groups_of.remove(&user_id);
            }
        }
    }

    fn index_user(&mut self, user: &User) {
        self.by_login.insert(folded(&user.login), user.id);
        if let Some(mail) = &user.mail {
            self.by_mail.insert(folded(mail), user.id);
        }
    }

    /// The staff the application starts with: the same made-up people every time.
    pub fn seeded(users: u64, now: Timestamp) -> Self {
        let mut staff = Self::default();
        // Without users there are no groups either: an empty application, for tests.
        for name in DEPARTMENTS.iter().filter(|_| users > 0) {
            staff.add_group(name, Some("Everyone of that department".into()), now);
        }
        staff.roles = Labels::seeded(&["Administrator", "Editor", "Reader"]);
        staff.entitlements = Labels::seeded(&["Expense reports", "Payroll", "Remote access"]);
        let mut of_department: [Vec<u64>; DEPARTMENTS.len()] = Default::default();
        for number in 0..users {
            let id = staff.add_user(made_up(number, now));
            // A department's group stays small enough to read, also with a million users.
            if let Some(members) = of_department.get_mut(department_of(number))
                && members.len() < SEEDED_MEMBERS
            {
                members.push(id);
            }
        }
        for (group_id, members) in (1..).zip(&of_department) {
            staff.add_members(group_id, members);
        }
        staff
    }
}

fn made_up(number: u64, now: Timestamp) -> User {
    let pick = |names: &[&'static str], number: u64| {
        let index = usize::try_from(number % names.len() as u64).unwrap_or(0);
        names.get(index).copied().unwrap_or_default()
    };
    let first = pick(&FIRST_NAMES, number);
    let last = pick(&LAST_NAMES, number / FIRST_NAMES.len() as u64 + number);
    let login = match number {
        0..10 => format!("{first}.{last}").to_lowercase(),
        _ => format!("{first}.{last}{number}").to_lowercase(),
    };
    let mut user = User::new(&login, now);
    user.mail = Some(format!("{login}@staffbook.example").into());
    user.first = Some(first.into());
    user.last = Some(last.into());
    user.job_title = Some(pick(&JOB_TITLES, number).into());
    user.department = DEPARTMENTS
        .get(department_of(number))
        .map(|name| (*name).into());
    user.manager_id = (number > 0).then_some(1);
    user.language = Some("en".into());
    user
}

fn department_of(number: u64) -> usize {
    usize::try_from(number % DEPARTMENTS.len() as u64).unwrap_or(0)
}

/// How names are compared: without regard to case.
fn folded(text: &str) -> Box<str> {
    text.to_lowercase().into()
}

const SEEDED_MEMBERS: usize = 100;
const DEPARTMENTS: [&str; 3] = ["Engineering", "Finance", "Support"];
const FIRST_NAMES: [&str; 10] = [
    "Runa", "Pavel", "Imani", "Tomas", "Yuki", "Amara", "Nils", "Leila", "Diego", "Freya",
];
const LAST_NAMES: [&str; 9] = [
    "Okafor", "Lindgren", "Marsh", "Takeda", "Ferrari", "Novak", "Duarte", "Haddad", "Quist",
];
const JOB_TITLES: [&str; 4] = ["Team lead", "Engineer", "Analyst", "Clerk"];
