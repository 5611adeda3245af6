//! Strips the root folder off a zip while it streams by, without inflating it.
//!
//! GitHub puts all files of a zipball under one folder, `owner-repo-sha/`; CodePipeline and CodeBuild want them at the root. This
//! crate rewrites the archive on its way from one to the other:
//!
//! ```
//! # fn chunks() -> Vec<Vec<u8>> { Vec::new() }
//! use zipball::{Options, Rewriter};
//!
//! let mut rewriter = Rewriter::new(Options::default());
//! let mut output = Vec::new();
//! for chunk in chunks() {
//!     rewriter.push(&chunk, &mut output)?;
//!     // … send what is in `output` on, and clear it.
//! }
//! # if false {
//! let summary = rewriter.finish(&mut output)?;
//! assert_eq!(summary.comment, b"the commit");
//! # }
//! # Ok::<(), zipball::Error>(())
//! ```
//!
//! - Compressed bytes pass through untouched; so do extra fields and times. Only names get shorter and offsets smaller.
//! - The source's own directory is taken over, and with it what only it has: modes, executable bits, symbolic links, attributes.
//!   First it is compared, entry by entry and field by field, with the headers before the data, so that every reader sees
//!   the same archive.
//! - Archives of more than 4 GiB or 65,535 entries (zip64), and sums that stand after the data (data descriptors), are read and written.
//! - Data of unknown size that is stored ends where a descriptor fits all of it and a record follows. A file that begins with such a
//!   descriptor of nothing, and a record, cannot be told from an empty one while it streams by, and its archive is refused.
//! - Memory is bounded by [`Limits`], whatever the archive is: about 150 bytes and the name, twice, for each entry.
//! - Whatever could harm who extracts the archive is refused by an [`Error`] of its own, before [`Rewriter::finish`] hands out the
//!   directory, without which the output is no zip.
//!
//! A symbolic link stays what it is, wherever it leads: nothing is written through it, since an entry below a link is refused.
//!
//! It never reads or writes a file or a socket, never inflates but to find an end that is not given, and never
//! repairs: an archive that is not right is refused. That data is what its checksum says is left to who extracts it, except
//! where it was inflated. Names that differ in case only, or in the form of their Unicode, are different names.

mod data;
mod directory;
mod entries;
mod error;
mod format;
mod names;
mod rewriter;

pub use error::Error;
pub use rewriter::Rewriter;

/// What to demand of an archive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// How large it may be.
    pub limits: Limits,
    /// The commit that the archive's comment must name, as `git archive` does; `None` takes any comment.
    pub commit: Option<String>,
}

/// How large an archive may be: what is beyond is taken for a bomb.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Entries, the root folder included. 250,000 unless told: Linux has 90,000 files.
    pub entries: u64,
    /// Bytes of the archive. 7 GiB unless told, [what CodePipeline takes from S3](https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html).
    pub bytes: u64,
    /// Bytes of all files once they are extracted, as the headers say. 64 GiB unless told.
    pub expanded: u64,
    /// Bytes of memory for names and attributes. 48 MiB unless told.
    pub metadata: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 250_000,
            bytes: 7 << 30,
            expanded: 64 << 30,
            metadata: 48 << 20,
        }
    }
}

/// Takes what comes out, in order.
pub trait Output {
    /// The next bytes. They are only lent: an entry's data is lent straight from the input.
    fn put(&mut self, bytes: &[u8]);
}

impl Output for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// What was rewritten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Entries of the output: those of the input less the root folder.
    pub entries: u64,
    /// Bytes of the output.
    pub bytes: u64,
    /// Bytes of all files once they are extracted.
    pub expanded: u64,
    /// The folder that was stripped, with its slash.
    pub root: Vec<u8>,
    /// The archive's comment: the commit, if `git archive` made it of one.
    pub comment: Vec<u8>,
}
