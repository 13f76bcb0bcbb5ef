"""Hostile requests, made from the API's own description, and the judgement of what comes of them."""
