//! Gives evolving bytes to `hostile::exposition_protobuf`.
#![no_main]

hostile_fuzz::target!(exposition_protobuf);
