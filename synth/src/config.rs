//! Flags and files → a [`Target`]: which project, which environment, written where.

use std::path::{Path, PathBuf};
use std::{env, fs};

use stacks::{Environment, Project};
use synth::{Assembly, Faults};

use crate::cli::Selection;
use crate::error::Problem;

const CONFIGURATION: &str = "stacks/project.yaml";

/// What a run is about.
#[derive(Debug)]
pub(crate) struct Target {
    /// The configuration.
    pub(crate) project: Project,
    /// The environment, or none for the stacks that all environments share.
    pub(crate) environment: Option<Environment>,
    /// The folder that relative defaults begin at: where the configuration was found; empty for the current folder.
    pub(crate) root: PathBuf,
}

impl Target {
    /// Reads the configuration and the environment's name.
    ///
    /// # Errors
    /// *All* that is wrong with both.
    pub(crate) fn load(selection: &Selection) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let environment = environment(selection, &mut problems);
        match configuration(selection) {
            Ok((project, root)) if problems.is_empty() => Ok(Self {
                project,
                environment,
                root,
            }),
            Ok(_) => Err(problems),
            Err(more) => {
                problems.extend(more);
                Err(problems)
            }
        }
    }

    /// `pr-17`, `stage` or `shared`: the name of the folder that takes the files.
    pub(crate) fn name(&self) -> String {
        self.environment
            .map_or_else(|| "shared".to_owned(), |environment| environment.to_string())
    }

    /// The stacks.
    ///
    /// # Errors
    /// *All* faults of all stacks.
    pub(crate) fn synthesize(&self) -> Result<Assembly, Vec<Problem>> {
        synthesized(match self.environment {
            Some(environment) => stacks::environment(&self.project, environment),
            None => stacks::shared(&self.project),
        })
    }
}

/// The assembly, or its faults as problems of the run.
pub(crate) fn synthesized(assembly: Result<Assembly, Faults>) -> Result<Assembly, Vec<Problem>> {
    assembly.map_err(|faults| {
        let problems = faults.0.into_iter().map(|fault| Problem::Synthesis(Box::new(fault)));
        problems.collect()
    })
}

fn environment(selection: &Selection, problems: &mut Vec<Problem>) -> Option<Environment> {
    if let (Some(pr), Some(environment)) = (&selection.pr, &selection.environment) {
        problems.push(Problem::TwoEnvironments {
            pr: pr.clone(),
            environment: environment.clone(),
        });
    }
    let number = selection.pr.as_ref().map(|number| number.parse());
    let name = selection.environment.as_ref().map(|name| name.parse());
    let mut environment = None;
    match number {
        Some(Ok(number)) => environment = Some(Environment::PullRequest(number)),
        Some(Err(error)) => problems.push(Problem::PullRequest(error)),
        None => {}
    }
    match name {
        Some(Ok(named)) => environment = Some(named),
        Some(Err(error)) => problems.push(Problem::Environment(error)),
        None => {}
    }
    environment
}

fn configuration(selection: &Selection) -> Result<(Project, PathBuf), Vec<Problem>> {
    let (path, root) = match &selection.config {
        Some(path) => (path.clone(), PathBuf::new()),
        None => find().map_err(|problem| vec![problem])?,
    };
    let text = fs::read_to_string(&path).map_err(|source| {
        vec![Problem::Unreadable {
            path: path.clone(),
            source,
            help: "name the project's configuration with `--config`; stacks/project.yaml is an example",
        }]
    })?;
    match Project::from_yaml(&text) {
        Ok(project) => Ok((project, root)),
        Err(faults) => Err(faults
            .into_iter()
            .map(|fault| Problem::Configuration {
                path: path.clone(),
                fault,
            })
            .collect()),
    }
}

/// The configuration here or in a folder above, and the folder that it was found from.
fn find() -> Result<(PathBuf, PathBuf), Problem> {
    if Path::new(CONFIGURATION).is_file() {
        return Ok((PathBuf::from(CONFIGURATION), PathBuf::new()));
    }
    let folder = env::current_dir().map_err(|source| Problem::Unreadable {
        path: PathBuf::from("."),
        source,
        help: "start in a folder that exists",
    })?;
    for ancestor in folder.ancestors() {
        let path = ancestor.join(CONFIGURATION);
        if path.is_file() {
            return Ok((path, ancestor.to_owned()));
        }
        if ancestor.join(".git").exists() {
            break;
        }
    }
    Err(Problem::NoConfiguration {
        file: CONFIGURATION,
        folder,
    })
}
