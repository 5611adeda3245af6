//! What CloudFormation's loader refuses before it looks at a resource: nulls, and more or larger things than its quotas allow.
//!
//! It judges the finished template, in both of its forms, after everything that could put something into it: typed values, free
//! JSON, metadata, grants, the escape hatch. Keys cannot stand twice, since an [`Object`] replaces what is set again. CloudFormation
//! documents no limit of how deep a template nests.

use std::panic::Location;

use synth_aws::{Node, Object};

use crate::assembly::Template;
use crate::cloudformation::quotas;
use crate::fault::Fault;
use crate::stack::Stack;

/// Reports everything that the loader would refuse in a stack's template.
pub(super) fn check(stack: &Stack, template: &Template, faults: &mut Vec<Fault>) {
    let Node::Object(sections) = template.node() else {
        return;
    };
    let mut nulls = Vec::new();
    for section in sections.entries() {
        let Node::Object(members) = &section.value else {
            absent(&section.value, &Place::of(stack, "", &section.key), &mut nulls);
            continue;
        };
        for member in members.entries() {
            absent(&member.value, &Place::of(stack, &member.key, ""), &mut nulls);
        }
    }
    // The registry's facts say the same of a property that takes no null anyway.
    nulls.retain(|null| {
        let mut same = faults.iter();
        !same.any(|fault| fault.logical_id == null.logical_id && fault.path == null.path)
    });
    faults.append(&mut nulls);
    counts(stack, sections, faults);
    descriptions(stack, faults);
    size(stack, template, faults);
}

/// Where a node of the template stands.
#[derive(Clone)]
struct Place<'a> {
    stack: &'a Stack,
    logical_id: &'a str,
    path: String,
    /// The source line that set the innermost property around the node.
    at: &'static Location<'static>,
}

impl<'a> Place<'a> {
    fn of(stack: &'a Stack, logical_id: &'a str, path: &str) -> Self {
        let mut elements = stack.elements.iter();
        let element = elements.find(|element| element.logical_id == logical_id);
        let mut outputs = stack.outputs.iter();
        let output = outputs.find(|output| output.logical_id == logical_id);
        let at = element.map(|element| element.added_at);
        let at = at.or(output.map(|output| output.added_at));
        Self {
            stack,
            logical_id,
            path: path.to_owned(),
            at: at.unwrap_or(stack.declared_at),
        }
    }

    fn within(&self, step: &str, at: &'static Location<'static>) -> Self {
        // A resource's properties are named without the word, as everywhere else in faults.
        let path = match (self.path.as_str(), step) {
            ("", "Properties") => String::new(),
            ("", step) => step.to_owned(),
            (outer, step) if step.starts_with('[') => format!("{outer}{step}"),
            (outer, step) => format!("{outer}.{step}"),
        };
        // Lines of the synthesis say nothing to its user.
        let own = at.file().starts_with(file!().trim_end_matches("loader.rs"));
        Self {
            path,
            at: if own { self.at } else { at },
            ..self.clone()
        }
    }
}

/// Reports every null, and every number that JSON can only write as null.
fn absent(node: &Node, place: &Place<'_>, nulls: &mut Vec<Fault>) {
    match node {
        Node::Null => nulls.push(null(place, "is null")),
        Node::Number(number) if !number.is_finite() => {
            nulls.push(null(place, &format!("is {number}, which JSON writes as null")));
        }
        Node::List(items) => {
            for (index, item) in items.iter().enumerate() {
                absent(item, &place.within(&format!("[{index}]"), place.at), nulls);
            }
        }
        Node::Object(object) => {
            for entry in object.entries() {
                absent(&entry.value, &place.within(&entry.key, entry.set_at), nulls);
            }
        }
        Node::Intrinsic(intrinsic) => {
            for operand in intrinsic.operands() {
                absent(operand, place, nulls);
            }
        }
        _ => {}
    }
}

fn null(place: &Place<'_>, what: &str) -> Fault {
    Fault::new(format!("{what}, allowed is no null anywhere in a template"))
        .at(place.at)
        .path(place.path.clone())
        .help("leave the property out, or give a document that needs a null as text")
        .within(&place.stack.name, place.logical_id)
}

fn counts(stack: &Stack, sections: &Object, faults: &mut Vec<Fault>) {
    for (section, what, most) in [
        ("Parameters", "parameters", quotas::PARAMETERS),
        ("Outputs", "outputs", quotas::OUTPUTS),
    ] {
        let members = sections.get(section).and_then(Node::as_object);
        let count = members.map_or(0, |members| members.entries().len());
        if count > most {
            let message = format!("the stack has {count} {what}, allowed are {most}");
            let fault = Fault::new(message).at(stack.declared_at).within(&stack.name, "");
            faults.push(fault.help("move a part of it into a stack of its own"));
        }
    }
}

fn descriptions(stack: &Stack, faults: &mut Vec<Fault>) {
    let bytes = stack.description.len();
    if bytes > quotas::DESCRIPTION_BYTES {
        let message = format!(
            "the description has {bytes} bytes, allowed are {}",
            quotas::DESCRIPTION_BYTES
        );
        faults.push(Fault::new(message).at(stack.declared_at).within(&stack.name, ""));
    }
    for output in &stack.outputs {
        let bytes = output.description.as_ref().map_or(0, String::len);
        if bytes > quotas::OUTPUT_DESCRIPTION_BYTES {
            let message = format!(
                "the description has {bytes} bytes, allowed are {}",
                quotas::OUTPUT_DESCRIPTION_BYTES
            );
            let fault = Fault::new(message).at(output.added_at).path("Description");
            faults.push(fault.within(&stack.name, &output.logical_id));
        }
    }
}

/// Reports a template that is too large in one of the forms in which it may be sent.
fn size(stack: &Stack, template: &Template, faults: &mut Vec<Fault>) {
    for (form, text) in [("JSON", template.to_json()), ("YAML", template.to_yaml())] {
        // What cannot be written has been reported with its place.
        let Ok(text) = text else { continue };
        if text.len() > quotas::TEMPLATE_BYTES {
            let message = format!(
                "the template has {} bytes as {form}, allowed are {}",
                text.len(),
                quotas::TEMPLATE_BYTES
            );
            let fault = Fault::new(message).at(stack.declared_at).within(&stack.name, "");
            faults.push(fault.help("move a part of the stack into a stack of its own"));
        }
    }
}
