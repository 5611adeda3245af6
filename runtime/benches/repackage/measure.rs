//! What a process costs, as the kernel counts it.

use std::ffi::OsStr;
use std::process::Command;
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};

/// CPU and wall time in seconds, peak memory in MiB.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) cpu: f64,
    pub(crate) wall: f64,
    pub(crate) memory: f64,
}

/// The cheapest of so many runs of a command. Each runs below a process of its own, since the kernel only adds up.
pub(crate) fn best(runs: u32, command: &[&OsStr]) -> Cost {
    let run = |_| {
        let output = Command::new(std::env::current_exe().expect("this program's path"))
            .arg("measure")
            .args(command)
            .output()
            .expect("this program starts");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{command:?}: {text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let numbers: Vec<f64> = text
            .lines()
            .last()
            .expect("a line")
            .split(' ')
            .filter_map(|word| word.parse().ok())
            .collect();
        Cost {
            cpu: numbers[0],
            wall: numbers[1],
            memory: numbers[2],
        }
    };
    let costs = (0..runs).map(run);
    costs
        .min_by(|left, right| left.cpu.total_cmp(&right.cpu))
        .expect("a run")
}

/// Runs the command and prints what it cost.
pub(crate) fn child(command: &[String]) {
    let begun = Instant::now();
    let status = Command::new(&command[0]).args(&command[1..]).status();
    let wall = begun.elapsed().as_secs_f64();
    assert!(status.expect("it starts").success(), "{command:?} failed");
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the kernel counts");
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    let cpu = seconds(usage.user_time()) + seconds(usage.system_time());
    println!("{cpu} {wall} {}", usage.max_rss() as f64 / 1024.0);
}
