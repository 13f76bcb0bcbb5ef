"""Rows of the Topics table. definitions.py works on them, since buckets are stored alike."""

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute

from fanfare.store.row import Row


class TopicRow(Row):
    """`app#scope`, topic ID."""

    class Meta:
        table_name = None
        setting = "topics_table"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    ref = UnicodeAttribute()
    creator = UnicodeAttribute(null=True)
    created_at = NumberAttribute()
    ever_subscribed = BooleanAttribute(default=False)
    access = UnicodeAttribute(null=True)
    """The access list, if it was ever changed; otherwise it is Kii's default."""
    mark = UnicodeAttribute(null=True)
    """Random, new with every change of the access list: a repeated write recognizes its own row by it."""
