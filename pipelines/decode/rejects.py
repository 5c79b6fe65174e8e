"""Why a record, or a whole push, could not be taken."""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a record, or a whole push, could not be taken. The value is the slug in the tables."""

    NOT_AN_OBJECT = "not_an_object"
    BAD_SID = "bad_sid"
    BAD_REPORT_STATUS = "bad_report_status"
    NOT_JSON = "not_json"
    NOT_AN_ARRAY = "not_an_array"
    DAMAGED_JSON = "damaged_json"

    @property
    def sentence(self) -> str:
        """The reason in words, for people."""
        return _SENTENCES[self]


_SENTENCES = {
    Reason.NOT_AN_OBJECT: "The element is no JSON object.",
    Reason.BAD_SID: "sid is missing, or is no whole 64-bit number.",
    Reason.BAD_REPORT_STATUS: "report_status is neither SUCCESS nor FAIL.",
    Reason.NOT_JSON: "The value is no JSON, not even after three decodings.",
    Reason.NOT_AN_ARRAY: "The value is JSON, but no array.",
    Reason.DAMAGED_JSON: "This stretch of the array is damaged and cannot be read.",
}


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """What could not be taken: where it lies, which field is wrong, what stands there."""

    reason: Reason
    position: int | None = None
    field: str | None = None
    value: str | None = None
