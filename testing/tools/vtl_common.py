"""What both engines share: the job format, and the parts of `$input` and `$util` that are plain data.

A job set comes in on standard input as `{"jobs": [{"template", "request"}], "jars": [path]}`; the answers go out on standard
output as a list, one for each job, in order: `{"body", "request_override", "response_override", "unresolved"}` or `{"refused"}`.
"""

import json
import re
import sys


class Refused(Exception):
    """The template asks for something that API Gateway, or this stand-in for it, does not have."""


def parameter(request, name):
    """`$input.params(name)`: path, then query string, then headers; the empty string where none has it."""
    for place in ("path", "querystring", "header"):
        if name in request["params"][place]:
            return request["params"][place][name]
    return ""


def select(document, path):
    """The part of JSONPath that mapping templates live on: `$`, `.name`, `['name']` and `[0]`. A path to nothing is None."""
    if not path.startswith("$"):
        raise Refused(f"JSONPath {path!r} does not begin with '$'")
    rest, here = path[1:], document
    while rest:
        step = re.match(r"\.([A-Za-z_][\w-]*)|\[(\d+)\]|\['([^']*)'\]|\[\"([^\"]*)\"\]", rest)
        if step is None:
            raise Refused(f"JSONPath {path!r}: {rest!r} is none of .name, ['name'] and [0]")
        rest = rest[step.end() :]
        if step[2] is not None:
            position = int(step[2])
            here = here[position] if isinstance(here, list) and position < len(here) else None
        else:
            key = step[1] or step[3] or step[4]
            here = here.get(key) if isinstance(here, dict) else None
    return here


def parsed_body(request):
    try:
        return json.loads(request["body"]) if request["body"] else {}
    except ValueError as fault:
        raise Refused(f"the request's body is not JSON: {fault}") from None


def to_json(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def context_of(request):
    """`$context` with the two maps that a template may write to."""
    return {
        **request["context"],
        "requestOverride": {"header": {}, "path": {}, "querystring": {}},
        "responseOverride": {"header": {}},
    }


def answer(render):
    """Reads the jobs, answers each with `render(template, request)`, and writes the answers as ASCII so that no locale matters."""
    asked = json.load(sys.stdin)
    answers = []
    for job in asked["jobs"]:
        try:
            answers.append(render(job["template"], job["request"]))
        except Refused as fault:
            answers.append({"refused": str(fault)})
    json.dump(answers, sys.stdout)
