//! Every hostile construction is refused by its own name, and its output has no directory.

use crate::archives::{Item, Sums, archive, build, item, link, rewrite, rewrite_in};
use zipball::{Error, Limits, Options};

macro_rules! refused {
    ($zip:expr, $pattern:pat) => {{
        let zip: Vec<u8> = $zip;
        for piece in [usize::MAX, 1, 7] {
            let result = rewrite_in(&zip, piece, Options::default());
            assert!(matches!(result, Err($pattern)), "in pieces of {piece}: {result:?}");
        }
    }};
}

fn with(more: Item) -> Vec<u8> {
    archive(&[item("r/", b""), item("r/file", b"content"), more], b"")
}

#[test]
fn names_that_lead_elsewhere() {
    refused!(with(item("r/../etc/passwd", b"")), Error::ParentFolder { .. });
    refused!(with(item("r/a/..", b"")), Error::ParentFolder { .. });
    refused!(with(item("../r/a", b"")), Error::ParentFolder { .. });
    refused!(with(item("/r/a", b"")), Error::AbsolutePath { .. });
    refused!(with(item("r/a\\b", b"")), Error::Backslash { .. });
    refused!(with(item("r/C:/windows", b"")), Error::DriveLetter { .. });
    refused!(with(item("C:/r/a", b"")), Error::DriveLetter { .. });
    refused!(with(item("", b"")), Error::EmptyName { .. });
    refused!(with(item("r//a", b"")), Error::EmptyName { .. });
    refused!(with(item("r/./a", b"")), Error::EmptyName { .. });
    refused!(with(item("r/a\0b", b"")), Error::NulInName { .. });
}

#[test]
fn entries_outside_the_one_root() {
    refused!(with(item("other/a", b"")), Error::OutsideRoot { .. });
    refused!(with(item("rr/a", b"")), Error::OutsideRoot { .. });
    refused!(with(item("r", b"")), Error::OutsideRoot { .. });
    refused!(archive(&[item("file", b"")], b""), Error::OutsideRoot { .. });
}

#[test]
fn names_that_stand_twice() {
    refused!(with(item("r/file", b"other")), Error::Duplicate { .. });
    refused!(with(item("r/", b"")), Error::Duplicate { .. });
    refused!(with(item("r/file/", b"")), Error::FileIsFolder { .. });
    refused!(with(item("r/file/inside", b"")), Error::FileIsFolder { .. });
    let through = [item("r/", b""), link("r/d", "e"), item("r/d/file", b"")];
    refused!(archive(&through, b""), Error::FileIsFolder { .. });
}

/// Such links stand in many repositories, and nothing is written through them.
#[test]
fn a_link_arrives_as_it_is_wherever_it_leads() {
    let after = Sums::After {
        signed: true,
        wide: false,
        size_before: false,
    };
    for target in ["../x", "/etc/passwd", "C:/x", "..\\x", "no/such", "a\nb", "l"] {
        let plain = link("r/l", target);
        let deflated = Item {
            deflated: true,
            ..link("r/l", target)
        };
        let later = Item {
            sums: after,
            ..link("r/l", target)
        };
        for item in [plain, deflated, later] {
            let (output, _) = rewrite(&with(item)).unwrap();
            let mut archive = zip::ZipArchive::new(std::io::Cursor::new(output)).unwrap();
            let mut entry = archive.by_name("l").unwrap();
            assert!(entry.is_symlink(), "{target}");
            let mut read = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut read).unwrap();
            assert_eq!(read, target.as_bytes());
        }
    }
}

#[test]
fn an_entry_that_goes_through_a_link() {
    for name in ["r/l/file", "r/l/", "r/l/deep/file"] {
        for target in ["..", "/etc", "folder"] {
            for items in [
                [item("r/", b""), link("r/l", target), item(name, b"")],
                [item("r/", b""), item(name, b""), link("r/l", target)],
            ] {
                refused!(archive(&items, b""), Error::FileIsFolder { .. });
            }
        }
    }
}

/// What streams by cannot tell such a file from an empty one; what is taken for the next entry is none.
#[test]
fn a_file_that_begins_like_the_end_of_an_empty_one() {
    let sums = Sums::After {
        signed: false,
        wide: false,
        size_before: false,
    };
    let content = [&[0; 12][..], b"PK\x03\x04 and so on"].concat();
    let file = Item {
        sums,
        ..item("r/a", &content)
    };
    let zip = archive(&[item("r/", b""), file], b"");
    assert!(
        [usize::MAX, 1, 7]
            .iter()
            .all(|piece| rewrite_in(&zip, *piece, Options::default()).is_err())
    );
}

/// Whoever looks for the end from behind would read another archive: CPython's `zipfile` does.
#[test]
fn a_comment_with_an_end_record_in_it() {
    let mut empty = b"PK\x05\x06".to_vec();
    empty.extend([0; 18]);
    refused!(archive(&[item("r/", b"")], &empty), Error::AmbiguousEnd);
    refused!(
        archive(&[item("r/", b"")], b"before PK\x05\x06 and after"),
        Error::AmbiguousEnd
    );
    assert!(rewrite(&archive(&[item("r/", b"")], b"PK\x05 PK")).is_ok());
}

#[test]
fn files_that_are_none() {
    for mode in [0o020_644, 0o060_644, 0o010_644, 0o140_755, 0o040_755] {
        refused!(
            with(Item {
                mode,
                ..item("r/x", b"")
            }),
            Error::SpecialFile { .. }
        );
    }
    refused!(
        with(Item {
            mode: 0o120_777,
            ..item("r/x/", b"")
        }),
        Error::SpecialFile { .. }
    );
    refused!(with(item("r/x/", b"data")), Error::SpecialFile { .. });
}

#[test]
fn what_readers_do_not_agree_on() {
    refused!(
        with(Item {
            flags: 1,
            ..item("r/x", b"secret")
        }),
        Error::Encrypted { .. }
    );
    refused!(
        with(Item {
            extra: vec![0x01, 0x99, 0, 0],
            ..item("r/x", b"secret")
        }),
        Error::Encrypted { .. }
    );
    refused!(
        with(Item {
            method: Some(12),
            ..item("r/x", b"bzip2")
        }),
        Error::UnsupportedMethod { method: 12, .. }
    );
    refused!(
        with(Item {
            extra: b"\x75\x70\x05\0\x01\0\0\0\0".to_vec(),
            ..item("r/x", b"")
        }),
        Error::SecondMeaning { id: 0x7075, .. }
    );
    refused!(
        with(Item {
            extra: vec![9, 9, 200, 0, 1],
            ..item("r/x", b"")
        }),
        Error::Malformed { .. }
    );
    refused!(
        with(Item {
            central_name: Some(b"r/y".to_vec()),
            ..item("r/x", b"")
        }),
        Error::Mismatch { field: "name", .. }
    );
}

#[test]
fn a_directory_that_says_otherwise() {
    let zip = with(item("r/x", b"four"));
    let central = zip.windows(4).rposition(|bytes| bytes == b"PK\x01\x02").unwrap();
    for (at, field) in [(9, "flags"), (12, "time"), (16, "checksum")] {
        let mut zip = zip.clone();
        zip[central + at] ^= 8;
        let Err(Error::Mismatch { field: found, .. }) = rewrite(&zip) else {
            panic!("{field} is not compared")
        };
        assert_eq!(found, field);
    }
    for (at, field) in [(20, "compressed size"), (24, "size")] {
        let mut zip = zip.clone();
        zip[central + at] ^= 8;
        let Err(Error::Mismatch { field: found, .. }) = rewrite(&zip) else {
            panic!("{field} is not compared")
        };
        assert_eq!(found, field);
    }
}

#[test]
fn entries_that_overlap_or_hide() {
    refused!(
        with(Item {
            central_offset: Some(0),
            ..item("r/x", b"")
        }),
        Error::Overlap { .. }
    );
    refused!(
        with(Item {
            central_offset: Some(5),
            ..item("r/x", b"")
        }),
        Error::Overlap { .. }
    );
    refused!(
        with(Item {
            in_directory: false,
            ..item("r/x", b"")
        }),
        Error::FalseEnd { field: "entries", .. }
    );
    let nested = archive(&[item("r/y", b"inner")], b"");
    let mut gap = with(item("r/x", b""));
    gap.splice(0..0, nested[..10].to_vec());
    assert!(rewrite(&gap).is_err());
}

#[test]
fn what_is_no_zip_or_not_a_whole_one() {
    refused!(b"<html>not found</html>".to_vec(), Error::NotAZip);
    refused!(Vec::new(), Error::NotAZip);
    refused!(archive(&[], b""), Error::Empty);
    let zip = with(item("r/x", b"four"));
    for length in 1..zip.len() {
        let cut = rewrite(&zip[..length]);
        assert!(matches!(cut, Err(Error::Truncated { .. })), "{length} bytes: {cut:?}");
    }
    let mut longer = zip.clone();
    longer.push(0);
    refused!(longer, Error::TrailingData { .. });
    let mut twice = zip.clone();
    twice.extend(&zip);
    refused!(twice, Error::TrailingData { .. });
}

#[test]
fn ends_that_lie() {
    for wide in [false, true] {
        let zip = build(&[item("r/", b""), item("r/a", b"b")], b"", wide);
        assert!(rewrite(&zip).is_ok());
        let end = zip.windows(4).rposition(|bytes| bytes == b"PK\x05\x06").unwrap();
        for at in if wide {
            vec![end - 76 + 24, end - 76 + 40, end - 76 + 48, end - 12]
        } else {
            vec![end + 8, end + 12, end + 16]
        } {
            let mut zip = zip.clone();
            zip[at] ^= 1;
            assert!(
                matches!(rewrite(&zip), Err(Error::FalseEnd { .. })),
                "{at}: {:?}",
                rewrite(&zip)
            );
        }
        let mut volumes = zip.clone();
        volumes[end + 4] = 1;
        refused!(volumes, Error::ManyVolumes);
    }
}

#[test]
fn bombs() {
    let limited = |limits| {
        rewrite_in(
            &with(item("r/x", &[0; 1000])),
            usize::MAX,
            Options { limits, commit: None },
        )
    };
    let usual = Limits::default;
    assert!(limited(usual()).is_ok());
    assert_eq!(
        limited(Limits { entries: 2, ..usual() }),
        Err(Error::TooManyEntries { limit: 2 })
    );
    assert_eq!(
        limited(Limits {
            expanded: 999,
            ..usual()
        }),
        Err(Error::ExpandsTooFar { limit: 999 })
    );
    assert_eq!(
        limited(Limits { bytes: 999, ..usual() }),
        Err(Error::TooLarge { limit: 999 })
    );
    assert_eq!(
        limited(Limits {
            metadata: 99,
            ..usual()
        }),
        Err(Error::TooMuchMetadata { limit: 99 })
    );

    let after = Sums::After {
        signed: true,
        wide: false,
        size_before: false,
    };
    let hidden = with(Item {
        deflated: true,
        sums: after,
        ..item("r/x", &vec![0; 1 << 20])
    });
    let limits = Limits {
        expanded: 1 << 19,
        ..usual()
    };
    let options = Options { limits, commit: None };
    assert_eq!(
        rewrite_in(&hidden, 512, options),
        Err(Error::ExpandsTooFar { limit: 1 << 19 })
    );
}

#[test]
fn descriptors_that_do_not_fit() {
    for deflated in [false, true] {
        let after = Sums::After {
            signed: true,
            wide: false,
            size_before: true,
        };
        let mut zip = with(Item {
            deflated,
            sums: after,
            ..item("r/x", b"some content, some content")
        });
        let at = zip.windows(4).position(|bytes| bytes == b"PK\x07\x08").unwrap();
        zip[at + 5] ^= 1;
        refused!(zip, Error::Corrupt { .. });
    }
}

#[test]
fn an_archive_of_another_commit() {
    let sha = "0123456789abcdef0123456789abcdef01234567";
    let options = Options {
        commit: Some(sha.to_owned()),
        ..Options::default()
    };
    let of = |comment: &[u8]| rewrite_in(&archive(&[item("r/", b"")], comment), 9, options.clone());
    assert!(of(sha.as_bytes()).is_ok());
    for other in [
        &b""[..],
        &sha.as_bytes()[..39],
        b"1123456789abcdef0123456789abcdef01234567",
    ] {
        assert!(matches!(of(other), Err(Error::WrongCommit { .. })));
    }
}

#[test]
fn a_refused_archive_stays_refused() {
    let mut rewriter = zipball::Rewriter::new(Options::default());
    let mut output = Vec::new();
    assert_eq!(rewriter.push(b"<html>", &mut output), Err(Error::NotAZip));
    let good = archive(&[item("r/", b"")], b"");
    assert_eq!(rewriter.push(&good, &mut output), Err(Error::NotAZip));
    assert_eq!(rewriter.finish(&mut output), Err(Error::NotAZip));
    assert!(output.is_empty());
}
