"""What a function gets from where it runs: settings, clients, queues, secrets, logs, metrics."""
