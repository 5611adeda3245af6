//! What is applied: the template of an environment's pipeline stack, synthesized from the code that is running.

use aws_sdk_cloudformation::types::{Capability, Tag};
use sha2::{Digest, Sha256};
use stacks::names::Names;
use stacks::{Environment, Project};
use synth::cloudformation::quotas::REQUEST_BYTES;

use crate::sdk;

/// A stack as CloudFormation is to have it.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// Its name.
    pub(super) name: String,
    /// The name of the stack that its pipeline makes.
    pub(super) application: String,
    /// The template, as JSON without white space.
    pub(super) template: String,
    /// The hash of the template: its name among the large templates.
    pub(super) template_hash: String,
    /// The tags.
    pub(super) tags: Vec<Tag>,
    /// What the template must be allowed to do.
    pub(super) capabilities: Vec<Capability>,
    /// The hash of everything that CloudFormation is told.
    hash: String,
}

impl Wanted {
    /// The pipeline stack of an environment.
    ///
    /// # Errors
    /// In words, where the stack cannot be synthesized: the configuration is at fault, or the code.
    pub(super) fn of(project: &Project, environment: Environment, role: &str) -> Result<Self, String> {
        let assembly = stacks::environment(project, environment).map_err(|faults| faults.to_string())?;
        let names = Names::of(project).environment(environment);
        let name = names.deploy_stack();
        let stack = assembly
            .stacks
            .into_iter()
            .find(|stack| stack.name == name)
            .ok_or_else(|| format!("there is no stack {name} among those of {environment}"))?;
        if !stack.parameters.is_empty() {
            let parameters = stack.parameters.join(", ");
            return Err(format!(
                "the stack {name} takes parameters that nobody gives it: {parameters}\n  help: synthesize it without"
            ));
        }
        let template = compact(&stack.template.to_json().map_err(|error| error.to_string())?)?;
        let mut tags = stack.tags;
        tags.sort();
        let told = format!("{template}\n{tags:?}\n{:?}\n{role}", stack.capabilities);
        let tags = tags
            .into_iter()
            .map(|(key, value)| Tag::builder().key(key).value(value).build())
            .collect();
        Ok(Self {
            name,
            application: names.app_stack(),
            template_hash: hash(&template),
            template,
            tags,
            capabilities: stack.capabilities.into_iter().map(Capability::from).collect(),
            hash: hash(&told),
        })
    }

    /// The change set's name: a retry finds its own again, and another generation or content makes another.
    pub(super) fn change_set(&self, generation: u64) -> String {
        format!("g{generation}-{}", &self.hash[..32])
    }

    /// Whether the template is too long to be sent inline.
    pub(super) fn is_large(&self) -> bool {
        self.template.len() > REQUEST_BYTES
    }
}

/// The same JSON without the white space that only people need.
fn compact(json: &str) -> Result<String, String> {
    let tree: serde_json::Value = serde_json::from_str(json).map_err(|error| error.to_string())?;
    Ok(tree.to_string())
}

fn hash(text: &str) -> String {
    sdk::hexadecimal(&Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROJECT: &str = include_str!("../../../../stacks/project.yaml");

    fn project() -> Project {
        Project::from_yaml(PROJECT).expect("the project's own configuration")
    }

    fn wanted(project: &Project, environment: &str) -> Wanted {
        let environment = environment.parse().expect("an environment");
        Wanted::of(project, environment, "arn:aws:iam::123456789012:role/stacks").expect("the stack is synthesized")
    }

    #[test]
    fn the_change_set_is_named_after_the_generation_and_all_that_is_told() {
        let project = project();
        let first = wanted(&project, "pr-17");
        assert_eq!(first.change_set(3), wanted(&project, "pr-17").change_set(3));
        assert_ne!(first.change_set(3), first.change_set(4));
        assert_ne!(first.change_set(3), wanted(&project, "pr-18").change_set(3));
        let mut tagged = project;
        tagged.tags.insert("owner".to_owned(), "web".to_owned());
        assert_ne!(first.change_set(3), wanted(&tagged, "pr-17").change_set(3));
        let name = first.change_set(u64::MAX);
        assert!(name.len() <= 128 && name.starts_with('g'));
        assert!(
            name.chars()
                .all(|character| character.is_ascii_alphanumeric() || character == '-')
        );
    }

    #[test]
    fn the_template_is_the_one_that_synth_prints_and_small_enough_to_be_sent_inline() {
        let project = project();
        let wanted = wanted(&project, "pr-17");
        let assembly = stacks::environment(&project, "pr-17".parse().expect("an environment")).expect("the stacks");
        let printed = assembly.stacks[0].template.to_json().expect("JSON");
        let trees = [wanted.template.as_str(), &printed].map(|json| serde_json::from_str(json).expect("JSON"));
        let [applied, printed]: [serde_json::Value; 2] = trees;
        assert_eq!(applied, printed);
        assert!(!wanted.is_large(), "{} bytes", wanted.template.len());
    }

    #[test]
    fn a_long_buildspec_makes_the_template_large() {
        let mut project = project();
        project
            .application
            .package
            .push(format!("echo {}", "x".repeat(REQUEST_BYTES)));
        assert!(wanted(&project, "pr-17").is_large());
    }
}
