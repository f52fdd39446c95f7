//! The habits of identity providers, evened out.
//!
//! In: query strings, filters and bodies as a client sent them. Out: RFC form, with a note for each thing that was mended.
//! Knows schemas; nothing of HTTP, tenants, targets or what a resource holds at present.
//!
//! What is known about each client stands in [`catalogue`]; how it is mended stands in `quirks`, one idea per file;
//! `docs/dialects.md` is the page for operators.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::Value;

use crate::{
    exchange::Notes,
    scim::{self, Filter, Resource, ResourceType, patch::PatchRequest, replace::ReplaceRules},
};

mod address;
mod answers;
mod catalogue;
mod context;
mod filters;
mod grants;
mod habits;
mod idp;
mod media;
mod patch;
mod paths;
mod patience;
mod query;
mod quirks;
mod replace;
mod resource;
mod schemas;
mod values;

pub use answers::{AnswerTaste, PatchAnswer};
pub use catalogue::{Kind, Quirk, catalogue, find, is_known, markdown};
pub use grants::GroupGrant;
pub use habits::{Learner, Observed};
pub use idp::Idp;
pub use patience::Patience;

use context::Mender;
use quirks::Mending;
use values::Purpose;

/// How a tenant wants its client read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Who the client is; absent means that its `User-Agent` and its habits are asked (`idp = "auto"`).
    pub idp: Option<Idp>,
    /// Nothing is mended: what RFC 7643 and RFC 7644 do not allow is refused.
    pub is_strict: bool,
    /// Names of quirks (`ENTRA-17`) or rules (`N13`) that are switched off; [`is_known`] tells which there are.
    ///
    /// A quirk's name counts for its own client and for a client that is not recognised; a rule's name for everyone.
    pub off: BTreeSet<String>,
}

/// How one client's requests are read. Cheap to clone.
///
/// What only widens what is accepted holds for every client. What gives a conforming request another
/// meaning depends on who the client is, and never on what a single request looks like.
#[derive(Debug, Clone)]
pub struct Dialect {
    idp: Option<Idp>,
    is_strict: bool,
    off: Arc<BTreeSet<String>>,
}

impl Dialect {
    /// The dialect a tenant's settings ask for.
    pub fn new(settings: &Settings) -> Self {
        Self {
            idp: settings.idp,
            is_strict: settings.is_strict,
            off: Arc::new(settings.off.clone()),
        }
    }

    /// The dialect of one request: who the client is, by the settings, else by its `User-Agent` header.
    pub fn recognise(&self, user_agent: Option<&str>) -> Self {
        Self {
            idp: self
                .idp
                .or_else(|| user_agent.and_then(Idp::from_user_agent)),
            ..self.clone()
        }
    }

    /// The dialect of one request of a client that its habits have made known; what the settings or its `User-Agent`
    /// say counts more.
    pub fn recognised_as(&self, idp: Idp) -> Self {
        Self {
            idp: self.idp.or(Some(idp)),
            ..self.clone()
        }
    }

    /// Who the client is; absent if neither the settings nor its `User-Agent` say.
    pub fn idp(&self) -> Option<Idp> {
        self.idp
    }

    /// Whether nothing is mended.
    pub fn is_strict(&self) -> bool {
        self.is_strict
    }

    /// A path with single slashes, and the base path once; absent if it is so already, or must stay as it is.
    pub fn plain_path(&self, path: &str, bases: &[&str], notes: &mut Notes) -> Option<String> {
        address::plain(self, path, bases, notes)
    }

    /// Whether a body of this `Content-Type` is read as JSON; an absent header is an empty text.
    pub fn is_json(&self, content_type: &str, notes: &mut Notes) -> bool {
        media::is_json(self, content_type, notes)
    }

    /// Decodes a raw query string into names and values, in order.
    ///
    /// `None` and an empty text are no parameters. A parameter without `=` has an empty value. Bytes that
    /// are not UTF-8 become U+FFFD, so that a filter made of them matches nobody.
    pub fn query_pairs(&self, raw_query: Option<&str>, notes: &mut Notes) -> Vec<(String, String)> {
        query::pairs(self, raw_query.unwrap_or_default(), notes)
    }

    /// Reads a filter and puts its names and values in the schema's form.
    ///
    /// # Errors
    ///
    /// `invalidFilter` for what cannot be understood, an unknown attribute included: never a filter that matches more.
    pub fn filter(
        &self,
        rt: &ResourceType,
        text: &str,
        notes: &mut Notes,
    ) -> Result<Filter, scim::Error> {
        self.filter_among(rt, &[], text, notes)
    }

    /// As [`filter`](Self::filter), for one of several types that are queried together: an attribute that only others have
    /// stays as it is.
    pub fn filter_among(
        &self,
        rt: &ResourceType,
        among: &[&ResourceType],
        text: &str,
        notes: &mut Notes,
    ) -> Result<Filter, scim::Error> {
        if self.is_strict {
            return Ok(Filter::parse(text)?);
        }
        let mut mender = Mender::new(self, rt, notes);
        mender.among = among;
        filters::read(&mut mender, text)
    }

    /// Puts the body of a POST (`is_create`) or PUT in RFC form, ready for [`scim::intake::resource`].
    ///
    /// Names are in the schema's spelling. A null that is left says that the client named the attribute
    /// without a value; see [`Dialect::replace_rules_for`].
    ///
    /// # Errors
    ///
    /// `invalidSyntax` for a body of SCIM 1.1 from a client known to mean it.
    pub fn resource(
        &self,
        rt: &ResourceType,
        value: Value,
        is_create: bool,
        notes: &mut Notes,
    ) -> Result<Value, scim::Error> {
        if self.is_strict {
            return Ok(value);
        }
        let purpose = if is_create {
            Purpose::Create
        } else {
            Purpose::Replace
        };
        resource::mend(&mut Mender::new(self, rt, notes), value, purpose)
    }

    /// Puts the body of a PATCH in RFC form: one attribute per operation, each with a path.
    ///
    /// `resource_id` is the id in the URL, which a body may repeat. A request of which nothing is left
    /// (all its attributes unknown or read-only) has no operations and changes nothing.
    ///
    /// # Errors
    ///
    /// `invalidSyntax`, `invalidPath`, `noTarget` for what is no PATCH; `mutability` for another id than the
    /// resource's; `invalidValue` for a removal that does not say what it means.
    pub fn patch(
        &self,
        rt: &ResourceType,
        resource_id: Option<&str>,
        value: Value,
        notes: &mut Notes,
    ) -> Result<PatchRequest, scim::Error> {
        if self.is_strict {
            return PatchRequest::parse(value);
        }
        patch::read(&mut Mender::new(self, rt, notes), resource_id, value)
    }

    /// What a PUT keeps of the present resource although it is left out, whatever the body says.
    pub fn replace_rules(&self, rt: &ResourceType) -> ReplaceRules {
        replace::rules(self, rt, None)
    }

    /// What a PUT with this body keeps of the present resource: as [`Dialect::replace_rules`], except what the
    /// body names without a value.
    ///
    /// `body` is what [`Dialect::resource`] returned. Afterwards a list that was sent empty (`members: []`,
    /// which clears it) can no longer be told from one that was left out (which keeps it).
    pub fn replace_rules_for(
        &self,
        rt: &ResourceType,
        body: &Value,
        notes: &mut Notes,
    ) -> ReplaceRules {
        let rules = replace::rules(self, rt, Some(body));
        replace::note_kept(self, &rules, body, notes);
        rules
    }

    /// Notes the elements that a PATCH will make since its value paths match nothing in the resource as it is.
    pub fn note_made_elements(
        &self,
        rt: &ResourceType,
        request: &PatchRequest,
        old: &Resource,
        notes: &mut Notes,
    ) {
        quirks::missing_element::note(&mut Mender::new(self, rt, notes), request, old);
    }

    /// Corrects what a PUT repeated from an earlier answer although it no longer holds.
    ///
    /// To be applied to what [`scim::replace::replace`] returned; `old` is the resource as it was.
    pub fn settle_replace(
        &self,
        rt: &ResourceType,
        old: &Resource,
        new: Resource,
        notes: &mut Notes,
    ) -> Resource {
        quirks::stale_name::settle(&mut Mender::new(self, rt, notes), old, new)
    }

    /// Takes the operations on a user's `groups` out of a PATCH: they are meant for the groups' members.
    ///
    /// RFC 7643 §4.1.2 has `groups` read-only, so what is left in the request would be refused.
    pub fn group_grants(
        &self,
        rt: &ResourceType,
        request: &mut PatchRequest,
        notes: &mut Notes,
    ) -> Vec<GroupGrant> {
        grants::take(&mut Mender::new(self, rt, notes), request)
    }

    /// How this client wants its requests answered.
    pub fn answers(&self, rt: &ResourceType) -> AnswerTaste {
        answers::taste(self, rt)
    }

    /// Whether 429 and 503 say the wait in `x-rate-limit-retry-after-seconds` too (SAILPOINT-07), beside `Retry-After`.
    pub fn wants_rate_limit_headers(&self) -> bool {
        !self.is_strict && self.idp == Some(Idp::SailPoint)
    }

    /// How long this client waits for an answer (R11); absent if nobody knows. The same with `strict`: it mends nothing.
    pub fn patience(&self) -> Option<Patience> {
        let patience = self.idp.and_then(Patience::of)?;
        let is_off = self.off.contains(patience.quirk) || self.off.contains(patience::RULE);
        Some(patience).filter(|_| !is_off)
    }

    /// Whether an `Authorization` header may hold the token alone, without `Bearer`.
    pub fn bare_token(&self) -> bool {
        self.is_on(&quirks::BARE_TOKEN)
    }

    /// Notes that the token stood alone.
    pub fn note_bare_token(&self, notes: &mut Notes) {
        let message = "`Authorization` held the token without `Bearer`".to_owned();
        context::note(self, notes, &quirks::BARE_TOKEN, message);
    }

    /// Whether something is mended for this client.
    fn is_on(&self, mending: &Mending) -> bool {
        if self.is_strict || self.off.contains(mending.rule) {
            return false;
        }
        let is_off = mending
            .ids
            .iter()
            .any(|id| self.is_named_by(id) && self.off.contains(*id));
        !is_off && mending.scope.includes(self.idp, mending.ids)
    }

    /// The name under which something is noted: the client's own, else the rule's.
    fn name_of(&self, mending: &Mending) -> &'static str {
        let mut ids = mending.ids.iter();
        ids.find(|id| match Idp::of_quirk(id) {
            None => true,
            of => of == self.idp,
        })
        .map_or(mending.rule, |id| *id)
    }

    /// Whether a quirk's name concerns this client. One that is not recognised may be anyone; one of nobody in particular
    /// (`ANY-01`) concerns everyone.
    fn is_named_by(&self, id: &str) -> bool {
        let of = Idp::of_quirk(id);
        self.idp.is_none() || of.is_none() || of == self.idp
    }
}

impl Default for Dialect {
    /// Lenient, for a client that its `User-Agent` may name.
    fn default() -> Self {
        Self::new(&Settings::default())
    }
}

#[cfg(test)]
mod tests;
