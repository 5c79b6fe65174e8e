"""The bare floor: one DuckDB statement that decodes, takes one report a message and counts.

No rejects, no time zones, no codes, no numbers, nothing stored: what any correct pipeline on this
engine must at least pay. Bodies that are not encoded exactly once are lost on it.
"""

import sys
from pathlib import Path

import duckdb

from benchmarks.pipeline.outcome import Outcome, peak_bytes, stopwatch, tell

STATEMENT = """
with pushed as (
    select received_at, try(url_decode(replace(body[12:], '+', ' '))) as text
    from read_json(
        '{files}', format = 'newline_delimited',
        columns = {{push_id: 'VARCHAR', received_at: 'VARCHAR', body: 'VARCHAR'}}
    )
),

record as (
    select
        received_at,
        unnest(try(from_json(text, '[{{
            "sid": "VARCHAR", "uid": "VARCHAR", "mobile": "VARCHAR", "report_status": "VARCHAR",
            "user_receive_time": "VARCHAR", "error_msg": "VARCHAR", "error_detail": "VARCHAR"
        }}]'))) as record
    from pushed
),

message as (
    select record
    from record
    where try_cast(record.sid as bigint) is not null
        and record.report_status in ('SUCCESS', 'FAIL')
    qualify row_number() over (
        partition by record.sid
        order by record.report_status desc, record.user_receive_time desc
    ) = 1
)

select record.user_receive_time[:13] as hour, record.report_status, count(*)
from message
group by all
"""


def main() -> None:
    """Run the statement once."""
    landed = Path(sys.argv[1])
    with duckdb.connect() as con:
        stop = stopwatch()
        rows = con.execute(
            STATEMENT.format(files=landed / "landing" / "yunpian" / "*" / "*.jsonl")
        ).fetchall()
        seconds, cpu_seconds = stop()
    messages = sum(count for _, _, count in rows)
    delivered = sum(count for _, status, count in rows if status == "SUCCESS")
    tell(Outcome(seconds, cpu_seconds, messages, delivered, peak_bytes()))


if __name__ == "__main__":
    main()
