//! Nothing but `tests/it`: stories that cross processes, each on the real parts.
