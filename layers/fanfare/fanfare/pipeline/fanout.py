"""fanout: a coarse arc becomes finer ones, and those at the depth of the cut become deliveries."""

from dataclasses import dataclass

from fanfare.domain.fanout import Limits, next_arcs
from fanfare.domain.push import CoarseArc, Delivery
from fanfare.runtime import queues, wire
from fanfare.runtime.batch import Record
from fanfare.runtime.queues import Outgoing


@dataclass(frozen=True, slots=True)
class Settings:
    bulk_queue_url: str
    fanout_queue_url: str
    fan_out: int


def fan_out(record: Record, settings: Settings) -> None:
    """Queue what one coarse arc becomes. A repeated record makes the same deliveries with the same IDs."""
    coarse = wire.decode(CoarseArc, record["body"])
    limits = Limits(arc_size=0, fan_out=settings.fan_out, express=0)
    finer: list[Outgoing] = []
    deliveries: list[Outgoing] = []
    for arc in next_arcs(coarse.arc, coarse.cut, limits):
        if arc.bits < coarse.cut.bits:
            finer.append(Outgoing(wire.encode(CoarseArc(push=coarse.push, cut=coarse.cut, arc=arc))))
        else:
            delivery = Delivery(push=coarse.push, arc=arc, way=coarse.cut.way, pace=coarse.cut.pace)
            deliveries.append(Outgoing(wire.encode(delivery), group=coarse.push.id))
    queues.send_all(settings.fanout_queue_url, finer)
    queues.send_all(settings.bulk_queue_url, deliveries)
