"""What the HTTP functions share: routing, authentication, errors, parsing, and what each route does."""

from fanfare.runtime.deferred import defer

# Its own code imports the routing of AppSync, of Bedrock and of others, and asyncio for them.
defer("aws_lambda_powertools.event_handler")
