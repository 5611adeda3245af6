//! What the types of [`Project`] cannot say: forms of names, ranges of addresses, and how values go together.

use std::net::IpAddr;

use super::read::fault;
use super::{ConfigFault, Processor, Project, REGIONS};
use crate::images::{Images, Verdict};

/// The prefix of the tags that teardown finds resources by.
pub(super) const OWN_TAGS: &str = "pipeline:";

pub(super) fn project(project: &Project, faults: &mut Vec<ConfigFault>) {
    name(&project.project, faults);
    repository(&project.repository, faults);
    if !REGIONS.contains(&project.region.name()) {
        let message = format!(
            "{:?} is not a region that the stacks are proven for",
            project.region.name()
        );
        faults.push(fault(
            "region",
            message,
            format!("write one of: {}", REGIONS.join(", ")),
        ));
    }
    if !is_api(&project.github_api) {
        let message = format!("{:?} is no base address", project.github_api);
        faults.push(fault(
            "github_api",
            message,
            "write https://… without a slash at the end, such as https://github.example.com/api/v3",
        ));
    }
    if project.stage_branch.is_empty() || project.stage_branch.contains(char::is_whitespace) {
        faults.push(fault(
            "stage_branch",
            format!("{:?} is no branch", project.stage_branch),
            "write a branch's name, such as main",
        ));
    }
    commands(project, faults);
    image(project, faults);
    for (index, range) in project.webhook.allowed_ranges.iter().enumerate() {
        if !is_range(range) {
            let help = "write an address and a prefix length, such as 192.30.252.0/22";
            faults.push(fault(
                &format!("webhook.allowed_ranges[{index}]"),
                format!("{range:?} is no address range"),
                help,
            ));
        }
    }
    tags(project, faults);
}

/// Whether an address is one that a credential may be sent to: over HTTPS, or to this very machine, where a rehearsal has its GitHub.
fn is_api(address: &str) -> bool {
    let here = address
        .strip_prefix("http://127.0.0.1:")
        .is_some_and(|rest| rest.split('/').next().is_some_and(|port| port.parse::<u16>().is_ok()));
    (address.starts_with("https://") || here) && !address.ends_with('/')
}

fn name(name: &str, faults: &mut Vec<ConfigFault>) {
    let allowed = (3..=20).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && !name.ends_with('-')
        && !name.contains("--")
        && name
            .chars()
            .all(|character| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-');
    if name.ends_with("-pr") || name.ends_with("-stage") {
        let message = format!("{name:?} ends like the prefix of another project's environments");
        faults.push(fault(
            "project",
            message,
            "end it otherwise: policies tell environments apart by `<project>-pr-` and `<project>-stage-`",
        ));
    }
    if !allowed {
        let help = "write 3 to 20 lower-case letters, digits and single hyphens, a letter first: buckets and roles are named after it";
        faults.push(fault("project", format!("{name:?} is no project name"), help));
    }
}

fn repository(repository: &str, faults: &mut Vec<ConfigFault>) {
    let allowed = repository
        .split_once('/')
        .is_some_and(|(owner, name)| is_owner(owner) && is_name(name));
    if !allowed {
        let help = "write owner/name as GitHub spells them, without https://";
        faults.push(fault("repository", format!("{repository:?} is no repository"), help));
    }
}

/// Letters, digits and single hyphens between them, at most 39.
fn is_owner(owner: &str) -> bool {
    let words = owner
        .split('-')
        .all(|word| !word.is_empty() && word.chars().all(|character| character.is_ascii_alphanumeric()));
    words && owner.len() <= 39
}

fn is_name(name: &str) -> bool {
    let allowed = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
    (1..=100).contains(&name.len()) && name.chars().all(allowed)
}

fn commands(project: &Project, faults: &mut Vec<ConfigFault>) {
    let lists = [
        ("unit_test.build", &project.unit_test.build),
        ("unit_test.prepare", &project.unit_test.prepare),
        ("unit_test.commands", &project.unit_test.commands),
        ("application.synthesize", &project.application.synthesize),
        ("build.install", &project.build.install),
        ("application.package", &project.application.package),
    ];
    for (path, commands) in lists {
        for (index, command) in commands
            .iter()
            .enumerate()
            .filter(|(_, command)| command.trim().is_empty())
        {
            let message = format!("{command:?} is no command");
            faults.push(fault(
                &format!("{path}[{index}]"),
                message,
                "write a shell command or remove the item",
            ));
        }
    }
    if project.application.code.is_some() && project.application.package.is_empty() {
        let help = "write the commands that make it, or set `code: null` if the template has no code";
        faults.push(fault(
            "application.package",
            "nothing makes the zip that `application.code` names",
            help,
        ));
    }
    let paths = [
        ("unit_test.report_folder", Some(&project.unit_test.report_folder)),
        ("application.template", Some(&project.application.template)),
        ("application.code", project.application.code.as_ref()),
    ];
    for (key, path) in paths.into_iter().filter_map(|(key, path)| Some((key, path?))) {
        let inside = !path.is_empty() && !path.starts_with('/') && path.split('/').all(|step| step != "..");
        if !inside {
            faults.push(fault(
                key,
                format!("{path:?} is no path within the repository"),
                "write a relative path without `..`",
            ));
        }
    }
}

fn image(project: &Project, faults: &mut Vec<ConfigFault>) {
    let build = &project.build;
    let says_arm = build.image.contains("aarch64") || build.image.contains("arm64");
    let says_x86 = build.image.contains("x86_64") || build.image.contains("amd64");
    let (wrong, other) = match build.processor {
        Processor::Arm64 => (says_x86, "x86_64"),
        Processor::X86_64 => (says_arm, "arm64"),
    };
    if wrong {
        let message = format!(
            "the image {:?} does not run on the processor of this build",
            build.image
        );
        faults.push(fault(
            "build.image",
            message,
            format!("set build.processor to {other}, or take an image for the processor"),
        ));
    }
    // What is not certain is no fault of the configuration; `deploy doctor` tells it.
    let judged = Images::published().map(|images| images.judge(project));
    if let Ok(Verdict::LookedAt(mismatches)) = judged {
        let certain = mismatches.into_iter().filter(|mismatch| mismatch.certain);
        let news = certain.filter(|mismatch| !(wrong && mismatch.path == "build.processor"));
        faults.extend(news.map(|mismatch| fault(&mismatch.path, mismatch.message, mismatch.help)));
    }
    if build.image.trim().is_empty() {
        faults.push(fault(
            "build.image",
            "the image is empty",
            "remove the key to build on CodeBuild's own image",
        ));
    }
}

fn tags(project: &Project, faults: &mut Vec<ConfigFault>) {
    if project.tags.len() > 40 {
        faults.push(fault(
            "tags",
            format!("{} tags are too many", project.tags.len()),
            "keep 40: a resource takes 50, the system adds its own",
        ));
    }
    for (key, value) in &project.tags {
        let path = format!("tags.{key}");
        if key.starts_with(OWN_TAGS) || key.to_lowercase().starts_with("aws:") {
            faults.push(fault(
                &path,
                format!("{key:?} is a reserved tag"),
                format!("rename it: `{OWN_TAGS}` and `aws:` are taken"),
            ));
        }
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            faults.push(fault(
                &path,
                "the tag is too long",
                "keep keys within 1 to 128 characters and values within 256",
            ));
        }
    }
}

fn is_range(range: &str) -> bool {
    let Some((address, prefix)) = range.split_once('/') else {
        return false;
    };
    let longest = match address.parse() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    prefix.parse::<u8>().is_ok_and(|prefix| prefix <= longest)
}
