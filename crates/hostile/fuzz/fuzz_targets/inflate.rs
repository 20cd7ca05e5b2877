//! Gives evolving bytes to `hostile::inflate`.
#![no_main]

hostile_fuzz::target!(inflate);
