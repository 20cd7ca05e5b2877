//! Gives evolving bytes to `hostile::connection`.
#![no_main]

hostile_fuzz::target!(connection);
