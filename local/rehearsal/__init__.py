"""The whole API in one process on emulated tables, with somebody for each part and a request for each route.

For what looks at every route: who may, what it costs, whether it keeps to its description.
"""
