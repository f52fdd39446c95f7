//! Which page a query asks for: by index (RFC 7644 §3.4.2.4) or by cursor (RFC 9865).
//!
//! A cursor says a position in a query's result, signed and masked: it cannot be read, made up, moved to another query
//! or tenant, or used for ever. Where the target itself pages by cursor, the driver remembers its cursor for the position.

use aws_lc_rs::{digest, hmac};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::{
    gateway::{context::Context, quick::Written},
    scim::{Error, Filter, ScimType, list::ListResponse, query::Query},
};

use super::Slice;

/// A page of a result.
pub struct Page {
    /// What it covers.
    pub slice: Slice,
    /// What makes two queries the same; absent unless the page is asked for by a cursor.
    digest: Option<digest::Digest>,
}

impl Page {
    /// What a query on an endpoint asks for. A count above the maximum is the maximum; none is that of the page the
    /// cursor came with, or the default.
    ///
    /// # Errors
    ///
    /// `invalidCursor` for one of another query, `expiredCursor`, and `invalidCount` for a count other than that of the
    /// page the cursor came with: all but the cursor stays as it was (RFC 9865 §2, §2.1).
    pub fn of(ctx: &Context, endpoint: &str, query: &Query) -> Result<Self, Error> {
        let digest = query.cursor.as_ref().map(|_| digest_of(endpoint, query));
        let max = ctx.limits.max_page_size;
        let asked = query
            .count
            .map(|count| u64::try_from(count).unwrap_or(0).min(max));
        let default = ctx.limits.default_page_size.min(max);
        let slice = match (query.cursor.as_deref(), &digest) {
            (None | Some(""), _) | (_, None) => {
                let start = match query.cursor {
                    None => query.start_index.unwrap_or(1),
                    Some(_) => 1,
                };
                Slice {
                    skip: u64::try_from(start.max(1) - 1).unwrap_or(0),
                    take: asked.unwrap_or(default),
                }
            }
            (Some(cursor), Some(digest)) => {
                let slice = place(ctx, cursor, digest)?;
                if asked.is_some_and(|asked| asked != slice.take) {
                    return Err(Error::of(
                        ScimType::InvalidCount,
                        format!(
                            "The cursor was given out for pages of {}; `count` must stay the same from page to page.",
                            slice.take
                        ),
                    ));
                }
                slice
            }
        };
        Ok(Self { slice, digest })
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
            next_cursor: (end < total && got > 0).then(|| self.sign(ctx, end, digest)),
            previous_cursor: (self.slice.skip > 0 && self.slice.take > 0)
                .then(|| self.sign(ctx, previous, digest)),
        }
    }

    fn sign(&self, ctx: &Context, position: u64, digest: &digest::Digest) -> String {
        let mut payload = [0; PAYLOAD_BYTES];
        let numbers = [position, self.slice.take, seconds(ctx)];
        let bytes = numbers.iter().flat_map(|number| number.to_be_bytes());
        payload
            .iter_mut()
            .zip(bytes)
            .for_each(|(to, byte)| *to = byte);
        let key = key(ctx);
        let tag = tag(&key, digest, &payload);
        mask(&key, &tag, &mut payload);
        URL_SAFE_NO_PAD.encode([tag.as_slice(), &payload].concat())
    }
}

/// Where the page is, how long pages are, and when the cursor was given out, in seconds: eight bytes each.
const PAYLOAD_BYTES: usize = 24;
const TAG_BYTES: usize = 16;

fn seconds(ctx: &Context) -> u64 {
    u64::try_from(ctx.now.as_second()).unwrap_or(0)
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

/// Shows that a cursor is ours and belongs to the query.
fn tag(key: &hmac::Key, digest: &digest::Digest, payload: &[u8]) -> [u8; TAG_BYTES] {
    first(&hmac::sign(
        key,
        &[b"tag\0", digest.as_ref(), payload].concat(),
    ))
}

/// Hides the payload, or shows it again (RFC 9865 §5: what a cursor says is nobody's business).
fn mask(key: &hmac::Key, tag: &[u8], payload: &mut [u8; PAYLOAD_BYTES]) {
    let stream: [u8; PAYLOAD_BYTES] = first(&hmac::sign(key, &[b"mask\0", tag].concat()));
    payload
        .iter_mut()
        .zip(stream)
        .for_each(|(to, byte)| *to ^= byte);
}

fn first<const N: usize>(tag: &hmac::Tag) -> [u8; N] {
    let mut bytes = [0; N];
    bytes
        .iter_mut()
        .zip(tag.as_ref())
        .for_each(|(to, byte)| *to = *byte);
    bytes
}

/// The page that a cursor means.
fn place(ctx: &Context, cursor: &str, digest: &digest::Digest) -> Result<Slice, Error> {
    let invalid = || {
        Error::of(
            ScimType::InvalidCursor,
            "The cursor is not one that was given out for this query.",
        )
    };
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| invalid())?;
    let (given, payload) = bytes.split_at_checked(TAG_BYTES).ok_or_else(invalid)?;
    let mut payload: [u8; PAYLOAD_BYTES] = payload.try_into().map_err(|_| invalid())?;
    let key = key(ctx);
    mask(&key, given, &mut payload);
    let expected = tag(&key, digest, &payload);
    if !bool::from(subtle::ConstantTimeEq::ct_eq(given, expected.as_slice())) {
        return Err(invalid());
    }
    let mut numbers = payload
        .as_chunks()
        .0
        .iter()
        .map(|bytes| u64::from_be_bytes(*bytes));
    let mut number = || numbers.next().ok_or_else(invalid);
    let (skip, take, issued) = (number()?, number()?, number()?);
    if seconds(ctx).saturating_sub(issued) > ctx.limits.cursor_life.as_secs() {
        return Err(Error::of(
            ScimType::ExpiredCursor,
            "The cursor has expired; start the query again without one.",
        ));
    }
    Ok(Slice { skip, take })
}

/// What makes two queries the same: everything but the page. Names may change their case: they do in the example of
/// RFC 9865 §2.
fn digest_of(endpoint: &str, query: &Query) -> digest::Digest {
    let by = query
        .sort_by
        .as_ref()
        .map(|by| by.to_string().to_lowercase());
    let filter = query.filter.as_deref().map(spelled);
    let text = format!("{endpoint}\0{filter:?}\0{by:?}\0{:?}", query.sort_order);
    digest::digest(&digest::SHA256, text.as_bytes())
}

/// A filter as we print it, in small letters but for its values.
fn spelled(filter: &str) -> String {
    let printed = match Filter::parse_tolerant(filter) {
        Ok((filter, _)) => filter.to_string(),
        Err(_) => return filter.to_owned(),
    };
    let (mut is_value, mut is_escaped) = (false, false);
    let letters = printed.chars().map(|letter| {
        let is_quote = letter == '"' && !is_escaped;
        is_escaped = is_value && letter == '\\' && !is_escaped;
        is_value ^= is_quote;
        if is_value {
            letter
        } else {
            letter.to_ascii_lowercase()
        }
    });
    letters.collect()
}
