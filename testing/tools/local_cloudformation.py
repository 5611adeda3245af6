"""What CloudFormation does and MiniStack's does not: the front has a say in every step of a resource.

Before a resource is created, updated or deleted, the front through which the stack's operation was asked for is told of it, with
the properties as they are resolved. It may refuse the step, change the properties that the resource is made with, or take the step
itself. What a stack, a change set or a template shows stays as it was sent.

The version of MiniStack is pinned, so its inner names may be relied on here. A step that nobody asked for through a front is
MiniStack's alone.
"""

import asyncio
import concurrent.futures
import contextvars
import html

from ministack.core import iam_evaluator
from ministack.services import dynamodb
from ministack.services.cloudformation import changesets, engine, handlers, provisioners, stacks

import local_failures
from local_front import FRONT, ask

# The type that only a front makes.
PIPELINE = "AWS::CodePipeline::Pipeline"


def acting(stack_name):
    """The role in whose name a stack is changed: its own, or that of whoever asks; none for who may do everything."""
    stack = local_failures.stack_of(stack_name)
    if stack.get("RoleARN"):
        return stack["RoleARN"]
    caller = iam_evaluator.caller_arn()
    if ":assumed-role/" not in caller:
        return None
    account, role = caller.split(":")[4], caller.split("/")[1]
    return f"arn:aws:iam::{account}:role/{role}"


def consult(**step):
    """The front's answer to a step, which blocks until it is given."""
    answer = ask("/_front/resource", {"Role": acting(step["Stack"]), **step})
    if "Refused" in answer:
        raise ValueError(answer["Refused"])
    return answer


def on_loop(loop, function, *arguments):
    """Calls a provisioner of MiniStack's where it expects to be called: on the event loop, alone.

    What it leaves in context variables is left in the caller's.
    """
    context = contextvars.copy_context()
    done = concurrent.futures.Future()

    def call():
        try:
            done.set_result(context.run(function, *arguments))
        except Exception as fault:  # noqa: BLE001  (it is the caller's)
            done.set_exception(fault)

    loop.call_soon_threadsafe(call)
    try:
        return done.result()
    finally:
        for variable, value in context.items():
            if variable.get(None) is not value:
                variable.set(value)


blocks = stacks._runs_on_worker_thread
create = stacks._provision_resource
update = stacks._update_resource
delete = stacks._delete_resource
LOOP = contextvars.ContextVar("loop", default=None)


def runs_on_worker_thread(resource_type):
    if FRONT.get() is None:
        return blocks(resource_type)
    LOOP.set(asyncio.get_running_loop())
    return True


def carry_out(resource_type, function, *arguments):
    if blocks(resource_type):
        return function(*arguments)
    return on_loop(LOOP.get(), function, *arguments)


def consulted_create(resource_type, logical_id, properties, stack_name):
    if FRONT.get() is None:
        return create(resource_type, logical_id, properties, stack_name)
    if local_failures.is_custom(resource_type):
        local_failures.created_in_vain(stack_name, logical_id, properties)
    answer = consult(
        Step="Create", Type=resource_type, LogicalId=logical_id, Stack=stack_name, Properties=properties
    )
    if "Made" in answer:
        return answer["Made"]["PhysicalId"], answer["Made"]["Attributes"]
    properties = answer["Proceed"].get("Properties") or properties
    return carry_out(resource_type, create, resource_type, logical_id, properties, stack_name)


def consulted_update(resource_type, physical_id, old, new, stack_name, logical_id="", old_attributes=None):
    if FRONT.get() is None or old == new:
        return update(resource_type, physical_id, old, new, stack_name, logical_id, old_attributes)
    answer = consult(
        Step="Update", Type=resource_type, LogicalId=logical_id, Stack=stack_name, Properties=new,
        Old={"PhysicalId": physical_id, "Properties": old},
    )
    if "Made" in answer:
        return answer["Made"]["PhysicalId"], answer["Made"]["Attributes"]
    new = answer["Proceed"].get("Properties") or new
    return carry_out(
        resource_type, update, resource_type, physical_id, old, new, stack_name, logical_id, old_attributes
    )


def consulted_delete(resource_type, physical_id, properties, stack_name=None, logical_id=None):
    if local_failures.is_kept(stack_name, logical_id):
        raise ValueError(local_failures.KEPT)
    if FRONT.get() is None:
        return delete(resource_type, physical_id, properties, stack_name, logical_id)
    answer = consult(
        Step="Delete", Type=resource_type, LogicalId=logical_id or "", Stack=stack_name or "",
        Properties=properties, Old={"PhysicalId": physical_id, "Properties": properties},
    )
    if "Made" in answer:
        return None
    return carry_out(resource_type, delete, resource_type, physical_id, properties, stack_name, logical_id)


def table_and_tags_deleted(physical_id, properties):
    """MiniStack keeps the tags of a table that a stack deletes, so the tagging service would list it for ever."""
    table = dynamodb._tables.get(physical_id) or {}
    delete_table(physical_id, properties)
    dynamodb._tags.pop(table.get("TableArn"), None)


TABLE = provisioners._RESOURCE_HANDLERS["AWS::DynamoDB::Table"]
delete_table = TABLE["delete"]
TABLE["delete"] = table_and_tags_deleted


def only_a_front(*_):
    raise ValueError(f"{PIPELINE} is made by the front, and this operation came through none")


stacks._runs_on_worker_thread = runs_on_worker_thread
stacks._provision_resource = consulted_create
stacks._update_resource = consulted_update
stacks._delete_resource = consulted_delete
provisioners._RESOURCE_HANDLERS[PIPELINE] = {"create": only_a_front, "delete": only_a_front}
provisioners._STACK_TAG_PROPERTY[PIPELINE] = ("Tags", "list")
# A user pool has the tags of `UserPoolTags` and no others: https://github.com/aws/aws-cdk/issues/14127.
del provisioners._STACK_TAG_PROPERTY["AWS::Cognito::UserPool"]


# ---------------------------------------------------------------------------------------------------------------------
# Requests. What needs no more than the template and the stacks is refused by the front itself.


# MiniStack asks for capabilities only where it enforces policies; CloudFormation always does.
handlers._capabilities_enforced = lambda: True


def missing_imports(template, parameters, stack_name, stack_id):
    """The exports that a template imports and nobody has, in order."""
    from ministack.services.cloudformation import _exports

    conditions = engine._evaluate_conditions(template, parameters)
    missing = []

    def look(value):
        if isinstance(value, list):
            for item in value:
                look(item)
        elif isinstance(value, dict):
            if "Fn::ImportValue" in value:
                name = engine._resolve_refs(
                    value["Fn::ImportValue"], {}, parameters, conditions, template.get("Mappings", {}), stack_name, stack_id
                )
                if _exports.get(str(name)) is None and name not in missing:
                    missing.append(name)
            for item in value.values():
                look(item)

    look([r for r in template.get("Resources", {}).values() if conditions.get(r.get("Condition"), True)])
    look(template.get("Outputs", {}))
    return missing


fails_validation = stacks._fail_property_validation


def fails_before_it_begins(stack, stack_id, stack_name, resources, ordered, parameters, conditions, mappings,
                           disable_rollback, previous_stack=None):
    """An import of nothing ends an operation before its first resource, at the stack itself."""
    template = {"Resources": {name: resources[name] for name in ordered}, "Mappings": mappings}
    missing = missing_imports(template, parameters, stack_name, stack_id)
    if not missing:
        return fails_validation(stack, stack_id, stack_name, resources, ordered, parameters, conditions, mappings,
                                disable_rollback, previous_stack=previous_stack)
    update = previous_stack is not None
    reason = f"No export named {missing[0]} found"
    if update:
        statuses = ["UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
                    "UPDATE_ROLLBACK_COMPLETE"]
        stack.update({key: value for key, value in previous_stack.items() if key in stack})
    else:
        reason += ". Rollback requested by user."
        statuses = ["ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE"]
    for status in statuses:
        first = reason if status == statuses[0] else ""
        stacks._add_event(stack_id, stack_name, stack_name, "AWS::CloudFormation::Stack", status, first, stack_id)
    stack["StackStatus"] = statuses[-1]
    stack["StackStatusReason"] = reason
    return True


stacks._fail_property_validation = fails_before_it_begins


def one(parameters, name):
    return (parameters.get(name) or [""])[0]


def change_set_of(parameters):
    stack = handlers._resolve_stack(one(parameters, "StackName")) or {}
    return changesets._find_change_set(one(parameters, "ChangeSetName"), stack.get("StackName", ""))[1]


def with_role(action):
    """A stack keeps the role of its last operation."""
    handler = handlers._ACTION_HANDLERS[action]

    def handled(parameters):
        change_set = change_set_of(parameters) if action == "ExecuteChangeSet" else None
        answer = handler(parameters)
        role = (change_set or {}).get("_role") or one(parameters, "RoleARN")
        stack = handlers._resolve_stack(change_set["StackName"] if change_set else one(parameters, "StackName"))
        if role and stack and answer[0] == 200:
            stack["RoleARN"] = role
        return answer

    return handled


def delete_stack(parameters):
    """A role that is given for a deletion is the stack's from then on."""
    stack = handlers._resolve_stack(one(parameters, "StackName"))
    if stack and one(parameters, "RoleARN"):
        stack["RoleARN"] = one(parameters, "RoleARN")
    return delete_asked(parameters)


def create_change_set(parameters):
    answer = create_set(parameters)
    change_set = change_set_of(parameters)
    if answer[0] != 200 or change_set is None:
        return answer
    change_set["_role"] = one(parameters, "RoleARN")
    missing = missing_imports(
        change_set["_template"], change_set["_resolved_params"], change_set["StackName"], change_set["StackId"]
    )
    stack = handlers._resolve_stack(change_set["StackName"]) or {}
    outputs = change_set["_template"].get("Outputs") or {}
    if missing:
        reason = f"No export named {missing[0]} found"
        change_set.update(Status="FAILED", ExecutionStatus="UNAVAILABLE", StatusReason=reason, Changes=[])
    elif change_set["Status"] == "FAILED" and outputs != (stack.get("_template", {}).get("Outputs") or {}):
        # Outputs are no resources, but a change of them is one.
        change_set.update(Status="CREATE_COMPLETE", ExecutionStatus="AVAILABLE", StatusReason="")
    return answer


def describe_stacks(parameters):
    from ministack.services.cloudformation import _stacks

    status, headers, body = describe(parameters)
    text = body.decode() if isinstance(body, bytes) else body
    for stack in _stacks.values():
        if "RoleARN" in stack:
            identity = f"<StackId>{html.escape(stack['StackId'])}</StackId>"
            text = text.replace(identity, f"{identity}<RoleARN>{html.escape(stack['RoleARN'])}</RoleARN>")
    return status, headers, text.encode() if isinstance(body, bytes) else text


delete_asked = handlers._ACTION_HANDLERS["DeleteStack"]
create_set = handlers._ACTION_HANDLERS["CreateChangeSet"]
describe = handlers._ACTION_HANDLERS["DescribeStacks"]
handlers._ACTION_HANDLERS["CreateChangeSet"] = create_change_set
handlers._ACTION_HANDLERS["DeleteStack"] = delete_stack
handlers._ACTION_HANDLERS["DescribeStacks"] = describe_stacks
for name in ("CreateStack", "UpdateStack", "ExecuteChangeSet"):
    handlers._ACTION_HANDLERS[name] = with_role(name)
