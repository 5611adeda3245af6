//! Strips the root folder off a zip while it streams by, without inflating it.
