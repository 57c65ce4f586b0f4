//! A store as one stream of bytes.
