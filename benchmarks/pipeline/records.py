"""Landed files to records in plain Python: what a script without an engine for it does."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote_plus

FIELDS = (
    *("sid", "uid", "mobile", "report_status"),
    *("user_receive_time", "error_msg", "error_detail"),
)


def read_records(landed: Path) -> Iterator[dict[str, object]]:
    """Yield the good records of every push, with ``push_id`` and ``received_at``."""
    for file in sorted((landed / "landing" / "yunpian").glob("*/*.jsonl")):
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                envelope = json.loads(line)
                for record in json.loads(unquote_plus(envelope["body"].partition("=")[2])):
                    if is_good(record):
                        yield {name: record.get(name) for name in FIELDS} | {
                            "push_id": envelope["push_id"],
                            "received_at": envelope["received_at"],
                        }


def is_good(record: object) -> bool:
    """Whether a record has a whole sid and a known status; sids come as numbers and as text."""
    if not isinstance(record, dict) or record.get("report_status") not in ("SUCCESS", "FAIL"):
        return False
    sid = record.get("sid")
    if isinstance(sid, str) and sid.isascii() and sid.removeprefix("-").isdigit():
        record["sid"] = sid = int(sid)
    return type(sid) is int and -(2**63) <= sid < 2**63
