//! Which page a query asks for: by index (RFC 7644 §3.4.2.4) or by cursor (RFC 9865).
//!
//! A cursor says a position in a query's result, signed: it cannot be made up, moved to another query or tenant, or
//! used for ever. Where the target itself pages by cursor, the driver remembers its cursor for the position.

use aws_lc_rs::{digest, hmac};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::{
    gateway::{context::Context, quick::Written},
    scim::{Error, ScimType, list::ListResponse, query::Query},
};

use super::Slice;

/// A page of a result.
pub struct Page {
    /// What it covers.
    pub slice: Slice,
    /// What makes two queries the same; absent unless the page is asked for by a cursor.
    digest: Option<String>,
}

impl Page {
    /// What a query on an endpoint asks for. A count above the maximum is the maximum; none is the default.
    ///
    /// # Errors
    ///
    /// `invalidCursor`, `expiredCursor`, `invalidCount`.
    pub fn of(ctx: &Context, endpoint: &str, query: &Query) -> Result<Self, Error> {
        let asked = match query.count {
            Some(count) => u64::try_from(count).unwrap_or(0),
            None => ctx.limits.default_page_size,
        };
        let take = asked.min(ctx.limits.max_page_size);
        let Some(cursor) = query.cursor.as_deref() else {
            let first = query.start_index.unwrap_or(1).max(1);
            let skip = u64::try_from(first - 1).unwrap_or(0);
            return Ok(Self {
                slice: Slice { skip, take },
                digest: None,
            });
        };
        let digest = digest_of(endpoint, query);
        let skip = match cursor {
            "" => 0,
            cursor => position(ctx, cursor, &digest)?,
        };
        Ok(Self {
            slice: Slice { skip, take },
            digest: Some(digest),
        })
    }

    /// The ListResponse.
    pub fn response(&self, ctx: &Context, total: u64, resources: Vec<Value>) -> Value {
        self.message(ctx, total, resources.len()).to_json(resources)
    }

    /// The ListResponse, from resources that are text already.
    pub fn text(&self, ctx: &Context, total: u64, resources: &Written) -> Vec<u8> {
        let message = self.message(ctx, total, resources.count);
        message.around(resources.count, &resources.text)
    }

    fn message(&self, ctx: &Context, total: u64, count: usize) -> ListResponse {
        let got = count as u64;
        let Some(digest) = &self.digest else {
            return ListResponse::indexed(total, self.slice.skip + 1);
        };
        let end = self.slice.skip + got;
        let previous = self.slice.skip.saturating_sub(self.slice.take);
        ListResponse {
            total_results: Some(total),
            start_index: None,
            next_cursor: (end < total && got > 0).then(|| sign(ctx, end, digest)),
            previous_cursor: (self.slice.skip > 0 && self.slice.take > 0)
                .then(|| sign(ctx, previous, digest)),
        }
    }
}

/// The cursor of a position in the query with this digest.
fn sign(ctx: &Context, position: u64, digest: &str) -> String {
    let payload = format!("{position}.{}.{digest}", ctx.now.as_second());
    let tag = hmac::sign(&key(ctx), payload.as_bytes());
    let mac = URL_SAFE_NO_PAD.encode(tag.as_ref().get(..16).unwrap_or_default());
    URL_SAFE_NO_PAD.encode(format!("{payload}.{mac}"))
}

/// The key belongs to the tenant and is the same on every replica and after a restart.
fn key(ctx: &Context) -> hmac::Key {
    let secret = ctx.limits.cursor_secret.expose();
    let material = digest::digest(
        &digest::SHA256,
        format!("cursor\0{}\0{secret}", ctx.id().as_str()).as_bytes(),
    );
    hmac::Key::new(hmac::HMAC_SHA256, material.as_ref())
}

fn position(ctx: &Context, cursor: &str, digest: &str) -> Result<u64, Error> {
    let invalid = || {
        Error::of(
            ScimType::InvalidCursor,
            "The cursor is not one that was given out for this query.",
        )
    };
    let text = URL_SAFE_NO_PAD
        .decode(cursor)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(invalid)?;
    let (payload, mac) = text.rsplit_once('.').ok_or_else(invalid)?;
    let tag = hmac::sign(&key(ctx), payload.as_bytes());
    let mac = URL_SAFE_NO_PAD.decode(mac).map_err(|_| invalid())?;
    let expected = tag.as_ref().get(..16).unwrap_or_default();
    if !bool::from(subtle::ConstantTimeEq::ct_eq(mac.as_slice(), expected)) {
        return Err(invalid());
    }
    let mut parts = payload.split('.');
    let mut number = || parts.next().and_then(|part| part.parse::<i64>().ok());
    let (position, issued) = (number().ok_or_else(invalid)?, number().ok_or_else(invalid)?);
    if parts.next() != Some(digest) {
        return Err(invalid());
    }
    if ctx.now.as_second() - issued
        > i64::try_from(ctx.limits.cursor_life.as_secs()).unwrap_or(i64::MAX)
    {
        return Err(Error::of(
            ScimType::ExpiredCursor,
            "The cursor has expired; start the query again without one.",
        ));
    }
    u64::try_from(position).map_err(|_| invalid())
}

/// What makes two queries the same: everything but the page.
fn digest_of(endpoint: &str, query: &Query) -> String {
    let by = query.sort_by.as_ref().map(ToString::to_string);
    let text = format!(
        "{endpoint}\0{:?}\0{by:?}\0{:?}",
        query.filter, query.sort_order
    );
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    URL_SAFE_NO_PAD.encode(digest.as_ref().get(..9).unwrap_or_default())
}
