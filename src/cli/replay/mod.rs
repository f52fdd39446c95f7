//! Plays a recorded-form session of an identity provider against a SCIM server.
//!
//! In: a session file (`scim-replay/1`, described in `tests/sessions/README.md`), a base URL, a token, a transport.
//! Out: one record per step – what was sent, what came back, what did not hold – and a summary.
//! Knows nothing of mappings, tenants or targets: it is a client, and sees only what a client sees.
//!
//! ```text
//!  session ─▶ variables ─▶ transport ─▶ judge ─▶ captures ─▶ next step
//!  (strict)   {{name}}     HTTP or      status,   $.id → uid
//!                          in-process   headers,
//!                                       assertions
//! ```

mod assertion;
mod jsonpath;
mod judge;
mod player;
mod session;
mod transport;
mod variables;

pub use jsonpath::{JsonPath, PathError};
pub use player::{Outcome, Player, Settings, StepRecord, Summary, play};
pub use session::{Auth, Class, Session, SessionError, Step, load_all};
pub use transport::{HttpTransport, Reply, Request, SendFuture, Transport, TransportError};
pub use variables::in_uri;
