//! Test reports in JUnit's XML, as counts.

use std::{fs, path::Path, time::Duration};

use super::artifacts;
use super::log::Log;
use crate::build::Report;
use crate::buildspec::ReportSpec;

/// The report; nothing where no file matches, which is said in the log and is no failure of the build.
pub(super) fn collect(spec: &ReportSpec, source: &Path, log: &mut Log) -> Option<Report> {
    let base = source.join(&spec.base);
    log.say(&format!("Expanding base directory path: {}", spec.base));
    let found = artifacts::files(&base, &spec.files).unwrap_or_default();
    if found.is_empty() {
        log.say(&format!("No matching report paths found for {}", spec.name));
        return None;
    }
    log.say(&format!("Found {} file(s)", found.len()));
    let mut report = Report {
        name: spec.name.clone(),
        ..Report::default()
    };
    for path in found {
        let read = fs::read_to_string(base.join(&path)).map_err(|fault| fault.to_string());
        if let Err(fault) = read.and_then(|text| count(&text, &mut report)) {
            log.say(&format!("{} is no JUnit report: {fault}", path.display()));
        }
    }
    Some(report)
}

fn count(text: &str, report: &mut Report) -> Result<(), String> {
    let document = roxmltree::Document::parse(text).map_err(|fault| fault.to_string())?;
    let cases = document.descendants().filter(|node| node.has_tag_name("testcase"));
    for case in cases {
        let has = |name: &str| case.children().any(|child| child.has_tag_name(name));
        if has("error") {
            report.errors += 1;
        } else if has("failure") {
            report.failed += 1;
        } else if has("skipped") {
            report.skipped += 1;
        } else {
            report.succeeded += 1;
        }
        let seconds = case.attribute("time").and_then(|time| time.parse().ok());
        report.duration += Duration::try_from_secs_f64(seconds.unwrap_or(0.0)).unwrap_or_default();
    }
    Ok(())
}
