"""The whole API in one process on emulated tables, with somebody for each part and a request for each route.

For checks of every route: its callers, its costs, its description.
"""
