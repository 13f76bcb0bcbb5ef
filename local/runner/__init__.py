"""Lambda and API Gateway on an engineer's machine: routes and event sources as template.yaml has them."""
