//! Facts → Rust source. The text is only read by the compiler and by rustdoc, so it is not laid out for people.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::{Map, Value};

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
        Emitter::new(resource).emit(&mut source);
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

/// The module of IAM actions: one enum a service prefix.
pub(crate) fn actions(actions: &BTreeMap<String, Vec<String>>) -> String {
    let mut source = "/// IAM actions, one enum a service prefix; see\n/// <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>.\npub mod actions {\n".to_owned();
    for (prefix, names) in actions.iter().filter(|(_, names)| !names.is_empty()) {
        let enumeration = names::variant(prefix);
        let _ = writeln!(
            source,
            "/// The actions of `{prefix}`.\n#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]\npub enum {enumeration} {{"
        );
        let mut qualified = String::new();
        let mut taken = BTreeSet::new();
        for name in names {
            if taken.insert(names::type_name(name)) {
                let _ = writeln!(source, "/// `{prefix}:{name}`\n{},", names::type_name(name));
                let _ = write!(qualified, "\"{prefix}:{name}\",");
            }
        }
        let _ = writeln!(
            source,
            "}}\nimpl crate::Action for {enumeration} {{ fn qualified(self) -> &'static str {{ const NAMES: &[&str] = &[{qualified}]; NAMES[self as usize] }} }}"
        );
    }
    source.push_str("}\n");
    source
}

/// `AWS::IAM::Role.Arn` → (`iam`, `Role`).
fn format_target(format: &str) -> Option<(String, String)> {
    let (type_name, _) = format.rsplit_once('.')?;
    let mut segments = type_name.split("::").skip(1);
    Some((segments.next()?.to_lowercase(), segments.next()?.to_owned()))
}

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

    fn emit(mut self, source: &mut String) {
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
        let mut facts = String::new();
        Self::struct_facts(&mut facts, "PROPERTIES", properties);
        let mut nested = String::new();
        for (name, fields) in &self.resource.types {
            let Some(fields) = fields.as_object() else { continue };
            let rust = names::type_name(name);
            let docs = format!("/// `{type_name}.{name}`\n");
            nested.push_str(&self.object(&rust, &rust, fields, &docs));
            Self::struct_facts(&mut facts, &format!("T_{}", names::snake(name).to_uppercase()), fields);
        }
        for (name, values) in std::mem::take(&mut self.enums) {
            emit_enum(&mut nested, &name, &values);
        }
        self.resource_impl(&mut body);
        self.handle_impl(&mut body);
        source.push_str(&body);
        let _ = writeln!(
            source,
            "/// The nested property types of [`{0}`](super::{0}).\npub mod {1} {{",
            self.name, self.nested
        );
        source.push_str(&nested);
        let _ = writeln!(source, "pub(super) mod facts {{ use crate::facts::*;\n{facts}}}\n}}");
    }

    /// A struct with its constructor and setters.
    fn object(&mut self, rust: &str, owner: &str, fields: &Map<String, Value>, docs: &str) -> String {
        let mut source = format!("{docs}#[derive(Debug, Clone)]\n#[must_use]\npub struct {rust}(crate::Object);\n");
        let required: Vec<(&String, &Value)> = fields
            .iter()
            .filter(|(_, shape)| shape.get("required").is_some())
            .collect();
        let mut parameters = String::new();
        let mut sets = String::new();
        let mut taken = BTreeSet::from(["new".to_owned()]);
        let mut argument_names = BTreeSet::from(["object".to_owned()]);
        for (name, shape) in &required {
            let argument = unique(names::method(name), &mut argument_names);
            let kind = self.kind(shape, owner, name);
            let _ = write!(parameters, "{argument}: impl Into<crate::Value<{kind}>>,");
            let _ = write!(sets, "object.set({name:?}, {argument}.into().into_node());");
        }
        let list: Vec<String> = required.iter().map(|(name, _)| format!("`{name}`")).collect();
        let what = if list.is_empty() {
            "With nothing set.".to_owned()
        } else {
            format!("With the required {}.", list.join(", "))
        };
        let mutable = if list.is_empty() { "" } else { "mut " };
        let constructor_lint = if required.len() > 7 {
            "#[expect(clippy::too_many_arguments, reason = \"the registry requires that many\")]\n"
        } else {
            ""
        };
        let default_lint = if list.is_empty() {
            "#[expect(clippy::new_without_default, reason = \"an empty resource is built on purpose, never by default\")]\n"
        } else {
            ""
        };
        let _ = writeln!(
            source,
            "impl {rust} {{\n/// {what}\n{constructor_lint}{default_lint}#[track_caller]\npub fn new({parameters}) -> Self {{ let {mutable}object = crate::Object::new(); {sets} Self(object) }}"
        );
        for (name, shape) in fields.iter().filter(|(_, shape)| shape.get("required").is_none()) {
            let method = unique(names::method(name), &mut taken);
            let kind = self.kind(shape, owner, name);
            let docs = self.property_docs(name, shape, owner);
            let _ = writeln!(
                source,
                "{docs}#[track_caller]\npub fn {method}(mut self, value: impl Into<crate::Value<{kind}>>) -> Self {{ self.0.set({name:?}, value.into().into_node()); self }}"
            );
        }
        let _ = writeln!(
            source,
            "}}\nimpl From<{rust}> for crate::Value<{rust}> {{ fn from(value: {rust}) -> Self {{ Self::from_node(crate::Node::Object(value.0)) }} }}"
        );
        source
    }

    /// The Rust type that a property's `Value` carries.
    fn kind(&mut self, shape: &Value, owner: &str, property: &str) -> String {
        let nested = if owner.is_empty() {
            format!("{}::", self.nested)
        } else {
            String::new()
        };
        if let Some(kind) = format_kind(shape) {
            return kind;
        }
        match shape.get("type").and_then(Value::as_str).unwrap_or_default() {
            "struct" => format!(
                "{nested}{}",
                names::type_name(shape["name"].as_str().unwrap_or_default())
            ),
            "list" => {
                let of = self.kind(&shape["of"], owner, &singular(property));
                format!("Vec<{of}>")
            }
            "map" => format!("crate::Map<{}>", self.kind(&shape["of"], owner, property)),
            "string" if enum_values(shape).is_some() => format!("{nested}{}", self.enum_name(shape, owner, property)),
            "string" if property.ends_with("Arn") || property.ends_with("ARN") => "crate::AnyArn".to_owned(),
            "string" => "String".to_owned(),
            "integer" => unit(shape, property).to_owned(),
            "number" => "f64".to_owned(),
            "boolean" => "bool".to_owned(),
            "scalar" => "crate::Scalar".to_owned(),
            _ => "crate::Json".to_owned(),
        }
    }

    /// Names a property's enum after the registry's definition, or after its owner and the property.
    fn enum_name(&mut self, shape: &Value, owner: &str, property: &str) -> String {
        let values = enum_values(shape).unwrap_or_default();
        let own = format!("{owner}{}", names::type_name(property));
        let candidates = [
            shape.get("name").and_then(Value::as_str).map(names::type_name),
            Some(own.clone()),
            Some(format!("{own}Value")),
            Some(format!("{}{own}Value", self.name)),
        ];
        for candidate in candidates.into_iter().flatten() {
            if self.types.contains(&candidate) || candidate == "facts" {
                continue;
            }
            match self.enums.get(&candidate) {
                Some(existing) if *existing != values => continue,
                _ => {
                    self.enums.insert(candidate.clone(), values);
                    return candidate;
                }
            }
        }
        "String".to_owned()
    }

    fn property_docs(&self, name: &str, shape: &Value, owner: &str) -> String {
        let mut docs = format!("/// `{name}`: {}.", constraint_text(shape));
        let path = if owner.is_empty() {
            name.to_owned()
        } else {
            format!("/{name}")
        };
        let marked = |paths: &[String]| {
            paths.iter().any(|marked| {
                if owner.is_empty() {
                    *marked == path
                } else {
                    marked.ends_with(&path)
                }
            })
        };
        if owner.is_empty() && marked(&self.resource.create_only) {
            docs.push_str(" A change replaces the resource.");
        }
        if owner.is_empty() && marked(&self.resource.conditional_create_only) {
            docs.push_str(" Some changes replace the resource.");
        }
        if owner.is_empty() && marked(&self.resource.write_only) {
            docs.push_str(" AWS never returns it.");
        }
        if owner.is_empty() && marked(&self.resource.deprecated) {
            docs.push_str(" The registry marks it as deprecated.");
        }
        docs.push('\n');
        docs
    }

    fn resource_impl(&self, source: &mut String) {
        let ResourceSpec {
            type_name,
            create_only,
            conditional_create_only,
            write_only,
            stateful,
            attributes,
            ..
        } = self.resource;
        let attributes: Vec<&String> = attributes.keys().collect();
        let _ = writeln!(
            source,
            "impl crate::Resource for {name} {{ const FACTS: &'static crate::ResourceFacts = {{ static FACTS: crate::ResourceFacts = crate::ResourceFacts {{ type_name: {type_name:?}, properties: &{nested}::facts::PROPERTIES, attributes: &{attributes:?}, create_only: &{create_only:?}, conditional_create_only: &{conditional_create_only:?}, write_only: &{write_only:?}, stateful: {stateful} }}; &FACTS }}; fn into_properties(self) -> crate::Object {{ self.0 }} }}",
            name = self.name,
            nested = self.nested,
        );
    }

    /// What `Ref` and `Fn::GetAtt` return, as methods of the handle.
    fn handle_impl(&self, source: &mut String) {
        let mut taken: BTreeSet<String> = ["element", "of", "reference", "attribute"].map(str::to_owned).into();
        let mut methods = String::new();
        if let Some(property) = &self.resource.reference {
            let leaf = property.rsplit('/').next().unwrap_or(property);
            let (method, kind) = self.own_reference(leaf);
            if taken.insert(method.clone()) {
                let _ = writeln!(
                    methods,
                    "/// `Ref`: the resource's `{leaf}`.\npub fn {method}(self) -> crate::Value<{kind}> {{ self.reference() }}"
                );
            }
        }
        for (attribute, shape) in &self.resource.attributes {
            let leaf = attribute.trim_start_matches("*.");
            if leaf.contains('*') {
                continue;
            }
            let (method, mut kind) = self.own_reference(leaf);
            match shape.get("type").and_then(Value::as_str) {
                Some("integer") => kind = "i64".to_owned(),
                Some("number") => kind = "f64".to_owned(),
                Some("boolean") => kind = "bool".to_owned(),
                Some("list") => kind = "Vec<String>".to_owned(),
                Some("json") => kind = "crate::Json".to_owned(),
                _ => {
                    if let Some(typed) = format_kind(shape) {
                        kind = typed;
                    }
                }
            }
            if taken.insert(method.clone()) {
                let _ = writeln!(
                    methods,
                    "/// `Fn::GetAtt` of `{attribute}`.\npub fn {method}(self) -> crate::Value<{kind}> {{ self.attribute({attribute:?}) }}"
                );
            }
        }
        if !methods.is_empty() {
            let _ = writeln!(source, "impl crate::Handle<{}> {{\n{methods}}}", self.name);
        }
    }

    /// The method and type for the resource's own reference: `TableArn` of a table is `arn()`, a `Arn<Table>`.
    fn own_reference(&self, property: &str) -> (String, String) {
        let own = match property.strip_prefix(self.resource.name.as_str()) {
            Some(rest) if matches!(rest, "Arn" | "Name" | "Id") => rest,
            _ => property,
        };
        let kind = match own {
            "Arn" => format!("crate::Arn<{}>", self.name),
            "Name" => format!("crate::Name<{}>", self.name),
            "Id" => format!("crate::Id<{}>", self.name),
            other if other.ends_with("Arn") => "crate::AnyArn".to_owned(),
            _ => "String".to_owned(),
        };
        (names::method(own), kind)
    }

    fn struct_facts(source: &mut String, constant: &str, fields: &Map<String, Value>) {
        let mut sorted: Vec<(&String, &Value)> = fields.iter().collect();
        sorted.sort_by_key(|(name, _)| name.as_str());
        let rows: String = sorted
            .into_iter()
            .map(|(name, shape)| {
                let required = shape.get("required").is_some();
                format!(
                    "PropertyFacts {{ name: {name:?}, required: {required}, shape: {} }},\n",
                    shape_facts(shape)
                )
            })
            .collect();
        let visibility = if constant == "PROPERTIES" {
            "pub(in super::super) "
        } else {
            ""
        };
        let _ = writeln!(
            source,
            "{visibility}static {constant}: StructFacts = StructFacts {{ properties: &[{rows}] }};"
        );
    }
}

/// `Tags` → `Tag`: what an item of a list is called.
fn singular(property: &str) -> String {
    match property {
        _ if property.ends_with("ies") => format!("{}y", &property[..property.len() - 3]),
        _ if property.ends_with('s') && !property.ends_with("ss") => property[..property.len() - 1].to_owned(),
        _ => property.to_owned(),
    }
}

fn unique(name: String, taken: &mut BTreeSet<String>) -> String {
    let mut candidate = name;
    while !taken.insert(candidate.clone()) {
        candidate.push('_');
    }
    candidate
}

fn enum_values(shape: &Value) -> Option<Vec<String>> {
    let values = shape.get("enum")?.as_array()?;
    values.iter().map(|value| value.as_str().map(str::to_owned)).collect()
}

/// The typed reference that a `format` such as `AWS::EC2::Subnet.Ids` asks for.
fn format_kind(shape: &Value) -> Option<String> {
    let format = shape.get("format")?.as_str()?;
    let (module, name) = format_target(format)?;
    let (_, what) = format.rsplit_once('.')?;
    let target = format!("crate::{module}::{name}");
    Some(match what {
        "Arn" => format!("crate::Arn<{target}>"),
        "Id" => format!("crate::Id<{target}>"),
        "Ids" => format!("Vec<crate::Id<{target}>>"),
        "Names" => format!("Vec<crate::Name<{target}>>"),
        _ => format!("crate::Name<{target}>"),
    })
}

/// The unit that an integer counts in: from a patch, or from how AWS ends the property's name.
fn unit(shape: &Value, property: &str) -> &'static str {
    let ends = |endings: &[&str]| endings.iter().any(|ending| property.ends_with(ending));
    match shape.get("unit").and_then(Value::as_str) {
        Some("seconds") => "crate::Seconds",
        Some("minutes") => "crate::Minutes",
        Some("hours") => "crate::Hours",
        Some("days") => "crate::Days",
        Some("mebibytes") => "crate::Mebibytes",
        Some("gibibytes") => "crate::Gibibytes",
        Some(_) => "i64",
        None if ends(&["Seconds"]) && !ends(&["Milliseconds", "MilliSeconds"]) => "crate::Seconds",
        None if ends(&["Minutes"]) => "crate::Minutes",
        None if ends(&["InHours"]) => "crate::Hours",
        None if ends(&["InDays"]) => "crate::Days",
        None if ends(&["InMB", "InMBs", "InMiB"]) => "crate::Mebibytes",
        None if ends(&["InGB", "InGBs", "InGiB"]) => "crate::Gibibytes",
        None => "i64",
    }
}

fn emit_enum(source: &mut String, name: &str, values: &[String]) {
    let mut taken = BTreeSet::from(["NewerThanFacts".to_owned()]);
    let mut variants = String::new();
    let mut arms = String::new();
    for value in values {
        let variant = unique(names::variant(value), &mut taken);
        let _ = writeln!(variants, "/// `{value}`\n{variant},");
        let _ = write!(arms, "{name}::{variant} => {value:?}.into(),");
    }
    let _ = writeln!(
        source,
        "/// The values that the registry knows.\n#[derive(Debug, Clone, PartialEq, Eq)]\n#[non_exhaustive]\npub enum {name} {{\n{variants}/// A value that AWS has added since the facts were taken, spelled out.\nNewerThanFacts(String),\n}}\nimpl From<{name}> for crate::Value<{name}> {{ fn from(value: {name}) -> Self {{ Self::from_node(match value {{ {arms} {name}::NewerThanFacts(text) => text.into() }}) }} }}"
    );
}

fn constraint_text(shape: &Value) -> String {
    let mut text = match shape.get("type").and_then(Value::as_str).unwrap_or_default() {
        "list" => format!("a list of {}", constraint_text(&shape["of"])),
        "map" => format!("a map to {}", constraint_text(&shape["of"])),
        "struct" => "an object".to_owned(),
        "string" if enum_values(shape).is_some() => "one of the values the registry knows".to_owned(),
        "string" => "text".to_owned(),
        "integer" => "a whole number".to_owned(),
        "number" => "a number".to_owned(),
        "boolean" => "true or false".to_owned(),
        "scalar" => "text, a number or a boolean".to_owned(),
        _ => "any JSON".to_owned(),
    };
    let bound = |key: &str| shape.get(key).filter(|bound| bound.is_number());
    let unit = match shape.get("type").and_then(Value::as_str) {
        Some("string") => " characters",
        Some("list") => " items",
        Some("map") => " entries",
        _ => "",
    };
    match (bound("min"), bound("max")) {
        (Some(min), Some(max)) => _ = write!(text, ", {min} to {max}{unit}"),
        (Some(min), None) => _ = write!(text, ", at least {min}{unit}"),
        (None, Some(max)) => _ = write!(text, ", at most {max}{unit}"),
        (None, None) => {}
    }
    if let Some(pattern) = shape.get("pattern").and_then(Value::as_str)
        && !pattern.contains(['`', '\n', '\r'])
    {
        let _ = write!(text, ", matching `` {pattern} ``");
    }
    text
}

fn shape_facts(shape: &Value) -> String {
    let bounds = || bounds(shape);
    match shape.get("type").and_then(Value::as_str).unwrap_or_default() {
        "struct" => format!(
            "Shape::Struct(&T_{})",
            names::snake(shape["name"].as_str().unwrap_or_default()).to_uppercase()
        ),
        "list" => {
            let unique = shape.get("unique").is_some();
            format!(
                "Shape::List {{ of: &{}, count: {}, unique: {unique} }}",
                shape_facts(&shape["of"]),
                bounds()
            )
        }
        "map" => format!(
            "Shape::Map {{ of: &{}, count: {} }}",
            shape_facts(&shape["of"]),
            bounds()
        ),
        "string" => {
            let pattern = shape.get("pattern").and_then(Value::as_str);
            format!(
                "Shape::Text(TextFacts {{ length: {}, pattern: {pattern:?} }})",
                bounds()
            )
        }
        "integer" => format!("Shape::Integer({})", bounds()),
        "number" => format!("Shape::Number({})", bounds()),
        "boolean" => "Shape::Boolean".to_owned(),
        "scalar" => "Shape::Scalar".to_owned(),
        _ => "Shape::Json".to_owned(),
    }
}

fn bounds(shape: &Value) -> String {
    let bound = |key: &str| match shape.get(key).and_then(Value::as_f64) {
        Some(bound) => format!("Some({bound:?})"),
        None => "None".to_owned(),
    };
    match (bound("min"), bound("max")) {
        (min, max) if min == "None" && max == "None" => "Bounds::ANY".to_owned(),
        (min, max) => format!("Bounds {{ min: {min}, max: {max} }}"),
    }
}
