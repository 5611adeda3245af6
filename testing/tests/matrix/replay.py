#!/usr/bin/env python3
"""The functions on MiniStack: each asks the test's server, and returns or fails as that says, by the name that the handler's error had."""

import json
import os
import urllib.request

RUNTIME = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime"
NAME = os.environ["AWS_LAMBDA_FUNCTION_NAME"]

direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def post(url, value):
    with direct.open(url, json.dumps(value).encode()) as answer:
        return answer.read()


while True:
    with direct.open(f"{RUNTIME}/invocation/next") as invocation:
        identity = invocation.headers["lambda-runtime-aws-request-id"]
        event = json.load(invocation)
    told = json.loads(post(f"http://{os.environ['REPLAY']}/", {"function": NAME, "payload": event}))
    if "error" in told:
        fault = {"errorType": told["error"], "errorMessage": told["message"]}
        post(f"{RUNTIME}/invocation/{identity}/error", fault)
    else:
        post(f"{RUNTIME}/invocation/{identity}/response", told["result"])
