"""The description of the API beyond its routers and types, in one table per subject.

document(ROOT) is the OpenAPI document; docs/openapi.json is its last written state.
"""

from local.openapi.document import OPERATIONS, Served, Undescribed, document, served, written

__all__ = ["OPERATIONS", "Served", "Undescribed", "document", "served", "written"]
