//! Rows that are references, or lack what is needed: which of them must be read by themselves, and how.

use serde_json::Value;

use crate::{
    gateway::{
        context::Context, get::object_of, identity::Located, parallel::in_order,
        visible::guards_names,
    },
    mapping::{
        model::{AttributeRule, Rows, TablePairs, TypeMapping, ValueTable},
        read::{self, Reading},
    },
    scim::{AttributePath, CompareOp, Error, Filter},
    store::{ScimId, TargetId},
};

use super::{PARALLEL_ROWS, Plan};

/// The rows that must be read one by one for the answer: without those that cannot match, as far as the rows themselves say
/// all that the filter looks at.
pub fn sifted(
    ctx: &Context,
    t: &TypeMapping,
    plan: &Plan,
    rows: &Rows,
    mut items: Vec<Value>,
) -> Vec<Value> {
    let Some((filter, matcher)) = &plan.filter else {
        return items;
    };
    let looked_at = matcher.attributes();
    let is_said = || looked_at.iter().all(|path| is_said_by(t, rows, path));
    if must_read(t, rows, |path| plan.needs(path)) && asks_for_values(filter) && is_said() {
        let wanted = |path: &AttributePath| looked_at.iter().any(|a| a.is_same_attribute(path));
        let reading = Reading::new(t, &ctx.mapping().settings, wanted);
        items.retain(|item| matcher.matches(&reading.read(item).resource.0));
    }
    items
}

/// Whether a filter holds only for resources that have the values it names: what is not shown of a row cannot make it hold.
fn asks_for_values(filter: &Filter) -> bool {
    match filter {
        Filter::And(parts) => parts.iter().all(asks_for_values),
        Filter::Compare(_, op, value) => *op != CompareOp::Ne && !value.is_null(),
        _ => false,
    }
}

/// Whether rows alone say all that the client is shown of an attribute: nothing that is kept here, and nothing that is
/// asked for besides, has a say in it.
fn is_said_by(t: &TypeMapping, rows: &Rows, path: &AttributePath) -> bool {
    let is_there = match rows {
        Rows::Complete => true,
        Rows::Reference => t.is_told_by_id(path),
        Rows::Lacking(paths) => !paths.iter().any(|lacking| lacking.is_same_attribute(path)),
    };
    let is_looked_up = |values: &ValueTable| matches!(values.pairs, TablePairs::LookedUp(_));
    let is_plain = |line: &AttributeRule| {
        let is_simple = line.each.is_none() && !line.is_kept && line.reference.is_none();
        is_simple && line.read.is_some() && !line.values.as_ref().is_some_and(is_looked_up)
    };
    let lines = t.attributes.iter();
    let mut about = lines
        .filter(|line| line.location.path.is_same_attribute(path))
        .peekable();
    is_there && path.attribute != "active" && about.peek().is_some() && about.all(is_plain)
}

/// Whether rows must be read one by one for what is needed. References are not where the id says it all, and nothing else of
/// an object decides whether it is shown.
pub fn must_read(t: &TypeMapping, rows: &Rows, needs: impl Fn(&AttributePath) -> bool) -> bool {
    match rows {
        Rows::Complete => false,
        Rows::Lacking(paths) => paths.iter().any(needs),
        Rows::Reference => {
            let is_conditional = t.scope.is_some() || t.hide.is_some() || t.gone.is_some();
            let is_untold = |line: &AttributeRule| {
                let path = &line.location.path;
                needs(path) && !t.is_told_by_id(path)
            };
            is_conditional || t.attributes.iter().any(is_untold)
        }
    }
}

/// Reads objects one by one where rows are references, or lack what is needed; in parallel, in order.
pub async fn whole_rows(
    ctx: &Context,
    t: &TypeMapping,
    rows: &Rows,
    items: Vec<Value>,
    needs: impl Fn(&AttributePath) -> bool,
) -> Result<Vec<Value>, Error> {
    // Whose account a row is must be known where some are protected: a bare id may not say.
    let is_guarded = guards_names(ctx, t);
    let needs = |path: &AttributePath| {
        needs(path) || is_guarded && path.is_same_attribute(&t.match_attribute)
    };
    let is_bare = |item: &Value| !item.is_object() && !t.is_told_by_id(&t.match_attribute);
    let is_nameless = is_guarded && items.iter().any(is_bare);
    if !is_nameless && !must_read(t, rows, needs) {
        return Ok(items);
    }
    let reads = items.iter().map(|item| whole_row(ctx, t, item)).collect();
    Ok(in_order(reads, PARALLEL_ROWS)
        .await?
        .into_iter()
        .flatten()
        .collect())
}

/// Reads the object of a row; absent if the row has no id, or the target no such object.
pub async fn whole_row(
    ctx: &Context,
    t: &TypeMapping,
    item: &Value,
) -> Result<Option<Value>, Error> {
    let Some(id) = read::target_id(t, item) else {
        return Ok(None);
    };
    let located = Located {
        scim_id: ScimId::new(&id),
        target_id: TargetId::new(&id),
        record: None,
    };
    let object = object_of(ctx, t, &located).await?;
    Ok(object.map(|mut object| {
        // The list says that its objects are known by their ids alone.
        if !item.is_object() {
            t.id.put_into(&mut object, item.clone());
        }
        object
    }))
}
