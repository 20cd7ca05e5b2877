//! Gives evolving bytes to `hostile::otlp`.
#![no_main]

hostile_fuzz::target!(otlp);
