//! TheBestest, the sample application: an API that keeps each user's best place per category.
//!
//! One Lambda a route, a table keyed by user and category, and a user pool whose tokens open the API. Every physical name
//! carries the environment, so that any number of environments live side by side in one account.

use contract::{DeleteItem, GetItem, ListItems, NewItem, PutItem, StageDeployer};
use synth::actions::Dynamodb;
use synth::apigateway::{self, ModelSchema, authorizer, gateway_response, method, rest_api};
use synth::cognito::{self, user_pool, user_pool_client};
use synth::dynamodb::{self, table};
use synth::iam::Grant;
use synth::lambda::{self, Artifacts, FunctionHandle, HandlerFunction};
use synth::{
    Api, Content, Document, DocumentKind, EnvironmentVariable, Handle, Handler, HttpMethod, Stack, days, pseudo,
    seconds, sub,
};

use crate::deploy::boundary;
use crate::names::{EnvironmentNames, Names};
use crate::pipeline_manager::{DEPLOYER_TIMEOUT, deploy_stages};
use crate::{Environment, Project};

/// The API's stage. Each environment has an API of its own, so its one stage needs no telling name.
const STAGE: &str = "v1";
const ITEMS: &str = "/items";
const ITEM: &str = "/items/{category_name}";

/// The stack.
pub fn stack(stack: &mut Stack, project: &Project, environment: Environment) {
    let names = Names::of(project).environment(environment);
    stack.permissions_boundary(boundary::arn_of(&names));
    let code = Artifacts::from_asset(stack, "app", crate::architecture(project));

    let items = stack.add("Items", items_table(names.own("items")));
    let users = stack.add("Users", user_pool_of(names.own("users")));
    let client = stack.add("UsersClient", client_of(users));

    let make = Make {
        project,
        names,
        code: &code,
        items,
    };
    let list = stack.add(
        "ListItems",
        make.route::<ListItems>(ListItems::TABLE, Dynamodb::Query, "The user's items, a page at a time."),
    );
    let get = stack.add(
        "GetItem",
        make.route::<GetItem>(GetItem::TABLE, Dynamodb::GetItem, "One item of the user."),
    );
    let put = stack.add(
        "PutItem",
        make.route::<PutItem>(PutItem::TABLE, Dynamodb::PutItem, "Creates or changes an item."),
    );
    let delete = stack.add(
        "DeleteItem",
        make.route::<DeleteItem>(DeleteItem::TABLE, Dynamodb::DeleteItem, "Removes an item."),
    );
    let deployer = make
        .function::<StageDeployer>("Deploys the API's stage again when the API changes.")
        .timeout(DEPLOYER_TIMEOUT);
    let deployer = deploy_stages()
        .into_iter()
        .fold(deployer, |deployer, grant| deployer.allow(names.only_tagged(grant)));
    let deployer = stack.add("StageDeployer", deployer);

    let endpoint = rest_api::EndpointConfiguration::new().types([rest_api::EndpointType::Regional]);
    let api = apigateway::RestApi::new()
        .name(names.own("api"))
        .description("Each user's best place per category.");
    let mut api = Api::add(stack, "Api", api.endpoint_configuration(endpoint));
    let guard = Guard::add(stack, &mut api, users);
    api.route(stack, HttpMethod::Get, ITEMS, |method| {
        guard.signed_in(method).integration(proxy_to(list))
    });
    api.route(stack, HttpMethod::Get, ITEM, |method| {
        guard.signed_in(method).integration(proxy_to(get))
    });
    api.route(stack, HttpMethod::Put, ITEM, |method| {
        guard.with_item(method).integration(proxy_to(put))
    });
    api.route(stack, HttpMethod::Delete, ITEM, |method| {
        guard.signed_in(method).integration(proxy_to(delete))
    });
    list.permit(stack, "ListItemsPermission", GATEWAY, api.method_arn("GET", ITEMS));
    get.permit(stack, "GetItemPermission", GATEWAY, api.method_arn("GET", ITEM));
    put.permit(stack, "PutItemPermission", GATEWAY, api.method_arn("PUT", ITEM));
    delete.permit(stack, "DeleteItemPermission", GATEWAY, api.method_arn("DELETE", ITEM));

    let root = api.handle();
    let stage = api.deploy(stack, STAGE, deployer.arn(), |stage| stage.tracing_enabled(true));
    stack.output("Url", "The environment's API.", Api::url(root, stage));
    stack.output("UserPoolId", "The users of the environment.", users.id());
    stack.output(
        "UserPoolClientId",
        "The client that signs users in.",
        client.client_id(),
    );
}

/// The service that invokes the functions of routes.
const GATEWAY: &str = "apigateway.amazonaws.com";

/// One item a user and category; deleted with the environment, since an environment's data is for trying things out.
fn items_table(name: String) -> dynamodb::Table {
    let key = |name: &str, kind| table::KeySchemaProperties::new(name, kind);
    let text = |name: &str| table::AttributeDefinition::new(name, table::AttributeDefinitionAttributeType::S);
    dynamodb::Table::new([
        key("user_id", table::KeyType::Hash),
        key("category_name", table::KeyType::Range),
    ])
    .attribute_definitions([text("user_id"), text("category_name")])
    .table_name(name)
    .billing_mode(table::BillingMode::PayPerRequest)
    .sse_specification(table::SSESpecification::new(true))
}

/// Users sign in with their address; only administrators make them, since an environment is not for the public.
fn user_pool_of(name: String) -> cognito::UserPool {
    let password = user_pool::PasswordPolicy::new()
        .minimum_length(12)
        .require_lowercase(true)
        .require_numbers(true)
        .require_uppercase(true);
    cognito::UserPool::new()
        .user_pool_name(name)
        .username_attributes([user_pool::UsernameAttribute::Email])
        .auto_verified_attributes([user_pool::VerifiedAttribute::Email])
        .admin_create_user_config(user_pool::AdminCreateUserConfig::new().allow_admin_create_user_only(true))
        .policies(user_pool::Policies::new().password_policy(password))
}

/// A client without a secret, for programs that run at the user's.
fn client_of(users: Handle<cognito::UserPool>) -> cognito::UserPoolClient {
    use user_pool_client::{ExplicitAuthFlow, PreventUserExistenceErrors};
    cognito::UserPoolClient::new(users.id())
        .explicit_auth_flows([
            ExplicitAuthFlow::AllowUserPasswordAuth,
            ExplicitAuthFlow::AllowUserSrpAuth,
            ExplicitAuthFlow::AllowRefreshTokenAuth,
        ])
        .generate_secret(false)
        .prevent_user_existence_errors(PreventUserExistenceErrors::Enabled)
        .id_token_validity(1)
        .access_token_validity(1)
}

/// Makes the application's functions.
struct Make<'a> {
    project: &'a Project,
    names: EnvironmentNames<'a>,
    code: &'a Artifacts,
    items: Handle<dynamodb::Table>,
}

impl Make<'_> {
    fn function<H: Handler>(&self, description: &str) -> HandlerFunction<H> {
        lambda::handling::<H>(self.code, self.names.own(&H::NAME.replace('_', "-")))
            .description(description)
            .timeout(seconds(30))
            .log_retention(days(self.project.limits.retention_days.into()))
    }

    /// The function of a route, which does one thing to the table.
    #[track_caller]
    fn route<H: Handler>(&self, table: EnvironmentVariable, action: Dynamodb, description: &str) -> HandlerFunction<H> {
        self.function::<H>(description)
            .timeout(seconds(10))
            .environment(table, self.items.name())
            .allow(Grant::on([action], self.items.arn()))
    }
}

/// What stands before the functions: the users' tokens, and the form of bodies.
struct Guard {
    authorizer: Handle<apigateway::Authorizer>,
    validator: Handle<apigateway::RequestValidator>,
    item: Handle<apigateway::Model>,
}

impl Guard {
    fn add(stack: &mut Stack, api: &mut Api, users: Handle<cognito::UserPool>) -> Self {
        let id = api.handle().id();
        let authorizer = apigateway::Authorizer::new("users", id.clone(), authorizer::AuthorizerType::CognitoUserPools)
            .provider_arns([users.arn()])
            .identity_source("method.request.header.Authorization");
        let authorizer = stack.add("ApiAuthorizer", authorizer);
        let validator = apigateway::RequestValidator::new(id.clone())
            .name("body")
            .validate_request_body(true);
        let validator = stack.add("ApiBodyValidator", validator);
        let schema = ModelSchema::of::<NewItem>();
        stack.document(Document {
            name: "new-item.model.json".to_owned(),
            kind: DocumentKind::Model,
            content: Content::Json(schema.json().clone().into()),
        });
        let item = apigateway::Model::new(id.clone())
            .name("NewItem")
            .content_type("application/json")
            .schema(schema);
        let item = stack.add("ApiNewItem", item);
        let responses = [
            ("ApiClientError", gateway_response::GatewayResponseType::Default4xx),
            ("ApiServerError", gateway_response::GatewayResponseType::Default5xx),
        ];
        for (logical_id, kind) in responses {
            let message = [("application/json", "{\"message\":$context.error.messageString}")];
            let response = stack.add(
                logical_id,
                apigateway::GatewayResponse::new(kind, id.clone()).response_templates(message),
            );
            api.part(response);
        }
        Self {
            authorizer: api.part(authorizer),
            validator: api.part(validator),
            item: api.part(item),
        }
    }

    fn signed_in(&self, method: apigateway::Method) -> apigateway::Method {
        method
            .authorization_type(method::AuthorizationType::CognitoUserPools)
            .authorizer_id(self.authorizer.id())
    }

    fn with_item(&self, method: apigateway::Method) -> apigateway::Method {
        self.signed_in(method)
            .request_validator_id(self.validator.id())
            .request_models([("application/json", self.item.name())])
    }
}

/// Hands the request to a function as it came, see
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html>.
fn proxy_to<H: Handler>(function: FunctionHandle<H>) -> method::Integration {
    let invoke = sub![
        "arn:",
        pseudo::partition(),
        ":apigateway:",
        pseudo::region(),
        ":lambda:path/2015-03-31/functions/",
        function.arn(),
        "/invocations"
    ];
    method::Integration::new(method::IntegrationType::AwsProxy)
        .integration_http_method(HttpMethod::Post)
        .uri(invoke)
}
