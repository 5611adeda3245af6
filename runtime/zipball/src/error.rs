//! Why an archive is refused. Each hostile construction has a name of its own.

/// Why an archive is refused.
///
/// Names of entries are quoted with control characters and invalid UTF-8 escaped, so that a message can be shown anywhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The first bytes are not those of a zip.
    #[error(
        "this is no zip: it does not begin with an entry\n  help: look at the first bytes; a failed download is often a page of HTML"
    )]
    NotAZip,
    /// The zip has no entry.
    #[error(
        "the zip has no entry, needed is at least its root folder\n  help: make it with `git archive --prefix=<folder>/`"
    )]
    Empty,
    /// The bytes end before the archive does.
    #[error("the zip ends after {bytes} bytes, before its end record is complete\n  help: download it again")]
    Truncated {
        /// How many there were.
        bytes: u64,
    },
    /// Bytes follow the archive's end.
    #[error("bytes follow the end of the zip, at offset {offset}\n  help: remove what was appended")]
    TrailingData {
        /// Where they begin.
        offset: u64,
    },
    /// A record cannot be read.
    #[error("the record of {entry} has {what}\n  help: the archive is broken; make it anew")]
    Malformed {
        /// What is wrong with it.
        what: &'static str,
        /// The entry.
        entry: String,
    },
    /// Something else stands where a record is due, such as a gap between entries.
    #[error(
        "no record that is due begins at offset {offset}, where {found:#010x} stands\n  help: records must follow each other without gaps"
    )]
    UnexpectedRecord {
        /// Where.
        offset: u64,
        /// The signature that stands there.
        found: u32,
    },
    /// The archive is one of several volumes.
    #[error("the zip is one volume of several, allowed is a whole one\n  help: join the volumes first")]
    ManyVolumes,
    /// An entry is encrypted.
    #[error("{entry} is encrypted\n  help: make the archive without a password")]
    Encrypted {
        /// The entry.
        entry: String,
    },
    /// An entry is compressed in a way that not every reader knows.
    #[error(
        "{entry} is compressed by method {method}, allowed are 0 (stored) and 8 (deflate)\n  help: make the archive with `git archive`"
    )]
    UnsupportedMethod {
        /// The entry.
        entry: String,
        /// The method's number in APPNOTE.TXT, 4.4.5.
        method: u16,
    },
    /// An extra field gives the entry another name or another kind, which some readers believe and others do not.
    #[error(
        "{entry} has the extra field {id:#06x}, by which some readers see another name or kind of file\n  help: make the archive with `git archive`, which needs none"
    )]
    SecondMeaning {
        /// The entry.
        entry: String,
        /// The field's id.
        id: u16,
    },
    /// An entry has no name, or an empty or `.` component in it.
    #[error("{entry} has an empty or `.` part in its name\n  help: allowed are names such as `folder/file`")]
    EmptyName {
        /// The entry.
        entry: String,
    },
    /// A name with a NUL, behind which some readers do not read on.
    #[error("{entry} has a NUL in its name\n  help: rename the file")]
    NulInName {
        /// The entry.
        entry: String,
    },
    /// A name with `..` in it.
    #[error("{entry} leads out of its folder by `..`\n  help: allowed are names below the root folder, without `..`")]
    ParentFolder {
        /// The entry.
        entry: String,
    },
    /// A name that begins with `/`.
    #[error("{entry} is an absolute path\n  help: allowed are names below the root folder")]
    AbsolutePath {
        /// The entry.
        entry: String,
    },
    /// A name with a backslash, which Windows takes for a separator.
    #[error("{entry} has a backslash in its name, which is a separator to some readers\n  help: rename the file")]
    Backslash {
        /// The entry.
        entry: String,
    },
    /// A name that begins with a drive's letter.
    #[error("{entry} begins with the letter of a drive\n  help: allowed are names below the root folder")]
    DriveLetter {
        /// The entry.
        entry: String,
    },
    /// An entry is not in the folder that the first entry is in.
    #[error(
        "{entry} is outside the root folder {root}\n  help: every entry must be in the one folder, as in GitHub's zipballs"
    )]
    OutsideRoot {
        /// The entry.
        entry: String,
        /// The folder; empty if the first entry is in none.
        root: String,
    },
    /// Two entries have one name once the root folder is stripped.
    #[error("{entry} is in the zip twice\n  help: which of the two a reader takes is chance; remove one")]
    Duplicate {
        /// The name, without the root folder.
        entry: String,
    },
    /// A file or symbolic link where other entries need a folder.
    #[error("{entry} is a file, yet {inside} is in it\n  help: remove one of the two")]
    FileIsFolder {
        /// The file or symbolic link.
        entry: String,
        /// What needs it to be a folder.
        inside: String,
    },
    /// A folder that holds data of its own, a device, a pipe, a socket, or a name that contradicts the kind.
    #[error(
        "{entry} is of a kind that is not allowed (mode {mode:o})\n  help: allowed are files, folders whose names end with `/`, and symbolic links"
    )]
    SpecialFile {
        /// The entry.
        entry: String,
        /// Its mode.
        mode: u16,
    },
    /// A comment in which readers that look for the end of the directory from behind would find another one.
    #[error(
        "the zip's comment holds the signature of an end record, at which other programs would read an empty or another archive\n  help: leave it out of the comment"
    )]
    AmbiguousEnd,
    /// More entries than the limit.
    #[error("the zip has more than {limit} entries\n  help: raise `Limits::entries`, if it is trusted")]
    TooManyEntries {
        /// The limit.
        limit: u64,
    },
    /// More bytes than the limit.
    #[error("the zip is larger than {limit} bytes\n  help: raise `Limits::bytes`, if it is trusted")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// More bytes than the limit once it is extracted.
    #[error("the zip expands to more than {limit} bytes\n  help: raise `Limits::expanded`, if it is trusted")]
    ExpandsTooFar {
        /// The limit.
        limit: u64,
    },
    /// Names and attributes take more memory than the limit.
    #[error(
        "the names and attributes of the entries need more than {limit} bytes\n  help: raise `Limits::metadata`, if it is trusted"
    )]
    TooMuchMetadata {
        /// The limit.
        limit: usize,
    },
    /// The directory says something else than the header before the data.
    #[error(
        "{entry} has the {field} {local} before its data and {central} in the directory\n  help: two readers would see two archives; make it anew"
    )]
    Mismatch {
        /// The entry.
        entry: String,
        /// What differs.
        field: &'static str,
        /// Before the data.
        local: String,
        /// In the directory.
        central: String,
    },
    /// The directory refers to where no entry begins, or to one entry twice.
    #[error(
        "the directory has {entry} at offset {offset}, where no entry begins that it has not named yet\n  help: entries must not overlap; make the archive anew"
    )]
    Overlap {
        /// The entry.
        entry: String,
        /// Where it is said to begin.
        offset: u64,
    },
    /// Entries that the directory does not name, or numbers of the end record that are not true.
    #[error("the end record says {field} {said}, found was {found}\n  help: the archive is broken; make it anew")]
    FalseEnd {
        /// Which number.
        field: &'static str,
        /// As the record has it.
        said: u64,
        /// As it is.
        found: u64,
    },
    /// Compressed data that is broken, or is not what its sums say.
    #[error("the data of {entry} is broken: {reason}\n  help: download it again")]
    Corrupt {
        /// The entry.
        entry: String,
        /// Why.
        reason: &'static str,
    },
    /// The archive is not of the commit that was asked for.
    #[error(
        "the zip is of commit {found}, asked for was {expected}\n  help: git writes the commit into the archive's comment; ask for the full SHA of a commit"
    )]
    WrongCommit {
        /// The comment, or `(none)`.
        found: String,
        /// The commit.
        expected: String,
    },
}

impl Error {
    /// A name as messages show it.
    pub(crate) fn quote(name: &[u8]) -> String {
        format!("{:?}", String::from_utf8_lossy(name))
    }
}
