"""The description of the API: what routers and types do not say is said here, in one table per subject.

document(ROOT) is the OpenAPI document; docs/openapi.json is what it was when it was last written.
"""

from local.openapi.document import OPERATIONS, Served, Undescribed, document, served, written

__all__ = ["OPERATIONS", "Served", "Undescribed", "document", "served", "written"]
