//! What errors of `PostgreSQL` mean for a batch, by their SQLSTATE.
//!
//! A *data exception* is about the samples: a text with a zero byte, a time that no timestamp can have. Everything else
//! is about the server, which is asked again, or about our settings, which somebody can repair while the buffer waits.

use tokio_postgres::error::SqlState;

/// Why a batch was not written.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Passing.
    Later(String),
    /// A person must act; until then it is passing.
    Misconfigured(String),
    /// The samples are not wanted.
    Refused {
        /// A stable code.
        reason: &'static str,
        /// The server's words.
        message: String,
    },
}

impl From<tokio_postgres::Error> for Trouble {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(database) = error.as_db_error() else {
            return Self::Later(crate::endpoint::explained(&error));
        };
        let code = database.code();
        let mut message = format!("the store said {}: {}", code.code(), database.message());
        if let Some(detail) = database.detail() {
            message = format!("{message} ({detail})");
        }
        let message: String = message
            .chars()
            .filter(|it| !it.is_control())
            .take(400)
            .collect();
        judge(code, message)
    }
}

/// What an error of the server means.
pub(super) fn judge(code: &SqlState, message: String) -> Trouble {
    let class = code.code().get(..2).unwrap_or_default();
    if matches!(*code, SqlState::PROGRAM_LIMIT_EXCEEDED) {
        return Trouble::Refused {
            reason: "too_large",
            message,
        };
    }
    match class {
        "22" => Trouble::Refused {
            reason: "invalid",
            message,
        },
        "28" => Trouble::Misconfigured(format!("{message} (check the store's url and password)")),
        "3D" | "3F" => Trouble::Misconfigured(format!(
            "{message} (create it, or check the store's url and schema)"
        )),
        // 42: what is missing, of another shape, or not ours. A race of two creators is passing.
        "42" if !matches!(
            *code,
            SqlState::DUPLICATE_TABLE | SqlState::DUPLICATE_OBJECT | SqlState::DUPLICATE_SCHEMA
        ) =>
        {
            Trouble::Misconfigured(format!(
                "{message} (check the store's tables and what its user may do)"
            ))
        }
        // No partition has a place for it, and those are not ours to make. Waiting would hold everything up for it.
        "23" if *code == SqlState::CHECK_VIOLATION => Trouble::Refused {
            reason: "no_partition",
            message,
        },
        _ => Trouble::Later(message),
    }
}
