//! Zips of any construction, right and wrong, and how to rewrite them.

use flate2::Compression;
use flate2::write::DeflateEncoder;
use std::io::Write;
use zipball::{Error, Options, Rewriter, Summary};

/// Where the sums of an entry stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sums {
    /// In the header before the data.
    Before,
    /// After it, with a signature or without, in 64 bits or 32; the header may say the size all the same, as git's does.
    After {
        signed: bool,
        wide: bool,
        size_before: bool,
    },
}

/// An entry.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) name: Vec<u8>,
    pub(crate) content: Vec<u8>,
    pub(crate) deflated: bool,
    pub(crate) mode: u16,
    pub(crate) sums: Sums,
    /// Sizes before the data and in the directory stand in a zip64 field.
    pub(crate) wide: bool,
    pub(crate) flags: u16,
    pub(crate) method: Option<u16>,
    pub(crate) extra: Vec<u8>,
    pub(crate) central_name: Option<Vec<u8>>,
    pub(crate) central_offset: Option<u64>,
    pub(crate) in_directory: bool,
}

pub(crate) fn item(name: &str, content: &[u8]) -> Item {
    Item {
        name: name.as_bytes().to_vec(),
        content: content.to_vec(),
        deflated: false,
        mode: 0,
        sums: Sums::Before,
        wide: false,
        flags: 0,
        method: None,
        extra: vec![0x55, 0x54, 5, 0, 1, 9, 8, 7, 6],
        central_name: None,
        central_offset: None,
        in_directory: true,
    }
}

pub(crate) fn link(name: &str, target: &str) -> Item {
    Item {
        mode: 0o120_777,
        ..item(name, target.as_bytes())
    }
}

fn deflate(content: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).expect("a vector takes all");
    encoder.finish().expect("a vector takes all")
}

fn le(bytes: &mut Vec<u8>, width: usize, number: u64) {
    bytes.extend_from_slice(&number.to_le_bytes()[..width]);
}

/// The zip of these entries.
pub(crate) fn archive(items: &[Item], comment: &[u8]) -> Vec<u8> {
    build(items, comment, false)
}

/// The same, with zip64 end records if `wide`.
pub(crate) fn build(items: &[Item], comment: &[u8], wide: bool) -> Vec<u8> {
    let mut zip = Vec::new();
    let mut directory = Vec::new();
    let mut count = 0;
    for item in items {
        let offset = zip.len() as u64;
        local(&mut zip, item);
        if item.in_directory {
            count += 1;
            central(&mut directory, item, item.central_offset.unwrap_or(offset));
        }
    }
    let begins = zip.len() as u64;
    let size = directory.len() as u64;
    zip.extend(directory);
    let all_ones = u64::MAX;
    if wide {
        let end64 = zip.len() as u64;
        zip.extend(b"PK\x06\x06");
        for (width, number) in [
            (8, 44),
            (2, 45),
            (2, 45),
            (4, 0),
            (4, 0),
            (8, count),
            (8, count),
            (8, size),
            (8, begins),
        ] {
            le(&mut zip, width, number);
        }
        zip.extend(b"PK\x06\x07");
        for (width, number) in [(4, 0), (8, end64), (4, 1)] {
            le(&mut zip, width, number);
        }
    }
    zip.extend(b"PK\x05\x06");
    let said = |number| if wide { all_ones } else { number };
    for (width, number) in [
        (2, 0),
        (2, 0),
        (2, said(count)),
        (2, said(count)),
        (4, said(size)),
        (4, said(begins)),
        (2, comment.len() as u64),
    ] {
        le(&mut zip, width, number);
    }
    zip.extend(comment);
    zip
}

struct Facts {
    data: Vec<u8>,
    method: u64,
    flags: u64,
    crc: u64,
}

fn facts(item: &Item) -> Facts {
    let data = if item.deflated {
        deflate(&item.content)
    } else {
        item.content.clone()
    };
    let after = if item.sums == Sums::Before { 0 } else { 8 };
    Facts {
        data,
        method: u64::from(item.method.unwrap_or(if item.deflated { 8 } else { 0 })),
        flags: u64::from(item.flags | after),
        crc: u64::from(crc32fast::hash(&item.content)),
    }
}

fn local(zip: &mut Vec<u8>, item: &Item) {
    let facts = facts(item);
    let (compressed, expanded) = (facts.data.len() as u64, item.content.len() as u64);
    let (crc, said_compressed, said_expanded) = match item.sums {
        Sums::Before => (facts.crc, compressed, expanded),
        Sums::After { size_before: false, .. } => (0, 0, 0),
        Sums::After { .. } => (0, if item.deflated { 0 } else { compressed }, expanded),
    };
    let mut extra = item.extra.clone();
    if item.wide {
        extra.extend([1, 0, 16, 0]);
        le(&mut extra, 8, said_expanded);
        le(&mut extra, 8, said_compressed);
    }
    let said = |number| if item.wide { u64::MAX } else { number };
    zip.extend(b"PK\x03\x04");
    for (width, number) in [
        (2, 20),
        (2, facts.flags),
        (2, facts.method),
        (4, 0x5bd1_2345),
        (4, crc),
        (4, said(said_compressed)),
        (4, said(said_expanded)),
        (2, item.name.len() as u64),
        (2, extra.len() as u64),
    ] {
        le(zip, width, number);
    }
    zip.extend(&item.name);
    zip.extend(extra);
    zip.extend(&facts.data);
    if let Sums::After { signed, wide, .. } = item.sums {
        if signed {
            zip.extend(b"PK\x07\x08");
        }
        let width = if wide { 8 } else { 4 };
        for (width, number) in [(4, facts.crc), (width, compressed), (width, expanded)] {
            le(zip, width, number);
        }
    }
}

fn central(directory: &mut Vec<u8>, item: &Item, offset: u64) {
    let facts = facts(item);
    let name = item.central_name.as_ref().unwrap_or(&item.name);
    let mut extra = item.extra.clone();
    if item.wide {
        extra.extend([1, 0, 24, 0]);
        for number in [item.content.len() as u64, facts.data.len() as u64, offset] {
            le(&mut extra, 8, number);
        }
    }
    let said = |number| if item.wide { u64::MAX } else { number };
    directory.extend(b"PK\x01\x02");
    for (width, number) in [
        (2, 0x0317),
        (2, 20),
        (2, facts.flags),
        (2, facts.method),
        (4, 0x5bd1_2345),
        (4, facts.crc),
        (4, said(facts.data.len() as u64)),
        (4, said(item.content.len() as u64)),
        (2, name.len() as u64),
        (2, extra.len() as u64),
        (2, 2),
        (2, 0),
        (2, 1),
        (2, 0),
        (2, u64::from(item.mode)),
        (4, said(offset)),
    ] {
        le(directory, width, number);
    }
    directory.extend(name);
    directory.extend(extra);
    directory.extend(b"ok");
}

/// Rewrites it in pieces of at most so many bytes.
pub(crate) fn rewrite_in(zip: &[u8], piece: usize, options: Options) -> Result<(Vec<u8>, Summary), Error> {
    let mut rewriter = Rewriter::new(options);
    let mut output = Vec::new();
    for chunk in zip.chunks(piece) {
        rewriter.push(chunk, &mut output)?;
    }
    let summary = rewriter.finish(&mut output)?;
    Ok((output, summary))
}

pub(crate) fn rewrite(zip: &[u8]) -> Result<(Vec<u8>, Summary), Error> {
    rewrite_in(zip, usize::MAX, Options::default())
}
