//! Fuzzes `hostile::snappy`.
#![no_main]

hostile_fuzz::target!(snappy);
