//! Protobuf primitives.
