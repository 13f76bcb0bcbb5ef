"""CloudFormation's YAML tags and functions. A resource stays a Reference until it exists."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


class TemplateError(Exception):
    """The template has a form that this reader does not understand."""


@dataclass(frozen=True, slots=True)
class Reference:
    """The later value of `!Ref` (attribute None) or `!GetAtt` of a resource."""

    logical_id: str
    attribute: str | None = None


@dataclass(frozen=True, slots=True)
class Joined:
    """A text with references in it."""

    parts: tuple[str | Reference, ...]


type Text = str | Reference | Joined


class _Loader(yaml.CSafeLoader):
    """YAML with CloudFormation's short tags, read as their long forms; by libyaml, ten times as fast."""


def _tagged(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    match node:
        case yaml.ScalarNode():
            value = loader.construct_scalar(node)
        case yaml.SequenceNode():
            value = loader.construct_sequence(node, deep=True)
        case yaml.MappingNode():
            value = loader.construct_mapping(node, deep=True)
        case _:
            raise TemplateError(f"!{suffix}: not a scalar, list or map")
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _tagged)


def read_yaml(path: Path) -> dict[str, Any]:
    with path.open(encoding="utf-8") as file:
        document = yaml.load(file, Loader=_Loader)  # nosec B506  # _Loader is a SafeLoader
    if not isinstance(document, dict):
        raise TemplateError(f"{path} is not a template")
    return document


_ABSENT = object()
_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")


class Evaluator:
    """Works out a template's expressions for given parameters. `pseudo` holds AWS::Region and its like."""

    def __init__(
        self, document: Mapping[str, Any], parameters: Mapping[str, str], pseudo: Mapping[str, str]
    ) -> None:
        self._conditions: Mapping[str, Any] = document.get("Conditions") or {}
        self._mappings: Mapping[str, Any] = document.get("Mappings") or {}
        self._resources: Mapping[str, Any] = document.get("Resources") or {}
        self._parameters = {**parameter_values(document.get("Parameters") or {}, parameters), **pseudo}
        self._functions: Mapping[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Condition": self.condition,
            "Fn::Sub": self._sub,
            "Fn::GetAtt": self._get_att,
            "Fn::If": self._if,
            "Fn::Equals": lambda pair: self.value(pair[0]) == self.value(pair[1]),
            "Fn::And": lambda terms: all(self.value(term) for term in terms),
            "Fn::Or": lambda terms: any(self.value(term) for term in terms),
            "Fn::Not": lambda terms: not self.value(terms[0]),
            "Fn::Join": self._join,
            "Fn::Split": lambda pair: self.value(pair[1]).split(pair[0]),
            "Fn::Select": lambda pair: self.value(pair[1])[int(self.value(pair[0]))],
            "Fn::FindInMap": self._find_in_map,
        }

    def value(self, node: Any) -> Any:
        if isinstance(node, list):
            return [value for value in map(self.value, node) if value is not _ABSENT]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            name, argument = next(iter(node.items()))
            if name in self._functions:
                return self._functions[name](argument)
            if str(name).startswith("Fn::"):
                raise TemplateError(f"{name} is not understood here")
        values = ((key, self.value(inner)) for key, inner in node.items())
        return {key: value for key, value in values if value is not _ABSENT}

    def condition(self, name: str) -> bool:
        if name not in self._conditions:
            raise TemplateError(f"there is no condition {name}")
        return bool(self.value(self._conditions[name]))

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _ABSENT
        if name in self._parameters:
            return self._parameters[name]
        if name in self._resources:
            return Reference(name)
        raise TemplateError(f"!Ref {name}: neither a parameter nor a resource")

    def _get_att(self, argument: str | list[Any]) -> Reference:
        logical_id, attribute = (
            argument.split(".", 1) if isinstance(argument, str) else map(self.value, argument)
        )
        if logical_id not in self._resources:
            raise TemplateError(f"!GetAtt {logical_id}.{attribute}: there is no such resource")
        return Reference(logical_id, attribute)

    def _sub(self, argument: str | list[Any]) -> Text:
        text, names = (argument, {}) if isinstance(argument, str) else argument
        parts: list[Any] = []
        end = 0
        for found in _PLACEHOLDER.finditer(text):
            parts.append(text[end : found.start()])
            parts.append(self._placeholder(found[1].strip(), names))
            end = found.end()
        return joined([*parts, text[end:]])

    def _placeholder(self, name: str, names: Mapping[str, Any]) -> Any:
        if name.startswith("!"):
            return f"${{{name[1:]}}}"
        if name in names:
            return self.value(names[name])
        return self._get_att(name) if "." in name else self._ref(name)

    def _if(self, argument: list[Any]) -> Any:
        name, then, otherwise = argument
        return self.value(then if self.condition(name) else otherwise)

    def _join(self, argument: list[Any]) -> Text:
        separator, values = argument[0], self.value(argument[1])
        return joined([part for value in values for part in (separator, value)][1:])

    def _find_in_map(self, argument: list[Any]) -> Any:
        name, first, second = map(self.value, argument)
        try:
            return self.value(self._mappings[name][first][second])
        except KeyError as missing:
            raise TemplateError(f"!FindInMap {name}, {first}, {second}: {missing} is missing") from missing


def parameter_values(declared: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    if unknown := sorted(given.keys() - declared.keys()):
        raise TemplateError(f"the template has no parameter {', '.join(unknown)}")
    values = {name: given.get(name, rule.get("Default")) for name, rule in declared.items()}
    if missing := sorted(name for name, value in values.items() if value is None):
        raise TemplateError(f"parameters without a value: {', '.join(missing)}")
    for name, rule in declared.items():
        allowed = [scalar(value) for value in rule.get("AllowedValues", [])]
        if allowed and scalar(values[name]) not in allowed:
            raise TemplateError(f"parameter {name} is {values[name]}, not one of {', '.join(allowed)}")
    lists = {name for name, rule in declared.items() if str(rule["Type"]).endswith(("List", ">"))}
    return {
        name: [part.strip() for part in scalar(value).split(",")] if name in lists else scalar(value)
        for name, value in values.items()
    }


def scalar(value: Any) -> str:
    """A scalar as CloudFormation passes it on: always a text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise TemplateError(f"{value!r} is not a text or a number")


def text(value: Any) -> Text:
    return value if isinstance(value, Reference | Joined) else scalar(value)


def joined(values: list[Any]) -> Text:
    """The texts put together; one text if no reference is among them."""
    parts: list[str | Reference] = []
    for value in map(text, values):
        for part in value.parts if isinstance(value, Joined) else (value,):
            if isinstance(part, str) and parts and isinstance(parts[-1], str):
                parts[-1] += part
            elif part != "":
                parts.append(part)
    if not parts:
        return ""
    return parts[0] if len(parts) == 1 else Joined(tuple(parts))
