//! What is unusable: everything at once, each with its fix, exit code 2, nothing written.

use crate::{Workplace, configuration};

#[test]
fn faults_of_flags_number_and_configuration_come_in_one_run() {
    let place = Workplace::new();
    let broken = configuration()
        .replace("region: eu-west-1", "region: mars-north-1")
        .replace("environments: 100", "environments: 0");
    place.write(
        "stacks/project.yaml",
        &broken.replace("deploy_minutes: 60", "deploy_minutes: 600"),
    );
    let run = place.run("--pr 0 --chek --format xml").ended_with(2);
    insta::assert_snapshot!(run.stderr, @r###"
    error: unexpected argument '--chek' found
      help: did you mean `--check`?
    error: invalid value 'xml' for '--format <FORMAT>'
      help: write one of: yaml, json
    error: --pr: "0" is no pull request, allowed are the numbers 1 to 999999
      help: write the number that GitHub shows next to the pull request's title, such as `--pr 17`
    error: stacks/project.yaml: region: "mars-north-1" is not allowed
      help: write one of: us-east-1, us-east-2, us-west-2, eu-west-1, eu-central-1, eu-north-1, ap-northeast-1, ap-southeast-2
    error: stacks/project.yaml: limits.deploy_minutes: 600 is out of range
      help: write a whole number from 5 to 480
    error: stacks/project.yaml: limits.environments: 0 is out of range
      help: write a whole number from 1 to 400
    6 errors, nothing was written
    "###);
    assert_eq!(
        run.stderr.matches("\n  help: ").count(),
        run.stderr.matches("error: ").count()
    );
    assert!(!place.path("out").exists());
}

#[test]
fn a_number_that_is_none_is_refused() {
    let place = Workplace::new();
    for number in ["0", "-3", "abc", "10000000", "17x", "##17", "", "1.5"] {
        let output = place.command().args(["--pr", number]).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{number}: {stderr}");
        let begin =
            format!("error: --pr: {number:?} is no pull request, allowed are the numbers 1 to 999999\n  help: ");
        assert!(stderr.starts_with(&begin), "{stderr}");
    }
    assert!(!place.path("out").exists());
}

#[test]
fn two_environments_exclude_each_other_and_both_are_checked() {
    let place = Workplace::new();
    let run = place.run("--pr -3 --environment prod").ended_with(2);
    insta::assert_snapshot!(run.stderr, @r###"
    error: --pr -3 and --environment prod are two environments
      help: leave one of the two out
    error: --pr: "-3" is no pull request, allowed are the numbers 1 to 999999
      help: write the number that GitHub shows next to the pull request's title, such as `--pr 17`
    error: --environment: "prod" is no environment, allowed are `stage` and `pr-` with a pull request's number, such as `pr-17`
      help: write `--environment stage` or `--environment pr-17`
    3 errors, nothing was written
    "###);
}

#[test]
fn several_unknown_flags_are_all_reported() {
    let place = Workplace::new();
    let run = place.run("--wat --enviroment=stage --outt x").ended_with(2);
    insta::assert_snapshot!(run.stderr, @r###"
    error: unexpected argument '--wat' found
      help: `synth --help` lists what there is
    error: unexpected argument '--enviroment' found
      help: did you mean `--environment`?
    error: unexpected argument '--outt' found
      help: did you mean `--out`?
    3 errors, nothing was written
    "###);
}

#[test]
fn a_missing_configuration_says_where_it_was_looked_for() {
    let place = Workplace::new();
    std::fs::remove_file(place.path("stacks/project.yaml")).unwrap();
    let run = place.run("").ended_with(2);
    assert!(
        run.stderr.starts_with("error: no stacks/project.yaml in "),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("help: start in the repository, or name the file"),
        "{}",
        run.stderr
    );
    let run = place.run("--config nowhere.yaml").ended_with(2);
    assert!(
        run.stderr.starts_with("error: cannot read nowhere.yaml: "),
        "{}",
        run.stderr
    );
}

#[test]
fn flags_of_a_run_do_not_go_with_subcommands() {
    let place = Workplace::new();
    let run = place.run("--check graph").ended_with(2);
    assert!(run.stderr.contains("cannot be used with"), "{}", run.stderr);
    place.run("diff onlyone").ended_with(2);
}

#[test]
fn help_teaches_by_examples_and_names_the_exit_codes() {
    let place = Workplace::new();
    let run = place.run("--help").succeeded();
    assert!(run.stdout.contains("synth --pr 17 --check"));
    assert!(run.stdout.contains("Exit codes:\n  0  done"));
    assert_eq!(run.stderr, "");
    assert!(place.run("--version").succeeded().stdout.starts_with("synth "));
    insta::assert_snapshot!(place.run("-h").succeeded().stdout, @r###"
    Writes every file that AWS receives: templates, state machines, buildspecs, policies, mapping
    templates

    Usage: synth [OPTIONS]
           synth <COMMAND>

    Commands:
      schema     Print the JSON Schema of the configuration, for editors
      policy     Print the IAM policy that whoever deploys the shared stacks needs
      bootstrap  Print the stack that an administrator applies once: the role that CloudFormation makes
                 the shared stacks with
      graph      Draw the state machine, or which stack needs which
      diff       Say what CloudFormation would add, update, replace and remove, and which data that
                 loses
      help       Print this message or the help of the given subcommand(s)

    Options:
          --pr <NUMBER>         The environment of a pull request: its number, 1 to 999999, with or
                                without `#`. Not together with --environment
          --environment <NAME>  An environment by its name: `stage` or `pr-17`
          --config <FILE>       The configuration [default: stacks/project.yaml here or in a folder
                                above, up to the repository's root]
          --format <FORMAT>     The form of the templates: YAML with short intrinsic functions, or JSON
                                with long ones [default: yaml] [possible values: yaml, json]
          --out <FOLDER>        The folder that takes a folder per environment [default: out, next to
                                the folder stacks]
          --stdout <STACK>      Print one template and write nothing. The project's prefix and the
                                environment's suffix may be left out: `app`
          --check               Write nothing; fail and show the difference where the files are not what
                                a run would write
      -h, --help                Print help (see more with '--help')
      -V, --version             Print version

    Examples:
      synth                              write the stacks that all pull requests share
      synth --pr 17                      write what pull request 17 gets
      synth --pr 17 --check              say whether out/pr-17 is up to date, and show what is not
      synth --pr 17 --stdout app | less  read one template
      synth --environment stage --stdout app --format json > app.json
      synth graph                        the state machine as Mermaid text
      synth graph --format html > graph.html
      synth diff before/pr-17 out/pr-17  what CloudFormation would replace
      synth policy > deployer.json       what whoever deploys must be allowed
      synth bootstrap > bootstrap.yaml   the stack that an administrator applies first

    Exit codes:
      0  done; with --check and diff: no difference
      1  --check or diff found a difference
      2  the flags, the configuration, the stacks or a named file are unusable
      3  the result cannot be written; what was there before is untouched
    "###);
}
