//! The claims about AWS and GitHub: each is shown by a test that is there, and the pages say what is claimed.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use testing::claims::{self, PROVEN};

#[test]
fn every_claim_is_shown_by_tests_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut looked_at = 0;
    for row in PROVEN {
        assert!(!row.shown_by.is_empty(), "nothing shows: {}", row.claim);
        for test in row.shown_by {
            let (file, name) = test.split_once("::").expect("a file and a test");
            let text = fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
            let (before, _) = text.split_once(&format!("fn {name}()")).unwrap_or_default();
            // Its attributes stand between it and the function before it.
            let attributes = before.rsplit("\n\n").next().unwrap_or_default();
            let marked = ["#[test]", "#[tokio::test"]
                .iter()
                .any(|mark| attributes.contains(mark));
            assert!(marked, "{file} has no test {name}, which shows: {}", row.claim);
            looked_at += 1;
        }
    }
    assert!(looked_at >= PROVEN.len(), "only {looked_at} tests were looked for");
}

#[test]
fn no_claim_stands_twice_and_every_oracle_is_named() {
    let claims: BTreeSet<&str> = PROVEN.iter().map(|row| row.claim).collect();
    assert_eq!(claims.len(), PROVEN.len());
    assert!(PROVEN.iter().all(|row| !row.says.is_empty()));
}

#[test]
fn the_readme_and_the_runbook_say_what_is_claimed() {
    for page in claims::pages() {
        let (is, wanted) = page.read().expect("the page has its marks");
        assert!(
            is == wanted,
            "{} is not current\nhelp: cargo run -p testing -- claims --write",
            page.path.display()
        );
    }
}
