//! Facts → Rust source. The text is only read by the compiler and by rustdoc, so it is laid out no further
//! than to keep what the compiler quotes on a line of its own.

mod actions;
mod enums;
mod facts;
mod handles;
mod kinds;
mod object;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::{Map, Value};

pub(crate) use self::actions::actions;
use crate::names;
use crate::spec::{ResourceSpec, Service};

/// The modules of the enabled services, and of those that are only referred to.
pub(crate) fn modules(services: &[Service]) -> String {
    let mut markers = markers(services);
    let mut source = String::new();
    for Service { name, module, .. } in services {
        let markers = markers.remove(module).unwrap_or_default();
        let _ = writeln!(
            source,
            "/// The resource types of `{name}`.\npub mod {module} {{ include!(concat!(env!(\"OUT_DIR\"), \"/{module}.rs\"));\n{markers}}}"
        );
    }
    for (module, markers) in markers {
        let _ = writeln!(
            source,
            "/// Markers of types that other services refer to; the feature `{module}` brings the types themselves.\npub mod {module} {{\n{markers}}}"
        );
    }
    source
}

/// The source of one service's module.
pub(crate) fn service(service: &Service) -> String {
    let mut source = String::new();
    for resource in &service.resources {
        Emitter::new(resource).emit(&service.module, &mut source);
    }
    source
}

/// By module, the markers of types that typed references name and that are not generated: their service is off, or the
/// registry has no such resource type (`AWS::EC2::Image`).
fn markers(services: &[Service]) -> BTreeMap<String, String> {
    let generated: BTreeSet<(&str, &str)> = services
        .iter()
        .flat_map(|service| {
            service
                .resources
                .iter()
                .map(|resource| (service.module.as_str(), resource.name.as_str()))
        })
        .collect();
    let mut named: BTreeSet<(String, String)> = BTreeSet::new();
    for resource in services.iter().flat_map(|service| &service.resources) {
        let nested = resource
            .types
            .values()
            .filter_map(Value::as_object)
            .flat_map(Map::values);
        for shape in resource
            .properties
            .values()
            .chain(resource.attributes.values())
            .chain(nested)
        {
            let shapes = std::iter::successors(Some(shape), |shape| shape.get("of"));
            named.extend(shapes.filter_map(|shape| format_target(shape.get("format")?.as_str()?)));
        }
    }
    named.retain(|(module, name)| !generated.contains(&(module.as_str(), name.as_str())));
    let mut markers: BTreeMap<String, String> = BTreeMap::new();
    for (module, name) in named {
        let _ = writeln!(
            markers.entry(module).or_default(),
            "/// Names `{name}` in typed references.\npub enum {name} {{}}"
        );
    }
    markers
}

/// The table of every enabled type's facts, sorted by type name.
pub(crate) fn registry(services: &[Service]) -> String {
    let mut rows: Vec<(String, String)> = services
        .iter()
        .flat_map(|service| {
            service.resources.iter().map(|resource| {
                let path = format!("{}::{}", service.module, names::type_name(&resource.name));
                (resource.type_name.clone(), path)
            })
        })
        .collect();
    rows.sort();
    let rows: String = rows
        .into_iter()
        .map(|(_, path)| format!("<{path} as Resource>::FACTS,\n"))
        .collect();
    format!(
        "/// The facts of every resource type whose service's feature is on, sorted by type name.\npub static RESOURCES: &[&ResourceFacts] = &[\n{rows}];\n"
    )
}

/// The source of one resource type, its nested types and its handle's methods.
struct Emitter<'a> {
    resource: &'a ResourceSpec,
    /// The resource's type name in Rust.
    name: String,
    /// The module of its nested types.
    nested: String,
    /// Enums already named: name → values.
    enums: BTreeMap<String, Vec<String>>,
    types: BTreeSet<String>,
}

impl<'a> Emitter<'a> {
    fn new(resource: &'a ResourceSpec) -> Self {
        let types = resource.types.keys().map(|name| names::type_name(name)).collect();
        Self {
            resource,
            name: names::type_name(&resource.name),
            nested: names::module(&resource.name),
            enums: BTreeMap::new(),
            types,
        }
    }

    fn emit(mut self, module: &str, source: &mut String) {
        let ResourceSpec {
            type_name, properties, ..
        } = self.resource;
        let page = type_name
            .to_lowercase()
            .replace("::", "-")
            .replace("aws-", "aws-resource-");
        let docs = format!(
            "/// `{type_name}`\n///\n/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/{page}.html>\n"
        );
        let mut body = self.object(&self.name.clone(), "", properties, &docs);
        let mut table = String::new();
        facts::struct_facts(&mut table, "PROPERTIES", properties);
        let mut nested = String::new();
        for (name, fields) in &self.resource.types {
            let Some(fields) = fields.as_object() else { continue };
            let rust = names::type_name(name);
            let docs = format!("/// `{type_name}.{name}`\n");
            nested.push_str(&self.object(&rust, &rust, fields, &docs));
            facts::struct_facts(&mut table, &format!("T_{}", names::snake(name).to_uppercase()), fields);
        }
        for (name, values) in std::mem::take(&mut self.enums) {
            enums::emit_enum(&mut nested, &name, &values);
        }
        self.resource_impl(&mut body);
        self.handle_impl(&mut body);
        source.push_str(&body);
        // `AWS::…::Module` keeps its nested types in `module::module`, as every resource type does.
        let inception = if self.nested == module {
            "#[expect(clippy::module_inception, reason = \"a service has a resource type of its own name\")]\n"
        } else {
            ""
        };
        let _ = writeln!(
            source,
            "/// The nested property types of [`{0}`].\n{inception}pub mod {1} {{",
            self.name, self.nested
        );
        source.push_str(&nested);
        let _ = writeln!(source, "pub(super) mod facts {{ use crate::facts::*;\n{table}}}\n}}");
    }

    fn resource_impl(&self, source: &mut String) {
        let ResourceSpec {
            type_name,
            create_only,
            conditional_create_only,
            write_only,
            stateful,
            arn,
            tagging,
            attributes,
            ..
        } = self.resource;
        let attributes: Vec<&String> = attributes.keys().collect();
        let tagging = facts::tagging(tagging.as_ref());
        let permissions = facts::permissions(self.resource);
        let _ = writeln!(
            source,
            "impl crate::Resource for {name} {{ const FACTS: &'static crate::ResourceFacts = {{ static FACTS: crate::ResourceFacts = crate::ResourceFacts {{ type_name: {type_name:?}, properties: &{nested}::facts::PROPERTIES, attributes: &{attributes:?}, create_only: &{create_only:?}, conditional_create_only: &{conditional_create_only:?}, write_only: &{write_only:?}, stateful: {stateful}, arn: {arn:?}, tagging: {tagging}, permissions: &[{permissions}] }}; &FACTS }}; fn into_properties(self) -> crate::Object {{ self.0 }} }}",
            name = self.name,
            nested = self.nested,
        );
    }
}

/// `AWS::IAM::Role.Arn` → (`iam`, `Role`).
fn format_target(format: &str) -> Option<(String, String)> {
    let (type_name, _) = format.rsplit_once('.')?;
    let mut segments = type_name.split("::").skip(1);
    Some((segments.next()?.to_lowercase(), segments.next()?.to_owned()))
}

fn unique(name: String, taken: &mut BTreeSet<String>) -> String {
    let mut candidate = name;
    while !taken.insert(candidate.clone()) {
        candidate.push('_');
    }
    candidate
}
