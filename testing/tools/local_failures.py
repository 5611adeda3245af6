"""What becomes of a stack whose resources fail, where MiniStack's goes another way than CloudFormation.

- A resource that failed to be deleted keeps what it depends on: CloudFormation deletes in the order of dependencies.
- What failed to be deleted in a rollback belongs to the stack still, and is deleted with it.
- A custom resource whose creation failed is asked to be deleted when the stack rolls back.
- `ListStackResources` shows what is gone as well, and why something failed.
"""

from ministack.services.cloudformation import handlers, stacks

# Why a resource that something still depends on is not deleted. It is no failure of the resource, and no event tells of it.
KEPT = "it is kept for what depends on it"
STACK = "AWS::CloudFormation::Stack"

add = stacks._add_event
roll_back = stacks._roll_back_operation

# What failed to be deleted in the operation at work on each stack.
failed = {}
# The properties that custom resources were to be created with, for which nobody answered.
in_vain = {}


def is_custom(resource_type):
    return resource_type.startswith("Custom::") or resource_type == "AWS::CloudFormation::CustomResource"


def created_in_vain(stack_name, logical_id, properties):
    """Remembers what a custom resource was to be created with."""
    in_vain[stack_of(stack_name).get("StackId"), logical_id] = properties


def stack_of(stack_name):
    from ministack.services.cloudformation import _stacks

    return _stacks.get(stack_name) or {}


def is_kept(stack_name, logical_id):
    """Whether something that could not be deleted depends on the resource."""
    stack = stack_of(stack_name)
    ids = failed.get(stack.get("StackId"))
    if not ids or logical_id in ids:
        return False
    definitions = (stack.get("_template") or {}).get("Resources", {})
    return logical_id in stacks._with_dependencies(list(ids), definitions, set(definitions))


def add_event(stack_id, stack_name, logical_id, resource_type, status, reason="", physical_id="", **more):
    if physical_id == stack_id:
        if status.endswith("_IN_PROGRESS"):
            failed.pop(stack_id, None)
    elif status == "DELETE_IN_PROGRESS" and is_kept(stack_name, logical_id) or reason == KEPT:
        return
    elif status == "DELETE_FAILED":
        failed.setdefault(stack_id, set()).add(logical_id)
    add(stack_id, stack_name, logical_id, resource_type, status, reason, physical_id, **more)


async def rolled_back(stack_name, stack_id, stack, operation, reason_override=""):
    definitions = (operation.get("template") or {}).get("Resources", {})
    vain = operation.get("failed_logical_id")
    kind = definitions.get(vain, {}).get("Type", "")
    created = operation.get("failed_update") is None and vain not in operation["created"]
    if is_custom(kind) and created and (stack_id, vain) in in_vain:
        stack["_resources"][vain] = {
            "PhysicalResourceId": f"{stack_name}-{vain}-1A2B3C4D5E6F",
            "ResourceType": kind,
            "Properties": in_vain.pop((stack_id, vain)),
        }
        operation["created"].append(vain)
    # A stack whose creation failed has not been given its template yet, which says what depends on what.
    stack["_template"] = stack.get("_template") or operation.get("template") or {}
    before = dict(stack.get("_resources", {}))
    await roll_back(stack_name, stack_id, stack, operation, reason_override)
    if stack["StackStatus"] == "ROLLBACK_FAILED":
        kept = {name: before[name] for name in stack["_rollback_failed"] if name in before}
        stack["_resources"].update(kept)


def list_stack_resources(parameters):
    from ministack.services.cloudformation import _stack_events

    name = (parameters.get("StackName") or [""])[0]
    known = name if name in _stack_events else (handlers._resolve_stack(name) or {}).get("StackId")
    if known is None:
        return handlers._error("ValidationError", f"Stack with id {name} does not exist")
    shown = {}
    for event in _stack_events.get(known, []):
        if event["PhysicalResourceId"] == known:
            continue
        before = shown.get(event["LogicalResourceId"], event)["PhysicalResourceId"]
        physical = event["PhysicalResourceId"] or before
        # What becomes of one that was replaced is not shown: another one has its place.
        if event["ResourceStatus"].startswith("DELETE_") and physical != before:
            continue
        shown[event["LogicalResourceId"]] = {**event, "PhysicalResourceId": physical}
    listed, token, refused = handlers._page(list(shown.values()), parameters, "ListStackResources")
    if refused:
        return refused
    names = ["LogicalResourceId", "PhysicalResourceId", "ResourceType", "ResourceStatus", "ResourceStatusReason"]
    members = ""
    for resource in listed:
        told = "".join(f"<{name}>{handlers._esc(resource[name])}</{name}>" for name in names if resource[name])
        members += f"<member>{told}<LastUpdatedTimestamp>{resource['Timestamp']}</LastUpdatedTimestamp></member>"
    result = f"<StackResourceSummaries>{members}</StackResourceSummaries>{token}"
    return handlers._xml(
        200, "ListStackResourcesResponse", f"<ListStackResourcesResult>{result}</ListStackResourcesResult>"
    )


stacks._add_event = add_event
stacks._roll_back_operation = rolled_back
handlers._roll_back_operation = rolled_back
handlers._ACTION_HANDLERS["ListStackResources"] = list_stack_resources
