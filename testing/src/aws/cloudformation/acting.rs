//! In whose name CloudFormation acts: before each step it needs what the type's handler calls, from the stack's role.
//!
//! The words are those of public reports, such as
//! <https://github.com/aws-solutions-library-samples/data-lakes-on-aws/issues/275>.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use serde_json::{Value, json};

use super::{needs, resources::Step};
use crate::{
    authorization::{self, Reference},
    aws::{Permission, REGION, backstage::Backstage, lock},
};

/// How CloudFormation calls its sessions.
const SESSION: &str = "AWSCloudFormation";

/// The service that takes a stack's role on.
const CLOUDFORMATION: &str = "cloudformation.amazonaws.com";

/// What the roles of stacks were needed for.
#[derive(Debug, Default)]
pub(in crate::aws) struct Acted {
    /// Roles and what they were needed for.
    needs: Mutex<BTreeSet<(String, String)>>,
    /// Roles that may do everything, as a test asked.
    exempt: Mutex<BTreeSet<String>>,
}

impl Acted {
    /// Why the handler fails; none if the role may do all that it calls, or if the stack acts for who may do everything.
    pub(super) async fn refusal(&self, step: &Step, backstage: &Backstage) -> Option<String> {
        let role = step
            .role
            .as_deref()
            .filter(|role| !lock(&self.exempt).contains(*role))?;
        let account = role.split(':').nth(4).unwrap_or_default();
        let reference = match reference() {
            Ok(reference) => reference,
            Err(fault) => return Some(fault),
        };
        let needs: Vec<Value> = needs::of(step, account, &reference)
            .iter()
            .map(|need| json!(need))
            .collect();
        let verdict = match ask(role, None, &needs, backstage).await {
            Ok(verdict) => verdict,
            Err(fault) => return Some(fault),
        };
        // Tags are those that the resources have now, which may be gone when the role is asked about again.
        let asked = verdict["Asked"].as_array().into_iter().flatten();
        lock(&self.needs).extend(asked.map(|need| (role.to_owned(), need.to_string())));
        in_words(role, &verdict)
    }

    /// From now on the role may do everything, or no longer.
    pub(in crate::aws) fn exempt(&self, role: &str, everything: bool) {
        let mut exempt = lock(&self.exempt);
        if everything {
            exempt.insert(role.to_owned());
        } else {
            exempt.remove(role);
        }
    }

    /// How many different permissions the role was needed for.
    pub(in crate::aws) fn number(&self, role: &str) -> usize {
        lock(&self.needs).iter().filter(|(by, _)| by == role).count()
    }

    /// Why the role, as it is now, could not do again what it was needed for.
    pub(in crate::aws) async fn again(&self, role: &str, backstage: &Backstage) -> Option<String> {
        let needs = lock(&self.needs)
            .iter()
            .filter(|(by, _)| by == role)
            .cloned()
            .collect::<Vec<_>>();
        let needs: Vec<Value> = needs
            .iter()
            .filter_map(|(_, need)| serde_json::from_str(need).ok())
            .collect();
        match ask(role, None, &needs, backstage).await {
            Ok(verdict) => in_words(role, &verdict),
            Err(fault) => Some(fault),
        }
    }
}

/// The services that act with the roles of pipelines and of their builds.
const PIPELINES: [&str; 2] = ["codepipeline.amazonaws.com", "codebuild.amazonaws.com"];

/// What the role lacks for a call of a pipeline or of a build that acts with it, in IAM's words.
pub(in crate::aws) async fn denied(role: &str, needed: &[Permission], backstage: &Backstage) -> Option<String> {
    let needs = needed.iter().map(|permission| {
        json!({ "Action": permission.action, "Resource": permission.resource, "TagsOf": null, "Context": permission.context })
    });
    let needs: Vec<Value> = needs.collect();
    let mut verdict = Value::Null;
    for service in PIPELINES {
        verdict = match ask(role, Some(service), &needs, backstage).await {
            Ok(verdict) => verdict,
            Err(fault) => return Some(fault),
        };
        if verdict["Untrusted"] != true {
            break;
        }
    }
    if verdict["Untrusted"] == true {
        return Some(format!("the role {role} trusts none of {}", PIPELINES.join(", ")));
    }
    if verdict["Missing"] == true {
        return Some(format!("the role {role} is not there"));
    }
    not_authorized(&verdict)
}

/// Why CloudFormation cannot take the role on.
pub(super) async fn unusable(role: &str, backstage: &Backstage) -> Option<String> {
    let verdict = ask(role, Some(CLOUDFORMATION), &[], backstage).await.ok()?;
    let unusable = verdict["Missing"] == true || verdict["Untrusted"] == true;
    unusable.then(|| format!("Role {role} is invalid or cannot be assumed"))
}

async fn ask(role: &str, trusts: Option<&str>, needs: &[Value], backstage: &Backstage) -> Result<Value, String> {
    let asked = json!({ "Role": role, "Trusts": trusts, "Session": SESSION, "Region": REGION, "Needs": needs });
    let answered = backstage.authority(&asked).await;
    answered.map_err(|fault| format!("what {role} may do is not known: {fault}"))
}

fn in_words(role: &str, verdict: &Value) -> Option<String> {
    if verdict["Missing"] == true {
        return Some(format!("Role {role} is invalid or cannot be assumed"));
    }
    let message = not_authorized(verdict)?;
    Some(format!(
        "Resource handler returned message: \"{message}\" (RequestToken: front, HandlerErrorCode: AccessDenied)"
    ))
}

/// IAM's words.
fn not_authorized(verdict: &Value) -> Option<String> {
    let denied = verdict.get("Denied")?;
    let action = denied["Action"].as_str().unwrap_or_default();
    let service = action.split(':').next().unwrap_or_default();
    let why = if denied["Explicit"] == true {
        "with an explicit deny in an identity-based policy".to_owned()
    } else {
        format!("because no identity-based policy allows the {action} action")
    };
    let on = match denied["Resource"].as_str() {
        None | Some("*") => String::new(),
        Some(resource) => format!(" on resource: {resource}"),
    };
    Some(format!(
        "User: {} is not authorized to perform: {action}{on} {why} (Service: {service}, Status Code: 403, Request ID: front)",
        denied["Principal"].as_str().unwrap_or_default()
    ))
}

/// The reference, which is read once.
fn reference() -> Result<Reference, String> {
    static READ: Mutex<Option<Reference>> = Mutex::new(None);
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(reference) = &*read {
        return Ok(reference.clone());
    }
    let reference = authorization::reference().map_err(|fault| fault.to_string())?;
    Ok(read.insert(reference).clone())
}
