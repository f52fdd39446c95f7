//! A query compiled for a type: what it looks at, and which ways its answer may take.

use std::sync::Arc;

use crate::{
    gateway::{context::Context, get::Want, projection, quick::Quick},
    mapping::model::{OnDelete, OnRename, TypeMapping, UserGroups},
    scim::{AttributePath, Error, Filter, Projection, ResourceType, filter::Matcher, query::Query},
};

use super::{collect::Order, grouped::Grouped, source, whole};

/// What is asked for, compiled.
pub struct Plan {
    pub(super) filter: Option<(Filter, Matcher)>,
    pub(super) order: Option<Order>,
    pub(super) projection: Arc<Projection>,
    pub(super) wants_groups: bool,
}

impl Plan {
    /// Compiles a query for a type, alone or among the types that are queried together.
    ///
    /// # Errors
    ///
    /// `invalidFilter` if it cannot be understood: never an unfiltered list (N17).
    pub fn of(
        ctx: &Context,
        t: &TypeMapping,
        query: &Query,
        among: &[&ResourceType],
    ) -> Result<Self, Error> {
        let rt = &t.resource_type;
        let filter = match query.filter.as_deref() {
            None => None,
            Some(text) => {
                let filter =
                    ctx.noting(|notes| ctx.dialect.filter_among(rt, among, text, notes))?;
                let matcher = Matcher::compile_among(&filter, rt, among)?;
                Some((filter, matcher))
            }
        };
        let order = query
            .sort_by
            .as_ref()
            .map(|by| Order::of(rt, by, query.sort_order))
            .transpose()?;
        let projection = projection(t, query);
        let asked = |name: &&String| {
            name.split('.')
                .next()
                .is_some_and(|name| name.eq_ignore_ascii_case("groups"))
        };
        // A reading of the groups is for all users of the page.
        let is_free = matches!(
            t.groups,
            Some(UserGroups::Field { .. } | UserGroups::Members { .. })
        );
        let is_needed = ctx.dialect.answers(rt).lists_groups;
        let wants_groups = projection.wants("groups")
            && (is_free || is_needed || query.attributes.iter().any(|name| asked(&name)));
        Ok(Self {
            filter,
            order,
            projection,
            wants_groups,
        })
    }

    /// What the filter or the order looks at that costs calls of its own.
    pub(super) fn inspects(&self, name: &str) -> bool {
        let filtered = self
            .filter
            .iter()
            .flat_map(|(_, matcher)| matcher.attributes());
        filtered
            .chain(self.order.iter().map(Order::attribute))
            .any(|path| path.schema.is_none() && path.attribute == name)
    }

    /// The target's own paging serves, and its counts hold.
    pub(super) fn is_plain(&self, ctx: &Context, t: &TypeMapping) -> bool {
        let asks_nothing = self.filter.is_none() && self.order.is_none();
        asks_nothing && !hides_rows(ctx, t) && !t.is_fixed() && !t.lists.is_empty()
    }

    /// The quick way, where the rows of the target's own pages, or of what finds them, are all that the answer needs.
    pub(super) fn quick<'c>(&'c self, ctx: &'c Context, t: &'c TypeMapping) -> Option<Quick<'c>> {
        let needs = |path: &AttributePath| self.needs(path);
        let has_whole_rows = || {
            t.lists
                .first()
                .is_some_and(|list| !whole::must_read(t, &list.rows, needs))
        };
        let is_possible = match self.filter {
            None => self.is_plain(ctx, t) && has_whole_rows(),
            Some(_) => self.order.is_none() && !t.is_fixed(),
        };
        (is_possible && self.want(t) == Want::NEITHER)
            .then(|| Quick::of(ctx, t, &self.projection))
            .flatten()
    }

    /// The cheapest place that has all that the filter lets through.
    pub(super) async fn source<'t>(
        &self,
        ctx: &Context,
        t: &'t TypeMapping,
        grouped: Option<&Grouped>,
    ) -> Result<source::Source<'t>, Error> {
        let filter = self.filter.as_ref().map(|(filter, _)| filter);
        Box::pin(source::choose(ctx, t, filter, grouped)).await
    }

    /// What the answer has that costs calls of its own.
    pub(super) fn want(&self, t: &TypeMapping) -> Want {
        Want {
            members: t.members.is_some() && self.projection.wants("members"),
            groups: t.groups.is_some() && self.wants_groups,
        }
    }

    pub(super) fn want_to_match(&self) -> Want {
        Want {
            members: self.inspects("members"),
            groups: self.inspects("groups"),
        }
    }

    /// Attributes that are looked at or answered: what rows must have.
    pub(super) fn needs(&self, path: &AttributePath) -> bool {
        let name = match &path.schema {
            Some(schema) => format!("{schema}:{}", path.attribute),
            None => path.attribute.clone(),
        };
        self.projection.wants(&name) || self.inspects(&path.attribute)
    }
}

/// Whether some objects of the target are not shown, so that its own counts do not hold.
fn hides_rows(ctx: &Context, t: &TypeMapping) -> bool {
    let policy = &ctx.mapping().policy;
    t.scope.is_some()
        || t.hide.is_some()
        || t.gone.is_some()
        || !policy.protected.is_empty()
        || policy.on_delete == OnDelete::Deactivate
        || policy.on_rename == OnRename::Recreate
}
