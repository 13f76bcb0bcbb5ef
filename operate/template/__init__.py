"""The typed values of template.yaml.

template = load(template_path(), parameters={"ArcSize": "5"})
environment = template.functions["deliver"].variables({"AppsTable": "AppsTable", ...})
"""

from operate.template.file import template_path
from operate.template.intrinsics import Joined, Reference, TemplateError, Text
from operate.template.model import (
    Bucket,
    Cors,
    Function,
    Queue,
    QueueSource,
    Route,
    StreamSource,
    Table,
    Template,
)
from operate.template.read import load

__all__ = [
    "Bucket",
    "Cors",
    "Function",
    "Joined",
    "Queue",
    "QueueSource",
    "Reference",
    "Route",
    "StreamSource",
    "Table",
    "Template",
    "TemplateError",
    "Text",
    "load",
    "template_path",
]
