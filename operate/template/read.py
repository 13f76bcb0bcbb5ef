"""From the text of template.yaml to typed values."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from operate.template.intrinsics import Evaluator, Reference, TemplateError, read_yaml, text
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

_TABLE_ARGUMENTS = (
    "AttributeDefinitions",
    "KeySchema",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
    "BillingMode",
    "ProvisionedThroughput",
)
_QUEUE_ATTRIBUTES = {
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "DelaySeconds",
    "FifoQueue",
    "FifoThroughputLimit",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "SqsManagedSseEnabled",
    "VisibilityTimeout",
}


def load(
    path: Path,
    *,
    parameters: Mapping[str, str] | None = None,
    stack_name: str = "fanfare",
    region: str = "us-east-1",
    account: str = "000000000000",
) -> Template:
    """Reads the template with these parameters in place of their defaults. Errors: TemplateError."""
    document = read_yaml(path)
    pseudo = {
        "AWS::AccountId": account,
        "AWS::Partition": "aws",
        "AWS::Region": region,
        "AWS::StackName": stack_name,
        "AWS::URLSuffix": "amazonaws.com",
    }
    return _Reader(path.resolve().parent, document, Evaluator(document, parameters or {}, pseudo)).template()


class _Reader:
    def __init__(self, root: Path, document: Mapping[str, Any], evaluator: Evaluator) -> None:
        self._root = root
        self._document = document
        self._value = evaluator.value
        self._condition = evaluator.condition

    def template(self) -> Template:
        functions = [self._function(*one) for one in self._resources("AWS::Serverless::Function")]
        names = [function.name for function in functions]
        if len(set(names)) < len(names):
            raise TemplateError(f"two functions share a folder: {', '.join(sorted(names))}")
        apis = [properties for _, properties in self._resources("AWS::Serverless::HttpApi")]
        if len(apis) > 1:
            raise TemplateError("there is more than one HTTP API")
        return Template(
            functions=MappingProxyType({function.name: function for function in functions}),
            tables=MappingProxyType(dict(self._tables())),
            queues=MappingProxyType(dict(self._queues())),
            buckets=MappingProxyType({name: Bucket(name) for name, _ in self._resources("AWS::S3::Bucket")}),
            cors=self._cors(self._with_globals("HttpApi", apis[0] if apis else {})),
        )

    def _resources(self, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Logical ID and properties, not yet worked out, of the resources whose condition holds."""
        for logical_id, resource in (self._document.get("Resources") or {}).items():
            wanted = "Condition" not in resource or self._condition(resource["Condition"])
            if resource["Type"] == kind and wanted:
                yield logical_id, resource.get("Properties") or {}

    def _with_globals(self, section: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        everywhere: dict[str, Any] = self._document.get("Globals") or {}
        return dict(merged(everywhere.get(section) or {}, properties))

    def _function(self, logical_id: str, own: Mapping[str, Any]) -> Function:
        properties = self._with_globals("Function", own)

        def value(key: str, default: Any = None) -> Any:
            return self._value(properties[key]) if key in properties else default

        folder = self._root / value("CodeUri")
        events = {
            name: (event["Type"], event.get("Properties") or {})
            for name, event in value("Events", {}).items()
            if _yes((event.get("Properties") or {}).get("Enabled", True))
        }
        if strange := {kind for kind, _ in events.values()} - {"HttpApi", "DynamoDB", "SQS"}:
            raise TemplateError(f"{logical_id}: no events of type {', '.join(sorted(strange))} here")
        variables = value("Environment", {}).get("Variables", {})
        return Function(
            logical_id=logical_id,
            name=folder.name,
            folder=folder,
            handler=value("Handler"),
            timeout=int(value("Timeout", 3)),
            memory=int(value("MemorySize", 128)),
            recursive_loop=value("RecursiveLoop", "Terminate"),
            layers=tuple(self._layer(layer) for layer in value("Layers", [])),
            environment=MappingProxyType({name: text(given) for name, given in variables.items()}),
            routes=tuple(_route(event) for kind, event in events.values() if kind == "HttpApi"),
            streams=tuple(
                _stream(name, event) for name, (kind, event) in events.items() if kind == "DynamoDB"
            ),
            queues=tuple(
                _queue_source(name, event) for name, (kind, event) in events.items() if kind == "SQS"
            ),
        )

    def _layer(self, layer: Any) -> Path:
        for logical_id, properties in self._resources("AWS::Serverless::LayerVersion"):
            if layer == Reference(logical_id):
                return self._root / str(self._value(properties["ContentUri"]))
        raise TemplateError(f"{layer} is not a layer of this template")

    def _tables(self) -> Iterator[tuple[str, Table]]:
        for logical_id, properties in self._resources("AWS::DynamoDB::Table"):
            arguments = {key: self._value(properties[key]) for key in _TABLE_ARGUMENTS if key in properties}
            if stream := self._value(properties.get("StreamSpecification")):
                arguments["StreamSpecification"] = {"StreamEnabled": True, **stream}
            ttl = self._value(properties.get("TimeToLiveSpecification")) or {}
            enabled = _yes(ttl.get("Enabled", False))
            table = Table(logical_id, MappingProxyType(arguments), ttl["AttributeName"] if enabled else None)
            yield logical_id, table

    def _queues(self) -> Iterator[tuple[str, Queue]]:
        for logical_id, properties in self._resources("AWS::SQS::Queue"):
            values = {key: self._value(given) for key, given in properties.items()}
            redrive = values.get("RedrivePolicy") or {}
            queue = Queue(
                logical_id=logical_id,
                attributes=MappingProxyType(
                    {key: str(text(given)) for key, given in values.items() if key in _QUEUE_ATTRIBUTES}
                ),
                dead_letters=_logical_id(redrive["deadLetterTargetArn"]) if redrive else None,
                max_receive_count=int(redrive["maxReceiveCount"]) if redrive else None,
            )
            yield logical_id, queue

    def _cors(self, api: Mapping[str, Any]) -> Cors | None:
        if self._value(api.get("StageName", "$default")) != "$default":
            raise TemplateError("a named stage stands in the paths; only $default is known here")
        rules = self._value(api.get("CorsConfiguration"))
        if not rules:
            return None
        if not isinstance(rules, dict):
            raise TemplateError("CorsConfiguration is known here as a map only")
        return Cors(
            allow_origins=tuple(rules.get("AllowOrigins", ())),
            allow_methods=tuple(rules.get("AllowMethods", ())),
            allow_headers=tuple(rules.get("AllowHeaders", ())),
            expose_headers=tuple(rules.get("ExposeHeaders", ())),
            max_age=int(rules["MaxAge"]) if "MaxAge" in rules else None,
            allow_credentials=_yes(rules.get("AllowCredentials", False)),
        )


def merged(common: Any, own: Any) -> Any:
    """SAM's rule for Globals: maps are merged, lists put after one another, anything else replaced."""
    if isinstance(common, dict) and isinstance(own, dict):
        both = {key: merged(common[key], own[key]) for key in common.keys() & own.keys()}
        return {**common, **own, **both}
    if isinstance(common, list) and isinstance(own, list):
        return [*common, *own]
    return own


def _route(event: Mapping[str, Any]) -> Route:
    if str(event.get("PayloadFormatVersion", "2.0")) != "2.0":
        raise TemplateError("only payload format 2.0 is known here")
    path = event.get("Path", "$default")
    method = str(event.get("Method", "ANY")).upper()
    return Route("ANY" if method == "*" else method, path)


def _stream(name: str, event: Mapping[str, Any]) -> StreamSource:
    failure = event.get("DestinationConfig", {}).get("OnFailure")
    if failure and failure.get("Type", "S3") != "S3":
        raise TemplateError(f"{name}: what a stream gives up on goes to S3 here, not to {failure['Type']}")
    return StreamSource(
        name=name,
        table=_logical_id(event["Stream"]),
        starting_position=event["StartingPosition"],
        batch_size=int(event.get("BatchSize", 100)),
        window_seconds=float(event.get("MaximumBatchingWindowInSeconds", 0)),
        parallelization=int(event.get("ParallelizationFactor", 1)),
        max_retries=int(event.get("MaximumRetryAttempts", -1)),
        max_age_seconds=int(event.get("MaximumRecordAgeInSeconds", -1)),
        bisect=_yes(event.get("BisectBatchOnFunctionError", False)),
        report_failures=_reports_failures(event),
        filters=tuple(one["Pattern"] for one in event.get("FilterCriteria", {}).get("Filters", ())),
        failures_bucket=_logical_id(failure["Destination"]) if failure else None,
    )


def _queue_source(name: str, event: Mapping[str, Any]) -> QueueSource:
    if "FilterCriteria" in event:
        raise TemplateError(f"{name}: filters on queues are not known here")
    concurrency = event.get("ScalingConfig", {}).get("MaximumConcurrency")
    return QueueSource(
        name=name,
        queue=_logical_id(event["Queue"]),
        batch_size=int(event.get("BatchSize", 10)),
        window_seconds=float(event.get("MaximumBatchingWindowInSeconds", 0)),
        max_concurrency=None if concurrency is None else int(concurrency),
        report_failures=_reports_failures(event),
    )


def _reports_failures(event: Mapping[str, Any]) -> bool:
    return "ReportBatchItemFailures" in event.get("FunctionResponseTypes", ())


def _logical_id(value: Any) -> str:
    if not isinstance(value, Reference):
        raise TemplateError(f"{value!r} is not a resource of this template")
    return value.logical_id


def _yes(value: Any) -> bool:
    return value is True or value == "true"
