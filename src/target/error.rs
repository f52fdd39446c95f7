//! Calls that failed.

use std::{path::PathBuf, time::Duration};

use super::auth::LoginFailure;
use crate::mapping::{
    call::CallError,
    expression::{EvaluateError, EvaluateErrorKind},
    model::Meaning,
    page::PageError,
    reply::Verdict,
};

/// A call, an operation or a list that failed. Texts name no values and hold no secrets.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The target answered, and what was asked is not so.
    #[error("The application refused the call.")]
    Refused {
        /// Why. [`Meaning::Retry`] means that the call's fate may be unknown.
        meaning: Meaning,
        /// The application's own words, for the client's administrator.
        detail: Option<String>,
        /// The SCIM attribute it is about.
        attribute: Option<String>,
        /// The status of the reply, if there was one.
        status: Option<u16>,
    },
    /// The target wants fewer calls; this one was refused unprocessed.
    #[error("The application asks for fewer calls.")]
    TooMany {
        /// When to come back.
        retry_after: Duration,
    },
    /// No connection, or one that broke.
    #[error("The application cannot be reached.")]
    Unreachable {
        /// Whether bytes of this call may have reached it.
        sent: bool,
        /// What happened, for the log.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No answer before the deadline.
    #[error("The application did not answer in time.")]
    TimedOut {
        /// Whether bytes of this call may have reached it.
        sent: bool,
    },
    /// The target has failed too often and is left alone.
    #[error("The application is not working and is left alone for a while.")]
    CircuitOpen {
        /// When to come back: 5 to 30 seconds, different for each caller.
        retry_after: Duration,
    },
    /// No turn before the deadline: the target's budget is used up.
    #[error("The application's budget of calls is used up.")]
    BudgetExhausted,
    /// An answer that cannot be used: too large, compressed, a redirect to somewhere.
    #[error("The application's answer cannot be used: {0}.")]
    BadReply(&'static str),
    /// A reply that holds something, and no object where the mapping looks for it: not the same as an object that is not there.
    #[error("the reply has nothing at `{place}`")]
    NoObject {
        /// The place: `object`, or the envelope.
        place: String,
    },
    /// A list that cannot be read to its end.
    #[error(transparent)]
    Page(#[from] PageError),
    /// The target does not accept the gateway's own credential, or gives none.
    #[error("The gateway cannot log in to the application: {0}.")]
    LoginFailed(LoginFailure),
    /// The object was changed by somebody else since it was read (`If-Match`): read, compare, and send again.
    #[error("The object was changed in the application meanwhile.")]
    Changed {
        /// Whether an earlier call of the same wish has had its effect.
        is_halfway: bool,
    },
    /// A step of a create failed after an earlier one had its effect: something is there, and not all of it.
    #[error("The application has made a part of the object: {cause}")]
    Halfway {
        /// The application's id of what is there; absent if no step has said it.
        id: Option<String>,
        /// Why the step failed.
        #[source]
        cause: Box<TargetError>,
    },
    /// The call cannot be made from these values.
    #[error(transparent)]
    Mapping(#[from] CallError),
    /// The tenant's base URL has another origin than before, with the same credential (promise S21).
    #[error("The origin of `base-url` has changed but the credential has not.")]
    OriginChanged,
    /// A file that the connection needs.
    #[error("`{}`: {what}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, for operators.
        what: String,
    },
    /// Settings that cannot work.
    #[error("{0}")]
    Settings(String),
}

impl TargetError {
    /// The error with all its causes, in one line.
    pub fn with_causes(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let deeper = error.to_string();
            if !text.contains(&deeper) {
                text = format!("{}: {deeper}", text.trim_end_matches('.'));
            }
            cause = error.source();
        }
        text
    }

    /// Whether a value does not fit into the path of a call: nothing was sent.
    pub fn is_unfit_for_path(&self) -> bool {
        match self {
            Self::Mapping(CallError::Evaluate(error)) => {
                error.kind == EvaluateErrorKind::UnfitForPath
            }
            Self::Mapping(CallError::Path(_)) => true,
            _ => false,
        }
    }

    /// Whether there is no connection because the certificate that the application shows is not trusted, or not its own.
    pub fn distrusts_certificate(&self) -> bool {
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let inner = error.downcast_ref::<std::io::Error>();
            let inner = inner.and_then(std::io::Error::get_ref);
            let tls = inner
                .and_then(|inner| inner.downcast_ref::<rustls::Error>())
                .or_else(|| error.downcast_ref::<rustls::Error>());
            if matches!(tls, Some(rustls::Error::InvalidCertificate(_))) {
                return true;
            }
            cause = error.source();
        }
        false
    }

    /// Whether the call may have had an effect that nobody has seen: look before asking again.
    pub fn is_in_doubt(&self) -> bool {
        match self {
            Self::Unreachable { sent, .. } | Self::TimedOut { sent } => *sent,
            Self::Refused { meaning, .. } => matches!(meaning, Meaning::Retry | Meaning::Failed),
            Self::BadReply(_) | Self::NoObject { .. } | Self::Halfway { .. } => true,
            _ => false,
        }
    }
}

impl From<EvaluateError> for TargetError {
    fn from(error: EvaluateError) -> Self {
        Self::Mapping(error.into())
    }
}

impl From<Verdict> for TargetError {
    fn from(verdict: Verdict) -> Self {
        if verdict.meaning == Meaning::Changed {
            return Self::Changed { is_halfway: false };
        }
        Self::Refused {
            meaning: verdict.meaning,
            detail: verdict.detail,
            attribute: verdict.attribute,
            status: verdict.status,
        }
    }
}
