//! Policies, run on what changes and never on how the request was spelled (promise S12).

use serde_json::Value;

use crate::{
    mapping::{
        address::{self, Verdict},
        expression::text_of,
        model::{MostChanges, OnRename, Shrink, TypeMapping},
        write,
    },
    scim::{AttributePath, Error, Resource, ScimType},
    target::ScanSource,
};

use super::{context::Context, join::folded};

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
    if t.resource_type.name != "User" || !is_wanted || can_deactivate(t) {
        return Ok(());
    }
    Err(Error::new(
        501,
        "The application cannot deactivate users; it can only delete them, or not even that.",
    ))
}

/// Whether somebody can be deactivated: by a call, or by a line that writes or keeps the state.
pub fn can_deactivate(t: &TypeMapping) -> bool {
    t.deactivate.is_some()
        || t.attributes.iter().any(|line| {
            let path = &line.location.path;
            let is_active = path.schema.is_none() && path.attribute == "active";
            is_active && (line.is_kept || line.write.is_some())
        })
}

/// Runs every policy on a change. `old` is absent for a create.
///
/// # Errors
///
/// The refusal, in words for the client's administrator.
pub fn check(
    ctx: &Context,
    t: &TypeMapping,
    old: Option<&Resource>,
    new: &Resource,
    changed: &[AttributePath],
) -> Result<(), Error> {
    if t.resource_type.name != "User" {
        return Ok(());
    }
    domains(ctx, new, changed, old.is_none())?;
    protected(ctx, t, new)?;
    match old {
        Some(old) if ctx.mapping().policy.on_rename == OnRename::Reject => {
            not_renamed(ctx, t, old, new, changed)
        }
        _ => Ok(()),
    }
}

/// Whether the application is to know the resource by another name (TRESORIT-01): by what the line of the match attribute
/// writes, so that a new address is a rename where the name is made of it, and another letter case is none where it is
/// written in lower case.
pub fn is_renamed(
    ctx: &Context,
    t: &TypeMapping,
    old: &Resource,
    new: &Resource,
    changed: &[AttributePath],
) -> bool {
    let names = ctx.names();
    let name = |resource| write::name_in_application(t, resource, &names);
    match (name(old), name(new)) {
        (Some(old), Some(new)) => old != new,
        _ => names_match_attribute(t, changed),
    }
}

/// Whether the name of an account that cannot be renamed is asked for in other letter case, and the schema says that case
/// does not count (`caseExact`, RFC 7643 §2.2; `userName`: §4.1.1). That is the name it has: no call, and no refusal. Where
/// names are written in place, the application gets the new spelling.
pub fn is_only_other_case(ctx: &Context, t: &TypeMapping, old: &Resource, new: &Resource) -> bool {
    let is_exact = t
        .resource_type
        .resolve(&t.match_attribute)
        .and_then(|resolved| resolved.attribute)
        .is_none_or(|attribute| attribute.is_case_exact);
    let name = |resource: &Resource| {
        let name = resource.0.get(&t.match_attribute.attribute);
        name.and_then(Value::as_str).map(folded)
    };
    t.resource_type.name == "User"
        && ctx.mapping().policy.on_rename != OnRename::InPlace
        && !is_exact
        && name(new).is_some()
        && name(new) == name(old)
        && is_renamed(ctx, t, old, new, std::slice::from_ref(&t.match_attribute))
}

fn names_match_attribute(t: &TypeMapping, changed: &[AttributePath]) -> bool {
    changed
        .iter()
        .any(|path| path.schema.is_none() && path.attribute == t.match_attribute.attribute)
}

fn not_renamed(
    ctx: &Context,
    t: &TypeMapping,
    old: &Resource,
    new: &Resource,
    changed: &[AttributePath],
) -> Result<(), Error> {
    if !is_renamed(ctx, t, old, new, changed) {
        return Ok(());
    }
    let detail = match names_match_attribute(t, changed) {
        true => format!(
            "The application identifies an account by `{}`, which cannot be changed there.",
            t.match_attribute.attribute
        ),
        false => "The application identifies an account by a name that is made of what this request changes, and that name cannot be changed there.".to_owned(),
    };
    Err(Error::of(ScimType::Mutability, detail))
}

/// A name that is protected can be neither made nor taken, by whatever name the application would know it.
fn protected(ctx: &Context, t: &TypeMapping, new: &Resource) -> Result<(), Error> {
    let protected = &ctx.mapping().policy.protected;
    if protected.is_empty() {
        return Ok(());
    }
    let own = new.0.get(&t.match_attribute.attribute).and_then(text_of);
    let written = write::name_in_application(t, new, &ctx.names());
    let written = written.as_ref().and_then(text_of);
    let is_protected = [own, written].into_iter().flatten().any(|name| {
        protected
            .iter()
            .any(|other| other.to_lowercase() == name.to_lowercase())
    });
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
        let name = name.filter(|name| address::is_address_like(name));
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
        match allowed.judge(address) {
            Verdict::Admitted => {}
            Verdict::NotPlain => {
                return refused(format!(
                    "`{attribute}` has a value that is no plain e-mail address; this tenant may only provision addresses of its domains."
                ));
            }
            Verdict::Outside => {
                return refused(format!(
                    "An address (`{attribute}`) is outside the domains that this tenant may provision."
                ));
            }
        }
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

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
