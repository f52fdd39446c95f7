//! POST of a resource (RFC 7644 §3.3), so that one wish never makes two accounts.
//!
//! 1. Take the body in, run the policies.
//! 2. Write the intent to the store: who comes second learns of it.
//! 3. Make the calls.
//! 4. Commit link, shadow attributes and the intent together, then answer.
//!
//! A create that was interrupted anywhere and is repeated finds its intent, looks the account up, finishes what is
//! missing, and answers 201 with the same id (`promises.md` B2).

mod existing;
mod send;

pub(super) use self::send::{located, member_ids};

pub use existing::leave_to;

use std::time::Duration;

use aws_lc_rs::digest;
use serde_json::Value;

use crate::{
    mapping::{
        expression::text_of,
        model::TypeMapping,
        write::{self, Wish},
    },
    scim::{Error, Projection, Resource, ScimType, diff},
    store::{Intent, IntentState, Prepared, ScimId},
};

use super::{
    answer::{Acknowledgement, Answer, Meta},
    apply,
    context::Context,
    get::{Want, fetch, with_parts},
    hold, intake,
    join::{Joined, folded},
    look_up, policy,
    rekey::SETTLES_WITHIN,
    taste::season,
    unfinished,
    unique::{self, Own},
};

/// Creates a resource out of a request's body.
///
/// # Errors
///
/// 409 `uniqueness` if it exists; 400 for what cannot be taken; 5xx if the target or the store failed, in which case
/// the same request may be sent again.
pub async fn create(
    ctx: &Context,
    t: &TypeMapping,
    body: Value,
    projection: &Projection,
) -> Result<Answer, Error> {
    if t.create.is_none() {
        return Err(cannot_create(t));
    }
    let wish = intake::created(ctx, t, body)?;
    let everything = diff::changed(&t.resource_type, &Resource::default(), &wish);
    policy::state(t, None, &wish)?;
    super::members::named(&wish)?;
    policy::check(ctx, t, None, &wish, &everything)?;
    look_up::before_writing(ctx, t, &wish, None).await?;
    write::check(t, &wish, &Wish::Create)?;
    let name = name_of(t, &wish)?;
    let match_key = folded(&name);
    // By what the application is to get, where that is known: two spellings of one account wait for each other.
    let account = write::name_in_application(t, &wish, &ctx.names());
    let account = account.as_ref().and_then(text_of);
    let account = account.map_or_else(|| match_key.clone(), |text| folded(&text));
    // As it is now: creates of one wish that meet at the lock are answered alike.
    let was_answered = was_answered(ctx, t, &match_key).await?;
    let _lock = ctx
        .lock(format!("{}+{account}", t.resource_type.name))
        .await?;
    apply::record_changes(ctx, &everything);
    let _unique = unique::check(ctx, t, &wish, &everything, Own::Name(&name)).await?;

    let create = Create {
        ctx,
        t,
        digest: digest_of(&wish),
        wish,
        name,
        match_key,
        id: None,
    };
    let joined = create.run(was_answered).await?;
    let said = hold::Said::everything();
    hold::keep(ctx, t, &joined.scim_id, &create.wish, &said).await?;
    hold::appeared(ctx, t, &joined).await;
    create.answer(joined, projection).await
}

/// Sees that another object could be made for a resource that exists: nobody else has its name.
///
/// # Errors
///
/// 409 `uniqueness`; what the look-up fails with.
pub async fn must_be_free(
    ctx: &Context,
    t: &TypeMapping,
    wish: &Resource,
    scim_id: &ScimId,
) -> Result<(), Error> {
    Create::under_id(ctx, t, wish.clone(), scim_id)?
        .must_be_free_for(scim_id)
        .await
}

/// Makes another object for a resource that exists: its SCIM id stays, the application's id is a new one.
///
/// # Errors
///
/// As for [`create`].
pub async fn under_id(
    ctx: &Context,
    t: &TypeMapping,
    mut wish: Resource,
    scim_id: &ScimId,
) -> Result<Joined, Error> {
    for name in ["id", "meta", "schemas", "groups"] {
        wish.0.shift_remove(name);
    }
    look_up::before_writing(ctx, t, &wish, None).await?;
    let create = Create::under_id(ctx, t, wish, scim_id)?;
    let intent = create.new_intent();
    match ctx
        .store
        .prepare(ctx.id(), create.type_name(), &intent, ctx.now)
        .await?
    {
        Prepared::Fresh => create.make(scim_id).await,
        Prepared::Existing(intent) if intent.scim_id == *scim_id => {
            create.resume(intent, false).await
        }
        Prepared::Existing(_) => Err(create.duplicate(None)),
    }
}

/// Whether a client has been told of a create of this name: who asks again after that asks for another account, whoever asks
/// before it may have lost the answer.
async fn was_answered(ctx: &Context, t: &TypeMapping, match_key: &str) -> Result<bool, Error> {
    let name = &t.resource_type.name;
    // Asked before the store is: what it acknowledges in between is seen there.
    if ctx.tenant.answered.contains(name, match_key) {
        return Ok(true);
    }
    let intent = ctx.store.intent(ctx.id(), name, match_key).await?;
    Ok(intent.is_some_and(|intent| intent.state == IntentState::Acknowledged))
}

fn cannot_create(t: &TypeMapping) -> Error {
    Error::new(
        501,
        format!(
            "The application cannot create a {} through its API.",
            t.resource_type.name
        ),
    )
}

/// A create whose fate nobody knows, of an object that cannot be looked up: made again, it might be there twice.
fn in_doubt(t: &TypeMapping) -> Error {
    Error {
        retry_after: Some(IN_DOUBT_RETRY),
        ..Error::new(
            503,
            format!(
                "Whether the application has made this {} is not known, and its mapping has no list or find to ask; its operator must look.",
                t.resource_type.name
            ),
        )
    }
}

fn name_of(t: &TypeMapping, wish: &Resource) -> Result<String, Error> {
    let name = wish
        .0
        .get(&t.match_attribute.attribute)
        .and_then(Value::as_str)
        .unwrap_or_default();
    if name.is_empty() {
        return Err(Error::of(
            ScimType::InvalidValue,
            format!("`{}` is required.", t.match_attribute.attribute),
        ));
    }
    Ok(name.to_owned())
}

/// Two requests with the same digest wish the same. The password is left out: not even its hash is kept.
fn digest_of(wish: &Resource) -> [u8; 32] {
    let is_wished = |name: &str| !matches!(name, "password" | "meta");
    let mut content = Vec::new();
    diff::write_canonical_object(
        wish.0.iter().filter(|(name, _)| is_wished(name)),
        &mut content,
    );
    let digest = digest::digest(&digest::SHA256, &content);
    let mut out = [0; 32];
    out.copy_from_slice(digest.as_ref());
    out
}

/// One create on its way.
struct Create<'a> {
    ctx: &'a Context,
    t: &'a TypeMapping,
    wish: Resource,
    name: String,
    match_key: String,
    digest: [u8; 32],
    /// The SCIM id, where it is given: a resource that gets another object.
    id: Option<ScimId>,
}

impl<'a> Create<'a> {
    /// The making of another object for a resource that exists.
    fn under_id(
        ctx: &'a Context,
        t: &'a TypeMapping,
        wish: Resource,
        scim_id: &ScimId,
    ) -> Result<Self, Error> {
        let name = name_of(t, &wish)?;
        Ok(Self {
            ctx,
            t,
            digest: digest_of(&wish),
            match_key: folded(&name),
            wish,
            name,
            id: Some(scim_id.clone()),
        })
    }
}

impl Create<'_> {
    async fn run(&self, was_answered: bool) -> Result<Joined, Error> {
        // What several calls make may stand there half-made one day: that nobody was there before tells whose it is.
        let looks_first = self.has_several_calls() && self.can_look_up();
        let found = match looks_first {
            true => self.look_up().await?,
            false => None,
        };
        let intent = self.new_intent();
        match self
            .ctx
            .store
            .prepare(self.ctx.id(), self.type_name(), &intent, self.ctx.now)
            .await?
        {
            Prepared::Existing(intent) => self.resume(intent, was_answered).await,
            Prepared::Fresh => match found {
                Some(found) => self.meet(found, &intent.scim_id).await,
                None if looks_first => self.make_new(&intent.scim_id).await,
                None => self.make(&intent.scim_id).await,
            },
        }
    }

    /// Whether more than one call of the create may change something.
    fn has_several_calls(&self) -> bool {
        let steps = self.t.create.iter().flat_map(|create| &create.steps);
        steps.filter(|step| !step.is_safe()).count() > 1
    }

    /// The id is chosen now if it is ours to choose, so that every repetition gives the same.
    fn new_intent(&self) -> Intent {
        let scim_id = match &self.id {
            Some(id) => id.clone(),
            None if self.t.id.is_stable => ScimId::new(""),
            None => ScimId::new(uuid::Uuid::new_v4().to_string()),
        };
        Intent {
            match_key: self.match_key.clone(),
            digest: self.digest,
            scim_id,
            state: IntentState::Prepared,
            prepared_at: self.ctx.now,
            target_id: None,
        }
    }

    /// The same name was begun before: by a request whose answer got lost, or by one that was answered.
    async fn resume(&self, intent: Intent, was_answered: bool) -> Result<Joined, Error> {
        if intent.state == IntentState::Prepared {
            if !self.can_look_up() {
                return Err(in_doubt(self.t));
            }
            let found = match self.look_up().await? {
                None if self.may_be_under_way(&intent) => self.look_up_later(&intent).await?,
                found => found,
            };
            return match found {
                Some(found) if self.is_ours(&found, &intent).await? => {
                    self.finish(found, &intent.scim_id).await
                }
                Some(found) => self.meet(found, &intent.scim_id).await,
                None => self.make_new(&intent.scim_id).await,
            };
        }
        match self.present(&intent).await? {
            Some(joined)
                if intent.state == IntentState::Applied
                    && !was_answered
                    && unfinished::is_marked(&joined) =>
            {
                self.finish(joined, &intent.scim_id).await
            }
            Some(joined) if intent.digest == self.digest && !was_answered => Ok(joined),
            Some(joined) => Err(self.duplicate(Some(&joined.scim_id))),
            None => self.start_over(&intent).await,
        }
    }

    /// Whether the call of an interrupted create may still be under way: begun by a replica that has died since, a moment ago.
    fn may_be_under_way(&self, intent: &Intent) -> bool {
        self.ctx.store.is_shared() && !self.ctx.journey.is_dry && self.age(intent) < SETTLES_WITHIN
    }

    fn age(&self, intent: &Intent) -> Duration {
        let age = self.ctx.now.duration_since(intent.prepared_at);
        Duration::try_from(age).unwrap_or_default()
    }

    /// Looks again when the application has had its time.
    async fn look_up_later(&self, intent: &Intent) -> Result<Option<Joined>, Error> {
        tokio::time::sleep(SETTLES_WITHIN.saturating_sub(self.age(intent))).await;
        self.look_up().await
    }

    /// Whether the application can be asked for an object by its name.
    fn can_look_up(&self) -> bool {
        let t = self.t;
        t.find_of_name().is_some() || !t.lists.is_empty() || self.ctx.journey.is_dry
    }

    /// The resource was deleted or renamed in the application meanwhile: the name is free again.
    async fn start_over(&self, stale: &Intent) -> Result<Joined, Error> {
        let ctx = self.ctx;
        ctx.store
            .abandon(ctx.id(), self.type_name(), &self.match_key, &stale.scim_id)
            .await?;
        let intent = self.new_intent();
        match ctx
            .store
            .prepare(ctx.id(), self.type_name(), &intent, ctx.now)
            .await?
        {
            Prepared::Fresh => self.make(&intent.scim_id).await,
            Prepared::Existing(_) => Err(self.duplicate(None)),
        }
    }

    /// The resource of a finished intent, if it still is there under this name.
    async fn present(&self, intent: &Intent) -> Result<Option<Joined>, Error> {
        match fetch(self.ctx, self.t, intent.scim_id.as_str(), Want::NEITHER).await {
            Ok(joined) => {
                let name = joined
                    .resource
                    .0
                    .get(&self.t.match_attribute.attribute)
                    .and_then(Value::as_str);
                Ok(name
                    .is_some_and(|name| folded(name) == self.match_key)
                    .then_some(joined))
            }
            Err(error) if error.status == 404 => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// 409, with the id of the one that exists where the client may know it.
    fn duplicate(&self, id: Option<&ScimId>) -> Error {
        let which = id
            .map(|id| format!(" (id {})", id.as_str()))
            .unwrap_or_default();
        Error::of(
            ScimType::Uniqueness,
            format!(
                "A {} with this `{}` exists already{which}.",
                self.type_name(),
                self.t.match_attribute.attribute
            ),
        )
    }

    /// 409 for a name that is held by what the mapping calls gone: no filter finds it, so the words must say it.
    fn gone(&self) -> Error {
        Error::of(
            ScimType::Uniqueness,
            format!(
                "The application holds this `{}` still, for a {} that was deleted or erased there (`gone` in its mapping): the name is not free. Its operator can free the name, or let a create bring such an account back (`on-existing = \"reactivate\"`).",
                self.t.match_attribute.attribute,
                self.type_name(),
            ),
        )
    }

    async fn answer(&self, joined: Joined, projection: &Projection) -> Result<Answer, Error> {
        let id = joined.scim_id.as_str().to_owned();
        let has_members = joined.resource.0.contains_key("members");
        let want = Want {
            members: projection.wants("members")
                && !has_members
                && self.wish.0.contains_key("members"),
            // An account that is only planned is in no group yet.
            groups: !self.ctx.journey.is_dry
                && projection.wants("groups")
                && self.ctx.dialect.answers(&self.t.resource_type).lists_groups,
        };
        let mut joined = with_parts(self.ctx, self.t, joined, want).await?;
        season(self.ctx, self.t, &mut joined.resource);
        let meta = Meta::of(&joined.resource.0);
        let body = projection.apply(&self.t.resource_type, joined.resource.0);
        let acknowledges = Acknowledgement {
            resource_type: self.type_name().to_owned(),
            match_key: self.match_key.clone(),
            id,
        };
        Ok(Answer {
            acknowledges: Some(acknowledges),
            ..Answer::resource(201, body, meta)
        })
    }

    fn type_name(&self) -> &str {
        &self.t.resource_type.name
    }
}

/// When a client should ask again about what only a person can find out.
const IN_DOUBT_RETRY: Duration = Duration::from_secs(300);
