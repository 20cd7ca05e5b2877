//! The embedded log: the buffer on one machine. The only code that names `fjall`.
