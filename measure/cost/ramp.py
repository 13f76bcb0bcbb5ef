"""The environments of a function that a send reaches on AWS, which has more cores than this machine.

Lambda's pollers of a standard queue begin with five invocations at once and add 300 a minute, up to the limit
of the event source; work that comes all at once is done by as many as have been started by then.
"""

from math import sqrt

FIRST = 5
MORE_PER_SECOND = 300 / 60


def environments(pieces: int, busy_s: float, limit: int) -> int:
    """`pieces`: how many invocations the work is parted into; `busy_s` is the time of all together, one after
    the other; `limit` the event source's.

    With c(t) = 5 + 5 t environments at a time, the work is done when 5 t + 2.5 t^2 = busy_s.
    """
    if pieces == 0:
        return 0
    ends_s = (sqrt(FIRST**2 + 2 * MORE_PER_SECOND * busy_s) - FIRST) / MORE_PER_SECOND
    return min(pieces, limit, int(FIRST + MORE_PER_SECOND * ends_s))
