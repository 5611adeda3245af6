//! `diff`: [`load`] reads the templates, [`synth::diff`] compares them, [`report`] puts the difference in words.

mod load;
mod report;

pub(crate) use load::{LoadError, load};
pub(crate) use report::text;
pub(crate) use synth::diff::compare;
