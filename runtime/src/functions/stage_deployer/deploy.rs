//! One deployment of a stage.
//!
//! CloudFormation removes a method that the template has dropped only after this function has answered, so that a snapshot of
//! the API as it is would go on serving it. Such a method cannot be deleted here: if the stack's update failed afterwards,
//! CloudFormation would go back to a template that has it, and not make it again. So it is closed while the snapshot is taken,
//! by an API key that nobody has, and opened again right after.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use aws_sdk_apigateway::Client;
use aws_sdk_apigateway::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_apigateway::types::{Deployment, Op, PatchOperation, Resource};
use contract::StageDeployment;
use tracing::{info, warn};

use crate::functions::Invocation;
use crate::sdk;

/// What the descriptions of this function's deployments begin with; it touches no others.
const MARK: &str = "stage_deployer";
/// How many of its deployments are kept besides those in use, for people who want to go back by hand.
const KEPT: usize = 4;
/// An account may deploy once in this time, see
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>.
const PACE: Duration = Duration::from_secs(5);
/// What must be left of the invocation to try once more: the methods that were closed have to be opened again, and the answer
/// to be given.
const RESERVE: Duration = Duration::from_secs(25);
/// The most that a list of API Gateway holds a page.
const PAGE: i32 = 500;

/// What a deployment needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deployer<'a> {
    gateway: &'a Client,
    wanted: &'a StageDeployment,
    request_id: &'a str,
    invocation: &'a Invocation,
}

/// A method that is still there and no route of the template any more.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stale {
    resource_id: String,
    method: String,
    route: String,
}

impl<'a> Deployer<'a> {
    /// The deployment that a request asks for.
    pub(super) const fn new(
        gateway: &'a Client,
        wanted: &'a StageDeployment,
        request_id: &'a str,
        invocation: &'a Invocation,
    ) -> Self {
        Self {
            gateway,
            wanted,
            request_id,
            invocation,
        }
    }

    /// Deploys the API as its template has it, and points the stage at that.
    ///
    /// # Errors
    /// In words for the stack's events.
    pub(super) async fn run(self) -> Result<(), String> {
        let deployments = self.deployments().await?;
        let description = self.description();
        let found = deployments
            .iter()
            .find(|deployment| deployment.description() == Some(&description))
            .and_then(Deployment::id);
        let id = match found {
            Some(id) => id.to_owned(),
            None => self.snapshot(&description).await?,
        };
        self.point_stage(&id).await?;
        info!(
            api = self.wanted.rest_api_id,
            stage = self.wanted.stage_name,
            deployment = id,
            "stage deployed"
        );
        if let Err(problem) = self.prune(&deployments, &id).await {
            // A deployment too many harms nobody, and the next one prunes it.
            warn!(
                api = self.wanted.rest_api_id,
                problem, "old deployments were not pruned"
            );
        }
        Ok(())
    }

    /// By which a repeated request finds its deployment.
    fn description(self) -> String {
        let definition: String = self.wanted.definition.chars().take(64).collect();
        format!("{MARK}: {definition} for {}", self.request_id)
    }

    async fn deployments(self) -> Result<Vec<Deployment>, String> {
        let mut all = Vec::new();
        let mut position = None;
        loop {
            let request = self
                .gateway
                .get_deployments()
                .rest_api_id(&self.wanted.rest_api_id)
                .limit(PAGE)
                .set_position(position);
            let page = self
                .patiently("list the deployments", || request.clone().send())
                .await?;
            all.extend(page.items.unwrap_or_default());
            position = page.position;
            if position.is_none() {
                return Ok(all);
            }
        }
    }

    /// Deploys without the methods that are to go.
    async fn snapshot(self, description: &str) -> Result<String, String> {
        let stale = stale(&self.resources().await?, &self.wanted.routes);
        let mut closed = Vec::new();
        let mut result = Ok(());
        for method in &stale {
            match self.require_key(method, true).await {
                Ok(()) => closed.push(method),
                Err(problem) => {
                    result = Err(problem);
                    break;
                }
            }
        }
        let result = match result {
            Ok(()) => self.create(description).await,
            Err(problem) => Err(problem),
        };
        // All are opened again, whatever else fails: what stays closed here would be served by no later deployment.
        let mut opened = Ok(());
        for method in closed {
            info!(route = method.route, "route is not served any more");
            opened = opened.and(self.require_key(method, false).await);
        }
        let id = result?;
        opened.map(|()| id)
    }

    async fn resources(self) -> Result<Vec<Resource>, String> {
        let mut all = Vec::new();
        let mut position = None;
        loop {
            let request = self
                .gateway
                .get_resources()
                .rest_api_id(&self.wanted.rest_api_id)
                .embed("methods")
                .limit(PAGE)
                .set_position(position);
            let page = self.patiently("list the routes", || request.clone().send()).await?;
            all.extend(page.items.unwrap_or_default());
            position = page.position;
            if position.is_none() {
                return Ok(all);
            }
        }
    }

    /// Opens or closes a method. One that is gone needs neither.
    async fn require_key(self, method: &Stale, required: bool) -> Result<(), String> {
        let request = self
            .gateway
            .update_method()
            .rest_api_id(&self.wanted.rest_api_id)
            .resource_id(&method.resource_id)
            .http_method(&method.method)
            .patch_operations(replace("/apiKeyRequired", required.to_string()));
        let what = format!("{} {}", if required { "close" } else { "open" }, method.route);
        match self.attempt(&what, || request.clone().send()).await {
            Ok(_) => Ok(()),
            Err(failure) if failure.missing => Ok(()),
            Err(failure) => Err(failure.words),
        }
    }

    async fn create(self, description: &str) -> Result<String, String> {
        let request = self
            .gateway
            .create_deployment()
            .rest_api_id(&self.wanted.rest_api_id)
            .description(description);
        let deployment = self.patiently("deploy the API", || request.clone().send()).await?;
        deployment
            .id
            .ok_or_else(|| "API Gateway has deployed the API and given no id".to_owned())
    }

    /// Points the stage at the deployment, and has it log what it is to log where it can.
    async fn point_stage(self, deployment: &str) -> Result<(), String> {
        let mut request = self
            .gateway
            .update_stage()
            .rest_api_id(&self.wanted.rest_api_id)
            .stage_name(&self.wanted.stage_name)
            .patch_operations(replace("/deploymentId", deployment));
        if let Some(level) = &self.wanted.log_level {
            if self.account_can_log().await? {
                request = request.patch_operations(replace("/*/*/logging/loglevel", level));
            } else {
                warn!(level, "the account lets API Gateway log nothing, so the stage does not");
            }
        }
        let what = format!("point the stage {} at its deployment", self.wanted.stage_name);
        self.patiently(&what, || request.clone().send()).await.map(drop)
    }

    /// Whether the account has a role that API Gateway logs with: a stage that logs without one is refused.
    async fn account_can_log(self) -> Result<bool, String> {
        let account = self
            .patiently("read the account's settings", || self.gateway.get_account().send())
            .await?;
        Ok(account.cloudwatch_role_arn().is_some_and(|role| !role.is_empty()))
    }

    /// Deletes this function's older deployments but those that a stage uses, and the newest few of the rest.
    async fn prune(self, deployments: &[Deployment], current: &str) -> Result<(), String> {
        // What stages use besides only makes them fewer.
        if prunable(deployments, &[current]).is_empty() {
            return Ok(());
        }
        let request = self.gateway.get_stages().rest_api_id(&self.wanted.rest_api_id);
        let stages = self.patiently("list the stages", || request.clone().send()).await?;
        let used = stages.item().iter().filter_map(|stage| stage.deployment_id());
        let in_use: Vec<&str> = used.chain([current]).collect();
        for id in prunable(deployments, &in_use) {
            let request = self
                .gateway
                .delete_deployment()
                .rest_api_id(&self.wanted.rest_api_id)
                .deployment_id(id);
            match self.attempt("delete a deployment", || request.clone().send()).await {
                Ok(_) => {}
                Err(failure) if failure.missing => {}
                Err(failure) => return Err(failure.words),
            }
        }
        Ok(())
    }

    /// Asks until API Gateway answers something else than to come again later.
    async fn patiently<T, E, R, F>(self, what: &str, ask: impl Fn() -> F) -> Result<T, String>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        R: Debug + 'static,
        F: Future<Output = Result<T, SdkError<E, R>>>,
    {
        self.attempt(what, ask).await.map_err(|failure| failure.words)
    }

    async fn attempt<T, E, R, F>(self, what: &str, ask: impl Fn() -> F) -> Result<T, GatewayFailure>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        R: Debug + 'static,
        F: Future<Output = Result<T, SdkError<E, R>>>,
    {
        let mut tries: u32 = 0;
        loop {
            let error = match ask().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let wait = PACE + self.jitter(tries);
            if !passes(&error) || self.invocation.remaining() < wait + RESERVE {
                return Err(GatewayFailure {
                    missing: sdk::code(&error) == Some("NotFoundException"),
                    words: format!("API Gateway does not {what}: {}", sdk::words(&error)),
                });
            }
            tokio::time::sleep(wait).await;
            tries += 1;
        }
    }

    /// Up to three seconds, another for each request and try: those that were refused together do not come back together.
    fn jitter(self, tries: u32) -> Duration {
        let seed = self
            .request_id
            .bytes()
            .chain(tries.to_be_bytes())
            .fold(2_166_136_261_u32, |hash, byte| {
                (hash ^ u32::from(byte)).wrapping_mul(16_777_619)
            });
        Duration::from_millis(u64::from(seed % 3_000))
    }
}

/// Why API Gateway did not do what it was asked to.
#[derive(Debug)]
struct GatewayFailure {
    missing: bool,
    words: String,
}

/// Whether an error passes by itself.
fn passes<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    match error {
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) => true,
        SdkError::ServiceError(_) => matches!(
            sdk::code(error),
            Some(
                "TooManyRequestsException"
                    | "LimitExceededException"
                    | "ConflictException"
                    | "ServiceUnavailableException"
                    | "InternalServerErrorException"
                    | "ThrottlingException"
            )
        ),
        _ => false,
    }
}

fn replace(path: &str, value: impl Into<String>) -> PatchOperation {
    PatchOperation::builder()
        .op(Op::Replace)
        .path(path)
        .value(value)
        .build()
}

/// The methods that no route of the template names. Those that need an API key already stay as they are.
fn stale(resources: &[Resource], routes: &[String]) -> Vec<Stale> {
    let mut stale: BTreeMap<String, Stale> = BTreeMap::new();
    for resource in resources {
        let (Some(id), Some(path), Some(methods)) = (resource.id(), resource.path(), resource.resource_methods())
        else {
            continue;
        };
        for (method, details) in methods {
            let route = format!("{method} {path}");
            if routes.contains(&route) || details.api_key_required == Some(true) {
                continue;
            }
            let closing = Stale {
                resource_id: id.to_owned(),
                method: method.clone(),
                route: route.clone(),
            };
            stale.insert(route, closing);
        }
    }
    stale.into_values().collect()
}

/// This function's deployments but those in use and the newest few of the rest, newest first.
fn prunable<'a>(deployments: &'a [Deployment], in_use: &[&str]) -> Vec<&'a str> {
    let mut own: Vec<&Deployment> = deployments
        .iter()
        .filter(|deployment| deployment.description().is_some_and(|text| text.starts_with(MARK)))
        .filter(|deployment| !deployment.id().is_some_and(|id| in_use.contains(&id)))
        .collect();
    own.sort_by_key(|deployment| std::cmp::Reverse(deployment.created_date.map(|date| date.as_nanos())));
    own.into_iter().skip(KEPT).filter_map(Deployment::id).collect()
}

#[cfg(test)]
mod tests {
    use aws_sdk_apigateway::primitives::DateTime;
    use aws_sdk_apigateway::types::Method;

    use super::*;

    fn deployment(id: &str, seconds: i64, description: &str) -> Deployment {
        Deployment::builder()
            .id(id)
            .created_date(DateTime::from_secs(seconds))
            .description(description)
            .build()
    }

    #[test]
    fn only_the_functions_own_deployments_are_pruned_and_the_newest_few_are_kept() {
        let mut deployments: Vec<Deployment> = (1..=8)
            .map(|number| deployment(&format!("d{number}"), number, "stage_deployer: x for r"))
            .collect();
        deployments.push(deployment("cloudformations", 0, ""));
        deployments.push(deployment("somebodys", 0, "by hand"));
        assert_eq!(prunable(&deployments, &["d8"]), ["d3", "d2", "d1"]);
        deployments.reverse();
        assert_eq!(prunable(&deployments, &["d8"]), ["d3", "d2", "d1"]);
        assert_eq!(
            prunable(&deployments, &["d8", "d6"]),
            ["d2", "d1"],
            "one in use is not among the few"
        );
    }

    #[test]
    fn a_method_that_no_route_names_is_stale_unless_it_is_closed_already() {
        let resource = |path: &str, methods: &[(&str, bool)]| {
            let mut resource = Resource::builder().id(format!("id{path}")).path(path);
            for (method, closed) in methods {
                resource = resource.resource_methods(*method, Method::builder().api_key_required(*closed).build());
            }
            resource.build()
        };
        let resources = [
            resource("/", &[]),
            resource("/items", &[("GET", false), ("POST", false)]),
            resource("/places", &[("GET", false), ("PUT", true)]),
        ];
        let routes: Vec<String> = stale(&resources, &["GET /items".to_owned()])
            .into_iter()
            .map(|stale| stale.route)
            .collect();
        assert_eq!(routes, ["GET /places", "POST /items"]);
    }
}
