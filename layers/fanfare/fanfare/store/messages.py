"""Messages: each send as accepted. The write of its row accepts it; the stream starts its delivery."""

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
    """Write the send; from then on nothing may lose it.

    The ID is random, so an existing row is our own write whose answer was lost.
    """
    row = MessageRow(
        f"{push.app}#{push.id}", push=codec.encode(push).decode(), expires=push.at // 1000 + KEPT_S
    )
    row.save()


def find(app: str, message_id: str) -> Push | None:
    row = read(MessageRow, f"{app}#{message_id}")
    return None if row is None else codec.decode(Push, row.push)


def of_image(image: dict[str, Any]) -> Push:
    """Return the send in a stream record's NewImage."""
    return codec.decode(Push, image["push"]["S"])
