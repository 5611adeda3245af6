"""Renders mapping templates in airspeed-ext, a Python reimplementation of Velocity: the second opinion, which shares no engine code."""

import base64
import json
import urllib.parse

import airspeed
from vtl_common import Refused, answer, context_of, parameter, parsed_body, select, to_json

JAVASCRIPT_ESCAPES = {
    "\b": "\\b",
    "\n": "\\n",
    "\t": "\\t",
    "\f": "\\f",
    "\r": "\\r",
    "'": "\\'",
    '"': '\\"',
    "\\": "\\\\",
    "/": "\\/",
}


def escape_javascript(value):
    """commons-lang 2.6's rules: everything outside printable ASCII becomes UTF-16 code units."""
    escaped = []
    for character in str(value):
        if character in JAVASCRIPT_ESCAPES:
            escaped.append(JAVASCRIPT_ESCAPES[character])
        elif " " <= character <= "\x7f":
            escaped.append(character)
        else:
            units = character.encode("utf-16-be", "surrogatepass")
            escaped.extend(f"\\u{high:02X}{low:02X}" for high, low in zip(units[::2], units[1::2]))
    return "".join(escaped)


class Input:
    def __init__(self, request):
        self.request, self.body = request, request["body"]

    def params(self, name=None):
        return self.request["params"] if name is None else parameter(self.request, name)

    def json(self, path):
        return to_json(select(parsed_body(self.request), path))

    def path(self, path):
        return select(parsed_body(self.request), path)


class Util:
    @staticmethod
    def base64Encode(value):
        return base64.b64encode(str(value).encode()).decode()

    @staticmethod
    def base64Decode(value):
        return base64.b64decode(str(value)).decode()

    escapeJavaScript = staticmethod(escape_javascript)

    @staticmethod
    def urlEncode(value):
        # java.net.URLEncoder keeps exactly these besides letters and digits, and writes a space as a plus sign.
        return urllib.parse.quote_plus(str(value), safe="*-._").replace("~", "%7E")

    @staticmethod
    def urlDecode(value):
        return urllib.parse.unquote_plus(str(value))

    @staticmethod
    def parseJson(value):
        return json.loads(value)


def render(template, request):
    context = context_of(request)
    names = {
        "input": Input(request),
        "util": Util(),
        "context": context,
        "stageVariables": request["stage_variables"],
    }
    try:
        body = airspeed.Template(template).merge(names)
    except (airspeed.TemplateError, ValueError, TypeError, KeyError, AttributeError, IndexError) as fault:
        raise Refused(f"airspeed: {fault}") from None
    return {
        "body": body,
        "request_override": context["requestOverride"],
        "response_override": context["responseOverride"],
        "unresolved": [],
    }


answer(render)
