//! Ends everything that a build has started.

use std::{fs, path::Path, thread, time::Duration};

use nix::{
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};

/// Kills these process groups, and whatever else inherited the environment variable from the build: a daemon that
/// has left its group keeps its environment. Where there is no `/proc` only the groups are found.
pub(super) fn end(groups: &[u32], inherited: &str) {
    for group in groups.iter().filter_map(|group| i32::try_from(*group).ok()) {
        // A group that is gone is what is wanted.
        let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
    }
    // One that forks meanwhile is found in the next round.
    for _ in 0..50 {
        let found = with(inherited);
        if found.is_empty() {
            break;
        }
        for process in found {
            let _ = kill(Pid::from_raw(process), Signal::SIGKILL);
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// The processes whose environment has this variable. Those that have ended show none.
fn with(variable: &str) -> Vec<i32> {
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let found = processes.flatten().filter_map(|process| {
        let id = process.file_name().to_str()?.parse().ok()?;
        has(&process.path(), variable).then_some(id)
    });
    found.collect()
}

fn has(process: &Path, variable: &str) -> bool {
    let environment = fs::read(process.join("environ")).unwrap_or_default();
    let mut variables = environment.split(|byte| *byte == 0);
    variables.any(|found| found == variable.as_bytes())
}
