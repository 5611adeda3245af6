#!/usr/bin/env python3
"""Stands in for the functions' binary where only their being called matters: answers CloudFormation with success, and others,
API Gateway among them, with the event, the handler and the variables that it was started with."""

import json
import os
import urllib.request

RUNTIME = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime"

while True:
    with urllib.request.urlopen(f"{RUNTIME}/invocation/next") as invocation:
        identity = invocation.headers["lambda-runtime-aws-request-id"]
        event = json.load(invocation)
    if isinstance(event, dict) and "ResponseURL" in event:
        told = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
        told |= {"Status": "SUCCESS", "PhysicalResourceId": event.get("PhysicalResourceId", "made")}
        body = json.dumps(told).encode()
        urllib.request.urlopen(urllib.request.Request(event["ResponseURL"], data=body, method="PUT")).close()
    answer = {"event": event, "handler": os.environ["_HANDLER"], "variables": dict(os.environ)}
    if "httpMethod" in event:
        answer = {"statusCode": 200, "body": json.dumps(answer)}
    body = json.dumps(answer).encode()
    urllib.request.urlopen(urllib.request.Request(f"{RUNTIME}/invocation/{identity}/response", data=body)).close()
