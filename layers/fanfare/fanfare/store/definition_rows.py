"""Rows of the tables Topics and Buckets, which are kept alike; definitions.py reads and writes them."""

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute

from fanfare.store.row import Row


class DefinitionRow(Row):
    """A topic or bucket; its key is `app#scope` and its name."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    ref = UnicodeAttribute()
    creator = UnicodeAttribute(null=True)
    created_at = NumberAttribute()
    ever_subscribed = BooleanAttribute(default=False)
    access = UnicodeAttribute(null=True)
    """The access list, if it was ever changed; otherwise Kii's default list holds."""
    mark = UnicodeAttribute(null=True)
    """Random, new with every change of the access list: a writer recognizes its own change by it."""


class TopicRow(DefinitionRow):
    class Meta:
        table_name = None
        setting = "topics_table"


class BucketRow(DefinitionRow):
    class Meta:
        table_name = None
        setting = "buckets_table"
