"""Loads YAML as CloudFormation does: PyYAML is a YAML 1.1 reader, and the short intrinsic tags become their long forms.

A list of YAML texts comes in on standard input as JSON; for each, `{"value"}` or `{"refused"}` goes out.
"""

import json
import sys

import yaml

# These two keep their own names; every other tag `!Name` is the function `Fn::Name`.
UNPREFIXED = {"Ref", "Condition"}
FUNCTIONS = UNPREFIXED | {
    "And",
    "Base64",
    "Cidr",
    "Equals",
    "FindInMap",
    "ForEach",
    "GetAtt",
    "GetAZs",
    "If",
    "ImportValue",
    "Join",
    "Length",
    "Not",
    "Or",
    "Select",
    "Split",
    "Sub",
    "ToJsonString",
    "Transform",
}


class Loader(yaml.SafeLoader):
    """PyYAML's safe loader, with duplicate keys refused (PyYAML keeps the last of them)."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"duplicate key {key!r}", node.start_mark)
        return super().construct_mapping(node, deep)


def intrinsic(loader, suffix, node):
    if suffix not in FUNCTIONS:
        raise yaml.constructor.ConstructorError(None, None, f"unknown intrinsic !{suffix}", node.start_mark)
    if isinstance(node, yaml.ScalarNode):
        # A scalar after a tag is text, whatever it looks like; only !GetAtt splits it.
        value = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in UNPREFIXED else f"Fn::{suffix}": value}


Loader.add_multi_constructor("!", intrinsic)
# CloudFormation takes an unquoted date as the text that it is: `AWSTemplateFormatVersion: 2010-09-09`.
Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda loader, node: loader.construct_scalar(node))


def plain(value):
    """JSON data: keys are always text."""
    if isinstance(value, dict):
        return {key if isinstance(key, str) else str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, (bytes, set)):
        raise ValueError(f"{value!r} has no counterpart in JSON")
    return value


def load(text):
    try:
        return {"value": plain(yaml.load(text, Loader))}
    except (yaml.YAMLError, ValueError) as fault:
        return {"refused": str(fault)}


json.dump([load(text) for text in json.load(sys.stdin)], sys.stdout)
