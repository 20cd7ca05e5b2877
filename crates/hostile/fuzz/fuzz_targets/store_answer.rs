//! Gives evolving bytes to `hostile::store_answer`.
#![no_main]

hostile_fuzz::target!(store_answer);
