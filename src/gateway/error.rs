//! Every other layer's error becomes a SCIM error here.
//!
//! A fault of ours or of the target never looks like the client's (promise R7): Entra quarantines a customer for a 401
//! or a 404 on a list.

use std::time::Duration;

use crate::{
    mapping::{
        call::CallError,
        expression::EvaluateErrorKind,
        model::{Meaning, Operation, TypeMapping},
        page::PageError,
        write::WriteError,
    },
    scim::{Error, ScimType},
    store::StoreError,
    target::TargetError,
};

use super::Context;

impl From<TargetError> for Error {
    fn from(error: TargetError) -> Self {
        match error {
            TargetError::Refused {
                meaning,
                detail,
                attribute,
                ..
            } => refused(meaning, detail, attribute),
            TargetError::TooMany { retry_after } => {
                later(429, "The application asks to slow down.", retry_after)
            }
            TargetError::CircuitOpen { retry_after } => later(
                503,
                "The application does not answer at the moment.",
                retry_after,
            ),
            TargetError::BudgetExhausted => later(
                429,
                "More requests are waiting for the application than its budget allows.",
                SHORTLY,
            ),
            TargetError::Unreachable { .. } => later(
                503,
                "The application cannot be reached at the moment.",
                SHORTLY,
            ),
            TargetError::TimedOut { .. } => {
                later(504, "The application did not answer in time.", SHORTLY)
            }
            TargetError::Halfway { cause, .. } => Self::from(*cause),
            TargetError::Changed { is_halfway } => changed(is_halfway),
            TargetError::LoginFailed(why) => Self::new(
                502,
                format!("The gateway cannot log in to the application: {why}."),
            ),
            TargetError::BadReply(why) => not_understood(why),
            TargetError::NoObject { place } => {
                not_understood(&format!("its reply has nothing at `{place}`"))
            }
            TargetError::Page(error) => not_understood(match error {
                PageError::Repeated => "a list gives the same page twice",
                PageError::RepeatedSearch => {
                    "a search gives the same page twice; if its reply holds all, the find says `page = false`"
                }
                PageError::TooManyPages => "a list has more pages than are read",
                PageError::Foreign => {
                    "the link to a list's next page leads elsewhere than `base-url` and `public-url`"
                }
                PageError::Truncated => "a list ends before its total",
                PageError::Unclear => "what `more` says of a list's page cannot be worked out",
            }),
            TargetError::Mapping(CallError::Evaluate(error)) => error.into(),
            TargetError::Mapping(CallError::Header(name)) => Self::new(
                502,
                format!("The mapping makes a header `{name}` that cannot be sent."),
            ),
            TargetError::Mapping(CallError::Path(_)) => {
                Self::new(502, "The mapping makes a path that cannot be sent.")
            }
            TargetError::OriginChanged | TargetError::File { .. } | TargetError::Settings(_) => {
                Self::new(
                    502,
                    "The gateway's settings for the application cannot be used; its operator must look at them.",
                )
            }
        }
    }
}

/// What an operation that writes a resource fails with. An attribute that does not fit into the path of a call is the client's to
/// change; that something is not there is no answer to who wants to make it.
pub fn of_write(error: TargetError, t: &TypeMapping, operation: &Operation) -> Error {
    let in_path = || {
        let calls = operation.steps.iter();
        let mut names = calls.flat_map(|call| call.path.names());
        names.find(|name| {
            let attribute = name.names.first().filter(|name| *name != "id");
            attribute.is_some_and(|name| t.resource_type.schema.attribute(name).is_some())
        })
    };
    match error {
        error if error.is_unfit_for_path() => match in_path() {
            Some(name) => Error::of(
                ScimType::InvalidValue,
                format!(
                    "`{}` is a part of an address of the application: it cannot be empty, `.` or `..`, nor hold control characters or what the mapping's `id-pattern` excludes.",
                    name.names.join(".")
                ),
            ),
            None => error.into(),
        },
        TargetError::Refused {
            meaning: Meaning::NotFound,
            detail,
            attribute,
            ..
        } if is_create(t, operation) => refused(Meaning::Failed, detail, attribute),
        error => error.into(),
    }
}

fn is_create(t: &TypeMapping, operation: &Operation) -> bool {
    let create = t.create.as_ref();
    create.is_some_and(|create| std::ptr::eq(create, operation))
}

/// An operator who reads a 502 is told which operation of the mapping to look at: the one that failed, or that of the last call;
/// `since` calls were made for something else. Where the application gave no reason, its call and status are told.
pub fn naming_operation(mut error: Error, ctx: &Context, since: usize) -> Error {
    if error.status == 502 {
        ctx.record(|exchange| {
            let failed = exchange.trouble.as_ref().map(|trouble| &trouble.operation);
            let own = exchange.calls.get(since..).unwrap_or_default();
            let last = own.last().map(|call| &call.operation);
            if let Some(operation) = failed.or(last) {
                let sentence = error.detail.trim_end_matches('.');
                let answered = own
                    .last()
                    .filter(|call| sentence == FAILED && call.operation == *operation)
                    .and_then(|call| Some((&call.template, call.status?)))
                    .map(|(call, status)| format!(": `{call}` was answered {status}"));
                let answered = answered.unwrap_or_default();
                error.detail = format!("{sentence} (`{operation}`{answered}).");
            }
        });
    }
    error
}

/// Somebody else changed the object between reading and writing; perhaps when a part of the change had been made already.
pub fn changed(is_halfway: bool) -> Error {
    let detail = match is_halfway {
        true => CHANGED_HALFWAY,
        false => CHANGED,
    };
    later(503, detail, Duration::from_secs(1))
}

/// `why` is one of our own texts: it holds no value of the application's.
fn not_understood(why: &str) -> Error {
    Error::new(
        502,
        format!("The application answered in a way that its mapping does not understand: {why}."),
    )
}

/// What the target refused, told as the target's refusal.
fn refused(meaning: Meaning, detail: Option<String>, attribute: Option<String>) -> Error {
    let about = attribute
        .map(|name| format!(" (`{name}`)"))
        .unwrap_or_default();
    let words = |lead: &str| match &detail {
        Some(detail) if !detail.is_empty() => format!("{lead}{about}: {detail}"),
        _ => format!("{lead}{about}."),
    };
    let detail = match meaning {
        Meaning::NotFound => "The resource does not exist.".to_owned(),
        Meaning::Uniqueness => words("The application has such an object already"),
        Meaning::Refused(_) => words("The application refused the change"),
        Meaning::NotSupported => words("The application cannot do this"),
        Meaning::Forbidden | Meaning::NotLoggedIn => {
            "The application did not accept the gateway's own credential for this; its operator must look at it."
                .to_owned()
        }
        Meaning::TooMany => "The application asks to slow down.".to_owned(),
        Meaning::Changed => CHANGED.to_owned(),
        Meaning::Retry => "The application failed for the moment.".to_owned(),
        Meaning::Ok | Meaning::Created | Meaning::AlreadySo | Meaning::Failed => {
            words(FAILED)
        }
    };
    let (status, scim_type) = match meaning {
        // It is an error all the same: what was done is not what was wanted.
        Meaning::Ok | Meaning::Created | Meaning::AlreadySo => (502, None),
        meaning => meaning.answer(),
    };
    Error {
        status,
        scim_type,
        detail,
        retry_after: match meaning {
            Meaning::Changed => Some(Duration::from_secs(1)),
            Meaning::TooMany | Meaning::Retry => Some(SHORTLY),
            _ => None,
        },
    }
}

fn later(status: u16, detail: &str, retry_after: Duration) -> Error {
    Error {
        status,
        scim_type: None,
        detail: detail.to_owned(),
        retry_after: Some(retry_after),
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        // Each request would say so.
        if !matches!(error, StoreError::Away { .. } | StoreError::Busy { .. }) {
            tracing::error!(error = %error, "the store failed");
        }
        match error {
            StoreError::Conflict { .. } => Self::of(
                ScimType::Uniqueness,
                "Another resource is linked to the same object of the application.",
            ),
            StoreError::Busy { .. } => later(
                503,
                "Another request is changing the same resource.",
                Duration::from_secs(1),
            ),
            _ => later(
                503,
                "The gateway's store is not available at the moment.",
                SHORTLY,
            ),
        }
    }
}

impl From<WriteError> for Error {
    fn from(error: WriteError) -> Self {
        Self::of(error.kind, error.message)
    }
}

impl From<crate::mapping::expression::EvaluateError> for Error {
    fn from(error: crate::mapping::expression::EvaluateError) -> Self {
        tracing::warn!(error = %error, "an expression of the mapping failed");
        let why = match error.kind {
            EvaluateErrorKind::Type => "a value is of another type",
            EvaluateErrorKind::TooLarge => "a result is too large",
            EvaluateErrorKind::NoRandom => "no random characters are left",
            EvaluateErrorKind::NoTime => "the time is not known there",
            EvaluateErrorKind::UnfitForPath => "a value cannot be a part of a path",
            EvaluateErrorKind::Absent => "a value is absent",
        };
        Self::new(
            502,
            format!(
                "The mapping of this tenant failed on the application's data: {why}; its operator must look at it."
            ),
        )
    }
}

const FAILED: &str = "The application failed";
const CHANGED: &str = "The object was changed in the application meanwhile.";
const CHANGED_HALFWAY: &str = "A part of the change was made; then the object was changed in the application by somebody else.";

/// When to try again if nobody said.
pub const SHORTLY: Duration = Duration::from_secs(10);
