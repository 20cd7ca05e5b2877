//! Gives evolving bytes to `hostile::catalogue`.
#![no_main]

hostile_fuzz::target!(catalogue);
