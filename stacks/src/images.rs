//! What CodeBuild's own images ship, and whether it is what a project's builds take for granted.
//!
//! The facts are in `images.json`, from the Dockerfiles and `runtimes.yml` that AWS publishes, each with its file and commit. AWS
//! changes an image under the same name, so they say what was published when they were read and no more: a build names what it
//! depends on. An image that is not in the table was not looked at, and [`Verdict::NotLookedAt`] says so.
//!
//! - <https://docs.aws.amazon.com/codebuild/latest/userguide/available-runtimes.html>
//! - <https://github.com/aws/aws-codebuild-docker-images>

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::Project;
use crate::project::Processor;

const TABLE: &str = include_str!("../images.json");

/// The published facts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Images {
    /// The repository that they are from.
    pub source: String,
    /// The day on which they were read.
    pub read: String,
    /// One entry an image.
    pub images: Vec<Image>,
}

/// What one image ships.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// Its name, as `build.image` has it.
    pub image: String,
    /// The processor that it runs on.
    pub processor: Processor,
    /// The file that it is built from.
    pub dockerfile: String,
    /// The file that says what `runtime-versions` may name.
    pub runtimes_file: String,
    /// The commit of both.
    pub commit: String,
    /// The runtimes and their versions, newest first.
    pub runtimes: BTreeMap<String, Vec<String>>,
    /// The toolchain of Rust that it has as rustup's default; none without rustup.
    pub rust: Option<String>,
    /// Environment variables that tell where toolchains are.
    pub variables: BTreeMap<String, String>,
}

/// What the table says of a project's builds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The image is none of the table: nothing was compared.
    NotLookedAt {
        /// The image.
        image: String,
    },
    /// Everything was compared, and this does not fit.
    LookedAt(Vec<Mismatch>),
}

/// Something that an image does not have as a build takes for granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The key of the configuration.
    pub path: String,
    /// What does not fit, as a lowercase clause.
    pub message: String,
    /// The edit that mends it.
    pub help: String,
    /// Whether builds fail for certain; if not, they depend on what the image has on that day.
    pub certain: bool,
}

impl Images {
    /// The table.
    ///
    /// # Errors
    /// Where the table is not one, which a test rules out.
    pub fn published() -> Result<Self, serde_json::Error> {
        serde_json::from_str(TABLE)
    }

    /// What is known of an image.
    pub fn find(&self, image: &str) -> Option<&Image> {
        self.images.iter().find(|known| known.image == image)
    }

    /// Compares what a project's builds use with what their image ships.
    pub fn judge(&self, project: &Project) -> Verdict {
        let Some(image) = self.find(&project.build.image) else {
            return Verdict::NotLookedAt {
                image: project.build.image.clone(),
            };
        };
        let mut found = Vec::new();
        found.extend(image.processor(project));
        found.extend(image.runtimes(project));
        found.extend(image.rust(project));
        Verdict::LookedAt(found)
    }
}

impl Image {
    fn processor(&self, project: &Project) -> Option<Mismatch> {
        (self.processor != project.build.processor).then(|| Mismatch {
            path: "build.processor".to_owned(),
            message: format!("the image {} does not run on the processor of this build", self.image),
            help: "set build.processor to the image's, or take an image for the processor".to_owned(),
            certain: true,
        })
    }

    /// The runtimes that the emitted buildspecs ask for.
    fn runtimes(&self, project: &Project) -> Vec<Mismatch> {
        let asked = crate::unit_test::runtimes(project);
        let missing = asked.into_iter().filter(|(name, version)| {
            let versions = self.runtimes.get(*name);
            !versions.is_some_and(|versions| versions.iter().any(|known| known == version))
        });
        let told = missing.map(|(name, version)| Mismatch {
            path: "build.image".to_owned(),
            message: format!(
                "the image {} has no {name} {version}, which the local DynamoDB needs",
                self.image
            ),
            help: "take an image that has it, or set unit_test.local_dynamodb to false".to_owned(),
            certain: true,
        });
        told.collect()
    }

    /// rustup's installer leaves a default toolchain as it finds it, see
    /// <https://rust-lang.github.io/rustup/installation/index.html>: whoever names none builds with the image's.
    fn rust(&self, project: &Project) -> Option<Mismatch> {
        let installing = commands(project).find(|(_, command)| installs_rustup(command));
        let using = commands(project).find(|(_, command)| uses_rust(command));
        let named = commands(project).any(|(_, command)| names_toolchain(command));
        let installs = installing.is_some();
        let (path, _) = installing.or(using).filter(|_| !named)?;
        let message = match (&self.rust, installs) {
            (Some(version), _) => format!(
                "no toolchain is named, so builds take Rust {version}, which the image {} has as its default",
                self.image
            ),
            (None, true) => "no toolchain is named, so builds take the Rust that is the newest on their day".to_owned(),
            (None, false) => format!("the image {} has no Rust as it was published", self.image),
        };
        Some(Mismatch {
            path,
            message,
            help: "name it where rustup is installed, as in `sh -s -- -y --profile minimal --default-toolchain 1.94.1`"
                .to_owned(),
            // A command may install it in ways that nobody foresees.
            certain: false,
        })
    }
}

/// All commands of a project with the keys that they stand under.
fn commands(project: &Project) -> impl Iterator<Item = (String, &str)> {
    let lists = [
        ("build.install", &project.build.install),
        ("unit_test.build", &project.unit_test.build),
        ("unit_test.prepare", &project.unit_test.prepare),
        ("unit_test.commands", &project.unit_test.commands),
        ("application.synthesize", &project.application.synthesize),
        ("application.package", &project.application.package),
    ];
    lists.into_iter().flat_map(|(path, commands)| {
        let numbered = commands.iter().enumerate();
        numbered.map(move |(index, command)| (format!("{path}[{index}]"), command.as_str()))
    })
}

/// The words of a command, whatever the shell does with them.
fn words(command: &str) -> impl Iterator<Item = &str> {
    let ends = |letter: char| letter.is_whitespace() || "|&;()\"'`".contains(letter);
    command.split(ends).filter(|word| !word.is_empty())
}

fn installs_rustup(command: &str) -> bool {
    command.contains("sh.rustup.rs") || words(command).any(|word| word.ends_with("rustup-init"))
}

fn uses_rust(command: &str) -> bool {
    words(command).any(|word| matches!(word, "cargo" | "rustc" | "rustup"))
}

/// Whether a command says which toolchain: by a version with its patch, or by a dated channel.
fn names_toolchain(command: &str) -> bool {
    let all: Vec<&str> = words(command).collect();
    let value = |index: usize| all.get(index).copied().unwrap_or_default();
    all.iter().enumerate().any(|(index, word)| match *word {
        "--default-toolchain" => is_exact(value(index + 1)),
        "default" | "install"
            if value(index.wrapping_sub(1)) == "rustup" || value(index.wrapping_sub(1)) == "toolchain" =>
        {
            all[index + 1..].iter().any(|word| is_exact(word))
        }
        word => {
            let set = ["--default-toolchain=", "RUSTUP_TOOLCHAIN=", "+"];
            set.iter().any(|prefix| word.strip_prefix(prefix).is_some_and(is_exact))
        }
    })
}

fn is_exact(toolchain: &str) -> bool {
    let version = toolchain.split('-').next().unwrap_or_default();
    let numbers: Vec<&str> = version.split('.').collect();
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let dated = |channel: &str| {
        toolchain
            .strip_prefix(channel)
            .is_some_and(|date| date.len() >= 10 && date.starts_with("20"))
    };
    numbers.len() == 3 && numbers.iter().all(is_number) || dated("nightly-") || dated("beta-")
}
