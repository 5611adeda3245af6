//! The records of a zip, as APPNOTE.TXT lays them out: read from bytes that are complete already, never written anew.
//!
//! Numbers are little-endian. A 32-bit number that is all ones stands in the zip64 extra field, if there is one.

use crate::Error;

/// Before each entry's data.
pub(crate) const LOCAL: u32 = 0x0403_4b50;
/// One for each entry, after all data.
pub(crate) const CENTRAL: u32 = 0x0201_4b50;
/// After an entry's data, where its header could not know its size.
pub(crate) const DESCRIPTOR: u32 = 0x0807_4b50;
/// The end record with numbers of 64 bits.
pub(crate) const END64: u32 = 0x0606_4b50;
/// Where that one is.
pub(crate) const LOCATOR64: u32 = 0x0706_4b50;
/// The last record.
pub(crate) const END: u32 = 0x0605_4b50;

/// The flag of encrypted data, that of strong encryption and that of a masked header.
const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;
/// The flag of an entry whose sums stand after its data.
const HAS_DESCRIPTOR: u16 = 1 << 3;
/// The flag of data that patches other data.
const PATCH: u16 = 1 << 5;
/// How hard the compressor tried; says nothing about the data.
const EFFORT: u16 = 0b110;

/// No compression.
pub(crate) const STORED: u16 = 0;
/// Deflate.
pub(crate) const DEFLATED: u16 = 8;

const ZIP64: u16 = 0x0001;

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

/// How long the fixed part of a record is.
pub(crate) fn fixed_length(signature: u32) -> Option<usize> {
    match signature {
        LOCAL => Some(30),
        CENTRAL => Some(46),
        END64 => Some(56),
        LOCATOR64 => Some(20),
        END => Some(22),
        _ => None,
    }
}

/// How long the whole record is, told by its fixed part.
pub(crate) fn whole_length(signature: u32, fixed: &[u8]) -> usize {
    let more: &[usize] = match signature {
        LOCAL => &[26, 28],
        CENTRAL => &[28, 30, 32],
        END => &[20],
        _ => &[],
    };
    fixed.len() + more.iter().map(|at| usize::from(u16_at(fixed, *at))).sum::<usize>()
}

/// Checksum and sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) crc: u32,
    pub(crate) compressed: u64,
    pub(crate) expanded: u64,
}

/// What the header before the data and the one in the directory both say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Common<'a> {
    pub(crate) flags: u16,
    pub(crate) method: u16,
    pub(crate) modified: u32,
    pub(crate) sums: Sums,
    pub(crate) name: &'a [u8],
}

impl Common<'_> {
    pub(crate) fn has_descriptor(&self) -> bool {
        self.flags & HAS_DESCRIPTOR != 0
    }

    /// The flags that tell how to read the entry.
    pub(crate) fn telling_flags(&self) -> u16 {
        self.flags & !EFFORT
    }

    /// Refuses what cannot be passed on unseen, or could be read in two ways.
    fn check(&self, extra: &[u8]) -> Result<(), Error> {
        let entry = || Error::quote(self.name);
        if self.flags & ENCRYPTED != 0 {
            return Err(Error::Encrypted { entry: entry() });
        }
        if !matches!(self.method, STORED | DEFLATED) || self.flags & PATCH != 0 {
            return Err(Error::UnsupportedMethod {
                entry: entry(),
                method: self.method,
            });
        }
        for field in extra_fields(self.name, extra) {
            match field?.0 {
                // AES, strong encryption.
                0x9901 | 0x0017 => return Err(Error::Encrypted { entry: entry() }),
                // A second name; the name with the modes and the link's target of PKWARE and of ASi.
                id @ (0x7075 | 0x000d | 0x756e) => return Err(Error::SecondMeaning { entry: entry(), id }),
                _ => {}
            }
        }
        Ok(())
    }
}

/// The header before an entry's data.
#[derive(Debug)]
pub(crate) struct Local<'a> {
    pub(crate) common: Common<'a>,
}

impl<'a> Local<'a> {
    pub(crate) fn parse(record: &'a [u8]) -> Result<Self, Error> {
        let (name, extra) = record[30..].split_at(usize::from(u16_at(record, 26)));
        let mut common = Common {
            flags: u16_at(record, 6),
            method: u16_at(record, 8),
            modified: u32_at(record, 10),
            sums: sums_at(record, 14),
            name,
        };
        common.check(extra)?;
        let Sums {
            compressed, expanded, ..
        } = &mut common.sums;
        widen(name, extra, &mut [expanded, compressed])?;
        Ok(Self { common })
    }
}

/// The header of an entry in the directory.
#[derive(Debug)]
pub(crate) struct Central<'a> {
    pub(crate) common: Common<'a>,
    /// Unix permissions and kind of file, as `stat` says them; 0 if they are not given.
    pub(crate) mode: u16,
    /// Where the header before the data begins.
    pub(crate) offset: u64,
    /// Where in the record that number stands, and whether it has 64 bits.
    pub(crate) offset_stands_at: (usize, bool),
}

impl<'a> Central<'a> {
    pub(crate) fn parse(record: &'a [u8]) -> Result<Self, Error> {
        let (name, rest) = record[46..].split_at(usize::from(u16_at(record, 28)));
        let extra = &rest[..usize::from(u16_at(record, 30))];
        let mut common = Common {
            flags: u16_at(record, 8),
            method: u16_at(record, 10),
            modified: u32_at(record, 12),
            sums: sums_at(record, 16),
            name,
        };
        common.check(extra)?;
        if u16_at(record, 34) != 0 {
            return Err(Error::ManyVolumes);
        }
        let mut offset = u64::from(u32_at(record, 42));
        let Sums {
            compressed, expanded, ..
        } = &mut common.sums;
        let wide = widen(name, extra, &mut [expanded, compressed, &mut offset])?;
        let offset_stands_at = wide.map_or((42, false), |at| (46 + name.len() + at, true));
        Ok(Self {
            common,
            mode: u16_at(record, 40),
            offset,
            offset_stands_at,
        })
    }
}

fn sums_at(record: &[u8], at: usize) -> Sums {
    Sums {
        crc: u32_at(record, at),
        compressed: u64::from(u32_at(record, at + 4)),
        expanded: u64::from(u32_at(record, at + 8)),
    }
}

/// Replaces the numbers that are all ones with those of the zip64 field. Answers where in `extra` the third number stands, if the
/// field holds it.
fn widen(name: &[u8], extra: &[u8], numbers: &mut [&mut u64]) -> Result<Option<usize>, Error> {
    let mut third = None;
    let mut found = false;
    for field in extra_fields(name, extra) {
        let (id, at, field) = field?;
        if id != ZIP64 {
            continue;
        }
        if found {
            return Err(Error::Malformed {
                what: "a second zip64 field",
                entry: Error::quote(name),
            });
        }
        found = true;
        let mut read = 0;
        for (index, number) in numbers.iter_mut().enumerate() {
            if **number != u64::from(u32::MAX) {
                continue;
            }
            if field.len() < read + 8 {
                return Err(Error::Malformed {
                    what: "a zip64 field that is too short",
                    entry: Error::quote(name),
                });
            }
            **number = u64_at(field, read);
            if index == 2 {
                third = Some(at + read);
            }
            read += 8;
        }
    }
    Ok(third)
}

/// The extra fields: id, where the content begins in `extra`, content.
fn extra_fields<'a>(name: &'a [u8], extra: &'a [u8]) -> impl Iterator<Item = Result<(u16, usize, &'a [u8]), Error>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = &extra[at..];
        if rest.is_empty() {
            return None;
        }
        let length = if rest.len() < 4 {
            usize::MAX
        } else {
            usize::from(u16_at(rest, 2))
        };
        let Some(content) = rest.get(4..).and_then(|content| content.get(..length)) else {
            at = extra.len();
            return Some(Err(Error::Malformed {
                what: "extra fields that do not end where they should",
                entry: Error::quote(name),
            }));
        };
        let begins = at + 4;
        at = begins + length;
        Some(Ok((u16_at(rest, 0), begins, content)))
    })
}
