//! The rewriter: takes the archive record by record, and hands out what becomes of each.

use crate::data::{Data, Fault, Piece, Step};
use crate::directory::{Directory, Layout};
use crate::entries::Entries;
use crate::format::{self, CENTRAL, Central, END, END64, LOCAL, LOCATOR64, Local};
use crate::{Error, Options, Output, Summary, names};

/// The kinds of file in a mode, and the bits that tell them.
const KIND: u16 = 0o170_000;
const FOLDER: u16 = 0o040_000;
const FILE: u16 = 0o100_000;
const LINK: u16 = 0o120_000;

/// Rewrites one archive. See [the crate](crate).
#[derive(Debug)]
pub struct Rewriter {
    options: Options,
    failed: Option<Error>,
    /// The first bytes of a record of which more must come.
    hold: Vec<u8>,
    data: Option<Passing>,
    /// How much of the input is done with.
    read: u64,
    /// How much was handed out.
    written: u64,
    expanded: u64,
    /// The root folder's name with its slash.
    root: Vec<u8>,
    entries: Entries,
    directory: Directory,
    directory_begins: Option<u64>,
}

/// An entry whose data passes by.
#[derive(Debug)]
struct Passing {
    data: Data,
    /// Whether it is the root folder, which is left out.
    root: bool,
}

impl Rewriter {
    /// A rewriter that has not seen anything yet.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            failed: None,
            hold: Vec::new(),
            data: None,
            read: 0,
            written: 0,
            expanded: 0,
            root: Vec::new(),
            entries: Entries::default(),
            directory: Directory::default(),
            directory_begins: None,
        }
    }

    /// Takes the next bytes of the archive, however it was cut, and hands out what can be handed out.
    ///
    /// What comes out before [`finish`](Self::finish) is no zip yet: the directory is missing, so that an archive that turns out to be
    /// hostile can still be thrown away.
    ///
    /// # Errors
    /// As soon as the archive is found to be unusable; from then on always the same.
    pub fn push(&mut self, input: &[u8], output: &mut impl Output) -> Result<(), Error> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let result = self.take(input, output);
        self.failed = result.as_ref().err().cloned();
        result
    }

    /// Ends the archive: verifies what can only be verified in whole, and hands out the directory.
    ///
    /// # Errors
    /// Where the archive is unusable. Nothing is handed out then.
    pub fn finish(self, output: &mut impl Output) -> Result<Summary, Error> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if !self.directory.ended() {
            return Err(self.truncated());
        }
        let entries = self.entries.len() as u64;
        if entries == 0 {
            return Err(Error::Empty);
        }
        if self.entries.named() < self.entries.len() {
            return Err(Error::FalseEnd {
                field: "entries",
                said: self.entries.named() as u64,
                found: entries,
            });
        }
        self.check_names()?;
        let comment = self.directory.comment().to_vec();
        if memchr::memmem::find(&comment, &END.to_le_bytes()).is_some() {
            return Err(Error::AmbiguousEnd);
        }
        if let Some(expected) = &self.options.commit
            && !comment.eq_ignore_ascii_case(expected.as_bytes())
        {
            return Err(Error::WrongCommit {
                found: if comment.is_empty() {
                    "(none)".to_owned()
                } else {
                    Error::quote(&comment)
                },
                expected: expected.clone(),
            });
        }
        let kept = self.directory.entries();
        let (directory, ends) = self.directory.into_bytes(self.written);
        output.put(&directory);
        output.put(&ends);
        Ok(Summary {
            entries: kept,
            bytes: self.written + (directory.len() + ends.len()) as u64,
            expanded: self.expanded,
            root: self.root,
            comment,
        })
    }

    fn truncated(&self) -> Error {
        let begun = &self.hold[..self.hold.len().min(4)];
        if self.read == 0 && (begun.is_empty() || !LOCAL.to_le_bytes().starts_with(begun)) {
            return Error::NotAZip;
        }
        Error::Truncated {
            bytes: self.read + self.hold.len() as u64,
        }
    }

    fn take(&mut self, mut input: &[u8], output: &mut impl Output) -> Result<(), Error> {
        let limit = self.options.limits.bytes;
        let seen = self.read + self.hold.len() as u64;
        if seen.saturating_add(input.len() as u64) > limit {
            return Err(Error::TooLarge { limit });
        }
        loop {
            let further = if self.data.is_some() {
                self.pass(&mut input, output)?
            } else {
                self.record(&mut input, output)?
            };
            if !further {
                return Ok(());
            }
        }
    }

    /// Lets an entry's data pass by. Answers whether there may be more to do.
    fn pass(&mut self, input: &mut &[u8], output: &mut impl Output) -> Result<bool, Error> {
        let Some(passing) = &mut self.data else { return Ok(true) };
        let (mut count, root) = (0, passing.root);
        let step = passing.data.step(input, &mut self.hold, &mut |piece| {
            let (Piece::Data(bytes) | Piece::Descriptor(bytes)) = piece;
            count += bytes.len() as u64;
            if !root {
                output.put(bytes);
            }
        });
        self.read += count;
        if !root {
            self.written += count;
        }
        match step {
            Ok(Step::Hungry) => Ok(false),
            Ok(Step::Further) => Ok(true),
            Ok(Step::Ended(sums)) => {
                self.data = None;
                self.entry_ends(sums)?;
                Ok(true)
            }
            Err(Fault::TooFar) => Err(self.expands_too_far()),
            Err(Fault::Broken(reason)) => Err(Error::Corrupt {
                entry: self.last_name(),
                reason,
            }),
        }
    }

    /// An entry has ended. A header whose sums stand after the data may have said them nevertheless, as git does.
    fn entry_ends(&mut self, sums: format::Sums) -> Result<(), Error> {
        let Some(entry) = self.entries.last_mut() else {
            return Ok(());
        };
        let said = std::mem::replace(&mut entry.sums, sums);
        for (field, said, found) in [
            ("checksum", u64::from(said.crc), u64::from(sums.crc)),
            ("compressed size", said.compressed, sums.compressed),
            ("size", said.expanded, sums.expanded),
        ] {
            if said != 0 && said != found {
                return Err(Error::Mismatch {
                    entry: self.last_name(),
                    field,
                    local: said.to_string(),
                    central: found.to_string(),
                });
            }
        }
        self.expanded = self.expanded.saturating_add(sums.expanded);
        if self.expanded > self.options.limits.expanded {
            return Err(self.expands_too_far());
        }
        Ok(())
    }

    fn expands_too_far(&self) -> Error {
        Error::ExpandsTooFar {
            limit: self.options.limits.expanded,
        }
    }

    fn last_name(&self) -> String {
        let last = self.entries.iter().last();
        last.map_or_else(String::new, |(_, entry)| Error::quote(self.entries.name(entry)))
    }

    /// Takes a record, once it is whole. Answers whether there may be more to do.
    fn record(&mut self, input: &mut &[u8], output: &mut impl Output) -> Result<bool, Error> {
        if self.directory.ended() {
            if input.is_empty() && self.hold.is_empty() {
                return Ok(false);
            }
            return Err(Error::TrailingData { offset: self.read });
        }
        if !self.fill(4, input) {
            return Ok(false);
        }
        let signature = format::u32_at(&self.hold, 0);
        let Some(fixed) = format::fixed_length(signature) else {
            return Err(self.unexpected(signature));
        };
        if !self.fill(fixed, input) {
            return Ok(false);
        }
        let whole = format::whole_length(signature, &self.hold[..fixed]);
        if !self.fill(whole, input) {
            return Ok(false);
        }
        let mut record = std::mem::take(&mut self.hold);
        match signature {
            LOCAL if self.directory_begins.is_none() => self.local(&mut record, output)?,
            CENTRAL if !self.directory.closing() => {
                self.directory_begins.get_or_insert(self.read);
                self.central(&record)?;
            }
            LOCAL | CENTRAL => return Err(self.unexpected(signature)),
            _ => return self.end(signature, record),
        }
        self.read += record.len() as u64;
        record.clear();
        self.hold = record;
        Ok(true)
    }

    /// Holds so many bytes, if there are as many.
    fn fill(&mut self, wanted: usize, input: &mut &[u8]) -> bool {
        let missing = wanted.saturating_sub(self.hold.len()).min(input.len());
        let (taken, rest) = input.split_at(missing);
        self.hold.extend_from_slice(taken);
        *input = rest;
        self.hold.len() >= wanted
    }

    fn unexpected(&self, found: u32) -> Error {
        if self.read == 0 {
            return Error::NotAZip;
        }
        Error::UnexpectedRecord {
            offset: self.read,
            found,
        }
    }

    fn local(&mut self, record: &mut [u8], output: &mut impl Output) -> Result<(), Error> {
        let Local { common } = Local::parse(record)?;
        let root = names::root_length(common.name)?;
        if self.entries.len() == 0 {
            self.root.extend_from_slice(&common.name[..root]);
        }
        if root == 0 || common.name[..root] != self.root {
            return Err(Error::OutsideRoot {
                entry: Error::quote(common.name),
                root: Error::quote(&self.root),
            });
        }
        let folder = names::is_folder(common.name);
        if folder && common.sums.expanded > 0 {
            return Err(Error::SpecialFile {
                entry: Error::quote(common.name),
                mode: 0,
            });
        }
        self.entries.push(&common, self.read, self.written);
        self.check_limits()?;
        let is_root = common.name.len() == root;
        let most = self.options.limits.expanded.saturating_sub(self.expanded);
        let data = Data::after(&common, most);
        self.data = Some(Passing { data, root: is_root });
        if !is_root {
            let name = u16::try_from(common.name.len() - root).unwrap_or(u16::MAX);
            record[26..28].copy_from_slice(&name.to_le_bytes());
            output.put(&record[..30]);
            output.put(&record[30 + root..]);
            self.written += (record.len() - root) as u64;
        }
        Ok(())
    }

    fn check_limits(&self) -> Result<(), Error> {
        let limits = &self.options.limits;
        if self.entries.len() as u64 > limits.entries {
            return Err(Error::TooManyEntries { limit: limits.entries });
        }
        if self.entries.memory() + self.directory.len() > limits.metadata {
            return Err(Error::TooMuchMetadata { limit: limits.metadata });
        }
        Ok(())
    }

    fn central(&mut self, record: &[u8]) -> Result<(), Error> {
        let central = Central::parse(record)?;
        let entry = self.entries.confirm(&central)?;
        let name = central.common.name;
        let kind = central.mode & KIND;
        let fits = if names::is_folder(name) {
            matches!(kind, 0 | FOLDER) && central.common.sums.expanded == 0
        } else {
            matches!(kind, 0 | FILE | LINK)
        };
        if !fits {
            return Err(Error::SpecialFile {
                entry: Error::quote(name),
                mode: central.mode,
            });
        }
        let moved_to = entry.moved_to;
        if name.len() > self.root.len() {
            self.directory.add(record, &central, self.root.len(), moved_to);
        }
        self.check_limits()
    }

    fn end(&mut self, signature: u32, record: Vec<u8>) -> Result<bool, Error> {
        if self.read == 0 {
            return Err(Error::Empty);
        }
        let begins = *self.directory_begins.get_or_insert(self.read);
        let length = record.len() as u64;
        // The directory ends where the first of the end records begins.
        let tail = if self.directory.closing() { 56 } else { 0 };
        let tail = if signature == END && tail > 0 { 76 } else { tail };
        let found = Layout {
            entries: self.entries.named() as u64,
            size: (self.read - begins).saturating_sub(tail),
            begins,
        };
        let due = match signature {
            END64 if !self.directory.closing() => self.directory.end64(record, found).map(|()| true)?,
            LOCATOR64 => self.directory.locator(&record, found)?,
            END => self.directory.end(record, found)?,
            _ => false,
        };
        if !due {
            return Err(self.unexpected(signature));
        }
        self.read += length;
        Ok(true)
    }

    fn check_names(&self) -> Result<(), Error> {
        let root = self.root.len();
        let stripped = |index: u32| &self.entries.name(self.entries.get(index))[root..];
        let mut order: Vec<u32> = self.entries.iter().map(|(index, _)| index).collect();
        let roots = order.iter().filter(|index| stripped(**index).is_empty()).count();
        if roots > 1 {
            return Err(Error::Duplicate {
                entry: Error::quote(&self.root),
            });
        }
        order.retain(|index| !stripped(*index).is_empty());
        names::check_together(&mut order, stripped)
    }
}
