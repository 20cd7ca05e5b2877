//! What is told about bodies of every protocol.
