//! Several calls at the same time, boundedly; results in order.

use std::future::Future;

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::scim::Error;

/// Runs futures, at most so many at a time, and gives their results in order.
///
/// # Errors
///
/// The first error; what is under way then is dropped.
pub async fn in_order<T, F: Future<Output = Result<T, Error>>>(
    futures: Vec<F>,
    at_once: usize,
) -> Result<Vec<T>, Error> {
    stream::iter(futures).buffered(at_once).try_collect().await
}
