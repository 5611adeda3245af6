//! The directory and the end records: the source's own, with what the missing root folder changes.

use crate::Error;
use crate::format::{Central, LOCATOR64, u16_at, u32_at, u64_at};

/// The directory of the output, and the end records as the source has them.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    bytes: Vec<u8>,
    entries: u64,
    end64: Option<Vec<u8>>,
    located: bool,
    end: Option<Vec<u8>>,
}

/// What the end records must say: the source's are compared with it, the output's are made of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    /// How many entries there are.
    pub(crate) entries: u64,
    /// How long the directory is.
    pub(crate) size: u64,
    /// Where it begins.
    pub(crate) begins: u64,
}

impl Directory {
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn entries(&self) -> u64 {
        self.entries
    }

    /// Whether the last record has come.
    pub(crate) fn ended(&self) -> bool {
        self.end.is_some()
    }

    /// Whether an end record has come, behind which no entry may be named.
    pub(crate) fn closing(&self) -> bool {
        self.end64.is_some() || self.ended()
    }

    /// The archive's comment.
    pub(crate) fn comment(&self) -> &[u8] {
        self.end.as_ref().map_or(&[], |end| &end[22..])
    }

    /// Takes over an entry: its record, less the root folder, at its new place.
    pub(crate) fn add(&mut self, record: &[u8], central: &Central<'_>, root: usize, moved_to: u64) {
        let begin = self.bytes.len();
        self.bytes.extend_from_slice(&record[..46]);
        self.bytes.extend_from_slice(&record[46 + root..]);
        let added = &mut self.bytes[begin..];
        let name = central.common.name.len() - root;
        put16(added, 28, name as u64);
        match central.offset_stands_at {
            (at, true) => put64(added, at - root, moved_to),
            // It was less than 4 GiB and moves to the front only.
            (at, false) => put32(added, at, moved_to),
        }
        self.entries += 1;
    }

    /// Reads the end record with 64 bits, and compares it.
    pub(crate) fn end64(&mut self, record: Vec<u8>, found: Layout) -> Result<(), Error> {
        if u32_at(&record, 16) != 0 || u32_at(&record, 20) != 0 {
            return Err(Error::ManyVolumes);
        }
        agree("its own length", u64_at(&record, 4), 44)?;
        agree("entries", u64_at(&record, 24), found.entries)?;
        agree("entries", u64_at(&record, 32), found.entries)?;
        agree("size of the directory", u64_at(&record, 40), found.size)?;
        agree("offset of the directory", u64_at(&record, 48), found.begins)?;
        self.end64 = Some(record);
        Ok(())
    }

    /// Reads the record that says where that one is, and compares it. Answers whether it was due.
    pub(crate) fn locator(&mut self, record: &[u8], found: Layout) -> Result<bool, Error> {
        if u32_at(record, 4) != 0 || u32_at(record, 16) != 1 {
            return Err(Error::ManyVolumes);
        }
        agree(
            "offset of the zip64 end record",
            u64_at(record, 8),
            found.begins + found.size,
        )?;
        let due = self.end64.is_some() && !self.located;
        self.located = true;
        Ok(due)
    }

    /// Reads the end record, and compares it. Answers whether it was due.
    pub(crate) fn end(&mut self, record: Vec<u8>, found: Layout) -> Result<bool, Error> {
        if u16_at(&record, 4) != 0 || u16_at(&record, 6) != 0 {
            return Err(Error::ManyVolumes);
        }
        for at in [8, 10] {
            self.agree("entries", u16_at(&record, at).into(), u16::MAX.into(), found.entries)?;
        }
        let (all, size, begins) = (u32::MAX.into(), u32_at(&record, 12), u32_at(&record, 16));
        self.agree("size of the directory", size.into(), all, found.size)?;
        self.agree("offset of the directory", begins.into(), all, found.begins)?;
        self.end = Some(record);
        Ok(self.located == self.end64.is_some())
    }

    /// All ones mean that the record with 64 bits has the number.
    fn agree(&self, field: &'static str, said: u64, all_ones: u64, found: u64) -> Result<(), Error> {
        if said == all_ones && self.end64.is_some() {
            return Ok(());
        }
        agree(field, said, found)
    }

    /// The directory and the end records of an output whose entries take `before` bytes.
    pub(crate) fn into_bytes(self, before: u64) -> (Vec<u8>, Vec<u8>) {
        let layout = Layout {
            entries: self.entries,
            size: self.bytes.len() as u64,
            begins: before,
        };
        let mut ends = Vec::new();
        if let Some(mut end64) = self.end64 {
            for (at, number) in [
                (24, layout.entries),
                (32, layout.entries),
                (40, layout.size),
                (48, layout.begins),
            ] {
                put64(&mut end64, at, number);
            }
            ends.extend(end64);
            ends.extend(LOCATOR64.to_le_bytes());
            ends.extend(0_u32.to_le_bytes());
            ends.extend((layout.begins + layout.size).to_le_bytes());
            ends.extend(1_u32.to_le_bytes());
        }
        if let Some(mut end) = self.end {
            for at in [8, 10] {
                if ends.is_empty() || u16_at(&end, at) != u16::MAX {
                    put16(&mut end, at, layout.entries);
                }
            }
            for (at, number) in [(12, layout.size), (16, layout.begins)] {
                if ends.is_empty() || u32_at(&end, at) != u32::MAX {
                    put32(&mut end, at, number);
                }
            }
            ends.extend(end);
        }
        (self.bytes, ends)
    }
}

fn agree(field: &'static str, said: u64, found: u64) -> Result<(), Error> {
    if said == found {
        return Ok(());
    }
    Err(Error::FalseEnd { field, said, found })
}

fn put16(record: &mut [u8], at: usize, number: u64) {
    record[at..at + 2].copy_from_slice(&number.to_le_bytes()[..2]);
}

fn put32(record: &mut [u8], at: usize, number: u64) {
    record[at..at + 4].copy_from_slice(&number.to_le_bytes()[..4]);
}

fn put64(record: &mut [u8], at: usize, number: u64) {
    record[at..at + 8].copy_from_slice(&number.to_le_bytes());
}
