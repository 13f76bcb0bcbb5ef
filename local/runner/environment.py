"""The environment of a function's process: the template's variables, Lambda's own, and nothing else."""

import os
import sys
from dataclasses import replace

from local.runner.config import Config
from operate.template import Function


def arn(function: Function, config: Config) -> str:
    return f"arn:aws:lambda:{config.region}:{config.account}:function:{function.name}"


def environment(function: Function, config: Config) -> dict[str, str]:
    function = _as_released(function, config)
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONPATH": os.pathsep.join(str(folder) for folder in (function.folder, *function.layers)),
        "AWS_ACCESS_KEY_ID": function.name,  # The AWS endpoint tells the caller by it.
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SESSION_TOKEN": "test",
        "AWS_REGION": config.region,
        "AWS_DEFAULT_REGION": config.region,
        "AWS_ENDPOINT_URL": config.aws_endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,  # not the engineer's own, which may name another endpoint
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        "LAMBDA_TASK_ROOT": str(function.folder),
        "_HANDLER": function.handler,
        **function.variables(config.resources),
    }


def _as_released(function: Function, config: Config) -> Function:
    """Return the function with the code of the release that the configuration names for it, if any."""
    release = config.released.get(function.name)
    if release is None:
        return function
    top = config.template.parent
    layers = tuple(release / layer.relative_to(top) for layer in function.layers)
    return replace(function, folder=release / function.folder.relative_to(top), layers=layers)
