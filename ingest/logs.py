"""One line of JSON per event on standard error; never a token, a mobile or a sid."""

import json
import logging
import sys
from datetime import UTC, datetime

_LOGGER = logging.getLogger("dlr.ingest")


def log_event(event: str, *, level: int = logging.INFO, **fields: object) -> None:
    """Log one event; ``fields`` must never hold anything secret."""
    _LOGGER.log(level, event, extra={"fields": fields})


class OneLine(logging.Formatter):
    """Formats any record, an exception's too, as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; of an exception its kind and place, since its text may quote input."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage().strip(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
            line["at"] = place_of(record.exc_info[1])
        return json.dumps(line, default=str)


def configure_logging() -> None:
    """Send the receiver's and the server's logs to standard error, one line each."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    _LOGGER.setLevel(logging.INFO)


def place_of(error: BaseException | None) -> str:
    """Return file and line of the innermost frame of an exception."""
    trace = error.__traceback__ if error else None
    if trace is None:
        return ""
    while trace.tb_next:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
