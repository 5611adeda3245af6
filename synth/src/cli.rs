//! The flags: what they are called, what they mean, and what `--help` teaches.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

const EXAMPLES: &str = "\
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
  3  the result cannot be written; what was there before is untouched";

/// Writes every file that AWS receives: templates, state machines, buildspecs, policies, mapping templates.
///
/// Without --pr or --environment these are the stacks that all pull requests share. The files of an environment are
/// replaced together or not at all; files that are no longer part of it disappear.
#[derive(Debug, Parser)]
#[command(name = "synth", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) emit: EmitFlags,
}

/// What to do instead of writing files.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print the JSON Schema of the configuration, for editors.
    #[command(after_help = "\
Example:
  synth schema > project.schema.json
  and as the first line of stacks/project.yaml:
  # yaml-language-server: $schema=../project.schema.json")]
    Schema,
    /// Print the IAM policy that whoever deploys the shared stacks needs.
    #[command(after_help = "\
Example:
  synth policy > deployer.json
  aws iam create-policy --policy-name thebestest-deployer --policy-document file://deployer.json")]
    Policy(PolicyFlags),
    /// Print the stack that an administrator applies once: the role that CloudFormation makes the shared stacks with.
    #[command(after_help = "\
Example:
  synth bootstrap > bootstrap.yaml
  aws cloudformation deploy --stack-name thebestest-bootstrap --template-file bootstrap.yaml --capabilities CAPABILITY_NAMED_IAM --region eu-west-1")]
    Bootstrap(BootstrapFlags),
    /// Draw the state machine, or which stack needs which.
    #[command(after_help = "\
Examples:
  synth graph                          the state machine as Mermaid text, for Markdown on GitHub
  synth graph --format html > g.html   as a page for the browser, without any network
  synth graph --of stacks --pr 17      the stacks of a pull request
  synth graph any.asl.json             any Step Functions definition")]
    Graph(GraphFlags),
    /// Say what CloudFormation would add, update, replace and remove, and which data that loses.
    #[command(after_help = "\
Examples:
  synth diff before/pr-17 out/pr-17    two folders that synth wrote
  synth diff old.yaml new.json         two templates
  synth diff before out/shared --json | jq '.stacks[].resources[] | select(.data == \"lost\")'

Signs: + add, ~ update, ? may replace, ± replace, - remove. The exit code is 0 without a difference, else 1.
What only AWS knows is not seen: drift, values of parameters, changes that a custom resource makes.")]
    Diff(DiffFlags),
}

/// The flags of `policy`.
#[derive(Debug, Args)]
pub(crate) struct PolicyFlags {
    /// The configuration [default: stacks/project.yaml here or in a folder above, up to the repository's root].
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// The flags of `bootstrap`.
#[derive(Debug, Args)]
pub(crate) struct BootstrapFlags {
    /// The configuration [default: stacks/project.yaml here or in a folder above, up to the repository's root].
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The form of the template: YAML with short intrinsic functions, or JSON with long ones.
    #[arg(long, value_name = "FORMAT", default_value = "yaml")]
    pub(crate) format: Format,
}

/// The flags of `diff`.
#[derive(Debug, Args)]
pub(crate) struct DiffFlags {
    /// What is deployed: a folder that synth wrote, or a template.
    pub(crate) old: PathBuf,
    /// What is to be deployed.
    pub(crate) new: PathBuf,
    /// Print JSON, with values in full.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The flags of a run without a subcommand.
#[derive(Debug, Args)]
pub(crate) struct EmitFlags {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// The form of the templates: YAML with short intrinsic functions, or JSON with long ones.
    #[arg(long, value_name = "FORMAT", default_value = "yaml")]
    pub(crate) format: Format,
    /// The folder that takes a folder per environment [default: out, next to the folder stacks].
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
    /// Print one template and write nothing. The project's prefix and the environment's suffix may be left out: `app`.
    #[arg(long, value_name = "STACK", conflicts_with_all = ["out", "check"])]
    pub(crate) stdout: Option<String>,
    /// Write nothing; fail and show the difference where the files are not what a run would write.
    #[arg(long)]
    pub(crate) check: bool,
}

/// Which stacks.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Selection {
    /// The environment of a pull request: its number, 1 to 999999, with or without `#`. Not together with --environment.
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    pub(crate) pr: Option<String>,
    /// An environment by its name: `stage` or `pr-17`.
    #[arg(long, value_name = "NAME")]
    pub(crate) environment: Option<String>,
    /// The configuration [default: stacks/project.yaml here or in a folder above, up to the repository's root].
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// The flags of `graph`.
#[derive(Debug, Args)]
pub(crate) struct GraphFlags {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// What to draw.
    #[arg(long, value_name = "WHAT", default_value = "state-machine")]
    pub(crate) of: Of,
    /// The form of the drawing.
    #[arg(long, value_name = "FORMAT", default_value = "mermaid")]
    pub(crate) format: Drawing,
    /// A Step Functions definition to draw instead of the project's.
    #[arg(value_name = "FILE", conflicts_with_all = ["pr", "environment", "config", "of"])]
    pub(crate) file: Option<PathBuf>,
}

/// What a drawing shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Of {
    /// States and transitions.
    StateMachine,
    /// Stacks, each below those that must be deployed before it.
    Stacks,
}

/// The form of a drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Drawing {
    /// Text that GitHub draws.
    Mermaid,
    /// A picture.
    Svg,
    /// A page with the picture, to move and zoom.
    Html,
}

/// The form of templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Short intrinsic functions: `!Ref`.
    Yaml,
    /// Long intrinsic functions: `Fn::GetAtt`.
    Json,
}

impl Format {
    /// The ending of file names.
    pub(crate) const fn extension(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Json => "json",
        }
    }
}
