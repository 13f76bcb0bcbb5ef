"""fanout: a coarse arc becomes finer ones, and those at the depth of the cut become deliveries."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fanfare.domain.cutting import Limits, next_arcs
from fanfare.domain.push import CoarseArc, Delivery
from fanfare.domain.ring import WHOLE_RING, Arc
from fanfare.pipeline import delivery_queues
from fanfare.pipeline.delivery_queues import names_in
from fanfare.runtime import codec, queues, sqs_batch
from fanfare.runtime.clock import Clock
from fanfare.runtime.queues import Outgoing
from fanfare.runtime.sqs_batch import BatchResponse, Record, Redelivery, Source

if TYPE_CHECKING:
    from fanfare.store.ledger import Named


@dataclass(frozen=True, slots=True)
class FanoutSettings(Redelivery):
    express_queue_url: str
    bulk_queue_url: str
    fanout_queue_url: str
    ledger_table: str
    fan_out: int


def fan_out_all(records: Sequence[Record], settings: FanoutSettings, clock: Clock) -> BatchResponse:
    source = Source(
        urls=(settings.fanout_queue_url,),
        settings=settings,
        of_aws=_of_aws,
        give_up=lambda record, error: _give_up(record, error, settings, clock),
    )
    return sqs_batch.each(records, lambda record: fan_out(record, settings), source)


def fan_out(record: Record, settings: FanoutSettings) -> None:
    """Queue the parts of one coarse arc. A repeated record makes the same deliveries with the same IDs."""
    coarse = codec.decode(CoarseArc, record["body"])
    if coarse.round > 1:
        _take_back(coarse, settings)
    limits = Limits(arc_size=0, fan_out=settings.fan_out, express=0)
    finer: list[Outgoing] = []
    deliveries: list[Delivery] = []
    for arc in next_arcs(coarse.arc, coarse.cut, limits):
        if arc.bits < coarse.cut.bits:
            part = CoarseArc(push=coarse.push, cut=coarse.cut, arc=arc, round=coarse.round)
            finer.append(Outgoing(codec.encode(part)))
        else:
            deliveries.append(Delivery(push=coarse.push, arc=arc, way=coarse.cut.way, pace=coarse.cut.pace))
    queues.send_all(settings.fanout_queue_url, finer)
    delivery_queues.send_all(deliveries, settings)


# PynamoDB takes long to import, and only an arc that is given up needs the ledger.


def _take_back(coarse: CoarseArc, settings: FanoutSettings) -> None:
    from fanfare.store import given_up, row

    row.bind(settings)
    given_up.coarse_comes_again(_named(coarse.push.app, coarse.push.id, coarse.arc))


def _give_up(record: Record, error: Exception, settings: FanoutSettings, clock: Clock) -> bytes:
    """Write that the arc is dead, if the message names one; the dead letter is the message as it is."""
    from fanfare.store import given_up, row

    body: str = record["body"]
    names = names_in(body)
    if names is not None and names.cut is not None:
        row.bind(settings)
        arc = names.arc or WHOLE_RING
        given_up.coarse(
            _named(names.push.app, names.push.id, arc),
            deliveries=1 << max(0, names.cut.bits - arc.bits),
            reason=sqs_batch.reason(error),
            now=clock(),
        )
    return body.encode()


def _named(app: str, push: str, arc: Arc) -> "Named":
    from fanfare.store.ledger import Named

    return Named(app, push, arc)


def _of_aws(error: Exception) -> bool:
    from fanfare.store import aws_failures

    return aws_failures.is_aws_at_fault(error)
