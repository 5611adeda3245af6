//! Whatever archive goes in, the same files come out; whatever is not an archive, nothing breaks.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use crate::archives::{Item, Sums, build, item, rewrite_in};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use zip::{CompressionMethod, ZipArchive};
use zipball::{Error, Options};

/// What a reader sees of a file: content, mode, extra data and method.
type File = (Vec<u8>, Option<u32>, Option<Vec<u8>>, CompressionMethod, u32);

/// The files and the comment, as another implementation reads them.
fn read(zip: &[u8], root: &str) -> (BTreeMap<String, File>, Vec<u8>) {
    let mut archive = ZipArchive::new(Cursor::new(zip)).expect("a zip");
    let comment = archive.comment().to_vec();
    let mut files = BTreeMap::new();
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).expect("an entry");
        let name = file
            .name()
            .expect("UTF-8")
            .strip_prefix(root)
            .expect("the root")
            .to_owned();
        let mut content = Vec::new();
        file.read_to_end(&mut content).expect("content that fits its checksum");
        let facts = (
            content,
            file.unix_mode(),
            file.extra_data(),
            file.compression(),
            file.crc32(),
        );
        if !name.is_empty() {
            assert!(files.insert(name, facts).is_none(), "a name twice");
        }
    }
    (files, comment)
}

fn sums() -> impl Strategy<Value = Sums> {
    prop_oneof![
        2 => Just(Sums::Before),
        3 => (any::<bool>(), any::<bool>(), any::<bool>())
            .prop_map(|(signed, wide, size_before)| Sums::After { signed, wide, size_before }),
    ]
}

/// Content that compresses, content that does not, and content with records of zips in it.
fn content() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..200),
        vec(prop_oneof![Just(b'a'), Just(b'P')], 0..3_000),
        Just(build(
            &[item("r/inner", b"PK\x03\x04"), item("r/x", b"PK\x07\x08")],
            b"PK\x01\x02",
            false
        )),
        vec(
            prop_oneof![
                Just(*b"PK\x03\x04"),
                Just(*b"PK\x07\x08"),
                Just(*b"PK\x01\x02"),
                Just([0; 4])
            ],
            0..40
        )
        .prop_map(|parts| parts.concat()),
    ]
    .prop_filter("it reads as the end of an empty file", |content| {
        !ends_an_empty_file(content)
    })
}

/// Whether the content begins with the descriptor of no data and the next record: where its size is not said before it, nothing that is
/// read in one go can tell which of both it is. `hostile.rs` has what comes of it.
fn ends_an_empty_file(content: &[u8]) -> bool {
    let content = content.strip_prefix(b"PK\x07\x08").unwrap_or(content);
    [12, 20].iter().any(|length| {
        content
            .get(..*length)
            .is_some_and(|sums| sums.iter().all(|byte| *byte == 0))
            && [b"PK\x03\x04", b"PK\x01\x02"]
                .iter()
                .any(|record| content[*length..].starts_with(*record))
    })
}

prop_compose! {
    fn file()(
        content in content(),
        deflated in any::<bool>(),
        mode in prop_oneof![Just(0), Just(0o100_644), Just(0o100_755), Just(0o644)],
        sums in sums(),
        wide in any::<bool>(),
    ) -> Item {
        Item { deflated, mode, sums, wide, ..item("", &content) }
    }
}

prop_compose! {
    /// An archive: its entries and comment, and whether it has zip64 records.
    fn zip()(
        files in btree_map("[a-zé]{1,3}(/[a-z-]{1,3}){0,2}", file(), 0..8),
        comment in vec(any::<u8>(), 0..40),
        wide in any::<bool>(),
        rooted in any::<bool>(),
    ) -> Vec<u8> {
        let mut items: Vec<Item> = files
            .iter()
            .filter(|(name, _)| !files.keys().any(|other| other.starts_with(&format!("{name}/"))))
            .map(|(name, file)| Item { name: format!("root-1/{name}").into_bytes(), flags: 1 << 11, ..file.clone() })
            .collect();
        if rooted || items.is_empty() {
            items.insert(0, item("root-1/", b""));
        }
        build(&items, &comment, wide)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_same_files_come_out(zip in zip()) {
        let (output, summary) = rewrite_in(&zip, usize::MAX, Options::default()).expect("it is a good archive");
        let (files, comment) = read(&output, "");
        prop_assert_eq!(&files, &read(&zip, "root-1/").0);
        prop_assert_eq!(&comment, &summary.comment);
        prop_assert_eq!(summary.bytes, output.len() as u64);
        prop_assert_eq!(summary.entries, files.len() as u64);
    }

    #[test]
    fn how_the_input_is_cut_changes_nothing(zip in zip(), piece in 1_usize..300) {
        let whole = rewrite_in(&zip, usize::MAX, Options::default());
        prop_assert_eq!(rewrite_in(&zip, piece, Options::default()), whole);
    }

    #[test]
    fn an_archive_that_was_cut_short_is_refused(zip in zip(), at in any::<prop::sample::Index>()) {
        let cut = rewrite_in(&zip[..at.index(zip.len())], usize::MAX, Options::default());
        prop_assert!(matches!(cut, Err(Error::Truncated { .. } | Error::NotAZip)), "{:?}", cut);
    }

    #[test]
    fn a_flipped_bit_is_refused_or_seen_alike_before_and_after(zip in zip(), at in any::<prop::sample::Index>(), bit in 0..8_u32) {
        let mut zip = zip;
        let at = at.index(zip.len());
        zip[at] ^= 1_u8 << bit;
        if let Ok((output, summary)) = rewrite_in(&zip, usize::MAX, Options::default()) {
            let root = String::from_utf8_lossy(&summary.root).into_owned();
            prop_assert_eq!(listing(&output, ""), listing(&zip, &root));
        }
    }

    #[test]
    fn bytes_that_are_no_archive_break_nothing(bytes in content(), piece in 1_usize..50) {
        let mut zip = b"PK\x03\x04".to_vec();
        zip.extend(bytes);
        drop(rewrite_in(&zip, piece, Options::default()));
    }
}

/// What a reader sees where the data itself may be broken: that is left to who extracts it.
fn listing(zip: &[u8], root: &str) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    let mut archive = ZipArchive::new(Cursor::new(zip)).expect("what was accepted is a zip");
    let mut seen = Vec::new();
    for index in 0..archive.len() {
        let Ok(mut file) = archive.by_index(index) else {
            continue;
        };
        let name = file
            .name_raw()
            .strip_prefix(root.as_bytes())
            .unwrap_or(file.name_raw())
            .to_vec();
        let mut content = Vec::new();
        let read = file.read_to_end(&mut content).ok().map(|_| content);
        if !name.is_empty() {
            seen.push((name, read));
        }
    }
    seen
}
