"""Outcomes of answers of Google's token services: OAuth, STS and IAM credentials.

The rules follow the table in docs/reference/outcomes.md.
"""

from fanfare.domain.outcome.answer import Answer
from fanfare.domain.outcome.consequence import Outcome, delivered, refused, retry

THROTTLED_DELAY_S = 10
SERVER_ERROR_DELAY_S = 1


def judge(answer: Answer) -> Outcome:
    reason = _reason(answer)
    if answer.status == 200:
        return delivered()
    if answer.status == 429:
        return retry(reason, THROTTLED_DELAY_S)
    if answer.status >= 500:
        return retry(reason, SERVER_ERROR_DELAY_S)
    # Any other status, a redirection included, means a wrong credential or a wrong address.
    return refused(reason)


def _reason(answer: Answer) -> str:
    document = answer.document()
    error = document.get("error") if isinstance(document, dict) else None
    if isinstance(error, dict):
        error = error.get("status")
    return error if isinstance(error, str) and error else f"http_{answer.status}"
