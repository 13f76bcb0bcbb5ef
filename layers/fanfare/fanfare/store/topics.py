"""Topics: the table's rows. What is done with them is in definitions.py, since buckets are kept alike."""

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
    """The access list, where it was ever changed: else it is as Kii makes it."""
    mark = UnicodeAttribute(null=True)
    """Random, new with every change of the access list: by it a write knows itself again."""
