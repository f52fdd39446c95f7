//! Names in templates that will not be there.

use std::collections::BTreeSet;

use super::{
    login::{self, takes},
    place::{narrowed, place_of_constant},
    settings, versions,
};
use crate::{
    diagnostic::{Diagnostic, Diagnostics, Place, closest},
    mapping::{
        expression::NamePath,
        model::{
            Auth, Call, IfMatch, Mapping, MemberField, Operation, Paging, Source, TypeMapping,
            UserGroups, With,
        },
        names::extension_name,
        page::PAGE,
    },
    scim::{Attribute, ResourceType, schema::resolve::common_attributes},
};

/// What is known where a template stands.
#[derive(Clone)]
struct Scope<'m> {
    mapping: &'m Mapping,
    /// Whose attributes are names as well.
    resource_type: Option<&'m ResourceType>,
    /// Single names: `id`, `value`, `member`, and what earlier steps took.
    names: BTreeSet<String>,
    is_complete: bool,
}

/// Complaints about names in every call and every line of a mapping.
pub(super) fn check(mapping: &Mapping, is_complete: bool, complaints: &mut Diagnostics) {
    wrapped(mapping, complaints);
    settings::check(mapping, complaints);
    for resource_type in &mapping.types {
        check_type(mapping, resource_type, is_complete, complaints);
    }
    let bare = || Scope {
        mapping,
        resource_type: None,
        names: BTreeSet::new(),
        is_complete,
    };
    let target = &mapping.target;
    let sent = target.headers.iter().chain(&target.query);
    for ((_, template), place) in sent.zip(&target.sent_at) {
        anywhere(mapping, is_complete).all(template.names(), place, complaints);
    }
    if let Some(probe) = &mapping.target.probe {
        bare().call(probe, complaints);
    }
    for look_up in &mapping.look_ups {
        let list = &look_up.list;
        bare().list(&list.call, &list.page, complaints);
    }
    if let Auth::Login(login) = &mapping.target.auth {
        let mut scope = Scope {
            mapping,
            resource_type: None,
            names: BTreeSet::new(),
            is_complete,
        };
        for step in &login.steps {
            scope.call(step, complaints);
            scope
                .names
                .extend(step.take.iter().map(|(name, _)| name.clone()));
        }
        login::check(mapping, login, is_complete, complaints);
        // What a step took is a name for the steps; every other call knows it as `login.NAME`.
        let scope = Scope {
            names: BTreeSet::new(),
            ..scope
        };
        let sent = login.headers.iter().chain(&login.query);
        for ((_, template), place) in sent.zip(&login.sent_at) {
            scope.all(template.names(), place, complaints);
        }
    }
}

/// What some call knows: a header or parameter of every call is left out where a name of it is not known.
fn anywhere(mapping: &Mapping, is_complete: bool) -> Scope<'_> {
    let calls = super::calls::of_mapping(mapping);
    let given = calls
        .iter()
        .flat_map(|call| &call.with)
        .map(|with| with.name.clone());
    let known = ["id", "scim", "value", "group", "member", "old", PAGE];
    Scope {
        mapping,
        resource_type: mapping.types.first().map(|t| &*t.resource_type),
        names: given.chain(known.map(str::to_owned)).collect(),
        is_complete,
    }
}

/// Calls that do not give the names that `[target.wrap]` puts around their bodies.
fn wrapped(mapping: &Mapping, complaints: &mut Diagnostics) {
    let Some(wrap) = &mapping.target.wrap else {
        return;
    };
    let wanted: BTreeSet<String> = wrap
        .names()
        .into_iter()
        .filter_map(|name| name.names.into_iter().next())
        .filter(|name| !["body", "settings", "login"].contains(&name.as_str()))
        .collect();
    for call in super::calls::of_mapping(mapping) {
        let has_body =
            [http::Method::POST, http::Method::PUT, http::Method::PATCH].contains(&call.method);
        for name in &wanted {
            if !has_body || !call.is_wrapped || call.with.iter().any(|given| given.name == *name) {
                continue;
            }
            let sentence = format!("`target.wrap` uses `{name}`, which this call does not give.");
            complaints.add(
                Diagnostic::error("mapping::unknown-name", sentence)
                    .at(&call.place)
                    .mend(format!(
                        "add `with = {{ {name} = … }}`; or `wrap = false`, if this call's body is to be sent as it is"
                    )),
            );
        }
    }
}

fn check_type(
    mapping: &Mapping,
    resource_type: &TypeMapping,
    is_complete: bool,
    complaints: &mut Diagnostics,
) {
    let scope = |names: &[&str], has_resource: bool| Scope {
        mapping,
        resource_type: has_resource.then_some(&*resource_type.resource_type),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        is_complete,
    };
    for list in &resource_type.lists {
        scope(&[], false).list(&list.call, &list.page, complaints);
    }
    for find in &resource_type.finds {
        let mut scope = scope(&["value"], false);
        for step in &find.before {
            scope.call(step, complaints);
            scope.take(step);
        }
        if let Some(Source::Computed(template)) = &find.id {
            let mut scope = scope.clone();
            scope.names.insert("body".to_owned());
            scope.all(template.names(), &find.call.place, complaints);
        }
        scope.list(&find.call, &find.page, complaints);
    }
    if let Some(get) = &resource_type.get {
        scope(&["id"], false).operation(get, complaints);
    }
    // Before the call the SCIM id is known only where the gateway makes it.
    let made_here: &[&str] = match resource_type.id.is_stable {
        true => &[],
        false => &["scim"],
    };
    if let Some(create) = &resource_type.create {
        let names = [&["fields", "changed"], made_here].concat();
        scope(&names, true).operation(create, complaints);
        for (place, constant) in &resource_type.constants {
            let at = place_of_constant(super::place_of(create), place.source());
            scope(made_here, true).all(constant.names(), &at, complaints);
        }
    }
    let others = super::writes(resource_type).filter(|operation| {
        resource_type
            .create
            .as_ref()
            .is_none_or(|create| !std::ptr::eq(*operation, create))
    });
    for operation in others.chain(&resource_type.delete) {
        let mut names = vec!["id", "scim", "fields", "mapped", "changed", "old"];
        for (_, tree) in &operation.stash {
            let place = super::place_of(operation);
            scope(&["id", "scim", "old"], true).all(tree.names(), place, complaints);
        }
        let is_activate = resource_type.activate.as_ref();
        if is_activate.is_some_and(|own| std::ptr::eq(own, operation)) {
            let deactivate = resource_type.deactivate.as_ref();
            names.extend(
                deactivate
                    .filter(|own| !own.stash.is_empty())
                    .map(|_| "stash"),
            );
        }
        scope(&names, true).operation(operation, complaints);
        let taken = versions::taken_by_get(resource_type);
        let names: Vec<&str> = names.into_iter().chain(taken).collect();
        scope(&names, true).version(operation, complaints);
    }
    if let Some(members) = &resource_type.members {
        if let Some(read) = &members.read {
            let scope = scope(&["group", "id", "old"], false);
            scope.list(&read.call, &read.page, complaints);
        }
        for change in [&members.add, &members.remove, &members.replace]
            .into_iter()
            .flatten()
        {
            let names = ["group", "id", "member", "members", "type", "method"];
            let mut scope = scope(&names, false);
            for step in change.before.iter().chain([&change.call]) {
                scope.call(step, complaints);
                scope.take(step);
            }
            if let Some(element) = &change.element {
                scope.all(element.names(), &change.call.place, complaints);
            }
        }
    }
    let field = members_field(resource_type);
    if let Some((field, element)) = field.and_then(|field| Some((field, field.element.as_ref()?))) {
        let names = ["member", "type", "id", "scim", "old", "members"];
        scope(&names, true).all(element.names(), &field.at, complaints);
    }
    let on_user = resource_type.members.as_ref();
    let on_user = on_user.and_then(|members| members.on_user.as_ref());
    if let Some((rule, element)) = on_user.and_then(|rule| Some((rule, rule.element.as_ref()?))) {
        // The group object's members can be any.
        let told = ["member", "settings", "login"];
        let mut names = element.names();
        names.retain(|name| {
            name.names
                .first()
                .is_some_and(|name| told.contains(&name.as_str()))
        });
        scope(&["group"], false).all(names, &rule.at, complaints);
    }
    if let Some(UserGroups::Call { call, page, .. }) = &resource_type.groups {
        let scope = scope(&["id", "scim", "old"], true);
        scope.list(call, page, complaints);
    }
    for line in &resource_type.attributes {
        let value = line.write.as_ref().and_then(|write| write.value.as_ref());
        if let Some(template) = value {
            let names = ["value", "scim", "id", "old"];
            scope(&names, true).all(template.names(), &line.place, complaints);
        }
        if let Some(template) = &line.on_create {
            let names = [&["value", "id", "old"], made_here].concat();
            scope(&names, true).all(template.names(), &line.place, complaints);
        }
    }
}

fn members_field(resource_type: &TypeMapping) -> Option<&MemberField> {
    resource_type.members.as_ref()?.field.as_ref()
}

impl Scope<'_> {
    fn operation(mut self, operation: &Operation, complaints: &mut Diagnostics) {
        for (at, step) in operation.steps.iter().enumerate() {
            self.call(step, complaints);
            self.take(step);
            if at == 0 {
                // A create's first reply may have said the new object's id.
                self.names.insert("id".to_owned());
            }
        }
        if let Some(Source::Computed(template)) = &operation.id {
            self.all(template.names(), super::place_of(operation), complaints);
        }
    }

    /// What an operation sends as `If-Match` may name what `get` and its own steps took.
    fn version(mut self, operation: &Operation, complaints: &mut Diagnostics) {
        let Some(IfMatch::Template(template)) = &operation.if_match else {
            return;
        };
        for step in &operation.steps {
            self.take(step);
        }
        self.all(template.names(), super::place_of(operation), complaints);
    }

    /// A call that is read on knows its page, and so do the calls that only its page style has.
    fn list(mut self, call: &Call, page: &Paging, complaints: &mut Diagnostics) {
        if !super::pages::names_of(page).is_empty() {
            self.names.insert(PAGE.to_owned());
        }
        self.call(call, complaints);
        for call in super::calls::of_page(page) {
            self.call(call, complaints);
        }
    }

    /// What a step takes is known to the steps after it.
    fn take(&mut self, step: &Call) {
        let taken = step.take.iter().map(|(name, _)| name.clone());
        self.names.extend(taken);
    }

    fn call(&self, call: &Call, complaints: &mut Diagnostics) {
        let mut own: BTreeSet<String> = call.with.iter().map(|with| with.name.clone()).collect();
        let is_item = |name: &NamePath| {
            call.each.is_some() && name.names.first().is_some_and(|first| first == "item")
        };
        for With { tree, .. } in &call.with {
            let mut used = tree.names();
            used.retain(|name| !is_item(name));
            self.all(used, &call.place, complaints);
        }
        if let Some(each) = &call.each {
            self.all(each.names(), &call.place, complaints);
            own.insert("item".to_owned());
        }
        let mut used = call.path.names();
        used.extend(call.query.iter().flat_map(|(_, value)| value.names()));
        used.extend(call.headers.iter().flat_map(|(_, value)| value.names()));
        used.extend(call.body.iter().flat_map(|body| body.names()));
        used.extend(
            call.condition
                .iter()
                .flat_map(|condition| condition.names()),
        );
        used.retain(|name| name.names.first().is_none_or(|first| !own.contains(first)));
        self.all(used, &call.place, complaints);
        self.taken_by_template(call, complaints);
    }

    /// A text in `take` knows what the call does, the whole reply, and what stands before it; a reply's members are no names.
    fn taken_by_template(&self, call: &Call, complaints: &mut Diagnostics) {
        let mut scope = self.clone();
        scope.names.insert(BODY.to_owned());
        for (name, from) in &call.take {
            if let Source::Computed(template) = from {
                let used = template.names().into_iter();
                for used in used.filter(|used| scope.complaint(used).is_some()) {
                    let whole = used.names.join(".");
                    let sentence = format!("`{whole}` is not known here.");
                    let complaint = Diagnostic::error("mapping::unknown-name", sentence);
                    complaints.add(
                        complaint
                            .at(&narrowed(&call.place, &whole))
                            .mend(scope.of_reply(&used)),
                    );
                }
            }
            scope.names.insert(name.clone());
        }
    }

    /// How a text in `take` speaks of the reply.
    fn of_reply(&self, used: &NamePath) -> String {
        let first = used.names.first().map_or("", String::as_str);
        let whole = used.names.join(".");
        match closest(first, self.known().iter().map(String::as_str)) {
            Some(near) if near != first => format!("did you mean `{near}`?"),
            _ => format!(
                "a member of the reply is taken by a path, `'$.{whole}'`, or in a text by `{{{BODY}.{whole}}}`"
            ),
        }
    }

    fn all(&self, used: Vec<NamePath>, place: &Place, complaints: &mut Diagnostics) {
        for name in used {
            if let Some(complaint) = self.complaint(&name) {
                complaints.add(complaint.at(&narrowed(place, &name.names.join("."))));
            }
        }
    }

    /// What is wrong with a name, if anything.
    fn complaint(&self, used: &NamePath) -> Option<Diagnostic> {
        let (first, rest) = used.names.split_first()?;
        match first.as_str() {
            "settings" => return settings::complaint(self.mapping, rest.first()?),
            "login" => return self.login(rest.first()),
            "extension" => return None,
            name if self.names.contains(name) => return None,
            _ => {}
        }
        // A resource has an id only once the application has made one.
        let is_attribute = first != "id"
            && self
                .resource_type
                .is_some_and(|of| is_attribute(of, first, rest));
        if is_attribute || !self.is_complete {
            return None;
        }
        let sentence = format!("`{}` is not known here.", used.names.join("."));
        let mending = match closest(first, self.known().iter().map(String::as_str)) {
            _ if first == "etag" => {
                "`if-match = true` sends the ETag of `get`; a name of it comes from a step of `get` with `take = { etag = { header = \"ETag\" } }`".to_owned()
            }
            _ if first == "stash" => {
                "`activate` has what the `stash` of `deactivate` put aside: `stash = { roles = \"{old.roles}\" }` there".to_owned()
            }
            _ if first == "scim" && self.names.contains("fields") => {
                "before the call it is known only where the gateway makes it (`stable = false` in `id`); a key of your own comes from a step: `take = { key = \"grp-{random(12)}\" }`".to_owned()
            }
            // Only a create has fields and no object yet.
            _ if first == "id" && self.names.contains("fields") => {
                "the id of a new object is known from the second step on: build it of attributes here".to_owned()
            }
            _ if self.is_member(first) => "did you mean `member`?".to_owned(),
            _ if self.login_takes(first) => format!("did you mean `login.{first}`?"),
            Some(near) if near != first => format!("did you mean `{near}`?"),
            _ => match self.whole(first) {
                Some(whole) => format!("did you mean `{whole}`?"),
                None => format!("known here: {}", self.words()),
            },
        };
        Some(Diagnostic::error("mapping::unknown-name", sentence).mend(mending))
    }

    fn login(&self, name: Option<&String>) -> Option<Diagnostic> {
        let Auth::Login(login) = &self.mapping.target.auth else {
            let sentence = "`login` is known only with `[target.auth.login]`.".to_owned();
            return Some(Diagnostic::error("mapping::unknown-name", sentence));
        };
        let name = name?;
        if takes(login, name) || !self.is_complete {
            return None;
        }
        let sentence = format!("No login step takes `{name}`.");
        Some(
            Diagnostic::error("mapping::unknown-name", sentence)
                .mend(format!("add `take = {{ {name} = '$.…' }}` to a step, or `{{ header = \"…\" }}` for one that comes in a header")),
        )
    }

    fn login_takes(&self, name: &str) -> bool {
        matches!(&self.mapping.target.auth, Auth::Login(login) if takes(login, name))
    }

    /// Whether a name of another kind probably means one member of a group: `user`, `userId`.
    fn is_member(&self, name: &str) -> bool {
        let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        let name = name.to_ascii_lowercase();
        let words = ["user", "userid", "memberid", "uid"];
        self.names.contains("member") && words.contains(&name.as_str())
    }

    /// All names, for suggestions.
    fn known(&self) -> Vec<String> {
        let mut known: Vec<String> = self.names.iter().cloned().collect();
        known.extend(["settings".to_owned(), "login".to_owned()]);
        if let Some(resource_type) = self.resource_type {
            known.extend(
                resource_type
                    .schema
                    .attributes
                    .iter()
                    .map(|a| a.name.clone()),
            );
        }
        known
    }

    /// The attribute that a sub-attribute's or a setting's name alone probably means; the id of the object by a longer name.
    fn whole(&self, name: &str) -> Option<String> {
        if self.mapping.settings.contains_key(name) {
            return Some(format!("settings.{name}"));
        }
        if name.to_ascii_lowercase().ends_with("id") && self.names.contains("id") {
            return Some("id".to_owned());
        }
        let of_page = usize::from(self.names.contains(PAGE));
        if self.names.len() == 1 + of_page && self.names.contains("value") {
            return Some("value".to_owned());
        }
        let mut attributes = self.resource_type?.schema.attributes.iter();
        let has = |a: &&Attribute| !a.is_multi_valued && a.sub(name).is_some();
        let whole = attributes.find(has)?;
        Some(format!("{}.{}", whole.name, whole.sub(name)?.name))
    }

    /// The names that are not attributes, for people.
    fn words(&self) -> String {
        let mut words: Vec<String> = self.names.iter().map(|name| format!("`{name}`")).collect();
        words.push("`settings`".to_owned());
        if let Some(resource_type) = self.resource_type {
            words.push(format!("the attributes of `{}`", resource_type.name));
        }
        words.join(", ")
    }
}

/// The whole reply, in a text that takes something from it.
const BODY: &str = "body";

/// Whether a name is an attribute of the type, or an extension's short name with one of its attributes.
fn is_attribute(resource_type: &ResourceType, first: &str, rest: &[String]) -> bool {
    let own = resource_type
        .schema
        .attributes
        .iter()
        .chain(common_attributes());
    if let Some(attribute) = own.clone().find(|a| a.name.eq_ignore_ascii_case(first)) {
        return has_sub(attribute, rest.first());
    }
    let extension = resource_type.extensions.iter().find(|extension| {
        extension_name(&extension.schema.id).is_some_and(|name| name.eq_ignore_ascii_case(first))
    });
    match (extension, rest.split_first()) {
        (Some(extension), Some((attribute, rest))) => extension
            .schema
            .attribute(attribute)
            .is_some_and(|attribute| has_sub(attribute, rest.first())),
        (Some(_), None) => true,
        (None, _) => false,
    }
}

fn has_sub(attribute: &Attribute, sub: Option<&String>) -> bool {
    match sub {
        Some(sub) if attribute.is_complex() => attribute.sub(sub).is_some(),
        _ => true,
    }
}

/// Whether a call uses a name.
pub(super) fn uses(call: &Call, name: &str) -> bool {
    call.names()
        .iter()
        .any(|used| used.names.first().is_some_and(|first| first == name))
}

/// Whether a call says which object it is about, by any name that differs from object to object.
pub(super) fn names_an_object(call: &Call) -> bool {
    call.names()
        .iter()
        .filter_map(|name| name.names.first())
        .any(|first| !["settings", "login", "changed"].contains(&first.as_str()))
}
