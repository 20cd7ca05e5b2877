//! Gives evolving bytes to `hostile::remote_write`.
#![no_main]

hostile_fuzz::target!(remote_write);
