//! The builds of the pipelines: the emitted buildspecs' own commands, on this machine, one build after the other.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use codepipeline_local::{ActionStatus, BuildRequest, Event, EventKind, ShellBuilder};

use super::{
    RehearsalError,
    clock::{Clock, InRealTime},
    event::Happening,
    recorder::Recorder,
};
use crate::{aws::Cloud, toolbox::Toolbox};

/// The variable in which a build finds the functions' binary, so that packaging them takes no minutes.
const BOOTSTRAP: &str = "BOOTSTRAP";

/// From now on the account's pipelines run, with their builds in this folder.
pub(super) fn run(
    cloud: &Cloud,
    folder: &Path,
    bootstrap: &Path,
    clock: Arc<Clock>,
    recorder: &Recorder,
) -> Result<(), RehearsalError> {
    let toolbox = Toolbox::install()?;
    let mut variables = cloud.variables("codebuild");
    variables.insert(BOOTSTRAP.to_owned(), bootstrap.display().to_string());
    let roles = cloud.build_roles();
    let builder = ShellBuilder::new(folder).toolbox(move |request: &BuildRequest| {
        let mut variables = variables.clone();
        variables.extend([roles.act(&request.project.name, &request.project.role)]);
        toolbox.tools(variables)
    });
    let builder = InRealTime { builder, clock };
    let told = recorder.clone();
    let listener = Arc::new(move |event: &Event| told.extend(happening(event)));
    cloud
        .execute_pipelines(Arc::new(builder), listener, false)
        .map_err(|fault| RehearsalError::Incomplete(fault.to_string()))?;
    Ok(())
}

/// Where the builds' logs are.
pub(super) fn logs(folder: &Path) -> PathBuf {
    folder.join("logs")
}

fn happening(event: &Event) -> Option<Happening> {
    let action = |action: &str, status: String| Happening::Pipeline {
        pipeline: event.pipeline.clone(),
        action: action.to_owned(),
        status,
    };
    Some(match &event.kind {
        EventKind::ActionStarted { action: name, .. } => action(name, ActionStatus::InProgress.word().to_owned()),
        EventKind::ActionEnded {
            action: name,
            status,
            message,
            ..
        } => {
            let status = status.word();
            action(
                name,
                message
                    .as_ref()
                    .map_or_else(|| status.to_owned(), |why| format!("{status}: {why}")),
            )
        }
        EventKind::BuildLine { build, line } => Happening::Build {
            project: build.split(':').next().unwrap_or(build).to_owned(),
            line: line.clone(),
        },
        _ => return None,
    })
}
