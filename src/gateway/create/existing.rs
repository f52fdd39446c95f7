//! A create that meets an object under the same name: from an interrupted create, or somebody else's.

use serde_json::{Map, Value, json};

use crate::{
    gateway::{
        apply,
        confirm::{self, Shown},
        get::object_of,
        join::{Joined, join_gone, join_one, outbound},
        leave::{self, Search},
        list::raw_with_name,
        members, prune, stash, unfinished,
    },
    mapping::{
        address::{self, Verdict},
        model::OnExisting,
        plan, read,
        write::{self, Wish, shows},
    },
    scim::{AttributePath, Error, Resource, diff, place},
    store::{Intent, Record, ScimId, TargetId},
};

use super::{
    Create,
    send::{located, member_ids},
};

impl Create<'_> {
    /// The object with this name, tombstones included; absent if there is none that the tenant may see.
    pub(super) async fn look_up(&self) -> Result<Option<Joined>, Error> {
        let (ctx, t) = (self.ctx, self.t);
        let written = write::name_in_application(t, &self.wish, &ctx.names());
        for object in raw_with_name(ctx, t, &self.name, written).await? {
            let Some(target_id) = read::target_id(t, &object).map(TargetId::new) else {
                continue;
            };
            let record = ctx
                .store
                .record_by_target(ctx.id(), self.type_name(), &target_id)
                .await?;
            let was_deleted = record.as_ref().is_some_and(|record| record.is_deleted);
            let seen = Record {
                is_deleted: false,
                ..record
                    .clone()
                    .unwrap_or_else(|| self.record(&ScimId::new(""), &target_id))
            };
            let is_gone = read::is_gone(t, &object, &ctx.mapping().settings);
            let may_return = ctx.mapping().policy.on_existing == OnExisting::Reactivate;
            let joined = match is_gone && may_return {
                true => join_gone(ctx, t, object, Some(seen)).await?,
                false => join_one(ctx, t, object, Some(seen)).await?,
            };
            let Some(mut joined) = joined else {
                return Err(if is_gone {
                    self.gone()
                } else {
                    self.duplicate(None)
                });
            };
            joined.record = record.map(|record| Record {
                is_deleted: was_deleted,
                ..record
            });
            return Ok(Some(joined));
        }
        Ok(None)
    }

    /// Whether an object that was found is what an interrupted create made: made since, or exactly as wished.
    pub(super) async fn is_ours(&self, found: &Joined, intent: &Intent) -> Result<bool, Error> {
        if found
            .record
            .as_ref()
            .is_some_and(|record| !record.is_deleted && record.scim_id != intent.scim_id)
            && !self.was_only_listed(found, intent)
        {
            return Ok(false);
        }
        let is_mapped = self.t.attributes.iter().any(|rule| {
            rule.location.path.attribute == "meta"
                && rule.location.path.sub_attribute.as_deref() == Some("created")
        });
        let created = found
            .resource
            .0
            .get("meta")
            .and_then(|meta| meta.get("created"))
            .and_then(Value::as_str);
        if let Some(created) = created
            .filter(|_| is_mapped)
            .and_then(|time| time.parse::<jiff::Timestamp>().ok())
        {
            return Ok(created.duration_since(intent.prepared_at) >= -CLOCK_SKEW);
        }
        // Of several calls the first may have been the last: then what is missing says nothing, and what is different does.
        // Before the intent was filed nobody was there.
        let agrees = match self.has_several_calls() {
            true => !self.names_another(&found.resource.0),
            false => self.is_as_wished(found, &intent.scim_id).await?,
        };
        Ok(intent.digest == self.digest && agrees)
    }

    /// Whether what is to be the new object of a resource (`on-rename = "recreate"`) got an id of its own only because a list
    /// showed it after the interruption: nothing is kept under that id.
    fn was_only_listed(&self, found: &Joined, intent: &Intent) -> bool {
        self.id.is_some()
            && found.record.as_ref().is_some_and(|record| {
                record.created == Record::UNKNOWN
                    && record.modified >= intent.prepared_at
                    && record.external_id.is_none()
                    && record.shadow.is_empty()
            })
    }

    /// Whether every field that the create call writes reads back as wished.
    ///
    /// Compared is what the application was sent: parts of the wish that it has no field for (`primary`, say) never come
    /// back and say nothing.
    async fn is_as_wished(&self, found: &Joined, scim_id: &ScimId) -> Result<bool, Error> {
        let (ctx, t) = (self.ctx, self.t);
        let Some(operation) = &t.create else {
            return Ok(false);
        };
        let wish = outbound(ctx, t, &self.wish).await?;
        let mut names = self.names(scim_id);
        names.resource(&wish);
        let fields = write::fields(t, operation, &wish, Wish::Create, None, &names)?;
        let read = |object: &Value| {
            let read = read::read(t, object, &ctx.mapping().settings, |path| {
                self.wish.0.contains_key(&path.attribute) || path.schema.is_some()
            });
            Value::Object(read.resource.0)
        };
        Ok(shows(&read(&found.object), &read(&Value::Object(fields))))
    }

    /// Whether an object that was found by its match attribute has a name or an address that is not the wished one.
    fn names_another(&self, there: &Map<String, Value>) -> bool {
        ["userName", "displayName", "name", "emails"]
            .into_iter()
            .filter(|name| *name != self.t.match_attribute.attribute)
            .any(|name| match (there.get(name), self.wish.0.get(name)) {
                (Some(there), Some(wished)) => !agrees(there, wished),
                _ => false,
            })
    }

    /// Finishes an interrupted create: only what is missing is sent.
    pub(super) async fn finish(&self, found: Joined, scim_id: &ScimId) -> Result<Joined, Error> {
        let mut record = self.record(scim_id, &found.target_id);
        record.created = found
            .record
            .as_ref()
            .map_or(record.created, |record| record.created);
        let wish = self.wish_for(&found).await?;
        let wish = self.with_open_password(wish);
        self.bring_about(found, record, wish, |_| true).await
    }

    /// A create that meets an account: by policy a conflict, or the account becomes the client's.
    pub(super) async fn meet(&self, found: Joined, scim_id: &ScimId) -> Result<Joined, Error> {
        let is_tombstone = was_deleted(&found);
        if let Some(refusal) = self.refusal(&found, scim_id) {
            self.give_up(scim_id).await?;
            return Err(refusal);
        }
        let fresh = self.record(scim_id, &found.target_id);
        let record = match found.record.clone() {
            // The application's own id serves: it cannot be another one this time.
            Some(record) if self.t.id.is_stable => Record {
                is_deleted: false,
                external_id: fresh.external_id,
                shadow: fresh.shadow,
                ..record
            },
            _ => Record {
                created: Record::UNKNOWN,
                ..fresh
            },
        };
        let wish = self.wish_for(&found).await?;
        // First contact never writes what identifies the account (promise S4).
        self.bring_about(found, record, wish, |path| {
            is_tombstone || !is_identity(path)
        })
        .await
    }

    /// Why an account that has the name is not the client's to have; absent if it comes back, or becomes the client's.
    fn refusal(&self, found: &Joined, scim_id: &ScimId) -> Option<Error> {
        // What it has is somebody else's, who lives on under another name.
        if is_left_to_another(found.record.as_ref(), scim_id) {
            return Some(self.duplicate(None));
        }
        if was_deleted(found) {
            return None;
        }
        let is_linked = found.record.is_some();
        let is_gone = read::is_gone(self.t, &found.object, &self.ctx.mapping().settings);
        let is_inactive = is_gone || found.resource.0.get("active") == Some(&Value::Bool(false));
        let may_adopt = match self.ctx.mapping().policy.on_existing {
            OnExisting::Conflict => false,
            OnExisting::Adopt => self.is_in_verified_domain(found),
            OnExisting::Reactivate => is_inactive && self.is_in_verified_domain(found),
        };
        match is_gone {
            _ if may_adopt && !is_linked => None,
            true => Some(self.gone()),
            false => Some(self.duplicate(is_linked.then_some(&found.scim_id))),
        }
    }

    /// Sees that nobody else has the name, before anything is done for it. What an interrupted attempt made is the resource's own.
    ///
    /// # Errors
    ///
    /// 409 `uniqueness` as a create would be answered; what the look-up fails with.
    pub(super) async fn must_be_free_for(&self, scim_id: &ScimId) -> Result<(), Error> {
        let (ctx, name) = (self.ctx, self.type_name());
        let intent = ctx.store.intent(ctx.id(), name, &self.match_key).await?;
        let is_own = intent.is_some_and(|intent| intent.scim_id == *scim_id);
        if is_own || !self.can_look_up() {
            return Ok(());
        }
        let found = self.look_up().await?;
        let refusal = found.and_then(|found| self.refusal(&found, scim_id));
        refusal.map_or(Ok(()), Err)
    }

    fn is_in_verified_domain(&self, found: &Joined) -> bool {
        let domains = &self.ctx.mapping().client.domains;
        let emails = found
            .resource
            .0
            .get("emails")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let mut addresses: Vec<&str> = emails
            .filter_map(|email| email.get("value")?.as_str())
            .collect();
        addresses.extend(
            found
                .resource
                .0
                .get("userName")
                .and_then(Value::as_str)
                .filter(|name| address::is_address_like(name)),
        );
        !domains.is_empty()
            && !addresses.is_empty()
            && addresses
                .iter()
                .all(|address| domains.judge(address) == Verdict::Admitted)
    }

    /// An account that was deleted comes back without the groups that it had (see [`leave`]).
    async fn leave_groups(&self, found: &Joined) -> Result<(), Error> {
        let (ctx, t) = (self.ctx, self.t);
        if t.resource_type.name != "User" || ctx.journey.is_dry {
            return Ok(());
        }
        // What a list shows of an account may be less than there is.
        let object = object_of(ctx, t, &located(found)).await?;
        let whole = Joined {
            object: object.unwrap_or_else(|| found.object.clone()),
            ..found.clone()
        };
        for group in leave::groups_of(ctx, t, &whole, Search::Everywhere).await? {
            leave::leave(ctx, &found.scim_id, &group).await?;
        }
        Ok(())
    }

    /// The wish for an account that comes back: with what a new one gets, open unless it is wished otherwise, and with a
    /// password, which nobody shows.
    fn like_a_new_one(&self) -> Result<Resource, Error> {
        let (ctx, t) = (self.ctx, self.t);
        let settings = &ctx.mapping().settings;
        let mut wish = write::with_defaults(t, &self.wish, settings, &ctx.names())?;
        let active = wish.0.entry("active");
        active.or_insert(Value::Bool(true));
        let password = wish.0.get("password").cloned();
        let mut wish = prune::prune(ctx, t, wish);
        wish.0
            .extend(password.map(|password| ("password".to_owned(), password)));
        Ok(wish)
    }

    /// Takes out what the application can be told of and had from whoever was deleted: the next one of the name may be somebody else.
    fn disown(&self, resource: &mut Resource) {
        for rule in &self.t.attributes {
            let leaf = rule.location.leaf();
            if rule.is_written() && !confirm::is_active(&leaf) {
                place::remove(&mut resource.0, &leaf);
            }
        }
    }

    /// What is wished of an object that is there: of one that was deleted, all that a new one gets.
    async fn wish_for(&self, found: &Joined) -> Result<Resource, Error> {
        if !was_deleted(found) {
            let mut wish = self.wish.clone();
            if self.ctx.mapping().policy.on_existing == OnExisting::Reactivate {
                wish.0.entry("active").or_insert(Value::Bool(true));
            }
            return Ok(prune::prune(self.ctx, self.t, wish));
        }
        self.leave_groups(found).await?;
        self.like_a_new_one()
    }

    /// The wish with its password, where an interrupted create may have ended before the call that sets it: nobody shows whether it
    /// was made. A create of one call has set it or nothing.
    fn with_open_password(&self, mut wish: Resource) -> Resource {
        let (t, password) = (self.t, self.wish.0.get("password"));
        let after = plan::after_create(t, &self.wish).steps.into_iter();
        let is_set_after = after
            .flat_map(|step| step.covers)
            .any(|path| is_password(&path));
        if let Some(password) = password.filter(|_| is_set_after || self.has_several_calls()) {
            wish.0.insert("password".to_owned(), password.clone());
        }
        wish
    }

    /// Changes an object that exists into what is wished, as far as `may_write` lets it, and commits.
    async fn bring_about(
        &self,
        mut found: Joined,
        mut record: Record,
        wish: Resource,
        may_write: impl Fn(&AttributePath) -> bool,
    ) -> Result<Joined, Error> {
        let (ctx, t) = (self.ctx, self.t);
        // What the wish does not name stays as the application made it, unless somebody else may have had it.
        let mut wanted = found.resource.clone();
        if was_deleted(&found) {
            self.disown(&mut wanted);
        }
        for (name, value) in &wish.0 {
            wanted.0.insert(name.clone(), value.clone());
        }
        let known = unfinished::known(&found);
        let changed: Vec<AttributePath> = diff::changed(&t.resource_type, &known, &wanted)
            .into_iter()
            .filter(may_write)
            .collect();
        let plan = plan::update(t, &wanted, &changed);
        if plan.dropped.iter().any(is_password) {
            ctx.note(
                "N11",
                "not set, since no `update` or `set-password` can: password".to_owned(),
            );
        }
        stash::take(ctx, t, &plan, &mut found, true).await?;
        stash::carry(found.record.as_ref(), &mut record.shadow, &wanted);
        apply::apply(ctx, t, &plan, &found, &wanted).await?;
        let add = member_ids(self.wish.0.get("members"));
        if !add.is_empty() {
            let present = members::read(ctx, t, &found).await?.values;
            let present = member_ids(Some(&Value::Array(present)));
            let missing = add
                .iter()
                .filter(|id| !present.contains(id))
                .cloned()
                .collect();
            let change = members::Change {
                add: missing,
                remove: Vec::new(),
                all: Some(add),
                held: None,
            };
            members::apply(ctx, t, &located(&found), &change).await?;
        }
        let object = object_of(ctx, t, &located(&found))
            .await?
            .unwrap_or(found.object.clone());
        let is_open = changed.iter().any(confirm::is_active)
            && confirm::is_open_unwished(ctx, t, &wanted, &object);
        if is_open {
            unfinished::mark_in(&mut record, [confirm::active()].iter());
        }
        let stays_gone = read::is_gone(t, &object, &ctx.mapping().settings) && !ctx.journey.is_dry;
        if stays_gone {
            self.give_up(&record.scim_id).await?;
            return Err(self.gone());
        }
        self.commit(&record).await?;
        if is_open {
            return Err(confirm::still_open());
        }
        let joined = join_one(ctx, t, object, Some(record)).await?;
        let joined = joined.unwrap_or(found);
        confirm::tell_differences(ctx, t, &wanted, Some(&changed), &joined, Shown::ByGet);
        Ok(joined)
    }
}

/// Whether an account was deleted through here, and is to come back.
fn was_deleted(found: &Joined) -> bool {
    let record = found.record.as_ref();
    record.is_some_and(|record| record.is_deleted)
}

/// Whether two values of an attribute may be one person's: what is empty says nothing, and one address that both have is enough.
fn agrees(there: &Value, wished: &Value) -> bool {
    match (there, wished) {
        (Value::Null, _) => true,
        (Value::String(text), _) if text.is_empty() => true,
        (Value::Object(there), Value::Object(wished)) => there
            .iter()
            .all(|(name, value)| wished.get(name).is_none_or(|wished| agrees(value, wished))),
        (Value::Array(there), Value::Array(wished)) => {
            let has = |element: &Value, other: &Value| shows(&other["value"], &element["value"]);
            there.is_empty()
                || there
                    .iter()
                    .any(|element| wished.iter().any(|wished| has(element, wished)))
        }
        (there, wished) => shows(there, wished),
    }
}

fn is_password(path: &AttributePath) -> bool {
    path.schema.is_none() && path.attribute == "password"
}

fn is_identity(path: &AttributePath) -> bool {
    path.schema.is_none() && matches!(path.attribute.as_str(), "userName" | "emails" | "password")
}

/// How far the application's clock may be behind ours.
const CLOCK_SKEW: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);

/// Marks an account that a rename has left behind (`on-rename = "recreate"`): it is this user's, who may go back to it.
pub fn leave_to(tombstone: &mut Record, owner: &ScimId) {
    tombstone
        .shadow
        .insert(LEFT_TO.into(), json!(owner.as_str()));
}

fn is_left_to_another(record: Option<&Record>, scim_id: &ScimId) -> bool {
    let owner = record.and_then(|record| record.shadow.get(LEFT_TO)?.as_str());
    owner.is_some_and(|owner| owner != scim_id.as_str())
}

/// No attribute has such a name.
const LEFT_TO: &str = "$left-to";
