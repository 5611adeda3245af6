//! The functions' binary, where none is named: built, or said what is missing.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use crate::world::{BOOTSTRAP, Outcome, World, text};

/// Stands in for cargo: notes how it was called, and leaves the functions' stand-in where the build would.
fn cargo(world: &World, exit: u8) -> PathBuf {
    let script =
        format!("#!/bin/sh\necho \"$@\" > called\nmkdir -p target/lambda\ncp bootstrap target/lambda/\nexit {exit}\n");
    executable(world, "cargo", &script)
}

fn executable(world: &World, name: &str, script: &str) -> PathBuf {
    world.write(name, script);
    let path = world.path(name);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it may be run");
    path
}

/// A repository whose functions run on this machine's processor, or on another.
fn repository(what: &str, here: bool) -> Option<World> {
    let world = World::new(what)?;
    world.run_functions(here);
    fs::create_dir(world.path("stacks")).expect("a folder");
    fs::rename(world.path("project.yaml"), world.path("stacks/project.yaml")).expect("it moves");
    fs::copy(world.path("stacks/project.yaml"), world.path("project.yaml")).expect("it is there");
    Some(world)
}

fn deploy(world: &World, arguments: &[&str], exit: u8) -> Outcome {
    let mut command = world.command(Command::new(env!("CARGO_BIN_EXE_deploy")), arguments);
    command.env("CARGO", cargo(world, exit));
    Outcome::of(command.spawn().expect("it starts"))
}

#[test]
fn without_a_binary_up_builds_it_in_the_repository_and_takes_it() {
    let Some(world) = repository("the functions are built", true) else {
        return;
    };
    world.write("bootstrap", BOOTSTRAP);
    let token = world.path("token");
    let up = ["up", "--yes", "--credentials", text(&token)];
    let outcome = deploy(&world, &up, 0).succeeds();
    assert!(
        outcome.stdout.contains("building the functions: cargo bootstrap"),
        "{outcome}"
    );
    assert_eq!(
        fs::read_to_string(world.path("called")).expect("it was called"),
        "bootstrap\n"
    );
    world.assert_complete("built here");

    let failed = deploy(&world, &up, 101).ends_with(2);
    assert!(failed.stderr.contains("binary was not built"), "{failed}");
}

#[test]
fn for_another_processor_what_is_missing_is_said_with_how_to_get_it() {
    let Some(world) = repository("the functions are for another processor", false) else {
        return;
    };
    let rustc = "#!/bin/sh\necho /nowhere\n";
    executable(&world, "rustc", rustc);
    let doctor = || {
        let mut command = world.command(Command::new(env!("CARGO_BIN_EXE_deploy")), &["doctor"]);
        // Nothing that this machine has is found.
        command.env("PATH", world.path("")).env("CARGO", cargo(&world, 0));
        Outcome::of(command.spawn().expect("it starts")).ends_with(1)
    };
    let examined = doctor();
    assert!(examined.stdout.contains("cargo-zigbuild is not there"), "{examined}");
    assert!(examined.stdout.contains("pip install cargo-zigbuild=="), "{examined}");
    executable(&world, "cargo-zigbuild", "#!/bin/sh\n");
    let examined = doctor();
    assert!(examined.stdout.contains("`rustup target add "), "{examined}");
    executable(&world, "rustc", &rustc.replace("/nowhere", "/"));
    let examined = doctor();
    assert!(examined.stdout.contains("built by `cargo zigbuild "), "{examined}");
    assert!(!world.path("called").exists(), "nothing is built to find that out");
}
