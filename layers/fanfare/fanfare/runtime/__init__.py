"""Services of the environment: settings, clients, queues, secrets, logs, metrics."""
