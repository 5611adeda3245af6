//! What CodeBuild's images ship, as AWS publishes it, against what the emitted builds and the configurations of this repository use.

#![expect(clippy::expect_used, reason = "a test that cannot read what it judges has failed")]

use serde_json::Value;
use stacks::Project;
use stacks::images::{Images, Mismatch, Verdict};
use testing::emission::{self, CONFIGURATION};

const REHEARSAL: &str = include_str!("../rehearsal/project.yaml");
const WORKSPACE: &str = include_str!("../../Cargo.toml");

fn images() -> Images {
    Images::published().expect("the table is one")
}

fn mismatches(text: &str) -> Vec<Mismatch> {
    let project = Project::from_yaml(text).unwrap_or_else(|faults| panic!("{faults:?}"));
    match images().judge(&project) {
        Verdict::LookedAt(found) => found,
        Verdict::NotLookedAt { image } => panic!("{image} is not in the table"),
    }
}

/// The shipped configuration with one text in it replaced.
fn changed(from: &str, to: &str) -> String {
    assert_eq!(
        CONFIGURATION.matches(from).count(),
        1,
        "{from:?} stands once in project.yaml"
    );
    CONFIGURATION.replace(from, to)
}

#[test]
fn every_fact_names_its_file_and_commit() {
    let table = images();
    assert!(table.source.starts_with("https://github.com/aws/"), "{}", table.source);
    assert_eq!(table.read.len(), "2026-11-30".len(), "{}", table.read);
    assert!(!table.images.is_empty());
    for image in &table.images {
        let digits = image.commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        assert!(image.commit.len() == 40 && digits, "{}", image.image);
        assert!(image.dockerfile.ends_with("/Dockerfile") && image.runtimes_file.ends_with("/runtimes.yml"));
        let number = image.image.rsplit(':').next().unwrap();
        assert!(
            image.dockerfile.contains(&format!("/{number}/")),
            "{} is {}",
            image.image,
            image.dockerfile
        );
        let ships = image.runtimes.contains_key("rust");
        assert_eq!(image.rust.is_some(), ships, "{}", image.image);
    }
}

#[test]
fn the_configurations_of_this_repository_fit_their_image() {
    assert_eq!(mismatches(CONFIGURATION), []);
    assert_eq!(mismatches(REHEARSAL), []);
}

#[test]
fn the_toolchain_that_is_named_is_the_one_that_the_workspace_asks_for() {
    let wanted = WORKSPACE
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "))
        .unwrap();
    let wanted = format!("--default-toolchain {}", wanted.trim_matches('"'));
    for text in [CONFIGURATION, REHEARSAL] {
        assert!(text.contains(&wanted), "{wanted} is named");
    }
}

#[test]
fn every_runtime_that_an_emitted_build_asks_for_is_in_its_image() {
    let table = images();
    let mut checked = 0;
    for resource in emission::everything().iter().flat_map(emission::Emission::resources) {
        if resource.kind != "AWS::CodeBuild::Project" {
            continue;
        }
        let machine = &resource.properties["Environment"];
        let image = table
            .find(machine["Image"].as_str().unwrap())
            .expect("the image was looked at");
        let arm = machine["Type"] == "ARM_CONTAINER";
        assert_eq!(
            image.processor == stacks::project::Processor::Arm64,
            arm,
            "{}",
            image.image
        );
        let spec = resource.properties["Source"]["BuildSpec"]
            .as_str()
            .expect("the buildspec is a text");
        let spec: Value = serde_yaml::from_str(spec).expect("it is YAML");
        let runtimes = spec["phases"]["install"]["runtime-versions"].as_object();
        for (name, version) in runtimes.into_iter().flatten() {
            let version = version.as_str().map_or_else(|| version.to_string(), str::to_owned);
            let known = image.runtimes.get(name);
            assert!(
                known.is_some_and(|known| known.contains(&version)),
                "{} has no {name} {version}",
                image.image
            );
            checked += 1;
        }
    }
    assert!(checked > 0, "an emitted build asks for a runtime");
}

#[test]
fn a_build_that_names_no_toolchain_takes_whichever_the_image_has() {
    let unnamed = changed(" --default-toolchain 1.94.1", "");
    let [newest] = &mismatches(&unnamed)[..] else {
        panic!("one thing is wrong")
    };
    assert_eq!(newest.path, "build.install[0]");
    assert!(newest.message.contains("the newest on their day"), "{}", newest.message);
    let [pinned] = &mismatches(&unnamed.replace("standard:3.0", "standard:4.0"))[..] else {
        panic!("one thing is wrong")
    };
    assert!(pinned.message.contains("builds take Rust 1.94.0"), "{}", pinned.message);
    assert!(pinned.help.contains("--default-toolchain"), "{}", pinned.help);
    for named in [
        " --default-toolchain=1.94.1",
        "\n    - rustup toolchain install 1.94.1 --profile minimal\n    - rustup default 1.94.1",
        "\n    - export RUSTUP_TOOLCHAIN=1.94.1",
        " --default-toolchain nightly-2026-04-01",
    ] {
        let text = changed(" --default-toolchain 1.94.1", named).replace("standard:3.0", "standard:4.0");
        assert_eq!(mismatches(&text), [], "{named}");
    }
    for vague in [
        " --default-toolchain stable",
        " --default-toolchain 1.94",
        "\n    - rustup default stable",
    ] {
        let text = changed(" --default-toolchain 1.94.1", vague).replace("standard:3.0", "standard:4.0");
        assert_eq!(mismatches(&text).len(), 1, "{vague}");
    }
}

#[test]
fn an_image_for_another_processor_or_without_the_runtime_is_a_fault() {
    let other = changed("  processor: arm64", "  processor: x86_64");
    let faults = Project::from_yaml(&other).unwrap_err();
    assert_eq!(faults.len(), 1, "it is told once: {faults:?}");
    let mut table = images();
    for image in &mut table.images {
        image
            .runtimes
            .get_mut("java")
            .unwrap()
            .retain(|version| version != "corretto21");
    }
    let project = Project::from_yaml(CONFIGURATION).unwrap();
    let Verdict::LookedAt(found) = table.judge(&project) else {
        panic!("it was looked at")
    };
    assert!(
        found
            .iter()
            .any(|one| one.certain && one.message.contains("no java corretto21")),
        "{found:?}"
    );
}

#[test]
fn an_image_that_is_not_in_the_table_was_not_looked_at_and_says_so() {
    for image in [
        "ghcr.io/octo/builder:1",
        "aws/codebuild/amazonlinux-aarch64-standard:9.0",
    ] {
        let text = CONFIGURATION.replace("aws/codebuild/amazonlinux-aarch64-standard:3.0", image);
        let project = Project::from_yaml(&text).unwrap_or_else(|faults| panic!("{faults:?}"));
        let verdict = images().judge(&project);
        assert_eq!(
            verdict,
            Verdict::NotLookedAt {
                image: image.to_owned()
            }
        );
    }
}
