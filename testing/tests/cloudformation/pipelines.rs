//! A pipeline lives and goes with its stack.
