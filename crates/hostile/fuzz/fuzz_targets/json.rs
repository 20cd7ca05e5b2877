//! Gives evolving bytes to `hostile::json`.
#![no_main]

hostile_fuzz::target!(json);
