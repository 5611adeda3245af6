//! Coverage-guided tests, briefly: libFuzzer changes the seeds in `runtime/fuzz/seeds` towards code that was not reached yet. What it
//! finds worth keeping stays in the target folder, so that the next run goes on from there. For a longer hunt:
//!
//! ```text
//! FUZZ_SECONDS=3600 cargo test -p testing --test fuzz
//! ```

#![expect(clippy::expect_used, reason = "a test that cannot set up what it tests has failed")]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// How long each target is tried, unless `FUZZ_SECONDS` says otherwise.
const SECONDS: &str = "15";

/// What `cargo fuzz` tells the compiler, but for the sanitizers, which need a nightly one: see
/// <https://clang.llvm.org/docs/SanitizerCoverage.html>.
const INSTRUMENTATION: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/fuzz")
}

/// Where everything is that is made: programs, corpora, and the inputs that broke something.
fn folder(name: &str) -> PathBuf {
    let folder = testing::tools::folder()
        .expect("the tools folder")
        .join("fuzz")
        .join(name);
    fs::create_dir_all(&folder).expect("it can be made");
    folder
}

fn output(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The folder with the instrumented programs, built once; `None` where libFuzzer cannot be compiled.
fn programs() -> Option<&'static Path> {
    static PROGRAMS: OnceLock<Option<PathBuf>> = OnceLock::new();
    let build = || {
        if output(Command::new("c++").arg("--version")).is_none() {
            testing::skipped(
                "fuzzing",
                "there is no C++ compiler, with which libFuzzer is built; install g++ or clang",
            );
            return None;
        }
        let version = output(Command::new("rustc").arg("-vV")).expect("rustc is there");
        let host = version
            .lines()
            .find_map(|line| line.strip_prefix("host: "))
            .expect("rustc names its host");
        let target = folder("target");
        let built = Command::new(env!("CARGO"))
            // Named, so that what only runs at compile time is not instrumented.
            .args(["build", "--quiet", "--release", "--locked", "--target", host])
            .current_dir(sources())
            .env("CARGO_TARGET_DIR", &target)
            .env("RUSTFLAGS", INSTRUMENTATION)
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .output()
            .expect("cargo is there, it runs this test");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        Some(target.join(host).join("release"))
    };
    PROGRAMS.get_or_init(build).as_deref()
}

fn fuzz(target: &str) {
    let Some(programs) = programs() else { return };
    let seconds = env::var("FUZZ_SECONDS").unwrap_or_else(|_| SECONDS.to_owned());
    let broken = folder("broken");
    let run = Command::new(programs.join(target))
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/{target}-", broken.display()))
        .args([
            "-max_len=4096",
            "-timeout=10",
            "-rss_limit_mb=1024",
            "-print_final_stats=1",
        ])
        .arg(folder(&format!("corpus/{target}")))
        .arg(sources().join("seeds").join(target))
        .output()
        .expect("it starts");
    let text = String::from_utf8_lossy(&run.stderr);
    let end: Vec<&str> = text.lines().rev().take(40).collect();
    let end: String = end.into_iter().rev().map(|line| format!("{line}\n")).collect();
    assert!(
        run.status.success(),
        "{end}\nhelp: the input that broke it is in {}; make a test of it",
        broken.display()
    );
    // One that cannot see which code it reaches would find nothing and pass.
    let loaded = text
        .lines()
        .any(|line| line.contains("INFO: Loaded") && line.contains("inline 8-bit counters"));
    assert!(
        loaded && text.contains("cov: "),
        "it ran without instrumentation:\n{text}"
    );
}

#[test]
fn no_bytes_break_the_rewriter() {
    fuzz("zipball");
}

#[test]
fn no_bytes_break_the_way_of_a_webhook() {
    fuzz("webhook");
}
