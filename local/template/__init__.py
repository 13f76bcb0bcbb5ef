"""template.yaml as typed values, and the tables, queues and buckets that it declares, made in an emulator.

template = load(Path("template.yaml"), parameters={"ArcSize": "5"})
resources = create_resources(boto3.Session(), template)        # {"AppsTable": "AppsTable", ...}
environment = template.functions["deliver"].variables(resources)
"""

from local.template.intrinsics import Joined, Reference, TemplateError, Text
from local.template.model import (
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
from local.template.read import load
from local.template.resources import create_resources

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
    "create_resources",
    "load",
]
