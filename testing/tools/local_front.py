"""The front through which a request came to MiniStack, and how it is asked something in return."""

import contextvars
import http.client
import json

from ministack.core import responses

# Tasks and threads that a request starts inherit it.
FRONT = contextvars.ContextVar("front", default=None)

# What is asked may wait for what the front has running, such as an execution that is started.
PATIENCE = 300


def attributed(app):
    """The application, which remembers for each request through which front it came.

    What nobody signed is asked of the front's account: an API that a stack has deployed, the sign-in of its users.
    """

    async def asked(scope, receive, send):
        headers = dict(scope.get("headers", ()))
        front, _, account = headers.get(b"x-front", b"").decode().partition(" ")
        if front:
            FRONT.set(front)
            responses._request_account_id.set(account)
        await app(scope, receive, send)

    return asked


def ask(path, told):
    """The front's answer, which blocks until it is given: never to be called on the event loop."""
    connection = http.client.HTTPConnection(FRONT.get(), timeout=PATIENCE)
    try:
        connection.request("POST", path, json.dumps(told), {"content-type": "application/json"})
        response = connection.getresponse()
        body = response.read().decode()
    finally:
        connection.close()
    if response.status != 200:
        raise ValueError(f"the front answered {response.status}: {body}")
    return json.loads(body)
