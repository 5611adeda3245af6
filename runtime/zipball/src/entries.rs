//! What is remembered of each entry until the directory has confirmed it: a few numbers and the name.

use crate::Error;
use crate::format::{Central, Common, Sums};

/// The entries, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    list: Vec<Entry>,
    names: Vec<u8>,
    /// How many the directory has named.
    named: usize,
    /// The one that it should name next, if it keeps the order.
    next: usize,
}

/// An entry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    /// Where its header began in the input.
    begins: u64,
    /// Where its header begins in the output.
    pub(crate) moved_to: u64,
    pub(crate) sums: Sums,
    modified: u32,
    name_begins: u32,
    name_length: u16,
    flags: u16,
    pub(crate) method: u16,
    named: bool,
}

impl Entries {
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// How many of them the directory has named.
    pub(crate) fn named(&self) -> usize {
        self.named
    }

    /// How much memory they take.
    pub(crate) fn memory(&self) -> usize {
        self.names.len() + self.list.len() * size_of::<Entry>()
    }

    pub(crate) fn push(&mut self, header: &Common<'_>, begins: u64, moved_to: u64) {
        self.list.push(Entry {
            begins,
            moved_to,
            sums: header.sums,
            modified: header.modified,
            // The limit of metadata is far below 4 GiB.
            name_begins: u32::try_from(self.names.len()).unwrap_or(u32::MAX),
            name_length: u16::try_from(header.name.len()).unwrap_or(u16::MAX),
            flags: header.telling_flags(),
            method: header.method,
            named: false,
        });
        self.names.extend_from_slice(header.name);
    }

    /// The one that came last.
    pub(crate) fn last_mut(&mut self) -> Option<&mut Entry> {
        self.list.last_mut()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Entry)> {
        (0..).zip(&self.list)
    }

    /// An entry's name, its root folder included.
    pub(crate) fn name(&self, entry: &Entry) -> &[u8] {
        let begin = entry.name_begins as usize;
        &self.names[begin..begin + usize::from(entry.name_length)]
    }

    pub(crate) fn get(&self, index: u32) -> &Entry {
        &self.list[index as usize]
    }

    /// Finds the entry that the directory names, and compares what the two say.
    pub(crate) fn confirm(&mut self, central: &Central<'_>) -> Result<&mut Entry, Error> {
        let in_order = self
            .list
            .get(self.next)
            .is_some_and(|entry| entry.begins == central.offset);
        let index = if in_order {
            Ok(self.next)
        } else {
            self.list.binary_search_by_key(&central.offset, |entry| entry.begins)
        };
        let index = index
            .ok()
            .filter(|index| !self.list[*index].named)
            .ok_or_else(|| Error::Overlap {
                entry: Error::quote(central.common.name),
                offset: central.offset,
            })?;
        self.next = index + 1;
        self.named += 1;
        let entry = self.list[index];
        self.compare(&entry, &central.common)?;
        let entry = &mut self.list[index];
        entry.named = true;
        Ok(entry)
    }

    fn compare(&self, entry: &Entry, central: &Common<'_>) -> Result<(), Error> {
        let name = self.name(entry);
        let differs = |field, local: String, central: String| {
            Err(Error::Mismatch {
                entry: Error::quote(name),
                field,
                local,
                central,
            })
        };
        if name != central.name {
            return differs("name", Error::quote(name), Error::quote(central.name));
        }
        let (local, said) = (entry.sums, central.sums);
        let numbers: [(&'static str, u64, u64); 6] = [
            ("flags", entry.flags.into(), central.telling_flags().into()),
            ("method", entry.method.into(), central.method.into()),
            ("time", entry.modified.into(), central.modified.into()),
            ("checksum", local.crc.into(), said.crc.into()),
            ("compressed size", local.compressed, said.compressed),
            ("size", local.expanded, said.expanded),
        ];
        for (field, local, central) in numbers {
            if local != central {
                return differs(field, local.to_string(), central.to_string());
            }
        }
        Ok(())
    }
}
