//! The roles that CloudFormation takes on, against what the registry says that its handlers call.
//!
//! The oracle is AWS's: the handlers' permissions in the registry's schemas, which the pinned cfn-lint ships.

mod left_out;

use std::collections::{BTreeMap, BTreeSet};

use left_out::LEFT_OUT;
use left_out::Reason::{Otherwise, WithoutProperty};
use serde_json::{Map, Value};
use stacks::project::Service;
use testing::emission::{self, Emission};
use testing::{cfn_lint, or_skip};

/// A role that CloudFormation takes on, the stack that has it, and the stacks that it applies, by their beginnings.
struct Applying {
    role: &'static str,
    within: &'static str,
    applies: &'static [&'static str],
}

const ROLES: [Applying; 4] = [
    Applying {
        role: "CloudFormationRole",
        within: "thebestest-bootstrap",
        applies: &[
            "thebestest-artifacts",
            "thebestest-unit-test",
            "thebestest-pipeline-manager",
        ],
    },
    Applying {
        role: "CloudFormationRole",
        within: "thebestest-deploy-pr-17",
        applies: &["thebestest-pr-17-app"],
    },
    Applying {
        role: "CloudFormationRole",
        within: "thebestest-deploy-stage",
        applies: &["thebestest-stage-app"],
    },
    Applying {
        role: "StackRole",
        within: "thebestest-pipeline-manager",
        applies: &["thebestest-deploy-"],
    },
];

/// What a role may do although no handler of its types names it: a part of the name of the stack that has the role, and why.
const BEYOND: [(&str, &str, &str); 8] = [
    ("-deploy-", "lambda:InvokeFunction", CUSTOM_RESOURCE),
    ("-bootstrap", "lambda:InvokeFunction", CUSTOM_RESOURCE),
    (
        "-pipeline-manager",
        "s3:GetObject",
        "CloudFormation fetches the stack's template",
    ),
    (
        "-pipeline-manager",
        "s3:GetObjectVersion",
        "CloudFormation fetches the stack's template",
    ),
    ("", "codebuild:BatchGetProjects", CODEBUILD),
    ("", "codebuild:CreateProject", CODEBUILD),
    ("", "codebuild:DeleteProject", CODEBUILD),
    ("", "codebuild:UpdateProject", CODEBUILD),
];
const CUSTOM_RESOURCE: &str = "CloudFormation calls the function behind a custom resource";
const CODEBUILD: &str = "the registry has no handlers of projects: these are CodeBuild's operations on them";

/// The types that CloudFormation implements without handlers.
const WITHOUT_HANDLERS: [&str; 1] = ["AWS::CodeBuild::Project"];

/// What the registry says of the handlers of one type.
struct Handlers(Map<String, Value>);

impl Handlers {
    fn of(schema: &Value) -> Self {
        Self(schema["handlers"].as_object().cloned().unwrap_or_default())
    }

    fn permissions(&self, handler: &str) -> BTreeSet<String> {
        let permissions = self
            .0
            .get(handler)
            .and_then(|handler| handler["permissions"].as_array());
        let permissions = permissions.into_iter().flatten().filter_map(Value::as_str);
        permissions.map(str::to_owned).collect()
    }
}

/// The emissions of a project, with the services that its applications may use.
struct World {
    emissions: Vec<Emission>,
    services: Vec<Service>,
}

impl World {
    /// The project that ships with this one.
    fn sample() -> Self {
        Self {
            emissions: emission::every_stack(),
            services: emission::project().application.allowed(),
        }
    }

    /// A project whose applications may use every service.
    fn of_every_service() -> Self {
        let mut project = emission::project();
        project.application.services = Service::ALL.to_vec();
        Self {
            emissions: emission::emit(&project, &["pr-17", "stage"]),
            services: project.application.allowed(),
        }
    }

    /// The roles in these stacks; the bootstrap stack's may be missing.
    fn roles(&self) -> impl Iterator<Item = &'static Applying> {
        let has = |name: &str| self.emissions.iter().any(|emission| emission.stack.name == name);
        ROLES.iter().filter(move |role| has(role.within))
    }

    /// The types that a role applies, with the resources that there are: those of its stacks, and what an application may have.
    fn applied(&self, role: &Applying) -> BTreeMap<&str, Vec<&Value>> {
        let mut types: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        if role.within.contains("-deploy-") {
            let allowed = self.services.iter().flat_map(|service| service.types());
            types.extend(allowed.map(|type_name| (*type_name, Vec::new())));
        }
        let applies = |stack: &Emission| role.applies.iter().any(|name| stack.stack.name.starts_with(name));
        let stacks = self.emissions.iter().filter(|stack| applies(stack));
        for resource in stacks.flat_map(Emission::resources) {
            if resource.kind.starts_with("AWS::") {
                types.entry(resource.kind).or_default().push(resource.properties);
            }
        }
        types
    }
}

/// What a role's statements allow.
fn granted(everything: &[Emission], role: &Applying) -> BTreeSet<String> {
    let within = everything.iter().find(|emission| emission.stack.name == role.within);
    let resource = within.and_then(|emission| emission.resources().find(|resource| resource.id == role.role));
    let Some(resource) = resource else {
        panic!("{} has no {}", role.within, role.role)
    };
    let policies = resource.properties["Policies"].as_array();
    let statements = policies
        .into_iter()
        .flatten()
        .filter_map(|policy| policy["PolicyDocument"]["Statement"].as_array())
        .flatten();
    statements
        .flat_map(|statement| match &statement["Action"] {
            Value::Array(many) => many.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            one => vec![one.as_str().unwrap_or_default().to_owned()],
        })
        .collect()
}

/// The service prefix of a type's own actions.
fn own_service(type_name: &str) -> String {
    let service = type_name.split("::").nth(1).unwrap_or_default().to_lowercase();
    match service.as_str() {
        "cognito" => "cognito-idp:".to_owned(),
        "stepfunctions" => "states:".to_owned(),
        _ => format!("{service}:"),
    }
}

/// Whether a property is set, in any item where a list is on the way.
fn has(value: &Value, path: &str) -> bool {
    if let Value::Array(items) = value {
        return items.iter().any(|item| has(item, path));
    }
    let (first, rest) = path
        .split_once('.')
        .map_or((path, None), |(first, rest)| (first, Some(rest)));
    match (value.get(first), rest) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(inner), Some(rest)) => has(inner, rest),
    }
}

/// The registry's handlers, or none where the machine cannot install cfn-lint.
fn registry() -> Option<BTreeMap<String, Handlers>> {
    let everything = emission::every_stack();
    let there = everything.iter().flat_map(Emission::resources);
    let allowed = Service::ALL.iter().flat_map(|service| service.types());
    let types = there
        .map(|resource| resource.kind)
        .chain(allowed.copied())
        .map(str::to_owned)
        .collect();
    let schemas = or_skip("the roles of CloudFormation", cfn_lint::schemas(&types))?;
    Some(
        schemas
            .into_iter()
            .map(|(name, schema)| (name, Handlers::of(&schema)))
            .collect(),
    )
}

#[test]
fn a_role_holds_what_the_handlers_of_the_types_that_it_applies_call() {
    let Some(registry) = registry() else { return };
    let worlds = [World::sample(), World::of_every_service()];
    let mut asked = 0;
    let mut used = BTreeSet::new();
    for (world, role) in worlds
        .iter()
        .flat_map(|world| world.roles().map(move |role| (world, role)))
    {
        let granted = granted(&world.emissions, role);
        for (type_name, resources) in world.applied(role) {
            let handlers = &registry[type_name];
            let service = own_service(type_name);
            let own = ["create", "update"]
                .into_iter()
                .flat_map(|handler| handlers.permissions(handler))
                .filter(|permission| permission.starts_with(&service));
            let read = ["read", "delete"]
                .into_iter()
                .flat_map(|handler| handlers.permissions(handler));
            for permission in own.chain(read) {
                asked += 1;
                if granted.contains(&permission) || is_unknown(type_name, &permission) {
                    continue;
                }
                let Some(left_out) = LEFT_OUT
                    .iter()
                    .position(|left| left.of == type_name && left.actions.contains(&permission.as_str()))
                else {
                    panic!("{} cannot apply {type_name}: it lacks {permission}", role.role)
                };
                used.insert(left_out);
                if let WithoutProperty(properties) = LEFT_OUT[left_out].because {
                    for property in properties {
                        assert!(
                            !resources.iter().any(|resource| has(resource, property)),
                            "{} lacks {permission}, which {property} of {type_name} calls for",
                            role.role
                        );
                    }
                }
            }
        }
    }
    println!("{asked} permissions of {} roles", ROLES.len());
    assert!(asked > 200, "only {asked} permissions were asked for");
    for (index, left) in LEFT_OUT.iter().enumerate() {
        let because = match left.because {
            WithoutProperty(properties) => format!("none has {}", properties.join(" or ")),
            Otherwise(reason) => reason.to_owned(),
        };
        println!("left out of {}: {}; {because}", left.of, left.actions.join(", "));
        assert!(used.contains(&index), "no role lacks {:?}", left.actions);
    }
}

#[test]
fn what_a_set_property_calls_for_is_granted() {
    let world = World::sample();
    let mut asked = 0;
    for role in &ROLES {
        let granted = granted(&world.emissions, role);
        for (type_name, resources) in world.applied(role) {
            let Some(facts) = synth::facts_of(type_name) else {
                panic!("{type_name} is not generated")
            };
            for permission in facts.permissions {
                let synth::Called::For(properties) = permission.called else {
                    continue;
                };
                let set = properties
                    .iter()
                    .find(|property| resources.iter().any(|resource| has(resource, property)));
                let Some(property) = set else { continue };
                asked += 1;
                assert!(
                    granted.contains(permission.action) || permission.action == UNUSED_CONNECTION,
                    "{} lacks {}, which {property} of {type_name} calls for",
                    role.role,
                    permission.action
                );
            }
        }
    }
    assert!(asked > 5, "only {asked} permissions were asked for");
}

/// Stages call for it only where a source action uses a connection, which that of an environment does not.
const UNUSED_CONNECTION: &str = "codestar-connections:PassConnection";

/// Whether a handler names what is not an IAM action; `facts.rs` lists them all.
fn is_unknown(type_name: &str, permission: &str) -> bool {
    include_str!("../facts/no_actions.txt").lines().any(|line| {
        line.split_once(": ").is_some_and(|(name, types)| {
            name.trim_matches('"').eq_ignore_ascii_case(permission)
                && types.split(' ').any(|listed| listed == type_name)
        })
    })
}

#[test]
fn a_role_may_do_nothing_that_no_handler_of_its_types_calls() {
    let Some(registry) = registry() else { return };
    let worlds = [World::sample(), World::of_every_service()];
    let mut looked_at = 0;
    let mut beyond = BTreeSet::new();
    for (world, role) in worlds
        .iter()
        .flat_map(|world| world.roles().map(move |role| (world, role)))
    {
        let called: BTreeSet<String> = world
            .applied(role)
            .keys()
            .flat_map(|type_name| {
                let handlers = &registry[*type_name];
                ["create", "read", "update", "delete"].map(|handler| handlers.permissions(handler))
            })
            .flatten()
            .collect();
        let tagging = tagging(world, role);
        for action in granted(&world.emissions, role) {
            looked_at += 1;
            if called.contains(&action) || tagging.contains(&action) {
                continue;
            }
            let reason = BEYOND
                .iter()
                .position(|(within, known, _)| role.within.contains(within) && *known == action);
            let Some(reason) = reason else {
                panic!("{} may {action}, which no handler of its types calls", role.role)
            };
            beyond.insert(reason);
        }
    }
    for (index, (within, action, reason)) in BEYOND.iter().enumerate() {
        println!("a role of *{within}* may {action}: {reason}");
        assert!(
            beyond.contains(&index),
            "{action} of *{within}* is not beyond its handlers"
        );
    }
    println!("{looked_at} actions of {} roles", ROLES.len());
    assert!(looked_at > 200, "only {looked_at} actions were looked at");
}

/// What the tags of the applied types need.
fn tagging(world: &World, role: &Applying) -> BTreeSet<String> {
    let types = world.applied(role).into_keys().map(str::to_owned).collect();
    let schemas = cfn_lint::schemas(&types).unwrap_or_default();
    schemas
        .values()
        .filter_map(|schema| schema["tagging"]["permissions"].as_array())
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_type_without_handlers_is_known_as_such() {
    let Some(registry) = registry() else { return };
    let world = World::of_every_service();
    let mut types = BTreeSet::new();
    for role in world.roles() {
        types.extend(world.applied(role).into_keys());
    }
    let without: Vec<&str> = types
        .iter()
        .copied()
        .filter(|type_name| registry[*type_name].0.is_empty())
        .collect();
    assert_eq!(
        without, WITHOUT_HANDLERS,
        "their permissions stand in permissions.json by hand"
    );
    assert!(types.len() > 15, "only {} types are applied", types.len());
}

#[test]
fn the_bootstrap_stack_and_a_role_of_every_service_pass_cfn_lint_for_the_longest_project_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut every_service = emission::longest_project();
    every_service.application.services = Service::ALL.to_vec();
    let mut stacks = [emission::project(), every_service.clone()]
        .iter()
        .flat_map(emission::bootstrap)
        .collect::<Vec<_>>();
    let own = emission::emit(&every_service, &["pr-999999"]);
    stacks.extend(own.into_iter().filter(|stack| stack.stack.name.contains("-deploy-")));
    let templates = stacks
        .iter()
        .flat_map(Emission::texts)
        .filter(|text| !matches!(text.kind, emission::Kind::Document(_)));
    let texts: Vec<_> = templates.collect();
    assert_eq!(texts.len(), 6, "three stacks, each as YAML and as JSON");
    let paths = emission::write(folder.path(), &texts).expect("the templates are written");
    let Some(mut findings) = or_skip(
        "the bootstrap stack and a role of every service pass cfn-lint",
        cfn_lint::lint(&paths, &[]),
    ) else {
        return;
    };
    // The logs of a pull request's builds go with it.
    findings.retain(|finding| finding.rule != "I3011");
    assert!(findings.is_empty(), "{findings:?}");
}

/// A group that the role does not reach is refused at the first deployment, and so is its rollback.
#[test]
fn every_log_group_of_the_shared_stacks_is_within_the_roles_reach() {
    let bootstrap = emission::bootstrap(&emission::project());
    let role = bootstrap
        .iter()
        .flat_map(Emission::resources)
        .next()
        .expect("it has the role");
    let statements = role.properties["Policies"][0]["PolicyDocument"]["Statement"].as_array();
    let reach: Vec<String> = statements
        .expect("the role has statements")
        .iter()
        .filter(|statement| emission::shown(&statement["Action"]).contains("logs:CreateLogGroup"))
        .flat_map(|statement| match &statement["Resource"] {
            Value::Array(several) => several.iter().map(emission::shown).collect(),
            one => vec![emission::shown(one)],
        })
        .collect();
    let emissions = emission::everything();
    let shared = emissions.iter().filter(|emission| emission.owner == "shared");
    let groups = shared
        .flat_map(Emission::resources)
        .filter(|resource| resource.kind == "AWS::Logs::LogGroup");
    let mut looked_at = 0;
    for group in groups {
        let name = emission::shown(&group.properties["LogGroupName"]);
        let reached = reach.iter().any(|pattern| {
            let (_, pattern) = pattern.split_once(":log-group:").expect("it is a log group");
            let (start, end) = pattern.split_once('*').expect("it is a pattern");
            name.starts_with(start) && name.ends_with(end)
        });
        assert!(reached, "{} is named {name}, the role reaches {reach:#?}", group.id);
        looked_at += 1;
    }
    assert!(looked_at > 15, "only {looked_at} groups");
}
