"""API Gateway's integrations with other services, which MiniStack does not evaluate: the front does.

Authorizers, validators and gateway responses are MiniStack's. An integration of the type AWS with a service's action is the front's:
mapping templates, the call, and the choice among the integration responses. And request validators of stacks are made,
and methods have them, which MiniStack's CloudFormation does not do.
"""

import asyncio

from ministack.services import apigateway_v1
from ministack.services.cloudformation import provisioners

from local_front import FRONT, ask

of_function = apigateway_v1._invoke_lambda_custom_v1


async def integrated(integration, api_id, stage_name, stage, resource, request_path, method, headers, body, query_params,
                     path_params, **more):
    spec = apigateway_v1._parse_service_integration_uri(integration.get("uri", ""))
    if FRONT.get() is None or not spec or spec[2] != "action":
        return await of_function(integration, api_id, stage_name, stage, resource, request_path, method, headers, body,
                                 query_params, path_params, **more)
    told = {
        "Integration": integration,
        "Headers": {name: value if isinstance(value, str) else value[-1] for name, value in headers.items()},
        "Query": {name: values[0] for name, values in (query_params or {}).items()},
        "Path": path_params or {},
        "Body": body.decode("utf-8", "replace"),
        "StageVariables": stage.get("variables") or {},
        "Context": {
            "apiId": api_id,
            "stage": stage_name,
            "httpMethod": method,
            "path": f"/{stage_name}{request_path}",
            "resourcePath": resource["path"],
        },
    }
    answer = await asyncio.to_thread(ask, "/_front/integration", told)
    return answer["Status"], answer["Headers"], answer["Body"].encode()


apigateway_v1._invoke_lambda_custom_v1 = integrated

of_any_spelling = apigateway_v1._missing_request_parameters


def missing_as_spelled(method, request, headers, query_params):
    """A validator knows the one spelling of a header that the method declares; here names come as over HTTP/2, in lower case.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
    """
    place = "method.request.header."
    required = [name for name, needed in (method.get("requestParameters") or {}).items() if needed]
    spelled = [name.removeprefix(place) for name in required if name.startswith(place)]
    missing = of_any_spelling(method, request, headers, query_params)
    return missing + [name for name in spelled if name not in headers and name not in missing]


apigateway_v1._missing_request_parameters = missing_as_spelled


def validator_of(properties, identity):
    return {
        "id": identity,
        "name": properties.get("Name", ""),
        "validateRequestBody": provisioners._cfn_bool(properties.get("ValidateRequestBody", False)),
        "validateRequestParameters": provisioners._cfn_bool(properties.get("ValidateRequestParameters", False)),
    }


def make_validator(logical_id, properties, stack_name):
    identity = apigateway_v1._new_id()[:6]
    validators = apigateway_v1._request_validators.setdefault(properties["RestApiId"], {})
    validators[identity] = validator_of(properties, identity)
    return identity, {"RequestValidatorId": identity}


def change_validator(physical_id, old, new, stack_name):
    if any(new.get(name) != old.get(name) for name in ("RestApiId", "Name")):
        return make_validator(physical_id, new, stack_name)
    apigateway_v1._request_validators[new["RestApiId"]][physical_id] = validator_of(new, physical_id)
    return physical_id, {"RequestValidatorId": physical_id}


def delete_validator(physical_id, properties):
    # Its API may be gone already, with all that it had.
    apigateway_v1._request_validators.get(properties["RestApiId"], {}).pop(physical_id, None)


make_method = provisioners._apigw_method_create


def method_with_validator(logical_id, properties, stack_name):
    made = make_method(logical_id, properties, stack_name)
    resource = apigateway_v1._resources[properties["RestApiId"]][properties["ResourceId"]]
    resource["resourceMethods"][properties["HttpMethod"]]["requestValidatorId"] = properties.get("RequestValidatorId")
    return made


provisioners._apigw_method_create = method_with_validator
provisioners._RESOURCE_HANDLERS["AWS::ApiGateway::Method"]["create"] = method_with_validator
provisioners._RESOURCE_HANDLERS["AWS::ApiGateway::RequestValidator"] = {
    "create": make_validator,
    "update": change_validator,
    "delete": delete_validator,
}
