//! Why there is no session with a target.

/// Why a login gave none, or none that the target accepts. Texts are clauses for clients' administrators and for operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoginFailure {
    /// A login step was refused.
    #[error("it refuses the login")]
    Refused,
    /// The login was answered well, and the first call after it was not let in.
    #[error("it answers the login well and refuses what is sent after it")]
    SessionRefused,
    /// A token server refused the client.
    #[error("the token server refuses the client")]
    ClientRefused,
    /// A token server gave a token, and the first call with it was not let in.
    #[error("the token server gives a token and the application refuses it")]
    TokenRefused,
    /// There is no such call as a login step makes.
    #[error("it does not know the login call")]
    NotThere,
    /// Fewer logins are wanted.
    #[error("it asks for fewer logins")]
    TooMany,
    /// The login does not work at the moment.
    #[error("its login is not working")]
    NotWorking,
    /// The answer to the login lacks what `headers` or `query` of the mapping need.
    #[error("its answer gives no token")]
    NoToken,
    /// Fewer calls are wanted by a token server.
    #[error("the token server asks for fewer calls")]
    TokenServerBusy,
    /// A token server does not work.
    #[error("the token server has failed")]
    TokenServerFailed,
    /// A token server's answer cannot be used: what is wrong with it.
    #[error("the token server's answer {0}")]
    TokenServerAnswer(&'static str),
    /// No assertion for a token server could be made.
    #[error("the assertion could not be signed")]
    Unsigned,
    /// Another attempt a moment ago failed in a way of its own.
    #[error("the login failed a moment ago")]
    AMomentAgo,
}

impl LoginFailure {
    /// Whether the credential itself, or what came of it, was refused: asking again does not help.
    pub fn is_refusal(self) -> bool {
        matches!(
            self,
            Self::Refused | Self::SessionRefused | Self::ClientRefused | Self::TokenRefused
        )
    }

    /// What an operator should look at.
    pub fn mending(self) -> &'static str {
        match self {
            Self::Refused => "set the credential in `[target.auth.login]` anew",
            Self::SessionRefused => {
                "see what `[target.auth.login]` sends from then on (`headers`, `query`, cookies), and `login.NAME` in the templates of `[target]`"
            }
            Self::ClientRefused => {
                "set `client-id` and `client-secret` of `[target.auth.oauth2]` anew"
            }
            Self::TokenRefused => "see `scope` and `audience` of `[target.auth.oauth2]`",
            Self::NotThere => "see the calls of `[target.auth.login]` and `base-url`",
            Self::NoToken => "see `take` and `headers` of `[target.auth.login]`",
            Self::TokenServerAnswer(_) | Self::TokenServerFailed => {
                "see `token-url` of `[target.auth.oauth2]`"
            }
            Self::Unsigned => "see `key` of `[target.auth.oauth2]`",
            Self::TooMany | Self::NotWorking | Self::TokenServerBusy | Self::AMomentAgo => {
                "try again later"
            }
        }
    }
}
