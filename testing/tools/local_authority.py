"""Whether a role of the account may do something, by MiniStack's own evaluation of IAM's policies.

MiniStack judges what callers ask of it, and only where it was told to enforce policies; what a service does with a role that was
passed to it is judged by nobody. So the front asks here what the role's policies say, its permissions boundary included:

- `Trusts`: the service that takes the role on, `cloudformation.amazonaws.com`;
- `Needs`: actions on resources, with the condition keys that the request decides. `TagsOf` is the resource whose tags count as those
  of the action's resource. An action whose resource is not given may reach any.

The answer is `Missing` or `Untrusted`, or what was `Asked` with the tags as they were, and the first need of it that is `Denied`.
"""

import dataclasses
import json

from ministack.core import iam_evaluator as iam
from ministack.core.responses import get_account_id
from ministack.services import apigateway_v1, cognito
from ministack.services import iam as roles
from ministack.services.tagging import resource_tags

PATH = "/_authority"
# Which service wrote a request decides nothing here: a trust policy's conditions are on that.
ASSUME = "sts:AssumeRole"


def trusts(document, service):
    statements = document.get("Statement", []) if isinstance(document, dict) else json.loads(document)["Statement"]
    statements = [statements] if isinstance(statements, dict) else statements
    matched = [
        statement["Effect"] for statement in statements
        if iam._action_matches(ASSUME, listed(statement.get("Action")), listed(statement.get("NotAction")))
        and iam._service_principal_matches(statement.get("Principal"), service)
    ]
    return "Allow" in matched and "Deny" not in matched


def listed(value):
    return [value] if isinstance(value, str) else value or []


def anywhere(layer):
    """The policies, as if each statement were for every resource."""
    return [[dataclasses.replace(one, resources=[], not_resources=[]) for one in policy] for policy in layer]


def tags_of(arn, region):
    """The tags of a resource, where MiniStack's evaluation does not find them by itself as well."""
    account, name = get_account_id(), arn.rsplit("/", 1)[-1]
    if ":apigateway:" in arn:
        return (apigateway_v1._rest_apis.get_scoped(account, region, name) or {}).get("tags")
    if ":cognito-idp:" in arn:
        return (cognito._user_pools.get_scoped(account, region, name) or {}).get("UserPoolTags")
    return resource_tags(arn)


def decision(need, arn, region, layers):
    resource = need["Resource"]
    context = {"aws:tagkeys": None, **{key.lower(): value for key, value in need["Context"].items()}}
    asked = iam.EvalContext(
        principal_arn=arn, principal_type="AssumedRole", principal_account=get_account_id(), action=need["Action"],
        resource_arn=resource or "*", region=region, secure_transport=True, service_context=context,
    )
    if resource is None:
        layers = [anywhere(layer) for layer in layers]
    return iam.evaluate(asked, *layers).decision


def judged(told):
    account = get_account_id()
    name = told["Role"].rsplit("/", 1)[-1]
    role = roles._roles.get_scoped(account, None, name)
    if role is None:
        return {"Missing": True}
    if told.get("Trusts") and not trusts(role["AssumeRolePolicyDocument"], told["Trusts"]):
        return {"Untrusted": True}
    layers = [iam._gather_role_policies(name, account), *iam._permissions_boundary(roles._roles, name, account)]
    arn = f"arn:aws:sts::{account}:assumed-role/{name}/{told['Session']}"
    for need in told["Needs"]:
        tags = tags_of(need["TagsOf"], told["Region"]) if need["TagsOf"] else None
        need["Context"].update({f"aws:ResourceTag/{key}": value for key, value in (tags or {}).items()})
        need["TagsOf"] = None
    asked = {"Asked": told["Needs"]}
    for need in told["Needs"]:
        decided = decision(need, arn, told["Region"], layers)
        if decided != "Allow":
            return {"Denied": {"Principal": arn, "Explicit": decided == "Deny", **need}, **asked}
    return asked


async def body_of(receive):
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return json.loads(body)


def answering(app):
    """The application, which answers for the account's roles as well."""

    async def answered(scope, receive, send):
        if scope["type"] != "http" or scope["path"] != PATH:
            await app(scope, receive, send)
            return
        answer = json.dumps(judged(await body_of(receive))).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": answer})

    return answered
