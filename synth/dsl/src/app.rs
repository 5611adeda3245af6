//! [`App`]: the stacks of an application, and their synthesis.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};
use synth_aws::{Element, Handle, Intrinsic, Node, Object, Target};

use crate::assembly::{Assembly, SynthesizedStack, Template, Wildcard};
use crate::fault::{Fault, Faults};
use crate::iam::{Grant, PolicyDocument};
use crate::render;
use crate::stack::{Body, DeletionPolicy, ResourceBody, Stack, StackElement, referenced};

/// CloudFormation's limit of a stack name.
const LONGEST_STACK_NAME: usize = 128;
/// CloudFormation's limit of resources in a template.
const MOST_RESOURCES: usize = 500;
/// The name of the one inline policy that holds a role's grants.
const GRANTS: &str = "grants";

/// An application: stacks that are synthesized together.
#[derive(Debug, Default)]
pub struct App {
    stacks: Vec<Stack>,
    /// The exports of stacks that are deployed already.
    existing: BTreeSet<String>,
}

impl App {
    /// An application without stacks.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a stack under its physical name; returns what `build` returns, which is what other stacks may use.
    pub fn stack<E>(
        &mut self,
        name: impl Into<String>,
        description: impl Into<String>,
        build: impl FnOnce(&mut Stack) -> E,
    ) -> E {
        let number = u32::try_from(self.stacks.len()).unwrap_or(u32::MAX);
        let mut stack = Stack::new(number, name.into(), description.into());
        let exports = build(&mut stack);
        self.stacks.push(stack);
        exports
    }

    /// A stack that is deployed already: it is built for what it returns, and its exports may be imported, but it is not part of
    /// the assembly.
    pub fn existing_stack<E>(&mut self, name: impl Into<String>, build: impl FnOnce(&mut Stack) -> E) -> E {
        let mut stack = Stack::new(u32::MAX, name.into(), String::new());
        let exports = build(&mut stack);
        self.existing
            .extend(stack.outputs.into_iter().filter_map(|output| output.export));
        exports
    }

    /// Names, checks and orders everything.
    ///
    /// # Errors
    /// *All* faults of all stacks at once.
    pub fn synthesize(mut self) -> Result<Assembly, Faults> {
        let mut faults = Vec::new();
        let mut names = BTreeSet::new();
        for stack in &self.stacks {
            if !names.insert(stack.name.clone()) {
                faults.push(Fault::new("the application has two stacks of this name").within(&stack.name, ""));
            }
        }
        let exports = exports(&self.stacks);
        let owners: Vec<(String, Vec<String>)> = self.stacks.iter().map(owned).collect();
        let mut synthesized = Vec::new();
        for stack in &mut self.stacks {
            synthesized.push(synthesize(stack, &exports, &self.existing, &owners, &mut faults));
        }
        let stacks = in_order(synthesized, &mut faults);
        if faults.is_empty() {
            Ok(Assembly { stacks })
        } else {
            Err(Faults(faults))
        }
    }
}

/// Who exports what.
fn exports(stacks: &[Stack]) -> BTreeMap<String, String> {
    let outputs = stacks
        .iter()
        .flat_map(|stack| stack.outputs.iter().map(move |output| (stack, output)));
    outputs
        .filter_map(|(stack, output)| Some((output.export.clone()?, stack.name.clone())))
        .collect()
}

/// A stack's name and the logical ids of its elements, for faults about foreign handles.
fn owned(stack: &Stack) -> (String, Vec<String>) {
    (
        stack.name.clone(),
        stack
            .elements
            .iter()
            .map(|element| element.logical_id.clone())
            .collect(),
    )
}

fn synthesize(
    stack: &mut Stack,
    exports: &BTreeMap<String, String>,
    existing: &BTreeSet<String>,
    owners: &[(String, Vec<String>)],
    faults: &mut Vec<Fault>,
) -> SynthesizedStack {
    check_name(stack, faults);
    let wildcards = write_grants(stack, faults);
    apply_escapes(stack);
    name_elements(stack, owners, faults);
    faults.append(&mut stack.faults);
    write_fingerprints(stack);
    check_resources(stack, faults);
    check_cycles(stack, faults);
    let template = template(stack);
    let depends_on = imports(&template, exports, existing, &stack.name, faults);
    SynthesizedStack {
        name: stack.name.clone(),
        depends_on,
        parameters: parameters(stack),
        tags: stack.tags.clone(),
        capabilities: capabilities(stack),
        assets: stack.assets.clone(),
        documents: std::mem::take(&mut stack.documents),
        wildcards,
        escapes: std::mem::take(&mut stack.escapes),
        template: Template(template),
    }
}

fn check_name(stack: &Stack, faults: &mut Vec<Fault>) {
    let name = &stack.name;
    let allowed = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || character == '-')
        && name.len() <= LONGEST_STACK_NAME;
    if !allowed {
        let message = format!(
            "{name:?} is no stack name, allowed are letters, digits and hyphens, a letter first, at most {LONGEST_STACK_NAME}"
        );
        faults.push(Fault::new(message).within(name, ""));
    }
    let resources = stack
        .elements
        .iter()
        .filter(|element| matches!(element.body, Body::Resource(_)))
        .count();
    if resources > MOST_RESOURCES {
        faults.push(
            Fault::new(format!(
                "the stack has {resources} resources, allowed are {MOST_RESOURCES}"
            ))
            .within(name, ""),
        );
    }
}

/// Writes each role's grants as its one inline policy.
fn write_grants(stack: &mut Stack, faults: &mut Vec<Fault>) -> Vec<Wildcard> {
    let mut by_role: BTreeMap<Element, Vec<Grant>> = BTreeMap::new();
    for (role, grant) in std::mem::take(&mut stack.grants) {
        by_role.entry(role).or_default().push(grant);
    }
    let boundary = stack.permissions_boundary.clone();
    let mut wildcards = Vec::new();
    for (role, grants) in by_role {
        let logical_id = stack.logical_id(role).unwrap_or_default().to_owned();
        for grant in &grants {
            faults.extend(
                grant
                    .check()
                    .into_iter()
                    .map(|fault| fault.within(&stack.name, &logical_id)),
            );
            if let Some(reason) = &grant.wildcard_reason {
                let mut named = grant.clone();
                named.resources.iter_mut().for_each(|node| name_in(node, stack));
                wildcards.push(Wildcard {
                    role: logical_id.clone(),
                    actions: grant.actions.iter().map(|action| (*action).into()).collect(),
                    resources: named.resources.iter().map(render::shown_node).collect(),
                    reason: reason.clone(),
                });
            }
        }
        let document = PolicyDocument::of_grants(&grants);
        let policy = Object::new()
            .with("PolicyName", GRANTS)
            .with("PolicyDocument", document);
        if let Some(properties) = stack.properties_mut(Handle::<synth_aws::iam::Role>::of(role)) {
            properties.set("Policies", vec![Node::from(policy)].into());
        }
    }
    if let Some(boundary) = boundary {
        for element in &mut stack.elements {
            if let Body::Resource(body) = &mut element.body
                && body.type_name == "AWS::IAM::Role"
            {
                body.properties.set("PermissionsBoundary", boundary.clone());
            }
        }
    }
    wildcards
}

fn apply_escapes(stack: &mut Stack) {
    let mut escapes = std::mem::take(&mut stack.escapes);
    for escape in &mut escapes {
        escape.logical_id = stack.logical_id(escape.element).unwrap_or_default().to_owned();
        if let Some(body) = stack.resource_mut(escape.element) {
            set_path(&mut body.properties, &escape.path, escape.value.clone());
        }
    }
    stack.escapes = escapes;
}

fn set_path(object: &mut Object, path: &str, value: Node) {
    let Some((first, rest)) = path.split_once('.') else {
        object.set(path.to_owned(), value);
        return;
    };
    if !matches!(object.get(first), Some(Node::Object(_))) {
        object.set(first.to_owned(), Object::new().into());
    }
    if let Some(Node::Object(inner)) = object.get_mut(first) {
        set_path(inner, rest, value);
    }
}

/// Replaces every element by its logical id; an element of another stack is a fault.
fn name_elements(stack: &mut Stack, owners: &[(String, Vec<String>)], faults: &mut Vec<Fault>) {
    let ids: Vec<String> = stack
        .elements
        .iter()
        .map(|element| element.logical_id.clone())
        .collect();
    let (number, stack_name) = (stack.number, stack.name.clone());
    let mut rename = |node: &mut Node, logical_id: &str, at| {
        node.walk_mut(&mut |node| {
            let Some(element) = referenced(node) else { return };
            if element.stack == number {
                set_target(node, ids.get(element.index as usize).cloned().unwrap_or_default());
                return;
            }
            let (owner, owned) =
                owners
                    .get(element.stack as usize)
                    .map_or(("another application", ""), |(name, ids)| {
                        (
                            name.as_str(),
                            ids.get(element.index as usize).map_or("", String::as_str),
                        )
                    });
            let fault = Fault::new(format!("refers to {owned:?} of the stack {owner:?}"))
                .at(at)
                .within(&stack_name, logical_id);
            faults.push(fault.help("export it there with `stack.export(…)` and use the value that this returns"));
        });
    };
    for element in &mut stack.elements {
        let StackElement {
            logical_id,
            body,
            added_at,
        } = element;
        match body {
            Body::Resource(body) => {
                for entry in body.properties.entries_mut() {
                    let set_at = entry.set_at;
                    rename(&mut entry.value, logical_id, set_at);
                }
            }
            Body::Parameter(object) => object
                .entries_mut()
                .iter_mut()
                .for_each(|entry| rename(&mut entry.value, logical_id, added_at)),
        }
    }
    for output in &mut stack.outputs {
        rename(&mut output.value, &output.logical_id, output.added_at);
    }
    let nowhere = std::panic::Location::caller();
    for (name, condition) in &mut stack.conditions {
        rename(condition, name, nowhere);
    }
    for document in &mut stack.documents {
        let name = document.name.clone();
        rename(document.node_mut(), &name, nowhere);
    }
}

/// Writes the hashes of elements, which by now are complete and named.
fn write_fingerprints(stack: &mut Stack) {
    for (owner, property, of) in std::mem::take(&mut stack.fingerprints) {
        let mut hash = Sha256::new();
        for element in of
            .iter()
            .filter_map(|element| stack.elements.get(element.index as usize))
        {
            if let Body::Resource(body) = &element.body {
                let properties = render::shown_node(&Node::Object(body.properties.clone()));
                hash.update(format!("{} {} {properties}\n", element.logical_id, body.type_name));
            }
        }
        let digest: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        if let Some(body) = stack.resource_mut(owner) {
            body.properties.set(property, digest.into());
        }
    }
}

fn name_in(node: &mut Node, stack: &Stack) {
    node.walk_mut(&mut |node| {
        if let Some(id) = referenced(node).and_then(|element| stack.logical_id(element)) {
            let id = id.to_owned();
            set_target(node, id);
        }
    });
}

fn set_target(node: &mut Node, id: String) {
    if let Node::Intrinsic(intrinsic) = node
        && let Intrinsic::Ref(target) | Intrinsic::GetAtt(target, _) = &mut **intrinsic
    {
        *target = Target::Named(id.into());
    }
}

/// Literal values against the registry's facts.
fn check_resources(stack: &Stack, faults: &mut Vec<Fault>) {
    for element in &stack.elements {
        let Body::Resource(body) = &element.body else { continue };
        let Some(facts) = body.facts else { continue };
        for finding in synth_aws::check(facts.properties, &body.properties) {
            let escaped = stack.escapes.iter().any(|escape| {
                escape.logical_id == element.logical_id
                    && (finding.path.starts_with(&escape.path) || escape.path.starts_with(&finding.path))
            });
            if !escaped {
                let fault = Fault::new(finding.fault)
                    .path(finding.path)
                    .at(finding.set_at.unwrap_or(element.added_at));
                faults.push(fault.within(&stack.name, &element.logical_id));
            }
        }
    }
}

/// CloudFormation refuses resources that refer to each other in a circle.
fn check_cycles(stack: &Stack, faults: &mut Vec<Fault>) {
    let edges: BTreeMap<&str, BTreeSet<String>> = stack
        .elements
        .iter()
        .filter_map(|element| match &element.body {
            Body::Resource(body) => Some((element.logical_id.as_str(), neighbours(stack, body))),
            Body::Parameter(_) => None,
        })
        .collect();
    let mut done: BTreeSet<&str> = BTreeSet::new();
    for start in edges.keys() {
        let mut path: Vec<&str> = Vec::new();
        if let Some(cycle) = find_cycle(start, &edges, &mut path, &mut done) {
            let message = format!("resources refer to each other in a circle: {}", cycle.join(" → "));
            let help = "refer to one of them by its physical name instead of its handle";
            faults.push(
                Fault::new(message)
                    .within(&stack.name, cycle.first().map_or("", String::as_str))
                    .help(help),
            );
            return;
        }
    }
}

fn neighbours(stack: &Stack, body: &ResourceBody) -> BTreeSet<String> {
    let mut targets = BTreeSet::new();
    for entry in body.properties.entries() {
        entry.value.walk(&mut |node| {
            if let Node::Intrinsic(intrinsic) = node
                && let Intrinsic::Ref(Target::Named(name)) | Intrinsic::GetAtt(Target::Named(name), _) = &**intrinsic
            {
                targets.insert(name.to_string());
            }
        });
    }
    targets.extend(
        body.options
            .depends_on
            .iter()
            .filter_map(|element| stack.logical_id(*element))
            .map(str::to_owned),
    );
    targets
}

fn find_cycle<'a>(
    node: &'a str,
    edges: &'a BTreeMap<&'a str, BTreeSet<String>>,
    path: &mut Vec<&'a str>,
    done: &mut BTreeSet<&'a str>,
) -> Option<Vec<String>> {
    if let Some(start) = path.iter().position(|seen| *seen == node) {
        return Some(
            path[start..]
                .iter()
                .chain([&node])
                .map(|name| (*name).to_owned())
                .collect(),
        );
    }
    if done.contains(node) {
        return None;
    }
    path.push(node);
    let cycle = edges
        .get(node)
        .into_iter()
        .flatten()
        .find_map(|next| find_cycle(next, edges, path, done));
    path.pop();
    done.insert(node);
    cycle
}

fn template(stack: &Stack) -> Node {
    let mut template = Object::new()
        .with("AWSTemplateFormatVersion", "2010-09-09")
        .with("Description", stack.description.clone());
    let mut parameters = Object::new();
    let mut resources = Object::new();
    for element in &stack.elements {
        match &element.body {
            Body::Parameter(object) => parameters.set(element.logical_id.clone(), object.clone().into()),
            Body::Resource(body) => resources.set(element.logical_id.clone(), resource(stack, body).into()),
        }
    }
    let mut conditions = Object::new();
    for (name, condition) in &stack.conditions {
        conditions.set(name.clone(), condition.clone());
    }
    let mut outputs = Object::new();
    for output in &stack.outputs {
        let mut object = Object::new();
        if let Some(description) = &output.description {
            object.set("Description", description.clone().into());
        }
        object.set("Value", output.value.clone());
        if let Some(export) = &output.export {
            object.set("Export", Object::new().with("Name", export.clone()).into());
        }
        outputs.set(output.logical_id.clone(), object.into());
    }
    for (name, section) in [
        ("Parameters", parameters),
        ("Conditions", conditions),
        ("Resources", resources),
        ("Outputs", outputs),
    ] {
        if !section.is_empty() {
            template.set(name, section.into());
        }
    }
    template.into()
}

fn resource(stack: &Stack, body: &ResourceBody) -> Object {
    let mut object = Object::new().with("Type", body.type_name.clone());
    let options = &body.options;
    if let Some(condition) = &options.condition {
        object.set("Condition", condition.clone().into());
    }
    let mut depends_on: Vec<String> = options
        .depends_on
        .iter()
        .filter_map(|element| stack.logical_id(*element))
        .map(str::to_owned)
        .collect();
    depends_on.sort();
    depends_on.dedup();
    if !depends_on.is_empty() {
        object.set(
            "DependsOn",
            Node::List(depends_on.into_iter().map(Node::from).collect()),
        );
    }
    if let Some(policy) = options.deletion_policy {
        let (deletion, replacement) = match policy {
            DeletionPolicy::Delete => ("Delete", "Delete"),
            DeletionPolicy::Retain => ("Retain", "Retain"),
            DeletionPolicy::RetainExceptOnCreate => ("RetainExceptOnCreate", "Retain"),
            DeletionPolicy::Snapshot => ("Snapshot", "Snapshot"),
        };
        object.set("DeletionPolicy", deletion.into());
        object.set("UpdateReplacePolicy", replacement.into());
    }
    if !options.metadata.is_empty() {
        object.set("Metadata", options.metadata.clone().into());
    }
    if !body.properties.is_empty() {
        object.set("Properties", body.properties.clone().into());
    }
    object
}

/// The stacks whose exports the template imports.
fn imports(
    template: &Node,
    exports: &BTreeMap<String, String>,
    existing: &BTreeSet<String>,
    stack: &str,
    faults: &mut Vec<Fault>,
) -> Vec<String> {
    let mut owners = BTreeSet::new();
    template.walk(&mut |node| {
        if let Node::Intrinsic(intrinsic) = node
            && let Intrinsic::ImportValue(Node::Text(export)) = &**intrinsic
        {
            match exports.get(export.as_ref()) {
                Some(owner) => _ = owners.insert(owner.clone()),
                None if existing.contains(export.as_ref()) => {}
                None => {
                    faults.push(Fault::new(format!("imports {export:?}, which no stack exports")).within(stack, ""))
                }
            }
        }
    });
    owners.into_iter().collect()
}

fn parameters(stack: &Stack) -> Vec<String> {
    let required = stack.elements.iter().filter(|element| match &element.body {
        Body::Parameter(object) => object.get("Default").is_none(),
        Body::Resource(_) => false,
    });
    required.map(|element| element.logical_id.clone()).collect()
}

fn capabilities(stack: &Stack) -> Vec<&'static str> {
    let bodies = stack.elements.iter().filter_map(|element| match &element.body {
        Body::Resource(body) if body.type_name.starts_with("AWS::IAM::") => Some(body),
        _ => None,
    });
    let named = |body: &ResourceBody| {
        ["RoleName", "ManagedPolicyName", "UserName", "GroupName"]
            .iter()
            .any(|name| body.properties.get(name).is_some())
    };
    let (mut any, mut any_named) = (false, false);
    for body in bodies {
        any = true;
        any_named |= named(body);
    }
    match (any, any_named) {
        (_, true) => vec!["CAPABILITY_NAMED_IAM"],
        (true, false) => vec!["CAPABILITY_IAM"],
        (false, false) => vec![],
    }
}

/// Each stack after those it imports from, otherwise in the order in which they were added.
fn in_order(stacks: Vec<SynthesizedStack>, faults: &mut Vec<Fault>) -> Vec<SynthesizedStack> {
    let mut waiting = stacks;
    let mut ordered: Vec<SynthesizedStack> = Vec::new();
    while !waiting.is_empty() {
        let ready = waiting.iter().position(|stack| {
            stack
                .depends_on
                .iter()
                .all(|name| ordered.iter().any(|done| done.name == *name))
        });
        match ready {
            Some(index) => ordered.push(waiting.remove(index)),
            None => {
                let names: Vec<&str> = waiting.iter().map(|stack| stack.name.as_str()).collect();
                faults.push(Fault::new(format!(
                    "stacks import from each other in a circle: {}",
                    names.join(", ")
                )));
                ordered.append(&mut waiting);
            }
        }
    }
    ordered
}
