"""FastAPI as its SQL tutorial writes it: a form field, a session a request, one commit.

A plain ``def`` endpoint, a SQLAlchemy model, a session from a dependency, rows added one by one.
Left out in its favour: pydantic models of the records, the refresh of each row, the access log,
SQLite's sync of each commit and its journal file. Run by uvicorn, one worker.
"""

import json
from collections.abc import Iterator
from sqlite3 import Connection
from typing import Annotated

from fastapi import Depends, FastAPI, Form
from fastapi.responses import PlainTextResponse
from sqlalchemy import BigInteger, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite:///reports.db", connect_args={"check_same_thread": False})


class Base(DeclarativeBase):
    """What SQLAlchemy derives tables from."""


class Report(Base):
    """One record of a push."""

    __tablename__ = "reports"
    id: Mapped[int] = mapped_column(primary_key=True)
    sid: Mapped[int] = mapped_column(BigInteger)
    uid: Mapped[str | None]
    mobile: Mapped[str]
    report_status: Mapped[str]
    user_receive_time: Mapped[str | None]
    error_msg: Mapped[str | None]
    error_detail: Mapped[str | None]


@event.listens_for(engine, "connect")
def _spare_the_disk(connection: Connection, _record: object) -> None:
    """No tutorial has this; it keeps the disk out of the comparison."""
    connection.execute("pragma synchronous = off")
    connection.execute("pragma journal_mode = memory")


Base.metadata.create_all(engine)
app = FastAPI()


def get_session() -> Iterator[Session]:
    """Lend a session to a request."""
    with Session(engine) as session:
        yield session


@app.post("/webhook", response_class=PlainTextResponse)
def receive(
    sms_status: Annotated[str, Form()], session: Annotated[Session, Depends(get_session)]
) -> str:
    """Store a push's records."""
    for record in json.loads(sms_status):
        session.add(Report(**record))
    session.commit()
    return "SUCCESS"
