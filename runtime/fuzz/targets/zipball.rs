//! The rewriter: no input makes it panic, how the input is cut changes nothing, and what it lets pass it lets pass again.

#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use zipball::{Error, Limits, Options, Rewriter, Summary};

fn rewrite(zip: &[u8], piece: usize) -> Result<(Vec<u8>, Summary), Error> {
    let limits = Limits {
        expanded: 1 << 20,
        ..Limits::default()
    };
    let mut rewriter = Rewriter::new(Options { limits, commit: None });
    let mut output = Vec::new();
    for chunk in zip.chunks(piece) {
        rewriter.push(chunk, &mut output)?;
    }
    let summary = rewriter.finish(&mut output)?;
    Ok((output, summary))
}

fuzz_target!(|zip: &[u8]| -> Corpus {
    let whole = rewrite(zip, usize::MAX);
    assert_eq!(whole, rewrite(zip, 1), "how the input is cut changes the result");
    let Ok((output, summary)) = whole else {
        return Corpus::Keep;
    };
    assert_eq!(output.len() as u64, summary.bytes, "the summary lies");
    assert!(output.len() <= zip.len(), "the output is longer than the input");
    Corpus::Keep
});
