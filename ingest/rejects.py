"""Every way a push is refused: one member is the answer, the metric label and the test case."""

from enum import Enum
from typing import Self


class Reject(Enum):
    """A reason to refuse a request; its value is the slug in metrics, logs and the answer."""

    status: int
    """HTTP status of the answer."""
    sentence: str
    """Body of the answer."""

    UNKNOWN_PATH = ("unknown_path", 404, "There is nothing here.")
    WRONG_TOKEN = ("wrong_token", 404, "There is nothing here.")
    ADDRESS_NOT_ALLOWED = ("address_not_allowed", 404, "There is nothing here.")
    METHOD_NOT_ALLOWED = ("method_not_allowed", 405, "Delivery reports are taken by POST only.")
    LENGTH_REQUIRED = ("length_required", 411, "Send a Content-Length, or a chunked body.")
    BODY_TOO_LARGE = ("body_too_large", 413, "The body is larger than this receiver takes.")
    BODY_COMPRESSED = ("body_compressed", 415, "Send the body without compression.")
    BODY_EMPTY = ("body_empty", 400, "The body is empty.")
    PARAMETER_MISSING = ("parameter_missing", 400, "The body has no sms_status parameter.")
    BODY_INCOMPLETE = ("body_incomplete", 400, "The connection ended before the body did.")
    TOO_MUCH_IN_FLIGHT = ("too_much_in_flight", 503, "Too much is being received, push again.")
    DISK_FULL = ("disk_full", 503, "The disk is full, push again later.")
    WRITE_FAILED = ("write_failed", 503, "The push could not be stored, push again later.")
    WRITE_SLOW = ("write_slow", 503, "The disk is too slow, push again later.")
    SHUTTING_DOWN = ("shutting_down", 503, "The receiver is shutting down, push again.")
    INTERNAL = ("internal", 503, "The receiver failed, push again later.")

    def __new__(cls, slug: str, status: int, sentence: str) -> Self:
        """Make the slug the value and hang the answer on the member."""
        member = object.__new__(cls)
        member._value_ = slug
        member.status = status
        member.sentence = sentence
        return member

    @property
    def slug(self) -> str:
        """Name in metrics, logs and the ``X-Reject-Reason`` header."""
        return str(self.value)


class RejectedError(Exception):
    """The request is refused for the reason it carries."""

    def __init__(self, reject: Reject) -> None:
        super().__init__(reject.slug)
        self.reject = reject
