//! Synthesizes and renders many pull requests in one process: `cargo run --release -p synth --example many -- 1000`.
//!
//! Time must grow in proportion to the number, and memory not at all.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Instant;

use stacks::{Environment, Project, PullRequest};

fn main() -> Result<(), Box<dyn Error>> {
    let count: u64 = std::env::args().nth(1).map_or(Ok(1000), |count| count.parse())?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stacks/project.yaml");
    let project = Project::from_yaml(&fs::read_to_string(path)?)
        .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    let quarter = (count / 4).max(1);
    let begin = Instant::now();
    let mut bytes = 0;
    println!("pull requests  milliseconds  peak KiB  rendered KiB");
    for number in 1..=count {
        let assembly = stacks::environment(&project, Environment::PullRequest(PullRequest::new(number)?))?;
        for stack in &assembly.stacks {
            bytes += stack.template.to_yaml()?.len();
            for document in &stack.documents {
                bytes += document.text()?.len();
            }
        }
        if number % quarter == 0 || number == count {
            let (milliseconds, rendered) = (begin.elapsed().as_millis(), bytes / 1024);
            let peak = peak_memory().map_or_else(|| "unknown".to_owned(), |peak| peak.to_string());
            println!("{number:>13}  {milliseconds:>12}  {peak:>8}  {rendered:>12}");
        }
    }
    Ok(())
}

/// The most memory that this process ever had, in KiB, where the operating system tells.
fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
