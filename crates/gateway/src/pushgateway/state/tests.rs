//! Not written yet, soon.
