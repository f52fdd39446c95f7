//! Policies, run on what changes and never on how the request was spelled (promise S12).

use serde_json::Value;

use crate::{
    mapping::model::{MostChanges, OnRename, Shrink, TypeMapping},
    scim::{AttributePath, Error, Resource, ScimType},
    target::ScanSource,
};

use super::context::Context;

/// Refuses to lock somebody out where nothing could do it: a 2xx would be taken for done (promise S17).
///
/// `before` is what the client was last shown; absent for a create.
///
/// # Errors
///
/// 501 if `active` is to become false, and the mapping has no `deactivate`, and no line that writes or keeps it.
pub fn state(t: &TypeMapping, before: Option<&Resource>, new: &Resource) -> Result<(), Error> {
    let is_false = |resource: &Resource| resource.0.get("active") == Some(&Value::Bool(false));
    let is_wanted = is_false(new) && !before.is_some_and(is_false);
    let can = t.deactivate.is_some()
        || t.attributes.iter().any(|line| {
            let path = &line.location.path;
            let is_active = path.schema.is_none() && path.attribute == "active";
            is_active && (line.is_kept || line.write.is_some())
        });
    if t.resource_type.name != "User" || !is_wanted || can {
        return Ok(());
    }
    Err(Error::new(
        501,
        "The application cannot deactivate users; it can only delete them, or not even that.",
    ))
}

/// Runs every policy on a change.
///
/// # Errors
///
/// The refusal, in words for the client's administrator.
pub fn check(
    ctx: &Context,
    t: &TypeMapping,
    new: &Resource,
    changed: &[AttributePath],
    is_create: bool,
) -> Result<(), Error> {
    if t.resource_type.name == "User" {
        domains(ctx, new, changed, is_create)?;
        protected(ctx, t, new)?;
    }
    let is_renamed = !is_create
        && changed
            .iter()
            .any(|path| path.schema.is_none() && path.attribute == t.match_attribute.attribute);
    if is_renamed
        && t.resource_type.name == "User"
        && ctx.mapping().policy.on_rename == OnRename::Reject
    {
        let detail = format!(
            "The application identifies an account by `{}`, which cannot be changed there.",
            t.match_attribute.attribute
        );
        return Err(Error::of(ScimType::Mutability, detail));
    }
    Ok(())
}

/// A name that is protected can be neither made nor taken.
fn protected(ctx: &Context, t: &TypeMapping, new: &Resource) -> Result<(), Error> {
    let name = new
        .0
        .get(&t.match_attribute.attribute)
        .and_then(Value::as_str)
        .unwrap_or_default();
    let is_protected = ctx
        .mapping()
        .policy
        .protected
        .iter()
        .any(|other| other.to_lowercase() == name.to_lowercase());
    if is_protected {
        return Err(Error::new(
            403,
            "This account is protected by the operator and is not provisioned.",
        ));
    }
    Ok(())
}

fn domains(
    ctx: &Context,
    new: &Resource,
    changed: &[AttributePath],
    is_create: bool,
) -> Result<(), Error> {
    let allowed = &ctx.mapping().client.domains;
    if allowed.is_empty() {
        return Ok(());
    }
    let concerns = |name: &str| {
        is_create
            || changed
                .iter()
                .any(|path| path.schema.is_none() && path.attribute == name)
    };
    let mut addresses: Vec<(&str, &str)> = Vec::new();
    if concerns("userName") {
        let name = new.0.get("userName").and_then(Value::as_str);
        let name = name.filter(|name| name.contains('@'));
        addresses.extend(name.map(|name| ("userName", name)));
    }
    if concerns("emails") {
        let emails = new
            .0
            .get("emails")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let values = emails.filter_map(|email| email.get("value").and_then(Value::as_str));
        addresses.extend(values.map(|value| ("emails", value)));
    }
    let refused = |detail: String| Err(Error::of(ScimType::InvalidValue, detail));
    for (attribute, address) in addresses {
        if domain_of(address).is_none() {
            return refused(format!(
                "`{attribute}` has a value that is no plain e-mail address; this tenant may only provision addresses of its domains."
            ));
        }
        if !is_in(address, allowed) {
            return refused(format!(
                "An address (`{attribute}`) is outside the domains that this tenant may provision."
            ));
        }
    }
    Ok(())
}

/// Whether an address belongs to one of the domains; what cannot be read as a plain address does not.
pub fn is_in(address: &str, allowed: &[String]) -> bool {
    let Some(domain) = domain_of(address) else {
        return false;
    };
    allowed
        .iter()
        .any(|pattern| match pattern.strip_prefix("*.") {
            Some(parent) => canonical(parent).is_some_and(|parent| {
                domain
                    .strip_suffix(&parent)
                    .is_some_and(|rest| rest.ends_with('.'))
            }),
            None => canonical(pattern).is_some_and(|pattern| pattern == domain),
        })
}

/// The domain of a plain address, canonical; absent if it is none.
fn domain_of(address: &str) -> Option<String> {
    let is_unfit = |c: char| c.is_control() || c.is_whitespace() || INVISIBLE.contains(&c);
    if address.len() > MAX_ADDRESS_BYTES || address.chars().any(is_unfit) {
        return None;
    }
    let (local, domain) = address.rsplit_once('@')?;
    if local.is_empty() || local.contains(['@', '"']) {
        return None;
    }
    canonical(domain)
}

/// A domain in its ASCII form (IDNA), lower case; absent if it is none.
fn canonical(domain: &str) -> Option<String> {
    match url::Host::parse(domain.strip_suffix('.').unwrap_or(domain)).ok()? {
        url::Host::Domain(domain) if !domain.ends_with('.') => Some(domain),
        _ => None,
    }
}

/// Counts an account that is about to be locked or deleted.
///
/// # Errors
///
/// 503 once there were too many within the operator's window: the client tries again later, and the operator is called.
pub async fn count_loss(ctx: &Context, t: &TypeMapping) -> Result<(), Error> {
    let Some(limit) = ctx
        .mapping()
        .policy
        .most_changes
        .as_ref()
        .filter(|_| t.resource_type.name == "User" && !ctx.journey.is_dry)
    else {
        return Ok(());
    };
    let Some(most) = most_losses(ctx, t, limit).await? else {
        return Ok(());
    };
    ctx.tenant.pace.count(ctx.now, most, limit.window).map_err(|wait| {
        let tenant = ctx.id().as_str();
        tracing::error!(tenant, most, "too many accounts were locked or deleted: the tenant's deactivations are paused");
        Error {
            status: 503,
            scim_type: None,
            detail: "More accounts were deactivated or deleted than the operator allows in this time; deactivations are paused.".into(),
            retry_after: Some(wait),
        }
    })
}

/// How many accounts may be lost in a window; absent if that cannot be told.
async fn most_losses(
    ctx: &Context,
    t: &TypeMapping,
    limit: &MostChanges,
) -> Result<Option<u64>, Error> {
    let Some(percent) = limit.percent.filter(|_| !t.lists.is_empty()) else {
        return Ok(limit.deactivations);
    };
    let pace = &ctx.tenant.pace;
    let size = match pace.size(ctx.now, limit.window) {
        Some(size) => size,
        None => match count_users(ctx, t).await {
            Ok(size) => {
                pace.keep_size(ctx.now, size);
                size
            }
            Err(error) if limit.deactivations.is_none() => return Err(error),
            Err(error) => {
                let (tenant, status) = (ctx.id().as_str(), error.status);
                tracing::warn!(
                    tenant,
                    status,
                    "the application's users could not be counted; `percent` is left aside"
                );
                return Ok(limit.deactivations);
            }
        },
    };
    let share = (size.saturating_mul(u64::from(percent)) / 100).max(1);
    Ok(Some(
        limit.deactivations.map_or(share, |most| most.min(share)),
    ))
}

/// How many users the application says it has. One that does not say is counted, as far as it goes: too few make the limit
/// stricter, never looser.
async fn count_users(ctx: &Context, t: &TypeMapping) -> Result<u64, Error> {
    let names = ctx.names();
    let mut scan = ctx.driver().scan(ScanSource::Lists(&t.lists), &names);
    let mut counted = 0;
    for _ in 0..MOST_COUNTED_PAGES {
        let Some(page) = scan.next_page(&ctx.journey).await? else {
            break;
        };
        if let Some(total) = page.total {
            return Ok(total);
        }
        counted += page.items.len() as u64;
    }
    Ok(counted)
}

/// Refuses a group that would lose too many of its members at once, unless the client said so explicitly.
pub fn shrink(guard: Option<Shrink>, before: usize, removed: usize) -> Result<(), Error> {
    let Some(guard) = guard else { return Ok(()) };
    let is_too_much =
        removed > guard.members && removed * 100 > before * usize::from(guard.percent);
    if is_too_much {
        return Err(Error::new(
            403,
            "The group would lose more of its members at once than its operator allows; ask the operator to raise `max-shrink`.",
        ));
    }
    Ok(())
}

/// Pages read to count the users of an application that does not say how many it has.
const MOST_COUNTED_PAGES: usize = 50;

/// RFC 5321's limit of a path, with room for the brackets.
const MAX_ADDRESS_BYTES: usize = 256;

/// Characters that nobody sees: zero-width spaces and joiners, the byte order mark, direction marks.
const INVISIBLE: [char; 8] = [
    '\u{200b}', '\u{200c}', '\u{200d}', '\u{feff}', '\u{200e}', '\u{200f}', '\u{2060}', '\u{00ad}',
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_allowed_domains_pass() {
        let allowed = [
            "victim.com".to_owned(),
            "*.corp.example".to_owned(),
            "bücher.example".to_owned(),
        ];
        let cases = [
            ("a@victim.com", true),
            ("A@VICTIM.COM", true),
            ("a+b@victim.com", true),
            ("a@victim.com.evil.com", false),
            ("a@evil.com@victim.com", false),
            ("\"a@victim.com\"@evil.com", false),
            ("a@sub.victim.com", false),
            ("a@x.corp.example", true),
            ("a@corp.example", false),
            ("a@xcorp.example", false),
            ("a@bücher.example", true),
            ("a@xn--bcher-kva.example", true),
            ("a@victim.com\n", false),
            ("a@victim\u{200b}.com", false),
            ("@victim.com", false),
            ("victim.com", false),
        ];
        for (address, expected) in cases {
            assert_eq!(is_in(address, &allowed), expected, "{address:?}");
        }
        assert!(!is_in(&format!("{}@victim.com", "a".repeat(320)), &allowed));
    }

    #[test]
    fn a_small_loss_passes_and_a_large_one_does_not() {
        let guard = Some(Shrink {
            percent: 50,
            members: 100,
        });
        assert!(shrink(guard, 100, 100).is_ok());
        assert!(shrink(guard, 1000, 500).is_ok());
        assert!(shrink(guard, 1000, 501).is_err());
        assert!(shrink(None, 1000, 1000).is_ok());
    }
}
