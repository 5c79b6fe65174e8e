"""Why a record, or a whole push, could not be taken."""

from enum import StrEnum
from typing import NamedTuple


class Reason(StrEnum):
    """The reasons; the value is the slug in the tables."""

    NOT_AN_OBJECT = "not_an_object"
    BAD_SID = "bad_sid"
    BAD_REPORT_STATUS = "bad_report_status"
    NOT_JSON = "not_json"
    NOT_AN_ARRAY = "not_an_array"
    DAMAGED_JSON = "damaged_json"


class RejectedRecord(NamedTuple):
    """What could not be taken: where it lies, which field is wrong, what stands there."""

    reason: Reason
    position: int | None = None
    field: str | None = None
    value: str | None = None
