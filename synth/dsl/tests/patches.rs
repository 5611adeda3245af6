//! The corrections in `synth-aws`'s `patches.json`, seen through what they generate: enums where the registry has plain
//! text, units where it has plain numbers, and a `Ref` where its identifier is compound.

use synth::{
    App, Arn, Element, Finding, Handle, Name, Node, Resource, Value, apigateway, check, cloudformation, cloudwatch,
    codebuild, codepipeline, cognito, dynamodb, events, iam, lambda, minutes, s3, scheduler, seconds, secretsmanager,
    sns,
};

fn handle<R>() -> Handle<R> {
    Handle::of(Element { stack: 0, index: 0 })
}

fn role() -> Value<Arn<iam::RoleResource>> {
    handle::<iam::RoleResource>().arn()
}

fn findings<R: Resource>(resource: R) -> Vec<Finding> {
    check(R::FACTS.properties, &resource.into_properties())
}

/// Whether a value is a `Ref`, not a `Fn::GetAtt`.
fn is_ref<T>(value: &Value<T>) -> bool {
    format!("{value:?}").starts_with("Intrinsic(Ref(")
}

#[test]
fn ref_is_named_after_what_it_returns() {
    assert!(is_ref(&handle::<apigateway::Authorizer>().id()));
    assert!(is_ref(&handle::<apigateway::Deployment>().id()));
    assert!(is_ref(&handle::<apigateway::Model>().name()));
    assert!(is_ref(&handle::<apigateway::RequestValidator>().id()));
    assert!(is_ref(&handle::<apigateway::Resource>().id()));
    assert!(is_ref(&handle::<apigateway::RestApi>().id()));
    assert!(is_ref(&handle::<apigateway::Stage>().name()));
    assert!(is_ref(&handle::<codebuild::Project>().name()));
    assert!(!is_ref(&handle::<codebuild::Project>().arn()));
    assert!(is_ref(&handle::<codebuild::ReportGroup>().arn()));
    assert!(is_ref(&handle::<codepipeline::Pipeline>().name()));
    assert!(is_ref(&handle::<cognito::UserPool>().id()));
    assert!(is_ref(&handle::<cognito::UserPoolClient>().client_id()));
    assert!(is_ref(&handle::<events::Rule>().name()));
    assert!(is_ref(&handle::<scheduler::Schedule>().name()));
    assert!(is_ref(&handle::<secretsmanager::Secret>().arn()));
    assert!(is_ref(&handle::<cognito::UserPoolDomain>().domain()));
    let project: Value<Name<codebuild::Project>> = handle::<codebuild::Project>().name();
    let secret: Value<Arn<secretsmanager::Secret>> = handle::<secretsmanager::Secret>().arn();
    assert!(is_ref(&project) && is_ref(&secret));
}

#[test]
fn a_build_project_is_made_of_enums() {
    use codebuild::project::{
        Artifacts, ArtifactsType, CacheMode, CacheType, CloudWatchLogsConfig, ComputeType, Environment,
        EnvironmentType, EnvironmentVariable, EnvironmentVariableType, ImagePullCredentialsType, LogsConfig,
        LogsStatus, ProjectCache, S3LogsConfig, Source, SourceType,
    };
    let project = codebuild::Project::new(
        Artifacts::new(ArtifactsType::Codepipeline).packaging(codebuild::project::Packaging::Zip),
        Environment::new(
            ComputeType::BuildGeneral1Small,
            "aws/codebuild/amazonlinux-aarch64-standard:3.0",
            EnvironmentType::ArmContainer,
        )
        .image_pull_credentials_type(ImagePullCredentialsType::Codebuild)
        .environment_variables([
            EnvironmentVariable::new("TABLE_NAME", "items").r#type(EnvironmentVariableType::Plaintext)
        ]),
        role(),
        Source::new(SourceType::Codepipeline),
    )
    .cache(ProjectCache::new(CacheType::Local).modes([CacheMode::LocalCustomCache]))
    .logs_config(
        LogsConfig::new()
            .cloud_watch_logs(CloudWatchLogsConfig::new(LogsStatus::Enabled))
            .s3_logs(S3LogsConfig::new(LogsStatus::Disabled)),
    )
    .timeout_in_minutes(minutes(20));
    assert_eq!(findings(project), []);
}

#[test]
fn a_build_may_take_36_hours_and_no_longer() {
    use codebuild::project::{Artifacts, ArtifactsType, ComputeType, Environment, EnvironmentType, Source, SourceType};
    let project = |timeout| {
        codebuild::Project::new(
            Artifacts::new(ArtifactsType::NoArtifacts),
            Environment::new(
                ComputeType::BuildLambda1gb,
                "aws/codebuild/standard:7.0",
                EnvironmentType::LinuxLambdaContainer,
            ),
            role(),
            Source::new(SourceType::NoSource),
        )
        .timeout_in_minutes(timeout)
    };
    assert_eq!(findings(project(minutes(2_160))), []);
    assert_eq!(
        findings(project(minutes(2_161)))[0].fault,
        "2161 is out of range, allowed are 5 to 2160"
    );
    assert_eq!(
        findings(project(seconds(90)))[0].fault,
        "90 seconds is no whole number of minutes, the unit of this property"
    );
}

#[test]
fn a_rest_method_is_made_of_enums() {
    use apigateway::method::{
        AuthorizationType, ContentHandling, HttpMethod, Integration, IntegrationResponse, IntegrationType,
        PassthroughBehavior,
    };
    let integration = Integration::new(IntegrationType::Aws)
        .credentials(role())
        .integration_http_method(HttpMethod::Post)
        .passthrough_behavior(PassthroughBehavior::Never)
        .content_handling(ContentHandling::ConvertToText)
        .integration_responses([IntegrationResponse::new("600")]);
    let method = apigateway::Method::new(
        HttpMethod::Any,
        handle::<apigateway::Resource>().id(),
        handle::<apigateway::RestApi>().id(),
    )
    .authorization_type(AuthorizationType::CognitoUserPools)
    .authorizer_id(handle::<apigateway::Authorizer>().id())
    .request_validator_id(handle::<apigateway::RequestValidator>().id())
    .integration(integration);
    let findings = findings(method);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].path, "Integration.IntegrationResponses[0].StatusCode");
}

#[test]
fn the_rest_of_an_api_is_made_of_enums() {
    use apigateway::{authorizer, gateway_response, rest_api, stage};
    let authorizer = apigateway::Authorizer::new(
        "users",
        handle::<apigateway::RestApi>().id(),
        authorizer::AuthorizerType::CognitoUserPools,
    )
    .provider_arns([handle::<cognito::UserPool>().arn()])
    .authorizer_result_ttl_in_seconds(minutes(5));
    assert_eq!(findings(authorizer), []);
    let api = apigateway::RestApi::new()
        .endpoint_configuration(rest_api::EndpointConfiguration::new().types([rest_api::EndpointType::Regional]));
    assert_eq!(findings(api), []);
    let stage = apigateway::Stage::new(handle::<apigateway::RestApi>().id())
        .deployment_id(handle::<apigateway::Deployment>().id())
        .method_settings([stage::MethodSetting::new()
            .http_method(stage::MethodSettingHttpMethod::Any)
            .logging_level(stage::LoggingLevel::Error)]);
    assert_eq!(findings(stage), []);
    let response = apigateway::GatewayResponse::new(
        gateway_response::GatewayResponseType::BadRequestBody,
        handle::<apigateway::RestApi>().id(),
    )
    .status_code("400");
    assert_eq!(findings(response), []);
    let account = apigateway::Account::new().cloud_watch_role_arn(role());
    assert_eq!(findings(account), []);
}

#[test]
fn tables_pools_and_topics_are_made_of_enums() {
    use cognito::{user_pool, user_pool_client};
    use dynamodb::table::{BillingMode, KeySchemaProperties, KeyType};
    let table = dynamodb::Table::new([
        KeySchemaProperties::new("user_id", KeyType::Hash),
        KeySchemaProperties::new("category", KeyType::Range),
    ])
    .billing_mode(BillingMode::PayPerRequest);
    assert_eq!(findings(table), []);
    let pool = cognito::UserPool::new()
        .mfa_configuration(user_pool::MfaConfiguration::Optional)
        .auto_verified_attributes([user_pool::VerifiedAttribute::Email]);
    assert_eq!(findings(pool), []);
    let client = cognito::UserPoolClient::new(handle::<cognito::UserPool>().id())
        .explicit_auth_flows([user_pool_client::ExplicitAuthFlow::AllowUserSrpAuth])
        .prevent_user_existence_errors(user_pool_client::PreventUserExistenceErrors::Enabled);
    assert_eq!(findings(client), []);
    let subscription = sns::Subscription::new(sns::subscription::Protocol::EmailJson, handle::<sns::Topic>().arn());
    assert_eq!(findings(subscription), []);
}

#[test]
fn quantities_have_units() {
    let function = lambda::Function::new(lambda::function::Code::new(), role())
        .timeout(minutes(5))
        .memory_size(synth::mebibytes(256))
        .ephemeral_storage(lambda::function::EphemeralStorage::new(synth::gibibytes(1)));
    assert_eq!(function.into_properties().get("Timeout"), Some(&Node::Integer(300)));
    let alarm = cloudwatch::Alarm::new().period(minutes(5));
    assert_eq!(alarm.into_properties().get("Period"), Some(&Node::Integer(300)));
    let deployed = cloudformation::CustomResource::new("StageDeployment", lambda::arn_of("f"), minutes(5));
    let mut app = App::new();
    app.stack("pipeline", "", |stack| _ = stack.add("Current", deployed));
    let template = app.synthesize().unwrap().stacks.remove(0).template.to_yaml().unwrap();
    assert!(template.contains("      ServiceTimeout: 300\n"), "{template}");
    let rule = s3::bucket::AbortIncompleteMultipartUpload::new(synth::days(3));
    let Node::Object(rule) = Value::from(rule).into_node() else {
        panic!("an object")
    };
    assert_eq!(rule.get("DaysAfterInitiation"), Some(&Node::Integer(3)));
}

#[test]
fn pipelines_know_owners_providers_and_names() {
    use codepipeline::pipeline::{
        ActionCategory, ActionDeclaration, ActionOwner, ActionProvider, ActionTypeId, StageDeclaration,
    };
    let action = |name: &str| {
        ActionDeclaration::new(
            ActionTypeId::new(ActionCategory::Build, ActionOwner::Aws, ActionProvider::CodeBuild, "1"),
            name,
        )
        .timeout_in_minutes(minutes(30))
    };
    let pipeline = codepipeline::Pipeline::new(
        role(),
        [
            StageDeclaration::new([action("build")], "Build"),
            StageDeclaration::new([action("test")], "no spaces"),
        ],
    );
    let findings = findings(pipeline);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].path, "Stages[1].Name");
}
