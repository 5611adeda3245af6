//! [`StateMachine`]: a definition with its role, its log group and its tracing.

use synth_aws::actions::{Logs, Xray};
use synth_aws::stepfunctions::state_machine::{
    CloudWatchLogsLogGroup, LogDestination, LoggingConfiguration, LoggingConfigurationLevel, StateMachineType,
    TracingConfiguration,
};
use synth_aws::{Arn, Duration, Handle, Value, days, logs, pseudo, stepfunctions as aws, sub};

use super::definition::Definition;
use crate::assembly::{Content, Document, DocumentKind};
use crate::iam::{self, Grant};
use crate::stack::{Construct, Stack};

/// A standard state machine whose role may invoke exactly the functions that its tasks name.
///
/// Adding it adds `<id>Logs`, `<id>Role` and `<id>`. Executions are traced; the log holds errors, without the data of the
/// states. See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-stepfunctions-statemachine.html>.
#[must_use]
#[derive(Debug)]
pub struct StateMachine {
    name: String,
    definition: Definition,
    retention: Duration,
}

/// A state machine after it was added to a stack.
#[derive(Debug, Clone, Copy)]
pub struct StateMachineHandle {
    /// The state machine.
    pub machine: Handle<aws::StateMachine>,
    /// Its role.
    pub role: Handle<iam::RoleResource>,
}

impl StateMachine {
    /// A standard state machine of this physical name; its log is kept for 30 days unless told otherwise.
    pub fn standard(name: impl Into<String>, definition: Definition) -> Self {
        Self {
            name: name.into(),
            definition,
            retention: days(30),
        }
    }

    /// How long the log is kept.
    pub fn log_retention(mut self, retention: Duration) -> Self {
        self.retention = retention;
        self
    }
}

impl Construct for StateMachine {
    type Handle = StateMachineHandle;

    #[track_caller]
    fn add_to(self, stack: &mut Stack, logical_id: &str) -> StateMachineHandle {
        for fault in self.definition.check() {
            stack.fault(logical_id, fault);
        }
        let group = logs::LogGroup::new()
            .log_group_name(format!("/aws/vendedlogs/states/{}", self.name))
            .retention_in_days(self.retention);
        let group = stack.add(format!("{logical_id}Logs"), group);

        let mut role = iam::Role::assumed_by("states.amazonaws.com").name(self.name.clone());
        for function in self.definition.invoked() {
            role = role.allow(Grant::on([synth_aws::actions::Lambda::InvokeFunction], function));
        }
        let deliver = [
            Logs::CreateLogDelivery,
            Logs::DeleteLogDelivery,
            Logs::DescribeLogGroups,
            Logs::DescribeResourcePolicies,
            Logs::GetLogDelivery,
            Logs::ListLogDeliveries,
            Logs::PutResourcePolicy,
            Logs::UpdateLogDelivery,
        ];
        let trace = [
            Xray::GetSamplingRules,
            Xray::GetSamplingTargets,
            Xray::PutTelemetryRecords,
            Xray::PutTraceSegments,
        ];
        role = role
            .allow(Grant::on_any_resource(
                deliver,
                "log deliveries have no resources to name",
            ))
            .allow(Grant::on_any_resource(trace, "X-Ray has no resources to name"));
        let role = stack.add(format!("{logical_id}Role"), role);

        let definition = self.definition.to_node();
        let document = Document {
            name: format!("{}.asl.json", self.name),
            kind: DocumentKind::StateMachine,
            content: Content::Json(definition.clone()),
        };
        stack.document(document);
        let destination = CloudWatchLogsLogGroup::new().log_group_arn(group.arn());
        let logging = LoggingConfiguration::new()
            .destinations([LogDestination::new().cloud_watch_logs_log_group(destination)])
            .include_execution_data(false)
            .level(LoggingConfigurationLevel::Error);
        let machine = aws::StateMachine::new(role.arn())
            .state_machine_name(self.name.as_str())
            .state_machine_type(StateMachineType::Standard)
            .logging_configuration(logging)
            .tracing_configuration(TracingConfiguration::new().enabled(true))
            .definition(Value::from_node(definition));
        StateMachineHandle {
            machine: stack.add(logical_id, machine),
            role,
        }
    }
}

/// The ARN of a state machine by its physical name, for where a handle would close a circle of resources.
pub fn arn_of(name: &str) -> Value<Arn<aws::StateMachine>> {
    sub![
        "arn:",
        pseudo::partition(),
        ":states:",
        pseudo::region(),
        ":",
        pseudo::account_id(),
        ":stateMachine:",
        name
    ]
    .trusted()
}
