//! What is answered and stored.
