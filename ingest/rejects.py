"""Every reason to refuse a request; a member is answer, metric label and test case in one."""

from enum import Enum
from typing import Self


class Reject(Enum):
    """A reason to refuse a request; its value is the slug in metrics, logs and the answer."""

    status: int
    """HTTP status of the answer."""
    sentence: str
    """Body of the answer."""

    UNKNOWN_PATH = ("unknown_path", 404, "Not found.")
    WRONG_TOKEN = ("wrong_token", 404, "Not found.")
    ADDRESS_NOT_ALLOWED = ("address_not_allowed", 404, "Not found.")
    METHOD_NOT_ALLOWED = ("method_not_allowed", 405, "Delivery reports are accepted by POST only.")
    LENGTH_REQUIRED = ("length_required", 411, "Send a Content-Length, or a chunked body.")
    BODY_TOO_LARGE = ("body_too_large", 413, "The body is larger than this receiver accepts.")
    BODY_COMPRESSED = ("body_compressed", 415, "Send the body without compression.")
    BODY_EMPTY = ("body_empty", 400, "The body is empty.")
    PARAMETER_MISSING = ("parameter_missing", 400, "The body has no sms_status parameter.")
    BODY_INCOMPLETE = ("body_incomplete", 400, "The connection ended within the body.")
    TOO_MUCH_IN_FLIGHT = (
        "too_much_in_flight",
        503,
        "The receiver is busy, push again later.",
    )
    DISK_FULL = ("disk_full", 503, "The disk is full, push again later.")
    WRITE_FAILED = ("write_failed", 503, "The push could not be stored, push again later.")
    WRITE_SLOW = ("write_slow", 503, "The disk is too slow, push again later.")
    SHUTTING_DOWN = ("shutting_down", 503, "The receiver is shutting down, push again later.")
    INTERNAL = ("internal", 503, "The receiver failed, push again later.")

    def __new__(cls, slug: str, status: int, sentence: str) -> Self:
        """Make the slug the value; keep the answer on the member."""
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


class LandingError(Exception):
    """A push could not be landed; nothing is promised about it."""

    reject = Reject.WRITE_FAILED


class DiskFullError(LandingError):
    """There is no space left, or less than the floor."""

    reject = Reject.DISK_FULL


class WriteFailedError(LandingError):
    """The folder is gone, or writing, syncing or renaming failed."""


class ClosedError(LandingError):
    """The landing is closed."""

    reject = Reject.SHUTTING_DOWN


class TooMuchInFlightError(LandingError):
    """The limit of what is being received and written is reached."""

    reject = Reject.TOO_MUCH_IN_FLIGHT
