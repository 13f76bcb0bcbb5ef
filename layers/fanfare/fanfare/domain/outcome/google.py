"""Answers of Google's token services (OAuth, STS, IAM credentials), as in docs/reference/outcomes.md."""

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
    # Whatever else comes, a redirection too, says that what we present or whom we ask is wrong.
    return refused(reason)


def _reason(answer: Answer) -> str:
    document = answer.document()
    error = document.get("error") if isinstance(document, dict) else None
    if isinstance(error, dict):
        error = error.get("status")
    return error if isinstance(error, str) and error else f"http_{answer.status}"
