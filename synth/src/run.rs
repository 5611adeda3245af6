//! From the arguments to the exit code: which steps a run consists of.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use stacks::Project;
use synth::{Assembly, DocumentKind};
use synth_graph::{Graph, Kind, Node, asl};

use crate::cli::{BootstrapFlags, Cli, Command, DiffFlags, EmitFlags, GraphFlags, Of, Selection};
use crate::config::Target;
use crate::error::{self, Error, Problem};
use crate::parse::{self, Parsed};
use crate::{check, config, diff, drawing, emit, output, table, write};

/// Runs the program.
pub(crate) fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let outcome = match parse::parse(arguments) {
        Parsed::Text(text) => output::text(&text.ansi().to_string())
            .map(|()| error::OK)
            .map_err(Error::from),
        Parsed::Unusable(problems) => Err(problems.into()),
        Parsed::Flags(cli, problems) if problems.is_empty() => run(&cli),
        Parsed::Flags(cli, problems) => Err(with_others(&cli, problems)),
    };
    ExitCode::from(outcome.unwrap_or_else(|error| error.report()))
}

fn run(cli: &Cli) -> Result<u8, Error> {
    match &cli.command {
        None => emit(&cli.emit),
        Some(Command::Schema) => {
            output::data(&format!("{:#}\n", Project::schema()))?;
            Ok(error::OK)
        }
        Some(Command::Policy(flags)) => {
            let target = Target::load(&shared(flags.config.as_ref()))?;
            let policy = stacks::deployer::policy(&target.project);
            output::data(&format!("{policy:#}\n"))?;
            Ok(error::OK)
        }
        Some(Command::Bootstrap(flags)) => bootstrap(flags),
        Some(Command::Graph(flags)) => draw(flags),
        Some(Command::Diff(flags)) => compare(flags),
    }
}

/// What the deployer's policy and the bootstrap stack are about: the shared stacks of a configuration.
fn shared(config: Option<&PathBuf>) -> Selection {
    Selection {
        config: config.cloned(),
        ..Selection::default()
    }
}

/// The faults of the flags, and those of the values and the configuration that the remaining flags name.
fn with_others(cli: &Cli, mut problems: Vec<Problem>) -> Error {
    let selection = match &cli.command {
        None => Some(cli.emit.selection.clone()),
        Some(Command::Graph(flags)) => Some(flags.selection.clone()).filter(|_| flags.file.is_none()),
        Some(Command::Policy(flags)) => Some(shared(flags.config.as_ref())),
        Some(Command::Bootstrap(flags)) => Some(shared(flags.config.as_ref())),
        Some(Command::Schema | Command::Diff(_)) => None,
    };
    if let Some(Err(more)) = selection.as_ref().map(Target::load) {
        problems.extend(more);
    }
    problems.into()
}

fn emit(flags: &EmitFlags) -> Result<u8, Error> {
    let target = Target::load(&flags.selection)?;
    let assembly = target.synthesize()?;
    if let Some(name) = &flags.stdout {
        return print(&target, &assembly, name, flags);
    }
    let emission = emit::emission(&target, &assembly, flags.format)?;
    let out = flags.out.clone().unwrap_or_else(|| target.root.join("out"));
    let folder = out.join(&emission.name);
    if flags.check {
        let found = write::contents(&folder).map_err(|source| Problem::Unreadable {
            path: folder.clone(),
            source,
            help: "correct its permissions, or name another folder with `--out`",
        })?;
        let (report, count) = check::differences(&folder, &emission, &found);
        output::text(&report)?;
        if count == 0 {
            output::note(&format!("{} is up to date", folder.display()));
            return Ok(error::OK);
        }
        let plural = if count == 1 { " is" } else { "s are" };
        output::error(&format!(
            "{count} file{plural} not what the stacks say\n  help: run `{}`",
            mending_command(flags, &target)
        ));
        return Ok(error::DIFFERS);
    }
    let before = write::replace(&out, &emission)?;
    let (table, summary) = table::files(&folder, &emission, &before, output::width());
    output::text(&table)?;
    output::text(&table::escapes(&emission.escapes))?;
    output::note(&format!(
        "{}: {}",
        folder.display(),
        summary.clause(emission.files.len())
    ));
    Ok(error::OK)
}

/// Prints one template.
fn print(target: &Target, assembly: &Assembly, name: &str, flags: &EmitFlags) -> Result<u8, Error> {
    let prefix = format!("{}-", target.project.project);
    // `app` is short for `thebestest-pr-17-app`, and `deploy` for `thebestest-deploy-pr-17`.
    let (before, behind) = (format!("{}-", target.name()), format!("-{}", target.name()));
    let named = |stack: &str| {
        let short = stack.strip_prefix(&prefix).unwrap_or(stack);
        let shortest = short.strip_prefix(&before).or_else(|| short.strip_suffix(&behind));
        [stack, short, shortest.unwrap_or(short)].contains(&name)
    };
    let stack = assembly
        .stacks
        .iter()
        .find(|stack| named(&stack.name))
        .ok_or_else(|| Problem::UnknownStack {
            name: name.to_owned(),
            environment: target.name(),
            stacks: assembly.stacks.iter().map(|stack| stack.name.clone()).collect(),
        })?;
    output::data(&emit::template(&stack.name, &stack.template, flags.format)?)?;
    Ok(error::OK)
}

/// Prints the stack that an administrator applies before the shared ones.
fn bootstrap(flags: &BootstrapFlags) -> Result<u8, Error> {
    let target = Target::load(&shared(flags.config.as_ref()))?;
    let assembly = config::synthesized(stacks::bootstrap(&target.project))?;
    for stack in &assembly.stacks {
        output::data(&emit::template(&stack.name, &stack.template, flags.format)?)?;
    }
    Ok(error::OK)
}

fn draw(flags: &GraphFlags) -> Result<u8, Error> {
    let (graph, title) = match &flags.file {
        Some(path) => (state_machine_in(path)?, path.display().to_string()),
        None => {
            let target = Target::load(&flags.selection)?;
            let assembly = target.synthesize()?;
            let title = format!("{} {}", target.project.project, target.name());
            match flags.of {
                Of::Stacks => (drawing::stacks(&assembly), title),
                Of::StateMachine => (state_machines(&target, &assembly)?, title),
            }
        }
    };
    output::data(&drawing::render(&graph, &title, flags.format))?;
    Ok(error::OK)
}

fn state_machine_in(path: &Path) -> Result<Graph, Error> {
    let text = fs::read_to_string(path).map_err(|source| Problem::Unreadable {
        path: path.to_owned(),
        source,
        help: "name a Step Functions definition, such as a file `*.asl.json` of an emission",
    })?;
    asl::graph(&text).map_err(|source| {
        let name = path.display().to_string();
        Problem::Undrawable { name, source }.into()
    })
}

/// The only state machine of an assembly, or all of them, each in a box of its name.
fn state_machines(target: &Target, assembly: &Assembly) -> Result<Graph, Error> {
    let documents = assembly.stacks.iter().flat_map(|stack| &stack.documents);
    let mut machines = Vec::new();
    for document in documents.filter(|document| document.kind == DocumentKind::StateMachine) {
        let name = document.name.clone();
        let text = document.text().map_err(|source| Problem::Render {
            what: name.clone(),
            source,
        })?;
        match asl::graph(&text) {
            Ok(graph) => machines.push((name, graph)),
            Err(source) => return Err(Problem::Undrawable { name, source }.into()),
        }
    }
    if machines.len() > 1 {
        let mut all = Graph::default();
        for (name, graph) in machines {
            let mut node = Node::new(Kind::Group, name.strip_suffix(".asl.json").unwrap_or(&name));
            node.inner = Some(graph);
            all.add(node);
        }
        return Ok(all);
    }
    let environment = target.name();
    let only = machines.pop().map(|(_, graph)| graph);
    only.ok_or_else(|| Problem::NoStateMachine { environment }.into())
}

fn compare(flags: &DiffFlags) -> Result<u8, Error> {
    let (old, new) = diff::load(&flags.old, &flags.new)
        .map_err(|errors| errors.into_iter().map(Problem::Templates).collect::<Vec<_>>())?;
    let difference = diff::compare(&old, &new);
    if flags.json {
        let json = serde_json::to_string_pretty(&difference).map_err(|source| Problem::Render {
            what: "the difference".to_owned(),
            source: source.into(),
        })?;
        output::data(&format!("{json}\n"))?;
    } else {
        output::text(&diff::text(&difference))?;
    }
    Ok(if difference.stacks.is_empty() {
        error::OK
    } else {
        error::DIFFERS
    })
}

/// The command that writes what `--check` missed.
fn mending_command(flags: &EmitFlags, target: &Target) -> String {
    let mut command = "cargo run -p synth --".to_owned();
    let mut add = |flag: &str, value: String| command.push_str(&format!(" {flag} {value}"));
    match target.environment {
        Some(stacks::Environment::PullRequest(pull_request)) => add("--pr", pull_request.number().to_string()),
        Some(environment) => add("--environment", environment.to_string()),
        None => {}
    }
    if flags.format.extension() != "yaml" {
        add("--format", flags.format.extension().to_owned());
    }
    let paths: [(&str, &Option<PathBuf>); 2] = [("--out", &flags.out), ("--config", &flags.selection.config)];
    for (flag, path) in paths {
        if let Some(path) = path {
            add(flag, quoted(path));
        }
    }
    command
        .strip_suffix(" --")
        .map_or_else(|| command.clone(), str::to_owned)
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |character: char| character.is_alphanumeric() || "/._-".contains(character);
    if text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}
