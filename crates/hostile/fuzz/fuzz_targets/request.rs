//! Gives evolving bytes to `hostile::request`.
#![no_main]

hostile_fuzz::target!(request);
