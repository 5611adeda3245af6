//! Finds where an entry's data ends. It passes by as it is: nothing here changes a byte.
//!
//! | the header before the data says | so the end is found by |
//! |---|---|
//! | sizes | counting |
//! | sizes, and that a descriptor follows (git, large files that are stored) | counting; the checksum must fit the descriptor |
//! | that a descriptor follows deflated data (git, large files) | inflating, into nothing |
//! | that a descriptor follows stored data, no sizes | looking for a descriptor that fits all bytes before it |

use crc32fast::Hasher;
use flate2::{Decompress, FlushDecompress, Status};

use crate::format::{CENTRAL, Common, DEFLATED, DESCRIPTOR, LOCAL, Sums, u32_at, u64_at};

/// How much is inflated at once.
const SCRATCH: usize = 32 * 1024;
/// How much is searched at once.
const BLOCK: usize = 64 * 1024;
/// The longest descriptor, with its signature and sizes of 64 bits.
const DESCRIPTOR_LENGTH: usize = 24;
/// The signature of what follows tells where the descriptor ends.
const NEXT: usize = 4;

/// An entry's data that is passing by.
#[derive(Debug)]
pub(crate) enum Data {
    /// Of known size, no descriptor.
    Sized { remaining: u64, sums: Sums },
    /// Of known size, and its checksum in a descriptor.
    Summed { remaining: u64, expanded: u64, crc: Hasher },
    /// Deflated, of unknown size.
    Deflated(Box<Inflation>),
    /// Stored, of unknown size.
    Searched { passed: u64, crc: Hasher },
    /// The data has ended, its descriptor has not.
    Described(Sums),
}

/// Data that is inflated to see where it ends.
#[derive(Debug)]
pub(crate) struct Inflation {
    inflater: Decompress,
    scratch: Box<[u8]>,
    crc: Hasher,
    most: u64,
}

/// What passes by.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Piece<'a> {
    /// A piece of the data.
    Data(&'a [u8]),
    /// The descriptor.
    Descriptor(&'a [u8]),
}

/// How far it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// All input is used up, more is needed.
    Hungry,
    /// Go on.
    Further,
    /// It has ended, descriptor and all. These are its sums.
    Ended(Sums),
}

/// What is wrong with the data.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// In words.
    Broken(&'static str),
    /// It expands to more than it may.
    TooFar,
}

impl Data {
    /// The data after this header, which may not expand to more than `most` bytes.
    pub(crate) fn after(header: &Common<'_>, most: u64) -> Self {
        let sums = header.sums;
        if !header.has_descriptor() {
            return Self::Sized {
                remaining: sums.compressed,
                sums,
            };
        }
        if header.method == DEFLATED {
            return Self::Deflated(Box::new(Inflation {
                inflater: Decompress::new(false),
                scratch: vec![0; SCRATCH].into_boxed_slice(),
                crc: Hasher::new(),
                most,
            }));
        }
        if sums.compressed > 0 && sums.compressed == sums.expanded {
            return Self::Summed {
                remaining: sums.compressed,
                expanded: sums.expanded,
                crc: Hasher::new(),
            };
        }
        Self::Searched {
            passed: 0,
            crc: Hasher::new(),
        }
    }

    /// Takes what it can from `input` and hands what belongs to the entry to `pass`. `hold` keeps what cannot be judged yet; when
    /// the data has ended it begins with the next record.
    pub(crate) fn step(
        &mut self,
        input: &mut &[u8],
        hold: &mut Vec<u8>,
        pass: &mut impl FnMut(Piece<'_>),
    ) -> Result<Step, Fault> {
        match self {
            Self::Sized { remaining, sums } => {
                let bytes = take(input, *remaining);
                *remaining -= bytes.len() as u64;
                pass(Piece::Data(bytes));
                Ok(if *remaining == 0 {
                    Step::Ended(*sums)
                } else {
                    Step::Hungry
                })
            }
            Self::Summed {
                remaining,
                expanded,
                crc,
            } => {
                let bytes = take(input, *remaining);
                *remaining -= bytes.len() as u64;
                crc.update(bytes);
                pass(Piece::Data(bytes));
                if *remaining > 0 {
                    return Ok(Step::Hungry);
                }
                *self = Self::Described(Sums {
                    crc: crc.clone().finalize(),
                    compressed: *expanded,
                    expanded: *expanded,
                });
                Ok(Step::Further)
            }
            Self::Deflated(inflation) => {
                let Some(sums) = inflation.step(input, pass)? else {
                    return Ok(Step::Hungry);
                };
                *self = Self::Described(sums);
                Ok(Step::Further)
            }
            Self::Searched { passed, crc } => Ok(search(input, hold, passed, crc, pass)),
            Self::Described(sums) => {
                let wanted = DESCRIPTOR_LENGTH + NEXT;
                let missing = wanted.saturating_sub(hold.len());
                hold.extend_from_slice(take(input, missing as u64));
                if hold.len() < wanted {
                    return Ok(Step::Hungry);
                }
                let length = descriptors(*sums)
                    .find(|descriptor| hold.starts_with(descriptor) && begins_a_record(&hold[descriptor.len()..]))
                    .map(|descriptor| descriptor.len())
                    .ok_or(Fault::Broken("its descriptor does not fit it"))?;
                pass(Piece::Descriptor(&hold[..length]));
                hold.drain(..length);
                Ok(Step::Ended(*sums))
            }
        }
    }
}

impl Inflation {
    fn step(&mut self, input: &mut &[u8], pass: &mut impl FnMut(Piece<'_>)) -> Result<Option<Sums>, Fault> {
        loop {
            let (read, written) = (self.inflater.total_in(), self.inflater.total_out());
            let status = self
                .inflater
                .decompress(input, &mut self.scratch, FlushDecompress::None)
                .map_err(|_| Fault::Broken("it cannot be inflated"))?;
            let read = self.inflater.total_in() - read;
            let produced = usize::try_from(self.inflater.total_out() - written).unwrap_or(SCRATCH);
            pass(Piece::Data(take(input, read)));
            self.crc.update(&self.scratch[..produced.min(SCRATCH)]);
            if self.inflater.total_out() > self.most {
                return Err(Fault::TooFar);
            }
            if status == Status::StreamEnd {
                return Ok(Some(Sums {
                    crc: self.crc.clone().finalize(),
                    compressed: self.inflater.total_in(),
                    expanded: self.inflater.total_out(),
                }));
            }
            if read == 0 && produced == 0 {
                return if input.is_empty() {
                    Ok(None)
                } else {
                    Err(Fault::Broken("it cannot be inflated"))
                };
            }
        }
    }
}

/// Looks for the next record, before which a descriptor fits all data.
fn search(
    input: &mut &[u8],
    hold: &mut Vec<u8>,
    passed: &mut u64,
    crc: &mut Hasher,
    pass: &mut impl FnMut(Piece<'_>),
) -> Step {
    if input.is_empty() {
        return Step::Hungry;
    }
    let old = hold.len();
    let block = &input[..input.len().min(BLOCK)];
    hold.extend_from_slice(block);
    for at in memchr::memchr_iter(b'P', hold) {
        // A record that is whole in what was held before has been looked at then.
        if at + NEXT <= old || !begins_a_record(&hold[at..]) {
            continue;
        }
        for (length, wide) in [(16, false), (24, true), (12, false), (20, true)] {
            let Some(end) = at.checked_sub(length) else { continue };
            let size = *passed + end as u64;
            // The last number is the size: cheaper to compare than a checksum is to calculate.
            let said = if wide {
                u64_at(hold, at - 8)
            } else {
                u64::from(u32_at(hold, at - 4))
            };
            if said != size {
                continue;
            }
            let mut whole = crc.clone();
            whole.update(&hold[..end]);
            let sums = Sums {
                crc: whole.finalize(),
                compressed: size,
                expanded: size,
            };
            let found = descriptors(sums).any(|descriptor| hold[end..at] == *descriptor);
            if found {
                pass(Piece::Data(&hold[..end]));
                pass(Piece::Descriptor(&hold[end..at]));
                *input = &input[(at + NEXT).saturating_sub(old)..];
                hold.truncate(at + NEXT);
                hold.drain(..at);
                return Step::Ended(sums);
            }
        }
    }
    *input = &input[block.len()..];
    let keep = DESCRIPTOR_LENGTH + NEXT - 1;
    if hold.len() > keep {
        let done = hold.len() - keep;
        crc.update(&hold[..done]);
        pass(Piece::Data(&hold[..done]));
        *passed += done as u64;
        hold.drain(..done);
    }
    Step::Further
}

/// The forms that a descriptor may have: with and without its signature, with sizes of 32 and of 64 bits.
fn descriptors(sums: Sums) -> impl Iterator<Item = Vec<u8>> {
    [(true, false), (true, true), (false, false), (false, true)]
        .into_iter()
        .filter(move |(_, wide)| *wide || sums.compressed.max(sums.expanded) <= u64::from(u32::MAX))
        .map(move |(signed, wide)| {
            let mut bytes = Vec::with_capacity(DESCRIPTOR_LENGTH);
            if signed {
                bytes.extend(DESCRIPTOR.to_le_bytes());
            }
            bytes.extend(sums.crc.to_le_bytes());
            for size in [sums.compressed, sums.expanded] {
                bytes.extend(&size.to_le_bytes()[..if wide { 8 } else { 4 }]);
            }
            bytes
        })
}

fn begins_a_record(bytes: &[u8]) -> bool {
    bytes.len() >= NEXT && matches!(u32_at(bytes, 0), LOCAL | CENTRAL)
}

fn take<'a>(input: &mut &'a [u8], most: u64) -> &'a [u8] {
    let most = usize::try_from(most).unwrap_or(usize::MAX).min(input.len());
    let (taken, rest) = input.split_at(most);
    *input = rest;
    taken
}
