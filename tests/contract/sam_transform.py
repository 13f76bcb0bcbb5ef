"""SAM's own transform of a template, without AWS. Run in the emulator's environment, which has it.

Reads JSON from standard input, {"template", "parameters"}; writes the template that CloudFormation would get.
"""

import json
import sys

import boto3  # type: ignore[import-untyped,unused-ignore]
from samtranslator.parser.parser import Parser  # type: ignore[import-not-found,unused-ignore]
from samtranslator.translator.translator import (  # type: ignore[import-not-found,unused-ignore]
    Translator,
)

given = json.load(sys.stdin)
translator = Translator({}, Parser(), boto_session=boto3.Session(region_name="us-east-1"))
json.dump(translator.translate(given["template"], given["parameters"]), sys.stdout)
