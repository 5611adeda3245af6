//! The rewriter against archives of any construction: the right ones, the broken ones, the hostile ones.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails, with these words")]

mod archives;
mod hostile;
mod properties;
