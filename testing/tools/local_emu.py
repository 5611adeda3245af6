"""Runs LocalEmu until standard input closes, on every Python from 3.11.

LocalEmu's metadata ask for 3.10, but some of its modules have the type parameters of Python 3.12 (`class Store[T]:`,
`type Name = …`) and an import of 3.13. They carry no meaning at run time, so an older Python is given them in its own words.
"""

import re
import runpy
import sys
import warnings
from importlib.machinery import SourceFileLoader

import lifetime


def in_older_words(source):
    """The source with type parameters as `typing.TypeVar` and `typing.Generic`."""
    names = set()

    def variables(parameters):
        own = [parameter.split(":")[0].strip() for parameter in parameters.split(",")]
        names.update(own)
        return ", ".join(own)

    def generic_class(found):
        indent, name, parameters, bases = found.groups()
        bases = [bases] if bases else []
        bases.append(f"__import__('typing').Generic[{variables(parameters)}]")
        return f"{indent}class {name}({', '.join(bases)}):"

    def generic_function(found):
        variables(found[2])
        return f"{found[1]}("

    source = re.sub(r"(?m)^( *)class (\w+)\[([^\]]*)\](?:\((.*)\))?:", generic_class, source)
    source = re.sub(r"(?m)^( *def \w+)\[([^\]]*)\]\(", generic_function, source)
    source = re.sub(r"(?m)^type (\w+ = )", r"\1", source)
    # On the first line, so that line numbers stay.
    defined = "; ".join(f"{name} = __import__('typing').TypeVar({name!r})" for name in sorted(names))
    return f"{defined}; {source}" if defined else source


def for_older_pythons():
    compiled = SourceFileLoader.source_to_code

    def source_to_code(self, data, path, **options):
        try:
            return compiled(self, data, path, **options)
        except SyntaxError:
            return compiled(self, in_older_words(data.decode()), path, **options)

    SourceFileLoader.source_to_code = source_to_code
    if not hasattr(warnings, "deprecated"):
        from typing_extensions import deprecated

        warnings.deprecated = deprecated


def with_headers_as_they_came():
    """`$input.params().header` as a map, which it is for API Gateway; LocalEmu hands templates a multi-map of another kind, which has no
    `keySet()` and finds a header under every spelling. Names stay as they were sent."""
    from localemu.services.apigateway.next_gen.execute_api.template_mapping import ApiGatewayVtlTemplate

    render = ApiGatewayVtlTemplate.render_request

    def rendered(self, template, variables, context_overrides):
        params = variables["input"]["params"]
        params = {**params, "header": dict(params["header"].items())}
        variables = {**variables, "input": {**variables["input"], "params": params}}
        return render(self, template, variables, context_overrides)

    ApiGatewayVtlTemplate.render_request = rendered


lifetime.watch()
for_older_pythons()
with_headers_as_they_came()
sys.argv = ["localemu"]
runpy.run_module("localemu.runtime.main", run_name="__main__")
