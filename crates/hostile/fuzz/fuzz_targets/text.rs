//! Gives evolving bytes to `hostile::text`.
#![no_main]

hostile_fuzz::target!(text);
