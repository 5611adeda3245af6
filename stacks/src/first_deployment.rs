//! What only an account can show: the claims about AWS and GitHub that no check on this machine proves.
//!
//! They are the checklist of a first deployment, in the order in which it meets them. [`named_by`] recognises one by the words of what
//! failed, so that `deploy up` can say which it is. The claims that are proven here, and by whose word, are listed by the package
//! `testing`.

/// When a first deployment meets a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// While `deploy up` makes the shared stacks and the webhook.
    Up,
    /// While the first pull request is tested and deployed.
    Opened,
    /// When it is closed or merged.
    Closed,
    /// In the days after.
    Later,
}

/// A claim that only an account can show.
#[derive(Debug, PartialEq, Eq)]
pub struct Claim {
    /// A short name, by which the runbook and `deploy up` speak of it.
    pub name: &'static str,
    /// When it shows.
    pub moment: Moment,
    /// What is taken to be so.
    pub claim: &'static str,
    /// Where one sees whether it is.
    pub look_at: &'static str,
    /// What to do if it is not.
    pub if_it_fails: &'static str,
    /// What a failure of it says: each sign is words that must all occur, in any case of letters. None if no message tells it.
    signs: &'static [&'static [&'static str]],
}

impl Moment {
    /// For people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Up => "During `deploy up`",
            Self::Opened => "The first pull request",
            Self::Closed => "Its close or merge",
            Self::Later => "In the days after",
        }
    }
}

/// The claim that a failure contradicts, by the words of AWS or GitHub; none if they are those of no claim.
///
/// The first claim of the list that matches is it: a refusal for a missing right is told apart from a role that is too new to be used
/// before the general case is looked at.
pub fn named_by(words: &str) -> Option<&'static Claim> {
    let words = words.to_lowercase();
    CLAIMS.iter().find(|claim| {
        let mut signs = claim.signs.iter();
        signs.any(|sign| sign.iter().all(|part| words.contains(&part.to_lowercase())))
    })
}

/// The checklist.
pub const CLAIMS: &[Claim] = &[
    Claim {
        name: "new roles",
        moment: Moment::Up,
        claim: "A role that CloudFormation has just made can be assumed by the service that it is for.",
        look_at: "the events of the shared stacks: functions, pipelines, builds, the state machine and the schedule are made seconds after their roles",
        if_it_fails: "IAM takes up to a minute until a new role is known everywhere: run `deploy up` again",
        signs: &[
            &["cannot be assumed by Lambda"],
            &["not authorized to perform AssumeRole on role"],
            &["CodeBuild is not authorized to perform: sts:AssumeRole"],
            &["is authorized to assume the provided role"],
            &["must allow", "to assume the role"],
        ],
    },
    Claim {
        name: "account logs",
        moment: Moment::Up,
        claim: "API Gateway takes the account's log role as soon as the role is made, and the stage finds the setting.",
        look_at: "the resources `AccessLogs` and `WebhookStage`",
        if_it_fails: "run `deploy up` again; if the setting is somebody else's, set `webhook.manage_account_logs: false` and have them set it",
        signs: &[
            &["CloudWatch Logs role ARN must be set in account settings"],
            &["role ARN does not have required permissions", "API Gateway"],
        ],
    },
    Claim {
        name: "state machine's log",
        moment: Moment::Up,
        claim: "Step Functions may deliver its log with the rights that its documentation lists.",
        look_at: "the resource `PipelineManager`",
        if_it_fails: "run `deploy up` again; if it stays, look whether the account's CloudWatch Logs resource policies are full (10 a region, 5,120 characters each)",
        signs: &[&["not authorized to access the Log Destination"]],
    },
    Claim {
        name: "code in the bucket",
        moment: Moment::Up,
        claim: "Lambda reads a function's code with the rights of the role that CloudFormation works with.",
        look_at: "the first function of the pipeline manager's stack",
        if_it_fails: "let the service role read `code/*` of the artifacts bucket",
        signs: &[&["access has been denied by S3", "GetObject"]],
    },
    Claim {
        name: "functions start",
        moment: Moment::Up,
        claim: "The functions' binary runs on Lambda's machines, and the stage deployer answers CloudFormation.",
        look_at: "the resource `WebhookStageDeployment`, and the log group `/aws/lambda/<project>-webhook-deployer`",
        if_it_fails: "see the log: a wrong processor says `exec format error`, a wrong glibc names its version, a missing right names the action",
        signs: &[
            &["did not receive a response from your Custom Resource"],
            &["Failed to receive", "response", "custom resource"],
            &["Runtime.InvalidEntrypoint"],
            &["exec format error"],
        ],
    },
    Claim {
        name: "quotas",
        moment: Moment::Up,
        claim: "A new account's quotas have room for the shared stacks.",
        look_at: "`deploy doctor`, which counts those that can be read",
        if_it_fails: "ask for more in Service Quotas, then run `deploy up` again",
        signs: &[
            &["cannot exceed quota"],
            &["LimitExceeded"],
            &["limit exceeded"],
            &["ServiceQuotaExceeded"],
            &["maximum number of", "reached"],
            &["UnreservedConcurrentExecution below its minimum"],
        ],
    },
    Claim {
        name: "throttles",
        moment: Moment::Up,
        claim: "CloudFormation waits out the services' throttling while it makes the shared stacks.",
        look_at: "events with `Rate exceeded` or `Too Many Requests`",
        if_it_fails: "run `deploy up` again in a minute; nothing that is made is made twice",
        signs: &[
            &["Rate exceeded"],
            &["Too Many Requests"],
            &["TooManyRequests"],
            &["Throttling"],
        ],
    },
    Claim {
        name: "names",
        moment: Moment::Up,
        claim: "No other resource of the account, and no bucket of another one, has a name that the shared stacks need.",
        look_at: "`deploy doctor`, which looks for those that can be seen",
        if_it_fails: "remove what has the name, or choose another `project`",
        signs: &[
            &["already exists"],
            &["AlreadyExists"],
            &["bucket name is not available"],
            &["already owned by"],
        ],
    },
    Claim {
        name: "template",
        moment: Moment::Up,
        claim: "CloudFormation's loader takes the emitted templates, as cfn-lint and the rules that were found in public reports say.",
        look_at: "the refusal of the change set",
        if_it_fails: "it is a fault of the generated templates: report it with CloudFormation's words",
        signs: &[
            &["Template format error"],
            &["Template error"],
            &["'null' values are not allowed"],
            &["Invalid template"],
            &["extraneous key"],
            &["Properties validation failed"],
        ],
    },
    Claim {
        name: "region",
        moment: Moment::Up,
        claim: "Every resource type and every service in use is offered in the region.",
        look_at: "the refusal of the change set",
        if_it_fails: "choose a region of the README's list as `region`",
        signs: &[
            &["Unrecognized resource types"],
            &["not supported in this region"],
            &["not available in this region"],
        ],
    },
    Claim {
        name: "state machine",
        moment: Moment::Up,
        claim: "Step Functions takes the emitted definition, as asl-validator and the recorded executions say.",
        look_at: "the resource `PipelineManager`",
        if_it_fails: "it is a fault of the generated definition: report it with the words of Step Functions",
        signs: &[&["Invalid State Machine Definition"], &["SCHEMA_VALIDATION_FAILED"]],
    },
    Claim {
        name: "service role",
        moment: Moment::Up,
        claim: "The role that CloudFormation works with may do all that the handlers of its resource types call.",
        look_at: "the first event that failed: it names the action and the resource",
        if_it_fails: "add the action as a rule to `synth/aws/permissions.json`, apply `synth bootstrap` again, and report it",
        signs: &[
            &["is not authorized to perform"],
            &["not authorized to perform"],
            &["AccessDenied"],
            &["Access Denied"],
            &["HandlerErrorCode: UnauthorizedTaggingOperation"],
        ],
    },
    Claim {
        name: "webhook",
        moment: Moment::Up,
        claim: "API Gateway hands GitHub's ping to Step Functions through the mapping template, whatever the case of the headers' names, and answers 202.",
        look_at: "GitHub's page of the hook (Recent deliveries), the API's access log, the state machine's executions",
        if_it_fails: "400: a header was not found; 403: `webhook.allowed_ranges` lacks the sender; 502: the execution did not start, and the execution log says why",
        signs: &[&["GitHub's ping to", "was answered with"]],
    },
    Claim {
        name: "headers",
        moment: Moment::Opened,
        claim: "API Gateway shows a mapping template every header of a request, also those that the method does not declare.",
        look_at: "GitHub's page of the hook: the delivery is answered 202; a post without headers is answered 400",
        if_it_fails: "declare the three headers with `false` in the method's `RequestParameters`, and report it",
        signs: &[],
    },
    Claim {
        name: "null of a state",
        moment: Moment::Opened,
        claim: "Step Functions takes JSONata's `null` as the value of a task's argument.",
        look_at: "the first report's input in the state machine's execution: it has `\"url\": null`",
        if_it_fails: "report it: then the field is left out",
        signs: &[],
    },
    Claim {
        name: "source action",
        moment: Moment::Opened,
        claim: "CodePipeline starts on the object and version that `sourceRevisions` name, and finds it with the pipeline's role.",
        look_at: "the source stage of `<project>-unit-test`",
        if_it_fails: "the status says that the tests could not run; the action's message names the missing right or the object",
        signs: &[],
    },
    Claim {
        name: "build quota",
        moment: Moment::Opened,
        claim: "The account may run as many builds at once as pull requests are at work.",
        look_at: "Service Quotas, CodeBuild, \"Concurrently running builds\" of the project's machine; new accounts have 1 or 0",
        if_it_fails: "ask for more; until then builds queue, and refused ones are tried again",
        signs: &[],
    },
    Claim {
        name: "build image",
        moment: Moment::Opened,
        claim: "CodeBuild's image holds what its Dockerfile says, and the toolchain that the configuration names can be installed.",
        look_at: "the install phase of the unit-test build",
        if_it_fails: "name the toolchain exactly in `build.install`, or another image",
        signs: &[],
    },
    Claim {
        name: "local DynamoDB",
        moment: Moment::Opened,
        claim: "DynamoDB Local can be downloaded from AWS and starts in the build.",
        look_at: "the pre-build phase of the unit-test build",
        if_it_fails: "set `unit_test.local_dynamodb: false`, or fetch it from a place of your own in `unit_test.prepare`",
        signs: &[],
    },
    Claim {
        name: "package's tools",
        moment: Moment::Opened,
        claim: "The build image has `python3`, `zip` and the AWS CLI, with which the package is named after its content and uploaded.",
        look_at: "the post-build phase of the package build",
        if_it_fails: "name an image that has them in `build.image`",
        signs: &[],
    },
    Claim {
        name: "environment's role",
        moment: Moment::Opened,
        claim: "The environment's `CloudFormationRole` may make what the application's template holds, and its tags are there when they are asked for.",
        look_at: "the events of `<project>-pr-<n>-app`",
        if_it_fails: "the status names the resource and the action: add a rule to `synth/aws/permissions.json`, or the type to `stacks/src/deploy/services.rs`, and report it",
        signs: &[],
    },
    Claim {
        name: "tagged creation",
        moment: Moment::Opened,
        claim: "A user pool is made with its tags by `CreateUserPool` alone.",
        look_at: "the resource `Users` of `<project>-pr-<n>-app`",
        if_it_fails: "grant `cognito-idp:TagResource` with the request tag in `stacks/src/deploy/services.rs`, and report it",
        signs: &[],
    },
    Claim {
        name: "inherited tags",
        moment: Moment::Opened,
        claim: "The parts of a REST API carry its tags when IAM looks at them.",
        look_at: "the resources of type `AWS::ApiGateway::…` of `<project>-pr-<n>-app`",
        if_it_fails: "report it: then API Gateway's resources cannot be told apart by tag",
        signs: &[],
    },
    Claim {
        name: "teardown",
        moment: Moment::Closed,
        claim: "Everything that the stacks made is deleted, and the receipt says so.",
        look_at: "the comment's receipt; then the console: stacks, roles, log groups and objects with `pr-<n>`",
        if_it_fails: "`deploy down --pr <n>`; report what was left and what the receipt said of it",
        signs: &[],
    },
    Claim {
        name: "silent functions",
        moment: Moment::Closed,
        claim: "CloudFormation says of a custom resource that never answers what public reports show, and leaves one out that is retained, also when its creation failed.",
        look_at: "the stack's events after a deployment whose own function crashes at start",
        if_it_fails: "the teardown takes the time-out of the resource longer; report the words",
        signs: &[],
    },
    Claim {
        name: "stage",
        moment: Moment::Closed,
        claim: "A merge deploys `stage` with the rights of `stage` alone.",
        look_at: "the merge commit's status, and the stack `<project>-stage-app`",
        if_it_fails: "as for the environment's role",
        signs: &[],
    },
    Claim {
        name: "alarms",
        moment: Moment::Later,
        claim: "The alarms have data, are green, and turn red when the reconciler stands still.",
        look_at: "CloudWatch, the alarms with the project's name; disable the schedule for an hour to see the heartbeat's alarm",
        if_it_fails: "compare the alarm's metric and dimensions with those that CloudWatch lists, and report it",
        signs: &[],
    },
    Claim {
        name: "metrics of the webhook",
        moment: Moment::Later,
        claim: "A status that a mapping template sets counts in API Gateway's `4XXError` and `5XXError`, under the API's name and stage.",
        look_at: "CloudWatch, after a post without headers",
        if_it_fails: "put the alarm on a filter of the access log, and report it",
        signs: &[],
    },
    Claim {
        name: "costs",
        moment: Moment::Later,
        claim: "A day costs what the table of costs says.",
        look_at: "Cost Explorer, grouped by usage type, filtered by the tag `pipeline:project`",
        if_it_fails: "report which line differs",
        signs: &[],
    },
    Claim {
        name: "return",
        moment: Moment::Later,
        claim: "An `up` after `down --everything` takes back the table and the bucket that were kept.",
        look_at: "the plan that `up` shows: it says `Import`",
        if_it_fails: "import them by hand, or delete them if their data does not matter",
        signs: &[],
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// What public reports show of such failures, and the claim that each contradicts.
    const REPORTED: [(&str, &str, &str); 13] = [
        (
            "github.com/aws-samples/amazon-bedrock-knowledgebase-slackbot/issues/6",
            "Resource handler returned message: \"CloudWatch Logs role ARN must be set in account settings to enable logging (Service: ApiGateway, Status Code: 400, Request ID: REDACTED) (SDK Attempt Count: 1)\" (RequestToken: REDACTED, HandlerErrorCode: InvalidRequest)",
            "account logs",
        ),
        (
            "github.com/aws-cloudformation/rain/issues/163",
            "Resource handler returned message: \"The role ARN does not have required permissions configured. Please grant trust permission for API Gateway and add the required role policy. (Service: ApiGateway, Status Code: 400)\" (HandlerErrorCode: InvalidRequest)",
            "account logs",
        ),
        (
            "github.com/aws-samples/aws-ct-vpc-flowlogs/issues/1",
            "Resource handler returned message: \"The role defined for the function cannot be assumed by Lambda. (Service: Lambda, Status Code: 400, Request ID: b3ca3772, Extended Request ID: null)\"",
            "new roles",
        ),
        (
            "github.com/aws-quickstart/quickstart-trek10-serverless-enterprise-cicd/issues/10",
            "arn:aws:iam::162078207059:role/PipelineServiceRole is not authorized to perform AssumeRole on role arn:aws:iam::162078207059:role/CodePipelineServiceRole (Service: AWSCodePipeline; Status Code: 400; Error Code: InvalidStructureException)",
            "new roles",
        ),
        (
            "github.com/aws/aws-cdk/issues/26432",
            "Resource handler returned message: \"The state machine IAM Role is not authorized to access the Log Destination (Service: AWSStepFunctions; Status Code: 400; Error Code: AccessDeniedException; Proxy: null)\" (HandlerErrorCode: AccessDenied)",
            "state machine's log",
        ),
        (
            "github.com/aws-samples/aws-xray-cloudwatch-event/issues/2",
            "Your access has been denied by S3, please make sure your request credentials have permission to GetObject for lambdacodexcw/Archive.zip. S3 Error Code: AccessDenied. S3 Error Message: Access Denied (Service: AWSLambdaInternal; Status Code: 403; Error Code: AccessDeniedException)",
            "code in the bucket",
        ),
        (
            "github.com/aws-samples/aws-security-reference-architecture-examples/issues/162",
            "CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId [85c5c344]. If you are using the Python cfn-response module, you may need to update your Lambda function code so that CloudFormation can attach the updated version.",
            "functions start",
        ),
        (
            "github.com/awslabs/fhir-works-on-aws-deployment/issues/691",
            "Resource handler returned message: \"Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [10]. (Service: Lambda, Status Code: 400)\" (HandlerErrorCode: InvalidRequest)",
            "quotas",
        ),
        (
            "github.com/aws-amplify/amplify-hosting/issues/2597",
            "Resource handler returned message: \"User: arn:aws:sts::773544361988:assumed-role/us-east-1_T3koRnO6t_Full-access/amplifyadmin is not authorized to perform: states:CreateStateMachine on resource: arn:aws:states:us-east-1:773544361988:stateMachine:X because no identity-based policy allows the states:CreateStateMachine action (Service: AWSStepFunctions; Status Code: 400; Error Code: AccessDeniedException; Proxy: null)\" (HandlerErrorCode: AccessDenied)",
            "service role",
        ),
        (
            "github.com/aws/aws-cdk/issues/29164",
            "Template format error: [/Resources/Machine/Type/Definition] 'null' values are not allowed in templates",
            "template",
        ),
        (
            "github.com/aws/aws-cdk/issues/22229",
            "Resource handler returned message: \"Too Many Requests (Service: ApiGateway, Status Code: 429)\" (HandlerErrorCode: Throttling)",
            "throttles",
        ),
        (
            "docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html",
            "Cannot exceed quota for RolesPerAccount: 1000 (Service: Iam, Status Code: 409)",
            "quotas",
        ),
        (
            "docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html",
            "Resource handler returned message: \"Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: Field is not supported at /States/A' (Service: AWSStepFunctions; Status Code: 400; Error Code: InvalidDefinition)\"",
            "state machine",
        ),
    ];

    #[test]
    fn what_public_reports_show_is_recognised_as_the_claim_that_it_contradicts() {
        for (source, words, name) in REPORTED {
            let found = named_by(words).map(|claim| claim.name);
            assert_eq!(found, Some(name), "{source}: {words}");
        }
    }

    #[test]
    fn words_of_no_claim_name_none() {
        for words in [
            "",
            "WebhookStageDeployment (Custom::StageDeployment) is CREATE_FAILED: no such stage",
            "the change was not confirmed",
        ] {
            assert_eq!(named_by(words), None, "{words}");
        }
    }

    #[test]
    fn every_claim_of_deploy_up_is_recognised_by_something_and_no_name_stands_twice() {
        let names: BTreeSet<&str> = CLAIMS.iter().map(|claim| claim.name).collect();
        assert_eq!(names.len(), CLAIMS.len());
        for claim in CLAIMS {
            assert_eq!(claim.signs.is_empty(), claim.moment != Moment::Up, "{}", claim.name);
            assert!(
                !claim.look_at.is_empty() && !claim.if_it_fails.is_empty(),
                "{}",
                claim.name
            );
        }
        assert!(
            CLAIMS.is_sorted_by_key(|claim| claim.moment),
            "in the order in which they show"
        );
    }
}
