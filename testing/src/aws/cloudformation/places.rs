//! Which ARN an action of a handler is on.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    facts::Facts,
    resources::{Kind, Step},
};
use crate::aws::{REGION, model::Service};

/// An action on a resource.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) action: String,
    /// The ARN; none if it cannot be told.
    pub(super) resource: Option<String>,
    /// Whether that is the step's own resource.
    pub(super) is_own: bool,
    /// Whose tags count as the resource's, if it is not the step's own.
    pub(super) tags_of: Option<String>,
    /// Whether the action makes the resource, which has no tags before.
    pub(super) creates: bool,
    /// The service that a role is passed to.
    pub(super) passed_to: Option<String>,
}

impl Place {
    fn at(action: &str, resource: Option<String>) -> Self {
        let name = action.split_once(':').map_or(action, |(_, name)| name);
        Self {
            action: action.to_owned(),
            resource,
            is_own: true,
            tags_of: None,
            creates: name.starts_with("Create"),
            passed_to: None,
        }
    }
}

/// Where the action is called, by the mark that the facts have for it: `@` on the type, `*` on nothing, else on something else.
pub(super) fn of(facts: &Facts, action: &str, marks: &str, step: &Step, account: &str) -> Vec<Place> {
    if marks.contains('*') {
        return vec![Place::at(action, Some("*".to_owned()))];
    }
    if !marks.contains('@') {
        return elsewhere(facts, action, step);
    }
    if let Some(method) = action.strip_prefix("apigateway:") {
        return below_an_api(facts, method, step);
    }
    let resource = own(facts, step, account);
    let mut place = Place::at(action, resource.clone());
    // A part of something else has the ARN and the tags of that.
    if facts.tag_property().is_none() {
        place.is_own = false;
        place.tags_of = resource;
        place.creates = false;
    }
    vec![place]
}

/// The ARN of the step's resource, or of what it is a part of.
fn own(facts: &Facts, step: &Step, account: &str) -> Option<String> {
    let physical = step.old.as_ref().map(|old| old.physical_id.as_str());
    let format = facts.arn()?;
    let service = format.split(':').nth(2)?;
    if let Some(arn) = physical.filter(|id| id.split(':').nth(2) == Some(service)) {
        return Some(arn.to_owned());
    }
    let mut parts = format.split("${");
    let mut arn = parts.next()?.to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}')?;
        let value = match name {
            "Partition" => "aws".to_owned(),
            "Region" => REGION.to_owned(),
            "Account" => account.to_owned(),
            other => variable(facts, other, step, physical)?,
        };
        // A function may be named by its ARN.
        if value.starts_with("arn:") {
            return Some(value);
        }
        arn = arn + &value + rest;
    }
    Some(arn)
}

/// The value of a variable of the ARN's format.
fn variable(facts: &Facts, name: &str, step: &Step, physical: Option<&str>) -> Option<String> {
    let text = |property: &str| step.properties[property].as_str().map(str::to_owned);
    let made_up = || physical.map_or_else(|| made_up(&step.r#type, &step.stack, &step.logical_id), str::to_owned);
    match name {
        "RoleNameWithPath" => {
            let path = text("Path").unwrap_or_default();
            let role = text("RoleName").unwrap_or_else(made_up);
            Some(format!("{}{role}", path.trim_start_matches('/')))
        }
        "GroupName" => Some(text(name).unwrap_or_else(|| "default".to_owned())),
        // Secrets Manager adds six characters.
        "SecretId" => Some(format!("{}-AbCdEf", text("Name").unwrap_or_else(made_up))),
        _ if facts.has_property(name) => {
            let is_the_name = facts.primary().contains(&name);
            text(name).or_else(|| is_the_name.then(made_up))
        }
        _ if name.ends_with("Name") && facts.has_property("Name") => Some(text("Name").unwrap_or_else(made_up)),
        _ => Some(made_up()),
    }
}

/// How long a name may be, where that is short enough for CloudFormation to cut what it makes up.
const LONGEST: [(&str, usize); 7] = [
    ("AWS::Events::Rule", 64),
    ("AWS::IAM::Role", 64),
    ("AWS::Lambda::Function", 64),
    ("AWS::S3::Bucket", 63),
    ("AWS::SQS::Queue", 80),
    ("AWS::Scheduler::Schedule", 64),
    ("AWS::StepFunctions::StateMachine", 80),
];

/// The name that CloudFormation makes up for a resource, `<stack>-<logical id>-<12 characters>`.
///
/// Where that is too long, the stack's name and the logical id get half of the room each, or what the other leaves; see
/// <https://github.com/KensioSoftware/yulin/issues/1113>, which has names of an account.
fn made_up(kind: &str, stack: &str, logical_id: &str) -> String {
    const TAIL: &str = "1A2B3C4D5E6F";
    let longest = LONGEST
        .iter()
        .find(|(known, _)| *known == kind)
        .map_or(255, |(_, longest)| *longest);
    let room = longest - TAIL.len() - "--".len();
    let of_the_stack = room.div_ceil(2).max(room.saturating_sub(logical_id.len()));
    let stack = &stack[..stack.len().min(of_the_stack)];
    let logical_id = &logical_id[..logical_id.len().min(room - stack.len())];
    format!("{stack}-{logical_id}-{TAIL}")
}

/// Roles that are passed, objects that are fetched, and whatever else the properties name by an ARN of the action's service.
fn elsewhere(facts: &Facts, action: &str, step: &Step) -> Vec<Place> {
    let properties = facts.called_for(action);
    let named: Vec<&Value> = if properties.is_empty() {
        vec![&step.properties]
    } else {
        properties
            .iter()
            .flat_map(|path| values(&step.properties, path))
            .collect()
    };
    let foreign = |resource: Option<String>| Place {
        is_own: false,
        creates: false,
        ..Place::at(action, resource)
    };
    match action {
        "iam:PassRole" | "iam:GetRole" => {
            let mut roles = Vec::new();
            named
                .iter()
                .for_each(|value| self::roles(value, !properties.is_empty(), &mut roles));
            let service = principal(&step.r#type);
            let places = roles.into_iter().map(|role| Place {
                passed_to: (action == "iam:PassRole").then(|| service.clone()),
                ..foreign(Some(role))
            });
            places.collect()
        }
        "s3:GetObject" | "s3:GetObjectVersion" => {
            let mut objects = Vec::new();
            fetched(&step.properties, action == "s3:GetObjectVersion", &mut objects);
            objects.into_iter().map(|object| foreign(Some(object))).collect()
        }
        _ => {
            let service = action.split(':').next().unwrap_or_default();
            let arns = named.iter().filter_map(|value| value.as_str());
            let arns: Vec<&str> = arns.filter(|arn| arn.split(':').nth(2) == Some(service)).collect();
            let passes = action.split_once(':').is_some_and(|(_, name)| name.starts_with("Pass"));
            if arns.is_empty() && !passes {
                return vec![foreign(None)];
            }
            arns.into_iter().map(|arn| foreign(Some(arn.to_owned()))).collect()
        }
    }
}

/// The values at a path such as `Code.S3Bucket`, in each item where a list is on the way.
fn values<'a>(value: &'a Value, path: &str) -> Vec<&'a Value> {
    if let Value::Array(items) = value {
        return items.iter().flat_map(|item| values(item, path)).collect();
    }
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    match value.get(first) {
        None => Vec::new(),
        Some(found) if rest.is_empty() => vec![found],
        Some(inner) => values(inner, rest),
    }
}

/// The ARNs of roles in there; without `anywhere` only in members that are named for them.
fn roles(value: &Value, anywhere: bool, found: &mut Vec<String>) {
    match value {
        Value::String(text) if anywhere && is_role(text) && !found.contains(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| roles(item, anywhere, found)),
        Value::Object(members) => {
            for (name, member) in members {
                let name = name.to_lowercase();
                let named = name.ends_with("role") || name.ends_with("rolearn") || name.ends_with("credentials");
                roles(member, anywhere || named, found);
            }
        }
        _ => {}
    }
}

fn is_role(text: &str) -> bool {
    let mut parts = text.split(':');
    parts.next() == Some("arn")
        && parts.nth(1) == Some("iam")
        && parts.nth(2).is_some_and(|rest| rest.starts_with("role/"))
}

/// The objects that properties name by bucket and key.
fn fetched(value: &Value, versioned: bool, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| fetched(item, versioned, found)),
        Value::Object(members) => {
            let text = |names: [&str; 2]| names.iter().find_map(|name| members.get(*name)?.as_str());
            let version = ["S3ObjectVersion", "Version"]
                .iter()
                .any(|name| members.contains_key(*name));
            if let (Some(bucket), Some(key)) = (text(["S3Bucket", "Bucket"]), text(["S3Key", "Key"]))
                && version == versioned
            {
                found.push(format!("arn:aws:s3:::{bucket}/{key}"));
            }
            members.values().for_each(|member| fetched(member, versioned, found));
        }
        _ => {}
    }
}

/// The ARN of a function that is named, or told by its ARN, with or without a version.
pub(super) fn function_arn(name: &Value, account: &str) -> Option<String> {
    let name = name.as_str()?;
    let of_arn = name.strip_prefix("arn:").and_then(|_| name.split(':').nth(6));
    let function = of_arn.or_else(|| name.split(':').next())?;
    Some(format!("arn:aws:lambda:{REGION}:{account}:function:{function}"))
}

/// How the service of a type calls itself where it takes a role on.
pub(super) fn principal(kind: &str) -> String {
    let service = kind.split("::").nth(1).unwrap_or_default().to_lowercase();
    let name = match service.as_str() {
        "cognito" => "cognito-idp",
        "stepfunctions" => "states",
        "amazonmq" => "mq",
        other => other,
    };
    format!("{name}.amazonaws.com")
}

/// API Gateway's actions are HTTP's methods, on the paths that its model has for the operation of the type; tags have a path of their own.
fn below_an_api(facts: &Facts, method: &str, step: &Step) -> Vec<Place> {
    let action = format!("apigateway:{method}");
    let Ok(service) = Service::load("apigateway", "/") else {
        return vec![Place::at(&action, None)];
    };
    let name = step.r#type.rsplit("::").next().unwrap_or_default();
    let api = step.properties["RestApiId"].as_str().map_or_else(
        || {
            step.old
                .as_ref()
                .map_or_else(|| "a1b2c3d4e5".to_owned(), |old| old.physical_id.clone())
        },
        str::to_owned,
    );
    let arn = |path: &str| format!("arn:aws:apigateway:{REGION}::{path}");
    let whole = arn(&format!("/restapis/{api}"));
    let verb = match method {
        "POST" => "Create",
        // A body is put into an API; tags are put on both.
        "PUT" if name == "RestApi" && !has_a_body(&step.properties) => "",
        "PUT" => "Put",
        "PATCH" => "Update",
        // What takes tags loses them by the same method.
        "DELETE" if step.step != Kind::Delete && facts.tag_property().is_some() => "",
        "DELETE" => "Delete",
        _ => "Get",
    };
    let mut places = Vec::new();
    if let Some(operation) = service.operations.get(&format!("{verb}{name}")) {
        let path = filled(&operation.http.request_uri, step, &api);
        let is_own = name == "RestApi";
        places.push(Place {
            is_own,
            tags_of: (!is_own && path.starts_with("/restapis/")).then(|| whole.clone()),
            creates: path == "/restapis",
            ..Place::at(&action, Some(arn(&path)))
        });
    }
    let changes = tag_changes(facts, step);
    if (method == "PUT" && changes.written) || (method == "DELETE" && changes.removed) {
        let stage = step.properties["StageName"].as_str().filter(|_| name == "Stage");
        let tagged = stage.map_or_else(|| whole.clone(), |stage| format!("{whole}/stages/{stage}"));
        let encoded: String = form_urlencoded::byte_serialize(tagged.as_bytes()).collect();
        places.push(Place {
            is_own: false,
            creates: false,
            ..Place::at(&action, Some(arn(&format!("/tags/{encoded}"))))
        });
    }
    places
}

/// What a step does to the tags of its resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TagChanges {
    /// Some are new, or have another value.
    pub(super) written: bool,
    /// Some are there no longer.
    pub(super) removed: bool,
}

pub(super) fn tag_changes(facts: &Facts, step: &Step) -> TagChanges {
    let before = step
        .old
        .as_ref()
        .map(|old| tags(facts, &old.properties))
        .unwrap_or_default();
    let after = tags(facts, &step.properties);
    let goes = step.step == Kind::Delete;
    TagChanges {
        written: !goes && after.iter().any(|(key, value)| before.get(key) != Some(value)),
        removed: !goes && before.keys().any(|key| !after.contains_key(key)),
    }
}

/// The tags that the properties write, whichever form the type has for them, without CloudFormation's own, for which nobody is asked.
pub(super) fn tags(facts: &Facts, properties: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut written: BTreeMap<String, String> = match facts.tag_property().map(|property| &properties[property]) {
        Some(Value::Array(tags)) => tags
            .iter()
            .map(|tag| (text(&tag["Key"]), text(&tag["Value"])))
            .collect(),
        Some(Value::Object(tags)) => tags.iter().map(|(key, value)| (key.clone(), text(value))).collect(),
        _ => BTreeMap::new(),
    };
    written.retain(|key, _| !key.starts_with("aws:"));
    written
}

fn has_a_body(properties: &Value) -> bool {
    ["Body", "BodyS3Location"]
        .iter()
        .any(|name| !properties[*name].is_null())
}

/// A path such as `/restapis/{restapi_id}/resources/{parent_id}` with the step's values.
fn filled(uri: &str, step: &Step, api: &str) -> String {
    let uri = uri.split('?').next().unwrap_or(uri);
    let segments = uri.split('/').map(|segment| {
        let Some(name) = segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) else {
            return segment.to_owned();
        };
        let plain = name.replace('_', "");
        if plain == "restapiid" {
            return api.to_owned();
        }
        let members = step.properties.as_object();
        let given = members
            .into_iter()
            .flatten()
            .find(|(member, _)| member.to_lowercase() == plain);
        let given = given.and_then(|(_, value)| value.as_str()).map(str::to_owned);
        let known = || step.old.as_ref().map(|old| old.physical_id.clone());
        given.or_else(known).unwrap_or_else(|| "a1b2c3".to_owned())
    });
    segments.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::made_up;

    /// The names are those of an account, but for their last twelve characters: <https://github.com/KensioSoftware/yulin/issues/1113>.
    #[test]
    fn a_name_that_is_made_up_is_cut_as_cloudformation_cuts_it() {
        const STACK: &str = "ChineseboostAnalyticsStack";
        for (kind, logical_id, name) in [
            (
                "AWS::S3::Bucket",
                "RainlyticsLogsBucket8DF4A1B2",
                "ChineseboostAnalyticsStac-RainlyticsLogsBucket8DF4-",
            ),
            (
                "AWS::IAM::Role",
                "RainlyticsSummariesJobFunctionServiceRole1A2B3C4D",
                "ChineseboostAnalyticsStac-RainlyticsSummariesJobFun-",
            ),
            (
                "AWS::Logs::LogGroup",
                "RainlyticsSummariesJobLogs1C6CB09C",
                "ChineseboostAnalyticsStack-RainlyticsSummariesJobLogs1C6CB09C-",
            ),
        ] {
            let made_up = made_up(kind, STACK, logical_id);
            assert_eq!(made_up.strip_suffix("1A2B3C4D5E6F"), Some(name), "{kind}");
        }
        let short = made_up("AWS::IAM::Role", &"s".repeat(60), "Id");
        assert_eq!(
            short.len(),
            64,
            "what a short logical id leaves is the stack's: {short}"
        );
    }
}
