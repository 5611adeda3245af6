//! What an entry may be called, and which names cannot stand beside each other.

use std::cmp::Ordering;

use crate::Error;

/// Refuses a name that could lead anywhere but down, and answers how long its first folder with the slash is; 0 if it has none.
pub(crate) fn root_length(name: &[u8]) -> Result<usize, Error> {
    let entry = || Error::quote(name);
    if name.is_empty() {
        return Err(Error::EmptyName { entry: entry() });
    }
    if memchr::memchr(0, name).is_some() {
        return Err(Error::NulInName { entry: entry() });
    }
    if memchr::memchr(b'\\', name).is_some() {
        return Err(Error::Backslash { entry: entry() });
    }
    if name[0] == b'/' {
        return Err(Error::AbsolutePath { entry: entry() });
    }
    let root = memchr::memchr(b'/', name).map_or(0, |slash| slash + 1);
    if begins_with_a_drive(name) || begins_with_a_drive(&name[root..]) {
        return Err(Error::DriveLetter { entry: entry() });
    }
    for part in without_slash(name).split(|byte| *byte == b'/') {
        match part {
            b".." => return Err(Error::ParentFolder { entry: entry() }),
            b"" | b"." => return Err(Error::EmptyName { entry: entry() }),
            _ => {}
        }
    }
    Ok(root)
}

/// `C:` and what follows.
pub(crate) fn begins_with_a_drive(name: &[u8]) -> bool {
    matches!(name, [letter, b':', ..] if letter.is_ascii_alphabetic())
}

/// A folder's name ends with a slash.
pub(crate) fn is_folder(name: &[u8]) -> bool {
    name.last() == Some(&b'/')
}

fn without_slash(name: &[u8]) -> &[u8] {
    name.strip_suffix(b"/").unwrap_or(name)
}

/// Refuses names that stand twice, and files that would have to be folders. Sorts the names for it.
pub(crate) fn check_together<'a>(names: &mut [u32], name: impl Fn(u32) -> &'a [u8]) -> Result<(), Error> {
    // Git's order is nearly this one, so a sort that makes use of sorted runs is a fast one.
    names.sort_by(|left, right| compare(without_slash(name(*left)), without_slash(name(*right))));
    for pair in names.windows(2) {
        let (first, second) = (name(pair[0]), name(pair[1]));
        let (path, next) = (without_slash(first), without_slash(second));
        if path == next && is_folder(first) == is_folder(second) {
            return Err(Error::Duplicate {
                entry: Error::quote(path),
            });
        }
        // What is in a folder directly follows it in this order.
        let inside = next.len() > path.len() && next.starts_with(path) && next[path.len()] == b'/';
        if path == next || (inside && !is_folder(first)) {
            let (file, inside) = if is_folder(first) {
                (second, first)
            } else {
                (first, second)
            };
            return Err(Error::FileIsFolder {
                entry: Error::quote(file),
                inside: Error::quote(inside),
            });
        }
    }
    Ok(())
}

/// By bytes, the slash before all others: so nothing stands between a folder and what is in it.
fn compare(left: &[u8], right: &[u8]) -> Ordering {
    let same = left.iter().zip(right).take_while(|(left, right)| left == right).count();
    let rank = |name: &[u8]| name.get(same).map(|byte| if *byte == b'/' { 0 } else { *byte });
    rank(left).cmp(&rank(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn together(names: &[&str]) -> Result<(), Error> {
        let mut order: Vec<u32> = (0..u32::try_from(names.len()).unwrap()).collect();
        check_together(&mut order, |index| names[index as usize].as_bytes())
    }

    #[test]
    fn a_file_beside_a_folder_that_begins_like_it_is_fine() {
        assert_eq!(together(&["a", "a-b", "a.c/", "a.c/d", "ab/c", "ab/"]), Ok(()));
    }

    #[test]
    fn a_file_is_no_folder_whatever_stands_between_them() {
        for names in [
            &["a", "a-b", "a/c"][..],
            &["a/b/c", "x", "a/b"],
            &["a", "a/"],
            &["a/", "a"],
        ] {
            assert!(
                matches!(together(names), Err(Error::FileIsFolder { .. })),
                "{names:?}: {:?}",
                together(names)
            );
        }
    }

    #[test]
    fn a_name_stands_once() {
        for names in [&["a", "b", "a"][..], &["a/", "b", "a/"]] {
            assert!(matches!(together(names), Err(Error::Duplicate { .. })), "{names:?}");
        }
    }
}
