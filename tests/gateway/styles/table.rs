//! The table: every way in which an application keeps membership, as a mapping says it.

/// Where the application has who is in which group.
#[derive(Clone, Copy)]
pub enum Held {
    /// Members of the group, changed by calls.
    Calls,
    /// Rows of a table.
    Rows,
    /// A list in the group: of ids, or of objects with `ref`.
    Group(&'static str),
    /// A list or text in the user that names groups.
    User(&'static str),
}

pub struct Style {
    pub name: &'static str,
    /// What follows `[group.members]`.
    pub members: &'static str,
    /// What follows `[user.groups]`.
    pub groups: &'static str,
    pub held: Held,
    /// Calls that change something, for so many added and removed.
    pub writes: fn(usize, usize) -> usize,
    /// Whether two groups can have one user.
    pub is_many: bool,
    /// Whether groups are written down in the mapping.
    pub is_fixed: bool,
    /// Whether users' lists name groups by their names: a new name is the application's to spread.
    pub is_by_name: bool,
}

/// How members of a group are read, where calls change them.
pub const READ: &str = "read = { call = \"GET /groups/{group}/members\", items = '$.items[*]', id = '$.user_id', page.number = { number = \"page\", size = { parameter = \"per_page\", most = 100 }, total = '$.total' } }\n";
const BY_CALL: &str =
    "call = \"GET /users/{id}/groups\"\nitems = '$.items[*]'\nid = '$.id'\ndisplay = '$.name'\n";
const BY_MEMBER: &str = "call = \"GET /groups?member={id}\"\nitems = '$.items[*]'\nid = '$.id'\n";

fn one_call(added: usize, removed: usize) -> usize {
    usize::from(added + removed > 0)
}

fn call_each(added: usize, removed: usize) -> usize {
    added + removed
}

fn batches_of_two(added: usize, removed: usize) -> usize {
    added.div_ceil(2) + removed.div_ceil(2)
}

const PLAIN: Style = Style {
    name: "a call for each member",
    members: "add    = { call = \"POST /groups/{group}/members\", body = { user_ids = [\"{member}\"] } }\nremove = { call = \"DELETE /groups/{group}/members/{member}\", tolerate = [404] }\n",
    groups: BY_CALL,
    held: Held::Calls,
    writes: call_each,
    is_many: true,
    is_fixed: false,
    is_by_name: false,
};

/// Each style, a user's groups read as the application tells them, and from the groups' members.
pub fn styles() -> Vec<Style> {
    let from_members = own_styles().into_iter().map(|style| Style {
        groups: "from = \"members\"\n",
        ..style
    });
    own_styles().into_iter().chain(from_members).collect()
}

fn own_styles() -> Vec<Style> {
    vec![
        PLAIN,
        Style {
            name: "batches",
            members: "add    = { call = \"POST /groups/{group}/members\", batch = 2, body = { user_ids = \"{members}\" } }\nremove = { call = \"DELETE /groups/{group}/members\", batch = 2, body = { user_ids = \"{members}\" } }\n",
            writes: batches_of_two,
            ..PLAIN
        },
        Style {
            name: "the whole list",
            members: "replace = { call = \"PUT /groups/{group}/members\", body = { user_ids = \"{members}\" } }\n",
            writes: one_call,
            ..PLAIN
        },
        Style {
            name: "by another name than the id",
            members: "name = \"{login}\"\nadd    = { call = \"POST /groups/{group}/members\", body = { user_ids = [\"{member}\"] } }\nremove = { call = \"DELETE /groups/{group}/members/{member}\", tolerate = [404] }\n",
            ..PLAIN
        },
        Style {
            name: "rows with an id of their own",
            members: "read = { call = \"GET /rows?group={group}\", items = '$.items[*]', id = '$.user', page.number = { number = \"page\", size = { parameter = \"per_page\", most = 100 }, total = '$.total' }, before-add = true }\nadd = { call = \"POST /rows\", body = { group = \"{group}\", user = \"{member}\" } }\nremove = { steps = [{ call = \"GET /rows?group={group}&user={member}\", take = { row = '$.items[0].id' } }, { call = \"DELETE /rows/{row}\", if = 'row != null' }] }\n",
            groups: "call = \"GET /rows?user={id}\"\nitems = '$.items[*]'\nid = '$.group'\n",
            held: Held::Rows,
            ..PLAIN
        },
        Style {
            name: "a list of ids in the group",
            members: "field = 'user_ids'\n",
            groups: BY_MEMBER,
            held: Held::Group("user_ids"),
            writes: one_call,
            ..PLAIN
        },
        Style {
            name: "a list of objects in the group",
            members: "field = { field = 'crew', id = '$.ref', element = { ref = \"{member}\" } }\n",
            groups: BY_MEMBER,
            held: Held::Group("crew"),
            writes: one_call,
            ..PLAIN
        },
        Style {
            name: "a list of ids in the user",
            members: "on-user = { field = 'roles' }\n",
            groups: "items = '$.roles[*]'\n",
            held: Held::User("roles"),
            ..PLAIN
        },
        Style {
            name: "one value in the user",
            members: "on-user = { field = 'role', single = true }\n",
            groups: "items = '$.role'\n",
            held: Held::User("role"),
            is_many: false,
            ..PLAIN
        },
        Style {
            name: "a list of objects in the user",
            members: "on-user = { field = 'roles', id = '$.id', element = { id = \"{group}\" } }\n",
            groups: "items = '$.roles[*]'\nid = '$.id'\n",
            held: Held::User("roles"),
            ..PLAIN
        },
        Style {
            name: "objects read and ids written in the user",
            members: "on-user = { field = 'teams', id = '$.id', element = \"{group}\" }\n",
            groups: "items = '$.teams[*]'\nid = '$.id'\ndisplay = '$.label'\n",
            held: Held::User("teams"),
            ..PLAIN
        },
        Style {
            name: "objects read and ids written in the user, one at most",
            members: "on-user = { field = 'team', single = true, id = '$.id', element = \"{group}\" }\n",
            groups: "items = '$.team'\nid = '$.id'\ndisplay = '$.label'\n",
            held: Held::User("team"),
            is_many: false,
            ..PLAIN
        },
        Style {
            name: "a list in the user, changed by calls",
            members: "on-user = { field = 'teams', id = '$.id' }\nadd    = { call = \"POST /groups/{group}/members\", body = { user_ids = [\"{member}\"] } }\nremove = { call = \"DELETE /groups/{group}/members/{member}\", tolerate = [404] }\n",
            groups: "items = '$.teams[*]'\nid = '$.id'\n",
            ..PLAIN
        },
        Style {
            name: "a list in the user, changed as the group's whole list",
            members: "on-user = { field = 'teams', id = '$.id' }\nreplace = { call = \"PUT /groups/{group}/members\", body = { user_ids = \"{members}\" } }\n",
            groups: "items = '$.teams[*]'\nid = '$.id'\n",
            writes: one_call,
            ..PLAIN
        },
        Style {
            name: "names joined to one text in the user",
            members: "on-user = { field = 'roles', name = \"{name}\", as = { joined = \",\" } }\n",
            groups: "items = '$.roles'\nas = { joined = \",\" }\n",
            held: Held::User("roles"),
            is_by_name: true,
            ..PLAIN
        },
        Style {
            name: "fixed groups",
            members: "on-user = { field = 'roles' }\n",
            groups: "items = '$.roles[*]'\n",
            held: Held::User("roles"),
            is_fixed: true,
            ..PLAIN
        },
        Style {
            name: "fixed groups that users' lists name otherwise",
            members: "on-user = { field = 'roles', name = \"ROLE_{name}\", as = { joined = \";\" } }\n",
            groups: "items = '$.roles'\nas = { joined = \";\" }\n",
            held: Held::User("roles"),
            is_fixed: true,
            is_by_name: true,
            ..PLAIN
        },
    ]
}
