"""Hostile requests made from the API's own description, and the judgement of their effects."""
