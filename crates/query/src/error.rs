//! Why a question has no answer, and what each of the two APIs says then.

use model::Code;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// The question is not one, or asks for what is not supported.
    #[error("{0}")]
    Invalid(String),
    /// It is one, but what it found cannot be put together.
    #[error("{0}")]
    Failed(String),
    /// It would take more than it may.
    #[error("{0}")]
    TooLarge(String),
    /// It took too long.
    #[error(
        "the query was given up after {0} s (queries.timeout); ask for fewer series or less time"
    )]
    Timeout(u64),
    /// Who asked is gone.
    #[error("the query was given up because nobody waits for it")]
    Cancelled,
    /// Too many ask.
    #[error("{0}")]
    Overloaded(&'static str),
    /// There is no archive here.
    #[error("there is no archive in this process: stores has no store of type parquet")]
    NoArchive,
    /// The archive cannot be read.
    #[error("the archive cannot be read now: {0}")]
    Archive(String),
    /// A defect.
    #[error("the query failed by a defect of ours; the log has it")]
    Defect,
}

impl Error {
    /// The code of our own API.
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Invalid(_) | Self::Failed(_) => Code::ParameterInvalid,
            Self::TooLarge(_) => Code::QueryTooLarge,
            Self::Timeout(_) | Self::Cancelled => Code::QueryTimeout,
            Self::Overloaded(_) => Code::Overloaded,
            Self::NoArchive => Code::NotFound,
            Self::Archive(_) => Code::ArchiveUnavailable,
            Self::Defect => Code::Internal,
        }
    }

    /// The status and the type of Prometheus's API.
    pub(crate) fn prometheus(&self) -> (u16, &'static str) {
        match self {
            Self::Invalid(_) => (400, "bad_data"),
            Self::Failed(_) | Self::TooLarge(_) => (422, "execution"),
            Self::Timeout(_) => (503, "timeout"),
            Self::Cancelled => (503, "canceled"),
            Self::Overloaded(_) | Self::Archive(_) => (503, "unavailable"),
            Self::NoArchive => (404, "not_found"),
            Self::Defect => (500, "internal"),
        }
    }
}

/// Short for [`Error::Invalid`].
pub(crate) fn invalid<T>(why: impl Into<String>) -> Result<T, Error> {
    Err(Error::Invalid(why.into()))
}
