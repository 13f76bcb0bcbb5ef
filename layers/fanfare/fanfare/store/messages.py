"""Messages: each send as accepted. Writing the row accepts it; the stream starts the way of the push."""

from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from fanfare.domain.push import Push
from fanfare.runtime import codec
from fanfare.store.row import Row, read

KEPT_S = 30 * 86_400


class MessageRow(Row):
    class Meta:
        table_name = None
        setting = "messages_table"

    pk = UnicodeAttribute(hash_key=True)
    push = UnicodeAttribute()
    expires = NumberAttribute()


def accept(push: Push) -> None:
    """Write the send, once; from here on nothing may lose it.

    The ID is random, so a row that is there is our own write, whose answer got lost on the way.
    """
    row = MessageRow(
        f"{push.app}#{push.id}", push=codec.encode(push).decode(), expires=push.at // 1000 + KEPT_S
    )
    row.save()


def find(app: str, message_id: str) -> Push | None:
    row = read(MessageRow, f"{app}#{message_id}")
    return None if row is None else codec.decode(Push, row.push)


def of_image(image: dict[str, Any]) -> Push:
    """The send in a stream record's NewImage."""
    return codec.decode(Push, image["push"]["S"])
