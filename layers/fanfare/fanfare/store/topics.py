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
