//! The names that CodePipeline allows, as its API model bounds them.

/// What a kind of name may be made of.
pub(super) struct Naming {
    what: &'static str,
    others: &'static str,
    longest: usize,
}

/// Stages.
pub(super) const STAGE: Naming = Naming {
    what: "a stage",
    others: ".@-_",
    longest: 100,
};
/// Actions.
pub(super) const ACTION: Naming = Naming {
    what: "an action",
    others: ".@-_",
    longest: 100,
};
/// Artifacts.
pub(super) const ARTIFACT: Naming = Naming {
    what: "an artifact",
    others: "-_",
    longest: 100,
};
/// Namespaces of an action's variables.
pub(super) const NAMESPACE: Naming = Naming {
    what: "a namespace",
    others: "@-_",
    longest: 100,
};
/// Variables of the pipeline.
pub(super) const VARIABLE: Naming = Naming {
    what: "a pipeline variable",
    others: "@-_",
    longest: 128,
};

impl Naming {
    /// What is wrong with the name, if anything is.
    pub(super) fn fault(&self, name: &str) -> Option<String> {
        let Self { what, others, longest } = self;
        let allowed = |character: char| character.is_ascii_alphanumeric() || others.contains(character);
        if !name.is_empty() && name.len() <= *longest && name.chars().all(allowed) {
            return None;
        }
        let others: Vec<String> = others.chars().map(|character| format!("`{character}`")).collect();
        Some(format!(
            "{name:?} is no name of {what}, allowed are 1 to {longest} letters, digits and {}",
            others.join(" ")
        ))
    }
}
