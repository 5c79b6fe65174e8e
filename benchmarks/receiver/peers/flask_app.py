"""Flask as its own tutorial writes it: a form field, ``sqlite3``, a connection a request.

Left out in its favour: SQLite's sync of each commit and its journal file. Run by gunicorn with its
defaults, one sync worker: the server that Flask's own pages name first.
"""

import json
import sqlite3

from flask import Flask, request

app = Flask(__name__)

_COLUMNS = (
    "sid",
    "uid",
    "mobile",
    "report_status",
    "user_receive_time",
    "error_msg",
    "error_detail",
)
_INSERT = f"insert into reports ({', '.join(_COLUMNS)}) values (?, ?, ?, ?, ?, ?, ?)"


def get_db() -> sqlite3.Connection:
    """Open the database; no tutorial has the pragmas, they keep the disk out of the comparison."""
    db = sqlite3.connect("reports.db")
    db.execute("pragma synchronous = off")
    db.execute("pragma journal_mode = memory")
    return db


with get_db() as _db:
    _db.execute(
        "create table reports (id integer primary key, sid integer, uid text, mobile text,"
        " report_status text, user_receive_time text, error_msg text, error_detail text)"
    )


@app.post("/webhook")
def receive() -> str:
    """Store a push's records."""
    db = get_db()
    for record in json.loads(request.form["sms_status"]):
        db.execute(_INSERT, [record.get(column) for column in _COLUMNS])
    db.commit()
    db.close()
    return "SUCCESS"
