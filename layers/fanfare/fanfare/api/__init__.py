"""The HTTP functions: routing, authentication, errors, parsing, and the handlers of all routes."""

from fanfare.runtime.deferred import defer

# Its own `__init__` imports the routing of AppSync, of Bedrock and of others, and asyncio for them.
defer("aws_lambda_powertools.event_handler")
