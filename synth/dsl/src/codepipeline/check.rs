//! What must hold between the parts of a pipeline.

use std::panic::Location;

use synth_aws::codepipeline::pipeline::ActionCategory;

use super::action::{Action, Emits, Namespace};
use super::names::{ACTION, ARTIFACT, NAMESPACE, Naming, STAGE, VARIABLE};
use super::pipeline_declaration::PipelineDeclaration;
use super::references::{Reference, references};
use super::text;
use crate::Fault;
use crate::codebuild::spelling::closest;

/// The longest configuration value, see <https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html>.
const LONGEST_VALUE: usize = 1_000;

/// All faults of the pipeline, in the order of its stages and actions.
pub(super) fn faults(pipeline: &PipelineDeclaration) -> Vec<Fault> {
    let mut check = Check {
        pipeline,
        places: places(pipeline),
        faults: Vec::new(),
    };
    check.stages();
    check.variables();
    for index in 0..check.places.len() {
        let place = check.places[index];
        check.action(place);
        check.inputs(place);
        check.outputs(place);
        check.namespace(place);
        check.references(place);
    }
    check.faults
}

/// An action and where it stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    stage: usize,
    stage_name: &'a str,
    action: &'a Action,
}

impl Place<'_> {
    /// Whether this action has ended when `other` starts.
    const fn is_before(&self, other: &Self) -> bool {
        self.stage < other.stage || (self.stage == other.stage && self.action.run_order < other.action.run_order)
    }

    fn is(&self, other: &Self) -> bool {
        std::ptr::eq(self.action, other.action)
    }

    fn described(&self) -> String {
        format!(
            "the action {} of the stage {}, run order {}",
            self.action.name, self.stage_name, self.action.run_order
        )
    }
}

fn places(pipeline: &PipelineDeclaration) -> Vec<Place<'_>> {
    let stages = pipeline.stages.iter().enumerate();
    stages
        .flat_map(|(index, stage)| {
            stage.actions.iter().map(move |action| Place {
                stage: index,
                stage_name: &stage.name,
                action,
            })
        })
        .collect()
}

struct Check<'a> {
    pipeline: &'a PipelineDeclaration,
    places: Vec<Place<'a>>,
    faults: Vec<Fault>,
}

impl<'a> Check<'a> {
    fn report(
        &mut self,
        at: &'static Location<'static>,
        path: impl Into<String>,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        let mut fault = Fault::new(message).at(at).path(path);
        fault.help = help;
        self.faults.push(fault);
    }

    fn name(&mut self, naming: &Naming, name: &str, at: &'static Location<'static>, path: &str) {
        if let Some(message) = naming.fault(name) {
            self.report(at, path, message, None);
        }
    }

    fn stages(&mut self) {
        let stages = &self.pipeline.stages;
        if !(2..=50).contains(&stages.len()) {
            let message = format!("the pipeline has {} stages, allowed are 2 to 50", stages.len());
            self.report(self.pipeline.at, "Stages", message, None);
        }
        for (index, stage) in stages.iter().enumerate() {
            let path = format!("Stages.{}", stage.name);
            self.name(&STAGE, &stage.name, stage.at, &path);
            if let Some(first) = stages[..index].iter().find(|earlier| earlier.name == stage.name) {
                let message = format!(
                    "the stage's name is taken, first at {}:{}",
                    first.at.file(),
                    first.at.line()
                );
                self.report(stage.at, &*path, message, None);
            }
            if !(1..=50).contains(&stage.actions.len()) {
                let message = format!("the stage has {} actions, allowed are 1 to 50", stage.actions.len());
                self.report(
                    stage.at,
                    &*path,
                    message,
                    Some("give it an action or leave it out".to_owned()),
                );
            }
            for (index, action) in stage.actions.iter().enumerate() {
                if stage.actions[..index].iter().any(|earlier| earlier.name == action.name) {
                    let path = format!("{path}.{}", action.name);
                    self.report(action.at, path, "the action's name is taken within its stage", None);
                }
            }
        }
    }

    fn variables(&mut self) {
        let variables = &self.pipeline.variables;
        for (index, variable) in variables.iter().enumerate() {
            let path = format!("Variables.{}", variable.name);
            self.name(&VARIABLE, &variable.name, variable.at, &path);
            if variables[..index].iter().any(|earlier| earlier.name == variable.name) {
                self.report(variable.at, path, "the pipeline variable is declared twice", None);
            }
        }
    }

    fn action(&mut self, place: Place<'a>) {
        let Place { action, .. } = place;
        let path = path(&place);
        self.name(&ACTION, &action.name, action.at, &path);
        if !(1..=999).contains(&action.run_order) {
            let message = format!(
                "the run order {} is out of range, allowed are 1 to 999",
                action.run_order
            );
            self.report(action.at, &*path, message, None);
        }
        let source = matches!(action.category, ActionCategory::Source);
        if source != (place.stage == 0) {
            let message = if source {
                "a source action stands after the first stage"
            } else {
                "the first stage holds source actions only"
            };
            self.report(action.at, &*path, message, Some("move it to another stage".to_owned()));
        }
        for setting in &action.configuration {
            let mut length = 0;
            text::literals(setting.value.node(), &mut |literal| length += literal.chars().count());
            if length > LONGEST_VALUE {
                let message = format!("has {length} characters, CodePipeline takes at most {LONGEST_VALUE}");
                self.report(setting.at, format!("{path}.{}", setting.key), message, None);
            }
        }
        for fault in &action.faults {
            let mut fault = fault.clone();
            fault.path = if fault.path.is_empty() {
                path.clone()
            } else {
                format!("{path}.{}", fault.path)
            };
            self.faults.push(fault);
        }
    }

    fn inputs(&mut self, place: Place<'a>) {
        let most = place.action.most_inputs;
        if place.action.inputs.len() > most {
            let message = format!(
                "the action takes {} artifacts, allowed are at most {most}",
                place.action.inputs.len()
            );
            self.report(place.action.at, path(&place), message, None);
        }
        for input in &place.action.inputs {
            let wanted = input.artifact.name();
            let produces = |producer: &Place<'_>| producer.action.outputs.iter().any(|output| output.name() == wanted);
            let earlier = self
                .places
                .iter()
                .any(|producer| produces(producer) && producer.is_before(&place));
            if earlier {
                continue;
            }
            match self.places.iter().find(|producer| produces(producer)).copied() {
                Some(producer) if producer.is(&place) => {
                    self.report(
                        input.at,
                        path(&place),
                        format!("takes the artifact {wanted}, which it produces itself"),
                        None,
                    );
                }
                Some(producer) => {
                    let message = format!(
                        "takes the artifact {wanted}, which only {} produces, not before this one",
                        producer.described()
                    );
                    let help = "move this action to a later stage or give it a higher run order".to_owned();
                    self.report(input.at, path(&place), message, Some(help));
                }
                None => {
                    let names = self
                        .places
                        .iter()
                        .flat_map(|place| &place.action.outputs)
                        .map(super::artifact::Artifact::name);
                    let help = match closest(wanted, names) {
                        Some(near) => format!("did you mean {near}?"),
                        None => "add the action that produces it to an earlier stage".to_owned(),
                    };
                    let message = format!("takes the artifact {wanted}, which no action of the pipeline produces");
                    self.report(input.at, path(&place), message, Some(help));
                }
            }
        }
    }

    fn outputs(&mut self, place: Place<'a>) {
        if place.action.outputs.len() > 5 {
            let message = format!(
                "the action produces {} artifacts, allowed are at most 5",
                place.action.outputs.len()
            );
            self.report(place.action.at, path(&place), message, None);
        }
        for (index, output) in place.action.outputs.iter().enumerate() {
            self.name(&ARTIFACT, output.name(), output.at(), &path(&place));
            let before = self
                .places
                .iter()
                .take_while(|other| !other.is(&place))
                .flat_map(|other| &other.action.outputs);
            let first = before
                .chain(&place.action.outputs[..index])
                .find(|earlier| earlier.name() == output.name());
            if let Some(first) = first {
                let at = first.at();
                let message = format!(
                    "the artifact {} is produced twice, first at {}:{}",
                    output.name(),
                    at.file(),
                    at.line()
                );
                self.report(output.at(), path(&place), message, None);
            }
        }
    }

    fn namespace(&mut self, place: Place<'a>) {
        let Some(Namespace { name, at, .. }) = &place.action.namespace else {
            return;
        };
        let path = format!("{}.Namespace", path(&place));
        self.name(&NAMESPACE, name, at, &path);
        if matches!(name.as_str(), "codepipeline" | "variables") {
            self.report(at, &*path, format!("the namespace {name} is CodePipeline's own"), None);
        }
        let own = |other: &Action| {
            other
                .namespace
                .as_ref()
                .is_some_and(|namespace| namespace.name == *name)
        };
        if self
            .places
            .iter()
            .take_while(|other| !other.is(&place))
            .any(|other| own(other.action))
        {
            self.report(
                at,
                &*path,
                format!("the namespace {name} is taken by an earlier action"),
                None,
            );
        }
        if self
            .places
            .iter()
            .flat_map(|other| &other.action.outputs)
            .any(|output| output.name() == name)
        {
            let message =
                format!("the namespace {name} is also the name of an artifact, which CodePipeline does not allow");
            self.report(at, &*path, message, None);
        }
    }

    fn references(&mut self, place: Place<'a>) {
        for setting in &place.action.configuration {
            let mut found = Vec::new();
            text::literals(setting.value.node(), &mut |literal| found.extend(references(literal)));
            for reference in found {
                let path = format!("{}.{}", path(&place), setting.key);
                if let Some((message, help)) = self.fault_of_reference(&place, &reference) {
                    self.report(setting.at, path, message, help);
                }
            }
        }
    }

    /// What is wrong with a reference, and the edit that mends it.
    fn fault_of_reference(&self, place: &Place<'a>, reference: &Reference) -> Option<(String, Option<String>)> {
        let (namespace, key) = match reference {
            Reference::To(namespace, key) => (namespace.as_str(), key.as_str()),
            Reference::Malformed(text) => {
                return Some((
                    format!("{text:?} is no reference to a variable, it has the form #{{namespace.key}}"),
                    None,
                ));
            }
        };
        let known: Vec<&str> = match namespace {
            "codepipeline" => vec!["PipelineExecutionId"],
            "variables" => self
                .pipeline
                .variables
                .iter()
                .map(|variable| variable.name.as_str())
                .collect(),
            _ => match self.emitted(place, namespace) {
                Ok(Emits::Unknown) => return None,
                Ok(Emits::Only(keys)) => keys.iter().map(String::as_str).collect(),
                Err(fault) => return Some(fault),
            },
        };
        if known.contains(&key) {
            return None;
        }
        let list = if known.is_empty() {
            "none".to_owned()
        } else {
            known.join(", ")
        };
        let help = closest(key, known.iter().copied()).map(|near| format!("did you mean {near}?"));
        Some((
            format!("refers to {key} of {namespace}, which has no such variable; it has: {list}"),
            help,
        ))
    }

    /// What the earlier action with that namespace emits.
    fn emitted(&self, place: &Place<'a>, namespace: &str) -> Result<&'a Emits, (String, Option<String>)> {
        let found = self.places.iter().find_map(|other| {
            let own = other.action.namespace.as_ref().filter(|own| own.name == namespace)?;
            Some((other, &own.emits))
        });
        let Some((producer, emits)) = found else {
            let names = self
                .places
                .iter()
                .filter_map(|other| other.action.namespace.as_ref())
                .map(|other| other.name.as_str());
            let help = closest(namespace, names).map(|near| format!("did you mean {near}?"));
            return Err((
                format!("refers to the namespace {namespace}, which no action of the pipeline has"),
                help,
            ));
        };
        if producer.is_before(place) {
            return Ok(emits);
        }
        let producer = producer.described();
        let message = format!("refers to the namespace {namespace}, which only {producer} has, not before this one");
        Err((
            message,
            Some("move this action to a later stage or give it a higher run order".to_owned()),
        ))
    }
}

fn path(place: &Place<'_>) -> String {
    format!("Stages.{}.{}", place.stage_name, place.action.name)
}
