//! Symbolic links: where they lead, each by itself and through each other.
//!
//! That an entry is a link is known only from the directory, after its data has passed. So the data of whatever could be one is
//! kept: a target is at most 4,095 bytes, and has no line break. Stored data, which is what git writes for links, is kept only if
//! that holds for it; deflated data is kept unseen, out of a smaller allowance. A link whose data was not kept is refused.

use std::collections::HashMap;

use flate2::{Decompress, FlushDecompress, Status};

use crate::Error;
use crate::format::{STORED, Sums};
use crate::names;

/// `PATH_MAX` of Linux, without the NUL.
const LONGEST_TARGET: u64 = 4_095;

/// The share of the allowance that deflated data may take.
const DEFLATED_SHARE: usize = 8;

/// The data of what could turn out to be a link.
#[derive(Debug)]
pub(crate) struct Candidates {
    limit: usize,
    deflated: usize,
    bytes: Vec<u8>,
    kept: Vec<Kept>,
    /// Where the data of the entry that passes by begins, if it is kept.
    begun: Option<(usize, usize)>,
}

#[derive(Debug, Clone, Copy)]
struct Kept {
    entry: u32,
    begin: usize,
    end: usize,
}

impl Candidates {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            deflated: 0,
            bytes: Vec::new(),
            kept: Vec::new(),
            begun: None,
        }
    }

    /// An entry's data begins. `expanded` is 0 where it is not known yet.
    pub(crate) fn begin(&mut self, folder: bool, method: u16, expanded: u64) {
        let allowed = if method == STORED {
            self.limit
        } else {
            self.bytes.len() + (self.limit / DEFLATED_SHARE).saturating_sub(self.deflated)
        };
        self.begun = (!folder && expanded <= LONGEST_TARGET).then_some((self.bytes.len(), allowed));
    }

    /// Its data passes by.
    pub(crate) fn pass(&mut self, bytes: &[u8], method: u16) {
        let Some((begin, allowed)) = self.begun else { return };
        let most = usize::try_from(LONGEST_TARGET).unwrap_or(usize::MAX);
        let end = self.bytes.len() + bytes.len();
        let impossible = method == STORED && memchr::memchr2(b'\n', 0, bytes).is_some();
        if impossible || end - begin > most || end > allowed {
            self.bytes.truncate(begin);
            self.begun = None;
        } else {
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// Its data has passed.
    pub(crate) fn end(&mut self, entry: u32, method: u16) {
        let Some((begin, _)) = self.begun.take() else { return };
        let end = self.bytes.len();
        if method != STORED {
            self.deflated += end - begin;
        }
        self.kept.push(Kept { entry, begin, end });
    }

    /// The target of an entry that turned out to be a link.
    pub(crate) fn target(&self, entry: u32, name: &[u8], method: u16, sums: Sums) -> Result<Vec<u8>, Error> {
        let unchecked = |reason| Error::UncheckedLink {
            entry: Error::quote(name),
            reason,
        };
        if sums.expanded > LONGEST_TARGET {
            return Err(unchecked("it is longer than 4095 bytes"));
        }
        let found = self.kept.binary_search_by_key(&entry, |kept| kept.entry);
        let Ok(found) = found else {
            return Err(unchecked(
                "it has a line break, or came when the memory for targets was used up",
            ));
        };
        let data = &self.bytes[self.kept[found].begin..self.kept[found].end];
        let target = if method == STORED {
            data.to_vec()
        } else {
            inflate(data).ok_or_else(|| unchecked("it cannot be inflated"))?
        };
        if crc32fast::hash(&target) != sums.crc || target.len() as u64 != sums.expanded {
            return Err(Error::Corrupt {
                entry: Error::quote(name),
                reason: "its checksum or its length is not that of its header",
            });
        }
        if target.is_empty() || memchr::memchr2(b'\n', 0, &target).is_some() {
            return Err(unchecked("it is empty or has a line break"));
        }
        Ok(target)
    }
}

fn inflate(data: &[u8]) -> Option<Vec<u8>> {
    let mut target = Vec::with_capacity(usize::try_from(LONGEST_TARGET).ok()? + 1);
    let mut inflater = Decompress::new(false);
    let status = inflater
        .decompress_vec(data, &mut target, FlushDecompress::Finish)
        .ok()?;
    (status == Status::StreamEnd && inflater.total_in() == data.len() as u64).then_some(target)
}

/// A link and its target.
#[derive(Debug)]
pub(crate) struct Link<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) target: Vec<u8>,
}

/// Where a link leads.
#[derive(Debug, Clone)]
enum Place {
    Unknown,
    /// It is being looked for.
    Open,
    /// There, below the root, without another link on the way.
    At(Vec<u8>),
    /// Nowhere: links that lead to each other, which no system follows.
    Nowhere,
}

/// A link that is being followed: how far, and where that is.
struct Step {
    link: usize,
    read: usize,
    at: Vec<u8>,
}

/// Follows every link, through other links too, as a file system would; refuses those that leave the root on their way.
/// `memory` bounds what is remembered of them.
pub(crate) fn check(links: &[Link<'_>], memory: usize) -> Result<(), Error> {
    let by_name: HashMap<&[u8], usize> = links
        .iter()
        .enumerate()
        .map(|(index, link)| (link.name, index))
        .collect();
    let mut places = vec![Place::Unknown; links.len()];
    let mut remembered = 0;
    for first in 0..links.len() {
        // Not by recursion: a hostile archive could make it deeper than the stack.
        let mut steps = Vec::new();
        if matches!(places[first], Place::Unknown) {
            steps.push(enter(links, first, &mut places)?);
        }
        while let Some(step) = steps.last_mut() {
            let (link, place) = match advance(links, &by_name, &places, step)? {
                Advance::Into(next) => {
                    steps.push(enter(links, next, &mut places)?);
                    continue;
                }
                Advance::Arrived => (step.link, Place::At(std::mem::take(&mut step.at))),
                Advance::Lost => (step.link, Place::Nowhere),
            };
            if let Place::At(at) = &place {
                remembered += at.len();
            }
            if remembered > memory {
                return Err(Error::UncheckedLink {
                    entry: Error::quote(links[link].name),
                    reason: "the memory for targets is used up",
                });
            }
            places[link] = place;
            steps.pop();
        }
    }
    Ok(())
}

fn enter(links: &[Link<'_>], link: usize, places: &mut [Place]) -> Result<Step, Error> {
    let Link { name, target } = &links[link];
    if target[0] == b'/' || names::begins_with_a_drive(target) || memchr::memchr(b'\\', target).is_some() {
        return Err(escape(&links[link]));
    }
    places[link] = Place::Open;
    // No entry is inside a link, so the folders of a link are folders.
    let folder = memchr::memrchr(b'/', name).unwrap_or(0);
    Ok(Step {
        link,
        read: 0,
        at: name[..folder].to_vec(),
    })
}

enum Advance {
    Into(usize),
    Arrived,
    Lost,
}

/// Goes on from part to part of the target, until another link must be followed first.
fn advance(
    links: &[Link<'_>],
    by_name: &HashMap<&[u8], usize>,
    places: &[Place],
    step: &mut Step,
) -> Result<Advance, Error> {
    let link = &links[step.link];
    while step.read < link.target.len() {
        let rest = &link.target[step.read..];
        let part = &rest[..memchr::memchr(b'/', rest).unwrap_or(rest.len())];
        let before = step.at.len();
        match part {
            b"" | b"." => {}
            b".." => {
                if before == 0 {
                    return Err(escape(link));
                }
                step.at.truncate(memchr::memrchr(b'/', &step.at).unwrap_or(0));
            }
            _ => {
                if before > 0 {
                    step.at.push(b'/');
                }
                step.at.extend_from_slice(part);
                if let Some(next) = by_name.get(&step.at[..]) {
                    match &places[*next] {
                        Place::Unknown => {
                            step.at.truncate(before);
                            return Ok(Advance::Into(*next));
                        }
                        Place::At(place) => step.at.clone_from(place),
                        Place::Open | Place::Nowhere => return Ok(Advance::Lost),
                    }
                }
                if step.at.len() as u64 > LONGEST_TARGET {
                    return Err(Error::UncheckedLink {
                        entry: Error::quote(link.name),
                        reason: "it leads to a path of more than 4095 bytes",
                    });
                }
            }
        }
        step.read += part.len() + 1;
    }
    Ok(Advance::Arrived)
}

fn escape(link: &Link<'_>) -> Error {
    Error::EscapingLink {
        entry: Error::quote(link.name),
        target: Error::quote(&link.target),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow(links: &[(&str, &str)]) -> Result<(), Error> {
        let links: Vec<Link<'_>> = links
            .iter()
            .map(|(name, target)| Link {
                name: name.as_bytes(),
                target: target.as_bytes().to_vec(),
            })
            .collect();
        check(&links, 1 << 20)
    }

    #[test]
    fn links_may_lead_anywhere_below_the_root() {
        let links = [
            ("a", "b"),
            ("b", "./c/../d"),
            ("x/y/z", "../../a"),
            ("x/root", ".."),
            ("dangling", "no/such"),
        ];
        assert_eq!(follow(&links), Ok(()));
    }

    #[test]
    fn links_that_leave_the_root_are_refused() {
        for target in ["..", "../x", "a/../../x", "/etc/passwd", "C:/x", "..\\x", "./../.."] {
            assert!(
                matches!(follow(&[("link", target)]), Err(Error::EscapingLink { .. })),
                "{target}"
            );
        }
        assert!(follow(&[("a/b/link", "../../..")]).is_err());
    }

    #[test]
    fn a_link_through_a_linked_folder_is_followed_to_where_that_leads() {
        // Read by itself, `x/y/z/../..` ends in `x`; but `x/y/z` is the folder `d`, so it ends above the root.
        let chain = [("q", "x/y/z/../.."), ("x/y/z", "../../d")];
        assert!(matches!(follow(&chain), Err(Error::EscapingLink { .. })));
        assert_eq!(follow(&[("q", "x/y/z/.."), ("x/y/z", "../../d")]), Ok(()));
    }

    #[test]
    fn links_in_a_circle_lead_nowhere_and_are_harmless() {
        assert_eq!(
            follow(&[("a", "b"), ("b", "a"), ("c", "c"), ("d", "a/../../..")]),
            Ok(())
        );
    }

    #[test]
    fn a_chain_of_any_length_is_followed_to_its_end() {
        let mut chain: Vec<(String, String)> = (0..100_000).map(|n| (format!("{n}"), format!("{}", n + 1))).collect();
        let view = |chain: &[(String, String)]| {
            follow(
                &chain
                    .iter()
                    .map(|(name, target)| (&**name, &**target))
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(view(&chain), Ok(()));
        chain.push(("100000".into(), "..".into()));
        assert!(matches!(view(&chain), Err(Error::EscapingLink { .. })));
    }

    #[test]
    fn links_that_grow_at_every_step_are_refused_before_they_fill_the_memory() {
        let long = "x/".repeat(100);
        let mut chain = vec![("0".to_owned(), long.clone())];
        chain.extend((1..60).map(|n| (format!("{n}"), format!("{}/{long}", n - 1))));
        let view: Vec<(&str, &str)> = chain.iter().map(|(name, target)| (&**name, &**target)).collect();
        assert!(matches!(follow(&view), Err(Error::UncheckedLink { .. })));
    }
}
