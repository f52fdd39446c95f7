//! Where the rows of a query come from: the cheapest place that surely has all of them.

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::{
    gateway::{
        context::Context,
        get::{Want, fetch, id_value, with_parts},
        identity::target_id_of,
        join::{Joined, folded, join_all},
        look_up, members,
        parallel::in_order,
    },
    mapping::{
        expression::text_of,
        model::{AttributeRule, Find, Rows, TablePairs, TypeMapping, ValueTable},
        read,
        sought::{Sought, sought},
    },
    scim::{AttributePath, CompareOp, Error, Filter, Resource},
    store::{ExternalId, TargetId},
    target::ScanSource,
};

use super::{
    Plan,
    collect::Collector,
    grouped::Grouped,
    key,
    steps::{first_steps, give},
    whole::{must_read, sifted, whole_row, whole_rows},
};

/// Where rows come from.
pub enum Source<'m> {
    /// Read one by one.
    Ids(Vec<String>),
    /// The target answers a part of the filter.
    Find(&'m Find, Value),
    /// The target's whole list.
    All,
    /// Objects of the configuration.
    Fixed,
}

/// The cheapest source for a filter.
pub async fn choose<'m>(
    ctx: &Context,
    t: &'m TypeMapping,
    filter: Option<&Filter>,
    grouped: Option<&Grouped>,
) -> Result<Source<'m>, Error> {
    if t.is_fixed() {
        return Ok(Source::Fixed);
    }
    let terms = filter.map(|filter| terms(t, filter)).unwrap_or_default();
    for (path, op, value) in &terms {
        if *op == CompareOp::Eq
            && let Some(ids) = known_ids(ctx, t, path, value, grouped).await?
        {
            return Ok(Source::Ids(ids));
        }
    }
    for (path, op, value) in terms {
        let find = t
            .finds
            .iter()
            .find(|find| find.attribute == path && find.operator == op);
        if let Some(find) = find {
            match find_value(ctx, t, &path, op, value).await? {
                Sought::Field(value) => return Ok(Source::Find(find, value)),
                Sought::Nothing => return Ok(Source::Ids(Vec::new())),
                Sought::Unknown => {}
            }
        }
    }
    Ok(Source::All)
}

/// Comparisons that must hold for the whole filter to hold.
fn terms(t: &TypeMapping, filter: &Filter) -> Vec<(AttributePath, CompareOp, Value)> {
    match filter {
        Filter::And(parts) => parts.iter().flat_map(|part| terms(t, part)).collect(),
        Filter::Compare(path, op, value) => canonical(t, path)
            .map(|path| (path, *op, value.clone()))
            .into_iter()
            .collect(),
        Filter::ValuePath(path, inner) => value_path_terms(t, path, inner),
        _ => Vec::new(),
    }
}

fn value_path_terms(
    t: &TypeMapping,
    path: &AttributePath,
    inner: &Filter,
) -> Vec<(AttributePath, CompareOp, Value)> {
    match inner {
        Filter::And(parts) => parts
            .iter()
            .flat_map(|part| value_path_terms(t, path, part))
            .collect(),
        Filter::Compare(sub, op, value) => {
            let whole = AttributePath {
                sub_attribute: Some(sub.attribute.clone()),
                ..path.clone()
            };
            canonical(t, &whole)
                .map(|path| (path, *op, value.clone()))
                .into_iter()
                .collect()
        }
        _ => Vec::new(),
    }
}

/// In the schema's spelling; a complex attribute means its `value`.
fn canonical(t: &TypeMapping, path: &AttributePath) -> Option<AttributePath> {
    let resolved = t.resource_type.resolve(path)?;
    let mut canonical = resolved.canonical();
    let is_complex = resolved
        .leaf()
        .is_some_and(|leaf| leaf.kind == crate::scim::AttributeType::Complex);
    if canonical.sub_attribute.is_none() && is_complex {
        canonical.sub_attribute = Some("value".into());
    }
    Some(canonical)
}

/// Ids that an `eq` term names without asking the target's lists; absent if it names none that way.
async fn known_ids(
    ctx: &Context,
    t: &TypeMapping,
    path: &AttributePath,
    value: &Value,
    grouped: Option<&Grouped>,
) -> Result<Option<Vec<String>>, Error> {
    let Some(text) = value.as_str() else {
        return Ok(None);
    };
    let is = |attribute: &str, sub: Option<&str>| {
        path.schema.is_none() && path.attribute == attribute && path.sub_attribute.as_deref() == sub
    };
    let is_mapped = |name: &str| {
        t.attributes
            .iter()
            .any(|rule| rule.location.path.attribute == name && rule.read.is_some())
    };
    if is("id", None) {
        return Ok(Some(vec![text.to_owned()]));
    }
    if is("externalId", None) && !is_mapped("externalId") {
        let records = ctx
            .store
            .records_by_external_id(ctx.id(), &t.resource_type.name, &ExternalId::new(text))
            .await?;
        return Ok(Some(
            records
                .into_iter()
                .map(|record| record.scim_id.as_str().to_owned())
                .collect(),
        ));
    }
    if is("groups", Some("value")) {
        return match grouped.and_then(|grouped| grouped.users_of(text)) {
            Some(known) => Ok(Some(known)),
            None => members_of(ctx, t, text).await,
        };
    }
    Ok(None)
}

/// The users of a group, asked of the group. Absent where users have it by groups in it, too: only they know.
async fn members_of(
    ctx: &Context,
    t: &TypeMapping,
    group_id: &str,
) -> Result<Option<Vec<String>>, Error> {
    let Some(groups) = ctx.mapping().types.iter().find(|t| t.members.is_some()) else {
        return Ok(None);
    };
    let group = match fetch(ctx, groups, group_id, Want::NEITHER).await {
        Ok(group) => group,
        Err(error) if error.status == 404 => return Ok(Some(Vec::new())),
        Err(error) => return Err(error),
    };
    let values = members::read(ctx, groups, &group).await?.values;
    let is_user = |value: &&Value| value["type"] == t.resource_type.name.as_str();
    let users = values.iter().filter(is_user);
    let ids: Vec<String> = users
        .filter_map(|value| Some(value.get("value")?.as_str()?.to_owned()))
        .collect();
    let has_groups = ids.len() < values.len();
    let groups = t.groups.as_ref();
    let shows_indirect = groups.is_some_and(|groups| groups.is_indirect().is_some());
    Ok((!has_groups || !shows_indirect).then_some(ids))
}

/// The value as the target knows it: references by the target's id, equal values by the line's value table or as the line
/// writes them.
async fn find_value(
    ctx: &Context,
    t: &TypeMapping,
    path: &AttributePath,
    op: CompareOp,
    value: Value,
) -> Result<Sought, Error> {
    let mut rules = t.attributes.iter().filter(|rule| {
        rule.location.path.attribute == path.attribute && rule.location.path.schema == path.schema
    });
    if op == CompareOp::Eq
        && let Some(values) = rules.clone().find_map(|rule| values_at(rule, path))
    {
        if let TablePairs::LookedUp(table) = &values.pairs {
            look_up::before_asking(ctx, table, &value).await?;
        }
        let field = values.field_of(&value);
        return Ok(field.map_or(Sought::Nothing, Sought::Field));
    }
    let reference = rules.next().and_then(|rule| rule.reference.as_deref());
    let (Some(of), Some(id)) = (
        reference.and_then(|name| ctx.type_named(name)),
        value.as_str(),
    ) else {
        return Ok(match op {
            CompareOp::Eq => sought(t, path, &value, &ctx.names()),
            _ => Sought::Field(value),
        });
    };
    let target_id = target_id_of(ctx, of, id).await?;
    let id = target_id.map_or(value, |id| json!(id.as_str()));
    Ok(Sought::Field(id))
}

/// The value table of a line, or of the part of its elements that a path names.
fn values_at<'m>(rule: &'m AttributeRule, path: &AttributePath) -> Option<&'m ValueTable> {
    let named = path.sub_attribute.as_deref().unwrap_or("value");
    let parts = rule.each.iter().flat_map(|each| &each.parts);
    let mut parts = parts.filter(|part| part.sub_attribute == named);
    let of_part = parts.find_map(|part| part.values.as_ref());
    let leaf = rule.location.leaf();
    let is_whole = leaf.sub_attribute.as_deref().unwrap_or("value") == named;
    of_part.or(rule.values.as_ref().filter(|_| is_whole))
}

/// Feeds a source's rows to the collector.
pub async fn feed(
    ctx: &Context,
    t: &TypeMapping,
    plan: &Plan,
    source: Source<'_>,
    want: Want,
    to: &mut Collector<'_>,
) -> Result<(), Error> {
    match source {
        Source::Ids(ids) => by_ids(ctx, t, want, ids, to).await,
        Source::Find(find, value) => {
            let mut names = ctx.names();
            names.with("value", Cow::Owned(value));
            if let Some(known) = first_steps(ctx, find, &names).await? {
                give(&mut names, known);
                let scan = (ScanSource::Find(find), &find.rows);
                by_scan(ctx, t, (plan, want), scan, names, to).await?;
            }
            match find.else_list && to.has_none() {
                true => Box::pin(feed(ctx, t, plan, Source::All, want, to)).await,
                false => Ok(()),
            }
        }
        Source::All if t.lists.is_empty() => Err(Error::of(
            crate::scim::ScimType::TooMany,
            format!(
                "The application has no list of its {} objects.",
                t.resource_type.name
            ),
        )),
        Source::All => {
            let scan = (ScanSource::Lists(&t.lists), &t.lists[0].rows);
            by_scan(ctx, t, (plan, want), scan, ctx.names(), to).await
        }
        Source::Fixed => pass(ctx, t, want, t.fixed.clone(), to).await,
    }
}

async fn by_ids(
    ctx: &Context,
    t: &TypeMapping,
    want: Want,
    ids: Vec<String>,
    to: &mut Collector<'_>,
) -> Result<(), Error> {
    let reads = ids
        .iter()
        .map(|id| fetch_if_there(ctx, t, id, want))
        .collect();
    let rows = in_order(reads, super::PARALLEL_ROWS).await?;
    rows.into_iter().flatten().try_for_each(|row| to.take(row))
}

async fn fetch_if_there(
    ctx: &Context,
    t: &TypeMapping,
    id: &str,
    want: Want,
) -> Result<Option<Joined>, Error> {
    match fetch(ctx, t, id, want).await {
        Ok(row) => Ok(Some(row)),
        Err(error) if error.status == 404 => Ok(None),
        Err(error) => Err(error),
    }
}

async fn by_scan(
    ctx: &Context,
    t: &TypeMapping,
    (plan, want): (&Plan, Want),
    (source, rows): (ScanSource<'_>, &Rows),
    names: crate::mapping::names::Names<'_>,
    to: &mut Collector<'_>,
) -> Result<(), Error> {
    let mut scan = ctx.driver().scan(source, &names);
    let mut seen = std::collections::HashSet::new();
    while let Some(page) = scan.next_page(&ctx.journey).await? {
        // Several lists, or a list that moves while it is read, may give an object twice.
        let fresh = page.items.into_iter().filter(|item| {
            read::target_id(t, item).is_none_or(|id| seen.insert(key(&TargetId::new(&id))))
        });
        let fresh: Vec<Value> = fresh.collect();
        let count = fresh.len();
        let wanted = sifted(ctx, t, plan, rows, fresh);
        to.pass_over(count - wanted.len())?;
        let items = whole_rows(ctx, t, rows, wanted, |path| plan.needs(path)).await?;
        pass(ctx, t, want, items, to).await?;
    }
    Ok(())
}

async fn pass(
    ctx: &Context,
    t: &TypeMapping,
    want: Want,
    items: Vec<Value>,
    to: &mut Collector<'_>,
) -> Result<(), Error> {
    for row in join_all(ctx, t, items).await? {
        let row = if want == Want::NEITHER {
            row
        } else {
            with_parts(ctx, t, row, want).await?
        };
        to.take(row)?;
    }
    Ok(())
}

/// Looks an object up by a find for its id, or in the list, for targets that cannot read one by itself.
pub async fn object_with_id(
    ctx: &Context,
    t: &TypeMapping,
    id: &TargetId,
) -> Result<Option<Value>, Error> {
    let mut names = ctx.names();
    names.with("value", Cow::Owned(id_value(t, id.as_str())));
    if let Some(find) = t.find_of_id() {
        if let Some(known) = first_steps(ctx, find, &names).await? {
            give(&mut names, known);
            let found = scan_for_id(ctx, t, id, ScanSource::Find(find), &names).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
        if !find.else_list {
            return Ok(None);
        }
    }
    let lists = ScanSource::Lists(&t.lists);
    scan_for_id(ctx, t, id, lists, &ctx.names()).await
}

async fn scan_for_id(
    ctx: &Context,
    t: &TypeMapping,
    id: &TargetId,
    source: ScanSource<'_>,
    names: &crate::mapping::names::Names<'_>,
) -> Result<Option<Value>, Error> {
    let mut scan = ctx.driver().scan(source, names);
    while let Some(page) = scan.next_page(&ctx.journey).await? {
        let found = page
            .items
            .into_iter()
            .find(|item| read::target_id(t, item).as_deref() == Some(id.as_str()));
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// The target's objects whose match attribute has a value, compared without regard to case; whether the tenant may see
/// them is not asked. Two at most.
///
/// `written` is what the target calls it where that is known; absent: worked out from the name, as far as it can be.
pub async fn raw_with_name(
    ctx: &Context,
    t: &TypeMapping,
    name: &str,
    written: Option<Value>,
) -> Result<Vec<Value>, Error> {
    let names = ctx.names();
    let written = written.or_else(
        || match sought(t, &t.match_attribute, &json!(name), &names) {
            Sought::Field(value) => Some(value),
            Sought::Nothing | Sought::Unknown => None,
        },
    );
    let is_known = written.is_some();
    let text = written.as_ref().and_then(text_of).map(|text| folded(&text));
    let find = t.find_of_name().filter(|_| is_known || t.lists.is_empty());
    let value = written.unwrap_or_else(|| json!(name));
    let wanted = folded(name);
    let has_name = |found: &Resource| {
        let own = found.0.get(&t.match_attribute.attribute);
        let own = own.and_then(Value::as_str).map(folded);
        own.is_some_and(|own| own == wanted || text.as_ref() == Some(&own))
    };
    let found = raw_with(ctx, t, find, &t.match_attribute, value, has_name).await?;
    Ok(found.into_iter().map(|(object, _)| object).collect())
}

/// The target's objects that a find gives for a value (without one: all it lists) and for which `is_it` holds, with what they
/// read as; whether the tenant may see them is not asked. Two at most.
pub async fn raw_with(
    ctx: &Context,
    t: &TypeMapping,
    find: Option<&Find>,
    path: &AttributePath,
    value: Value,
    is_it: impl Fn(&Resource) -> bool,
) -> Result<Vec<(Value, Resource)>, Error> {
    let found = raw_from(ctx, t, find, path, value, &is_it).await?;
    match find {
        Some(find) if find.else_list && found.is_empty() => {
            raw_from(ctx, t, None, path, Value::Null, &is_it).await
        }
        _ => Ok(found),
    }
}

async fn raw_from(
    ctx: &Context,
    t: &TypeMapping,
    find: Option<&Find>,
    path: &AttributePath,
    value: Value,
    is_it: &impl Fn(&Resource) -> bool,
) -> Result<Vec<(Value, Resource)>, Error> {
    let mut names = ctx.names();
    names.with("value", Cow::Owned(value));
    let (source, rows) = match (find, t.lists.first()) {
        (Some(find), _) => {
            let Some(known) = first_steps(ctx, find, &names).await? else {
                return Ok(Vec::new());
            };
            give(&mut names, known);
            (ScanSource::Find(find), &find.rows)
        }
        (None, Some(list)) => (ScanSource::Lists(&t.lists), &list.rows),
        (None, None) => return Ok(Vec::new()),
    };
    let mut found = Vec::new();
    let mut scan = ctx.driver().scan(source, &names);
    let is_needed =
        |needed: &AttributePath| *needed == t.match_attribute || needed.is_same_attribute(path);
    while let Some(page) = scan.next_page(&ctx.journey).await? {
        for object in whole_rows(ctx, t, rows, page.items, is_needed).await? {
            let read = read::read(t, &object, &ctx.mapping().settings, |_| true);
            if is_it(&read.resource) && found.len() < 2 {
                found.push((object, read.resource));
            }
        }
    }
    if *rows != Rows::Reference || must_read(t, rows, is_needed) {
        return Ok(found);
    }
    let mut whole = Vec::with_capacity(found.len());
    for (reference, _) in found {
        if let Some(object) = whole_row(ctx, t, &reference).await? {
            let read = read::read(t, &object, &ctx.mapping().settings, |_| true);
            whole.push((object, read.resource));
        }
    }
    Ok(whole)
}
