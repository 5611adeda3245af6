//! A REST API of API Gateway as one thing: paths, methods, and a stage that is deployed again whenever any of it changes.
//!
//! CloudFormation's `AWS::ApiGateway::Deployment` is a snapshot that is never taken again. So the stage is kept current by a
//! custom resource whose trigger is the hash of everything that belongs to the API.

use std::collections::BTreeMap;

use synth_aws::apigateway::{Deployment, Method, Resource, RestApi, Stage};
use synth_aws::logs::LogGroup;
use synth_aws::{Arn, Duration, Element, Handle, Name, Node, Value, pseudo, seconds, sub};

use crate::cloudformation::CustomResource;
use crate::stack::{DeletionPolicy, Stack};

/// The HTTP methods of API Gateway.
pub use synth_aws::apigateway::method::HttpMethod;

/// A REST API under construction.
#[derive(Debug)]
pub struct Api {
    id: String,
    handle: Handle<RestApi>,
    resources: BTreeMap<String, Handle<Resource>>,
    methods: Vec<Handle<Method>>,
    routes: Vec<String>,
    parts: Vec<Element>,
    log: Option<(&'static str, Duration)>,
}

impl Api {
    /// Adds the REST API itself.
    #[track_caller]
    pub fn add(stack: &mut Stack, logical_id: &str, api: RestApi) -> Self {
        let handle = stack.add(logical_id, api);
        Self {
            id: logical_id.to_owned(),
            handle,
            resources: BTreeMap::new(),
            methods: Vec::new(),
            routes: Vec::new(),
            parts: vec![handle.element()],
            log: None,
        }
    }

    /// The REST API.
    pub const fn handle(&self) -> Handle<RestApi> {
        self.handle
    }

    /// The API's address at a stage, without a slash at the end.
    pub fn url(api: Handle<RestApi>, stage: Handle<Stage>) -> Value<String> {
        sub![
            "https://",
            api.id(),
            ".execute-api.",
            pseudo::region(),
            ".",
            pseudo::url_suffix(),
            "/",
            stage.name()
        ]
    }

    /// The ARN of a method at every stage, for permissions of functions.
    pub fn method_arn(&self, method: &str, path: &str) -> Value<synth_aws::AnyArn> {
        let path = path
            .split('/')
            .map(|step| if step.starts_with('{') { "*" } else { step })
            .collect::<Vec<_>>()
            .join("/");
        sub![
            "arn:",
            pseudo::partition(),
            ":execute-api:",
            pseudo::region(),
            ":",
            pseudo::account_id(),
            ":",
            self.handle.id(),
            "/*/",
            method,
            path
        ]
        .trusted()
    }

    /// Counts a validator, model, authorizer or gateway response as a part of the API: a change of it deploys the stage again.
    pub fn part<R>(&mut self, part: Handle<R>) -> Handle<R> {
        self.parts.push(part.element());
        part
    }

    /// Logs failed requests (`ERROR`) or all (`INFO`), if the account lets API Gateway log: see `AWS::ApiGateway::Account`. Left out,
    /// nothing is logged but what the stage's access log says.
    ///
    /// API Gateway names the log group and would make it itself, for good and kept by nobody's stack. So the group is declared under
    /// that name before the stage is, and goes after it; events are kept for `retention`.
    ///
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html>
    pub const fn log(&mut self, level: &'static str, retention: Duration) {
        self.log = Some((level, retention));
    }

    /// Adds a method at a path such as `/items/{category_name}`, and the resources on the way to it.
    ///
    /// `complete` sets what the method does besides its HTTP method and place.
    #[track_caller]
    pub fn route(
        &mut self,
        stack: &mut Stack,
        method: HttpMethod,
        path: &str,
        complete: impl FnOnce(Method) -> Method,
    ) -> Handle<Method> {
        let resource = self.resource(stack, path);
        let value: Value<HttpMethod> = method.into();
        let verb = value.node().as_text().unwrap_or_default().to_owned();
        let logical_id = format!("{}{}{}", self.id, id_of(path), capitalised(&verb));
        let handle = stack.add(logical_id, complete(Method::new(value, resource, self.handle.id())));
        self.parts.push(handle.element());
        self.methods.push(handle);
        self.routes.push(format!("{verb} {path}"));
        handle
    }

    #[track_caller]
    fn resource(&mut self, stack: &mut Stack, path: &str) -> Value<synth_aws::Id<Resource>> {
        let mut parent: Value<synth_aws::Id<Resource>> = self.handle.root_resource_id().trusted();
        let mut walked = String::new();
        for step in path.split('/').filter(|step| !step.is_empty()) {
            walked.push('/');
            walked.push_str(step);
            let handle = match self.resources.get(&walked) {
                Some(handle) => *handle,
                None => {
                    let logical_id = format!("{}{}", self.id, id_of(&walked));
                    let handle = stack.add(logical_id, Resource::new(parent, step, self.handle.id()));
                    self.parts.push(handle.element());
                    self.resources.insert(walked.clone(), handle);
                    handle
                }
            };
            parent = handle.id();
        }
        parent
    }

    /// Adds the stage with its first deployment, and the custom resource that keeps it current.
    ///
    /// `deployer` answers for `Custom::StageDeployment`, see the handler `stage_deployer`. It is not asked when the custom resource
    /// is deleted or replaced: CloudFormation shows it as `DELETE_SKIPPED` then.
    #[track_caller]
    pub fn deploy(
        self,
        stack: &mut Stack,
        name: &str,
        deployer: impl Into<Value<Arn<synth_aws::lambda::Function>>>,
        complete: impl FnOnce(Stage) -> Stage,
    ) -> Handle<Stage> {
        let deployment = stack.add(format!("{}Deployment", self.id), Deployment::new(self.handle.id()));
        for method in &self.methods {
            stack.configure(deployment).depends_on(*method);
        }
        let stage = Stage::new(self.handle.id())
            .stage_name(name)
            .deployment_id(deployment.id());
        let stage = stack.add(format!("{}Stage", self.id), complete(stage));
        if let Some((_, retention)) = self.log {
            let group = LogGroup::new()
                .log_group_name(
                    sub!["API-Gateway-Execution-Logs_", self.handle.id(), "/", name].trusted::<Name<LogGroup>>(),
                )
                .retention_in_days(retention);
            let group = stack.add(format!("{}ExecutionLogs", self.id), group);
            stack.configure(stage).depends_on(group);
        }
        let routes: Vec<Node> = self.routes.iter().map(|route| Node::from(route.clone())).collect();
        let mut current = CustomResource::new("StageDeployment", deployer, seconds(300))
            .property("RestApiId", self.handle.id())
            .property("StageName", stage.name())
            .property("Routes", Value::<Vec<String>>::from_node(Node::List(routes)));
        if let Some((level, _)) = self.log {
            current = current.property("LogLevel", Value::<String>::from(level));
        }
        // The stage too: changing it may set back what the deployment has set.
        let parts = self.parts.iter().copied().chain([stage.element()]);
        let current = current.fingerprint("Definition", parts);
        let current = stack.add(format!("{}StageDeployment", self.id), current);
        for method in &self.methods {
            stack.configure(current).depends_on(*method);
        }
        // There is nothing to delete: the deployments go with their API. So a deployer that does not answer keeps no stack from being
        // deleted or rolled back; `RetainExceptOnCreate` would ask it when the creation is rolled back.
        stack.configure(current).deletion_policy(DeletionPolicy::Retain);
        stage
    }
}

/// `/items/{category_name}` → `ItemsCategoryName`.
fn id_of(path: &str) -> String {
    path.split(|character: char| !character.is_ascii_alphanumeric())
        .map(capitalised)
        .collect()
}

fn capitalised(word: &str) -> String {
    match word.split_at_checked(1) {
        Some((first, rest)) => first.to_ascii_uppercase() + &rest.to_ascii_lowercase(),
        None => String::new(),
    }
}
