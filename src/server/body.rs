//! Bodies: requests' are read whole within limits, answers' are handed to the connection piece by piece.

use std::{
    convert::Infallible,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::time::{Instant, sleep_until};

use super::{
    activity::{Activity, InFlight},
    io::{LINGER, LINGER_BYTES},
    settings::Limits,
    stats::ServerStats,
};

/// Why a body was not read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyFault {
    /// Larger than admitted.
    TooLarge,
    /// Did not keep the pace.
    TooSlow,
    /// The client left, or its framing is wrong.
    Broken,
    /// All clients together sent more than may be held.
    NoRoom,
}

/// A body in memory, counted until it is dropped.
#[derive(Debug)]
pub(super) struct HeldBody {
    pub bytes: Bytes,
    pub room: Room,
}

/// Bytes of a budget that all connections share.
#[derive(Debug)]
pub(super) struct Room {
    stats: Arc<ServerStats>,
    held: fn(&ServerStats) -> &AtomicU64,
    bytes: usize,
    max_bytes: usize,
}

impl Room {
    /// Of the budget for request bodies.
    pub(super) fn new(stats: Arc<ServerStats>, max_bytes: usize) -> Self {
        Self::of(stats, |stats| &stats.body_bytes, max_bytes)
    }

    /// Of the budget for answers.
    pub(super) fn for_answer(stats: Arc<ServerStats>, max_bytes: usize) -> Self {
        Self::of(stats, |stats| &stats.answer_bytes, max_bytes)
    }

    fn of(stats: Arc<ServerStats>, held: fn(&ServerStats) -> &AtomicU64, max_bytes: usize) -> Self {
        Self {
            stats,
            held,
            bytes: 0,
            max_bytes,
        }
    }

    /// Takes more of the budget, which is counted as bytes arrive: a client that only promises a large body keeps
    /// nobody else out.
    pub(super) fn grow(&mut self, more: usize) -> Result<(), BodyFault> {
        let held = (self.held)(&self.stats).fetch_add(more as u64, Ordering::Relaxed);
        self.bytes += more;
        if held + more as u64 > self.max_bytes as u64 {
            return Err(BodyFault::NoRoom);
        }
        Ok(())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        (self.held)(&self.stats).fetch_sub(self.bytes as u64, Ordering::Relaxed);
    }
}

/// A request's body, counted as what its connection is for.
pub(super) struct Payload<B> {
    inner: B,
    activity: Arc<Activity>,
}

impl<B> Payload<B> {
    pub(super) fn new(inner: B, activity: Arc<Activity>) -> Self {
        Self { inner, activity }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Payload<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let frame = Pin::new(&mut self.inner).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &frame {
            let length = frame.data_ref().map_or(0, Bytes::len);
            self.activity.traffic().used(length);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Reads a body to its end; trailers are dropped.
pub(super) async fn read<B>(
    body: &mut B,
    announced: Option<u64>,
    max_bytes: usize,
    limits: &Limits,
    mut room: Room,
) -> Result<HeldBody, BodyFault>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut whole = Whole::Empty;
    if body.is_end_stream() {
        return Ok(HeldBody {
            bytes: whole.into_bytes(),
            room,
        });
    }
    // Before the first read, which would send `100 Continue`.
    if announced.is_some_and(|length| length > max_bytes as u64) {
        return Err(BodyFault::TooLarge);
    }
    let began = Instant::now();
    let mut alarm = pin!(sleep_until(began + allowed(0, limits)));
    let mut received = 0_usize;
    loop {
        let frame = tokio::select! {
            biased;
            frame = body.frame() => frame,
            () = &mut alarm => {
                // Set once and moved on only here: an honest body never touches the timer again.
                let deadline = began + allowed(received, limits);
                if Instant::now() >= deadline {
                    return Err(BodyFault::TooSlow);
                }
                alarm.as_mut().reset(deadline);
                continue;
            }
        };
        let Some(frame) = frame else {
            let bytes = whole.into_bytes();
            return Ok(HeldBody { bytes, room });
        };
        let Ok(data) = frame.map_err(|_| BodyFault::Broken)?.into_data() else {
            continue;
        };
        received = received.saturating_add(data.len());
        if received > max_bytes {
            return Err(BodyFault::TooLarge);
        }
        room.grow(data.len())?;
        whole.push(data, announced);
    }
}

/// Reads what is left of a refused request's body and throws it away, so much and for so long as an edge lingers.
///
/// Dropping it instead resets the stream while the client is still sending: RFC 9113 §8.1 wants the answer to be heard all
/// the same, and clients (curl among them) report the reset.
pub(super) async fn discard<B: Body<Data = Bytes> + Unpin>(mut body: B) {
    let mut left = LINGER_BYTES;
    let rest = async {
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            left = left.saturating_sub(length);
            if left == 0 {
                return;
            }
        }
    };
    // The end is the same either way: the body is dropped.
    let _ = tokio::time::timeout(LINGER, rest).await;
}

/// How long a body may have taken after so many bytes.
fn allowed(received: usize, limits: &Limits) -> Duration {
    let rate = f64::from(limits.body_min_rate);
    if rate == 0.0 {
        return limits.body;
    }
    let earned = Duration::try_from_secs_f64(received as f64 / rate).unwrap_or(limits.body);
    limits.body.min(limits.body_grace.saturating_add(earned))
}

/// Gathers frames; a single one is not copied.
enum Whole {
    Empty,
    One(Bytes),
    Many(BytesMut),
}

impl Whole {
    fn push(&mut self, data: Bytes, announced: Option<u64>) {
        *self = match std::mem::replace(self, Self::Empty) {
            Self::Empty => Self::One(data),
            Self::One(first) => {
                let announced = announced.and_then(|length| usize::try_from(length).ok());
                let capacity = announced.unwrap_or(0).max(first.len() + data.len());
                let mut many = BytesMut::with_capacity(capacity);
                many.extend_from_slice(&first);
                many.extend_from_slice(&data);
                Self::Many(many)
            }
            Self::Many(mut many) => {
                many.extend_from_slice(&data);
                Self::Many(many)
            }
        };
    }

    fn into_bytes(self) -> Bytes {
        match self {
            Self::Empty => Bytes::new(),
            Self::One(bytes) => bytes,
            Self::Many(many) => many.freeze(),
        }
    }
}

/// An answer is handed over in pieces of so many bytes: the client that does not take one is noticed, and no more than one is
/// held twice.
const PIECE: usize = 64 * 1024;

/// The body of an answer. Its request is over when it is dropped.
pub(super) struct AnswerBody {
    data: Option<Bytes>,
    on_sent: Option<Box<dyn FnOnce() + Send>>,
    in_flight: InFlight,
    _room: Room,
}

impl AnswerBody {
    pub(super) fn new(
        data: Bytes,
        on_sent: Option<Box<dyn FnOnce() + Send>>,
        mut in_flight: InFlight,
        room: Room,
    ) -> Self {
        in_flight.activity().traffic().answered(data.len());
        let data = Some(data).filter(|data| !data.is_empty());
        if data.is_some() {
            in_flight.answer_moved();
        }
        Self {
            data,
            on_sent,
            in_flight,
            _room: room,
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(mut data) = self.data.take() else {
            return Poll::Ready(None);
        };
        self.in_flight.answer_moved();
        let piece = data.split_to(data.len().min(PIECE));
        self.data = Some(data).filter(|data| !data.is_empty());
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.data.as_ref().map_or(0, |data| data.len() as u64))
    }
}

impl Drop for AnswerBody {
    // hyper drops a body once its last byte is in the write buffer.
    fn drop(&mut self) {
        if let (None, Some(on_sent)) = (&self.data, self.on_sent.take()) {
            self.in_flight.activity().confirm_with_next_flush(on_sent);
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{Full, StreamBody};

    use super::*;

    fn frames(parts: &[&'static str]) -> impl Body<Data = Bytes, Error = Infallible> + Unpin {
        let parts: Vec<_> = parts
            .iter()
            .map(|part| Ok(Frame::data(Bytes::from_static(part.as_bytes()))))
            .collect();
        StreamBody::new(futures_util::stream::iter(parts))
    }

    async fn read_with(
        parts: &[&'static str],
        announced: Option<u64>,
        max_bytes: usize,
        budget: usize,
    ) -> Result<Bytes, BodyFault> {
        let room = Room::new(Arc::default(), budget);
        let limits = Limits::default();
        read(&mut frames(parts), announced, max_bytes, &limits, room)
            .await
            .map(|held| held.bytes)
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit_and_not_a_byte_further() {
        for (parts, max_bytes, expected) in [
            (&["abc"][..], 4, Ok("abc")),
            (&["ab", "cd"], 4, Ok("abcd")),
            (&["ab", "c", "d"], 4, Ok("abcd")),
            (&["ab", "cd", "e"], 4, Err(BodyFault::TooLarge)),
            (&[], 0, Ok("")),
            (&["a"], 0, Err(BodyFault::TooLarge)),
        ] {
            let got = read_with(parts, None, max_bytes, 1000).await;
            assert_eq!(got, expected.map(Bytes::from_static_str), "{parts:?}");
        }
        assert_eq!(
            read_with(&["a"], Some(5), 4, 1000).await,
            Err(BodyFault::TooLarge)
        );
        assert_eq!(
            read_with(&["abcd"], Some(4), 4, 1000).await.unwrap(),
            "abcd"
        );
    }

    trait FromStaticStr {
        fn from_static_str(text: &'static str) -> Self;
    }

    impl FromStaticStr for Bytes {
        fn from_static_str(text: &'static str) -> Self {
            Self::from_static(text.as_bytes())
        }
    }

    #[tokio::test]
    async fn bodies_in_flight_share_a_budget_and_give_it_back() {
        let stats = Arc::new(ServerStats::default());
        let limits = Limits::default();
        let room = || Room::new(Arc::clone(&stats), 6);
        let first = read(&mut Full::from("abcd"), None, 10, &limits, room())
            .await
            .unwrap();
        assert_eq!(stats.body_bytes(), 4);
        let second = read(&mut Full::from("abc"), None, 10, &limits, room()).await;
        assert_eq!(second.unwrap_err(), BodyFault::NoRoom);
        assert_eq!(stats.body_bytes(), 4);
        let third = read(&mut Full::from("ab"), None, 10, &limits, room()).await;
        assert!(third.is_ok());
        drop((first, third));
        assert_eq!(stats.body_bytes(), 0);
    }

    #[test]
    fn a_body_earns_time_by_arriving_and_never_more_than_the_whole() {
        let limits = Limits::default();
        assert_eq!(allowed(0, &limits), Duration::from_secs(5));
        assert_eq!(allowed(10 * 1024, &limits), Duration::from_secs(15));
        assert_eq!(allowed(usize::MAX, &limits), Duration::from_secs(30));
        let any_rate = Limits {
            body_min_rate: 0,
            ..limits
        };
        assert_eq!(allowed(0, &any_rate), Duration::from_secs(30));
    }
}
