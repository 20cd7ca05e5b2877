//! Gives evolving bytes to `hostile::snappy`.
#![no_main]

hostile_fuzz::target!(snappy);
