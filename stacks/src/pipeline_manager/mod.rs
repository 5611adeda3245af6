//! What turns a webhook into tests, an environment and a status: the webhook API, the state machine, its functions, the records
//! of pull requests, the reconciler's schedule and the alarms.

mod account_logs;
mod alarms;
mod functions;
mod machine;
mod reports;
mod schedule;
mod stack_role;
mod templates;
mod webhook;

use synth::dynamodb::{self, table};
use synth::lambda::Artifacts;
use synth::secretsmanager::{self, secret};
use synth::stepfunctions::StateMachine;
use synth::{DeletionPolicy, Handle, Stack, days};

pub use machine::bound_minutes;
pub use schedule::{convergence_minutes, repairs_a_run};

pub(crate) use functions::{DEPLOYER_TIMEOUT, deploy_stages};
pub(crate) use webhook::STAGE as WEBHOOK_STAGE;

use crate::names::Names;
use crate::{Project, artifacts, unit_test};

/// What the stack takes from others.
#[derive(Debug, Clone)]
pub struct Imports {
    /// The artifacts bucket.
    pub artifacts: artifacts::Exports,
    /// The unit-test pipeline.
    pub unit_test: unit_test::Exports,
}

/// What the functions are given leave to use.
#[derive(Debug)]
struct Resources<'a> {
    project: &'a Project,
    names: Names<'a>,
    imports: &'a Imports,
    records: Handle<dynamodb::Table>,
    webhook_secret: Handle<secretsmanager::Secret>,
    github_credentials: Handle<secretsmanager::Secret>,
    stack_role: Handle<synth::iam::RoleResource>,
}

/// The stack.
pub fn stack(stack: &mut Stack, project: &Project, imports: &Imports) {
    let names = Names::of(project);
    let code = Artifacts::from_asset(stack, "bootstrap", crate::architecture(project));

    let records = stack.add("PullRequests", records(&names.shared("pull-requests")));
    stack
        .configure(records)
        .deletion_policy(DeletionPolicy::RetainExceptOnCreate);
    let webhook_secret = stack.add("WebhookSecret", generated_secret(&names.shared("webhook-secret")));
    let github_credentials = stack.add("GitHubCredentials", entered_secret(&names.shared("github-credentials")));
    for secret in [webhook_secret, github_credentials] {
        stack
            .configure(secret)
            .deletion_policy(DeletionPolicy::RetainExceptOnCreate);
    }
    let stack_role = stack_role::add(stack, project, imports);

    let resources = Resources {
        project,
        names,
        imports,
        records,
        webhook_secret,
        github_credentials,
        stack_role,
    };
    let functions = functions::add(stack, &resources, &code);
    let machine = StateMachine::standard(
        names.shared("pipeline-manager"),
        machine::definition_of(&functions, &project.limits),
    );
    let machine = stack.add(
        "PipelineManager",
        machine.log_retention(days(project.limits.retention_days.into())),
    );

    let deployer = functions::stage_deployer(stack, &resources, &code);
    templates::documents(stack, machine.machine);
    let account = account_logs::add(stack, &resources);
    let url = webhook::add(stack, &resources, machine.machine, deployer, account);
    schedule::add(stack, &resources, functions.reconcile);
    let watched = alarms::Watched {
        machine: machine.machine,
        reconcile: functions.reconcile,
    };
    alarms::add(stack, &resources, watched);

    stack.output("WebhookUrl", "Where GitHub posts its webhooks to.", url);
    stack.output(
        "WebhookSecretArn",
        "The secret that GitHub signs with; enter it with the webhook.",
        webhook_secret.arn(),
    );
    stack.output(
        "GitHubCredentialsArn",
        "The secret that takes a GitHub token or app key.",
        github_credentials.arn(),
    );
    stack.output("StateMachineArn", "The state machine.", machine.machine.arn());
}

/// One record a pull request: what is wanted of it, which execution works on it, what is deployed.
fn records(name: &str) -> dynamodb::Table {
    let key = |name: &str, kind| table::KeySchemaProperties::new(name, kind);
    let text = |name: &str| table::AttributeDefinition::new(name, table::AttributeDefinitionAttributeType::S);
    dynamodb::Table::new([
        key("repository", table::KeyType::Hash),
        key("number", table::KeyType::Range),
    ])
    .attribute_definitions([
        text("repository"),
        table::AttributeDefinition::new("number", table::AttributeDefinitionAttributeType::N),
    ])
    .table_name(name)
    .billing_mode(table::BillingMode::PayPerRequest)
    .point_in_time_recovery_specification(
        table::PointInTimeRecoverySpecification::new().point_in_time_recovery_enabled(true),
    )
    .sse_specification(table::SSESpecification::new(true))
}

/// The secret that GitHub signs with: made up by Secrets Manager, so that nobody ever has to type it into a template.
fn generated_secret(name: &str) -> secretsmanager::Secret {
    let generate = secret::GenerateSecretString::new()
        .password_length(40)
        .exclude_punctuation(true);
    secretsmanager::Secret::new()
        .name(name)
        .description("What GitHub signs webhooks with.")
        .generate_secret_string(generate)
}

/// The place for GitHub's credentials, whose value is entered after the deployment: a random one opens nothing.
fn entered_secret(name: &str) -> secretsmanager::Secret {
    let generate = secret::GenerateSecretString::new()
        .password_length(40)
        .exclude_punctuation(true);
    secretsmanager::Secret::new()
        .name(name)
        .description("A GitHub token or app key; enter it after the first deployment.")
        .generate_secret_string(generate)
}
