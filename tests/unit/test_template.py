"""Reading template.yaml: CloudFormation's expressions, SAM's Globals, and their values."""

from pathlib import Path
from textwrap import dedent, indent

import pytest

from operate.template import Joined, Reference, Route, Template, TemplateError, load
from operate.template.read import merged

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def write(tmp_path: Path) -> "Write":
    return Write(tmp_path / "template.yaml")


class Write:
    """Builds a template from its sections and loads it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, resources: str = "", before: str = "", **parameters: str) -> Template:
        text = dedent(before) + "\nResources:\n" + indent(dedent(resources), "  ")
        self._path.write_text(text)
        return load(self._path, parameters=parameters)

    def environment(self, value: str, before: str = "", **parameters: str) -> object:
        """Return the value as a function's only variable."""
        function = f"""
            Other: {{ Type: AWS::SQS::Queue }}
            Function:
              Type: AWS::Serverless::Function
              Properties: {{ CodeUri: here/, Handler: h, Environment: {{ Variables: {{ V: {value} }} }} }}
            """
        return self(function, before, **parameters).functions["here"].environment.get("V")


_PARAMETERS = """
    Parameters:
      Size: { Type: Number, Default: 5 }
      Names: { Type: CommaDelimitedList, Default: "a, b" }
      Stage: { Type: String, Default: dev, AllowedValues: [dev, prod] }
    Conditions:
      Live: !Equals [!Ref Stage, prod]
      Idle: !Not [!Condition Live]
      Either: !Or [!Condition Live, !Equals [!Ref Size, "9"]]
      Both: !And [!Condition Live, !Equals [!Ref Size, "9"]]
    Mappings:
      Colours: { dev: { sky: grey }, prod: { sky: blue } }
    """


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("plain", "plain"),
        ("7", "7"),
        ("true", "true"),
        ("!Ref Size", "5"),
        ("!Ref AWS::Region", "us-east-1"),
        ("!Sub '/${AWS::StackName}/x/${!kept}'", "/fanfare/x/${kept}"),
        ("!Sub ['${A}-${Stage}', { A: !Ref Size }]", "5-dev"),
        ("!Join ['-', [x, !Ref Size, y]]", "x-5-y"),
        ("!Select [1, !Ref Names]", "b"),
        ("!Select [0, !Split [':', 'k:l']]", "k"),
        ("!If [Live, yes-live, not-live]", "not-live"),
        ("!If [Idle, idle, busy]", "idle"),
        ("!If [Either, one, none]", "none"),
        ("!If [Both, both, not-both]", "not-both"),
        ("!FindInMap [Colours, !Ref Stage, sky]", "grey"),
        ("!If [Live, x, !Ref AWS::NoValue]", None),
        ("!Ref Other", Reference("Other")),
        ("!GetAtt Other.Arn", Reference("Other", "Arn")),
        ("!GetAtt [Other, Arn]", Reference("Other", "Arn")),
        ("!Sub '${Other}'", Reference("Other")),
        ("!Sub 'a/${Other.QueueName}/${Size}b'", Joined(("a/", Reference("Other", "QueueName"), "/5b"))),
    ],
)
def test_expressions(write: Write, expression: str, value: object) -> None:
    assert write.environment(expression, _PARAMETERS) == value


def test_parameters_given_replace_defaults(write: Write) -> None:
    assert write.environment("!If [Both, !FindInMap [Colours, !Ref Stage, sky], x]", _PARAMETERS) == "x"
    blue = write.environment(
        "!If [Both, !FindInMap [Colours, !Ref Stage, sky], x]", _PARAMETERS, Stage="prod", Size="9"
    )
    assert blue == "blue"


@pytest.mark.parametrize(
    ("expression", "parameters", "complaint"),
    [
        ("!Ref Nothing", {}, "Nothing"),
        ("!GetAtt Nothing.Arn", {}, "Nothing"),
        ("!Base64 x", {}, "Fn::Base64"),
        ("!If [Unknown, a, b]", {}, "Unknown"),
        ("!FindInMap [Colours, mars, sky]", {}, "mars"),
        ("x", {"Sise": "1"}, "Sise"),
        ("x", {"Stage": "moon"}, "Stage is moon"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(
    write: Write, expression: str, parameters: dict[str, str], complaint: str
) -> None:
    with pytest.raises(TemplateError, match=complaint):
        write.environment(expression, _PARAMETERS, **parameters)


def test_a_parameter_without_a_value_is_refused(write: Write) -> None:
    with pytest.raises(TemplateError, match="Where"):
        write(before="Parameters: { Where: { Type: String } }")


def test_globals_are_merged_as_sam_does() -> None:
    common = {"Timeout": 3, "Layers": ["a"], "Environment": {"Variables": {"X": 1, "Y": 1}}}
    own = {"Timeout": 9, "Layers": ["b"], "Environment": {"Variables": {"Y": 2}}}
    assert merged(common, own) == {
        "Timeout": 9,
        "Layers": ["a", "b"],
        "Environment": {"Variables": {"X": 1, "Y": 2}},
    }


def test_a_resource_whose_condition_does_not_hold_is_not_there(write: Write) -> None:
    queues = """
        Always: { Type: AWS::SQS::Queue }
        Sometimes: { Type: AWS::SQS::Queue, Condition: Live }
        """
    assert set(write(queues, _PARAMETERS).queues) == {"Always"}
    assert set(write(queues, _PARAMETERS, Stage="prod").queues) == {"Always", "Sometimes"}


def test_an_event_of_an_unknown_kind_is_refused(write: Write) -> None:
    function = """
        Function:
          Type: AWS::Serverless::Function
          Properties: { CodeUri: here/, Handler: app.handler, Events: { Tick: { Type: Schedule } } }
        """
    with pytest.raises(TemplateError, match="Schedule"):
        write(function)


def test_variables_take_the_physical_names(write: Write) -> None:
    template = write(
        """
        Table: { Type: AWS::DynamoDB::Table, Properties: {} }
        Queue: { Type: AWS::SQS::Queue }
        Function:
          Type: AWS::Serverless::Function
          Properties:
            CodeUri: here/
            Handler: app.handler
            Environment:
              Variables:
                TABLE: !Ref Table
                URL: !Ref Queue
                NAME: !GetAtt Queue.QueueName
                BOTH: !Sub "${Table}+1"
        """
    )
    resources = {"Table": "x-Table", "Queue": "http://host/000000000000/x-Queue"}
    assert template.functions["here"].variables(resources) == {
        "TABLE": "x-Table",
        "URL": "http://host/000000000000/x-Queue",
        "NAME": "x-Queue",
        "BOTH": "x-Table+1",
    }
    with pytest.raises(TemplateError, match="Table"):
        template.functions["here"].variables({})


def test_the_projects_template_as_the_local_stack_sees_it() -> None:
    template = load(ROOT / "template.yaml", parameters={"ArcSize": "3", "DeliveryVisibility": "77"})
    deliver = template.functions["deliver"]
    assert deliver.environment["ARC_SIZE"] == "3"
    assert deliver.environment["EXPRESS_QUEUE_URL"] == Reference("ExpressQueue")
    assert {source.queue for source in deliver.queues} == {"ExpressQueue", "BulkQueue"}
    assert all(source.report_failures and source.max_concurrency for source in deliver.queues)
    assert deliver.layers == (ROOT / "layers" / "dependencies", ROOT / "layers" / "fanfare")
    assert template.queues["BulkQueue"].visibility_seconds == 77
    assert template.queues["BulkQueue"].dead_letters == "DeliveryDeadLetters"
    (messages, objects) = template.functions["dispatch"].streams
    assert (messages.table, objects.table) == ("MessagesTable", "ObjectsTable")
    assert messages.failures_bucket == "StreamFailuresBucket"
    assert messages.filters == ('{"eventName":["INSERT"]}',)
    assert template.tables["MessagesTable"].stream_view == "NEW_IMAGE"
    assert template.tables["MessagesTable"].ttl_attribute == "expires"
    assert Route("ANY", "$default") in template.functions["front"].routes
    assert template.cors is not None
    assert "authorization" in template.cors.allow_headers
