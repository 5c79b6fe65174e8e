"""The mutants: one line each that is wrong in a way somebody could write it.

Only such are declared as change what comes out, be it in one case of a million; what raises at the
first row teaches nothing.
"""

from dataclasses import dataclass

CORE = "tests/pipelines/test_core.py"
CRASH = (
    "tests/pipelines/test_crash.py::"
    "test_who_is_killed_between_two_renames_is_completed_by_the_next_command"
)
DECODE = "tests/pipelines/test_decode.py"
COMMANDS = "tests/cli/test_commands.py"
COVERAGE = "tests/pipelines/test_coverage.py"
LANDED = "tests/pipelines/test_landed.py"
NUMBERS = "tests/pipelines/test_numbers.py"
REBUILD = "tests/pipelines/test_rebuild.py"
SCHEDULES = "tests/pipelines/test_schedules.py"
PRIVACY = (
    "tests/pipelines/test_privacy.py::test_a_column_that_lets_numbers_through_stops_the_publication"
)
PUBLISH = "tests/pipelines/test_publish.py"
DISK = f"{PUBLISH}::test_all_is_on_disk_before_it_is_named_and_the_manifest_comes_last"
GRACE = f"{PUBLISH}::test_replaced_files_stay_for_the_grace_period_only"
FORMS = "tests/pipelines/test_forms.py"
REPAIR = "tests/pipelines/test_repair.py::test_a_run_makes_again_what_is_missing_altered_or_old"
SENDS = "tests/pipelines/test_sends.py::test_times"
LEDGER = "tests/pipelines/test_ledger.py"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one line; ``old`` holds its neighbours where the line alone is not unique."""

    name: str
    """Area and change, as in ``winner/no-time-first``."""
    wrong: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    """What pytest is given: files of tests, or single ones."""

    @property
    def area(self) -> str:
        """What of the product is made wrong."""
        return self.name.partition("/")[0]


WINNER = (
    Mutant(
        "winner/later-fail",
        "the later report wins, be it a FAIL over a SUCCESS",
        "warehouse/steps/messages/ranked_reports.sql",
        "            report.report_status = 'SUCCESS' desc,\n"
        "            sent.handset_time_utc desc nulls last,\n",
        "            sent.handset_time_utc desc nulls last,\n"
        "            report.report_status = 'SUCCESS' desc,\n",
        (CORE,),
    ),
    Mutant(
        "winner/no-time-first",
        "a report without a readable time wins over one with",
        "warehouse/steps/messages/ranked_reports.sql",
        "sent.handset_time_utc desc nulls last",
        "sent.handset_time_utc desc nulls first",
        (CORE,),
    ),
    Mutant(
        "winner/time-as-text",
        "times are compared as they were sent, not in UTC",
        "warehouse/steps/messages/ranked_reports.sql",
        "            sent.handset_time_utc desc nulls last,\n",
        "",
        (CORE,),
    ),
    Mutant(
        "winner/raw-time-inverted",
        "of two times that mean the same, or nothing, the lesser text wins",
        "warehouse/steps/messages/ranked_reports.sql",
        "report.handset_time_raw desc nulls last",
        "report.handset_time_raw asc nulls last",
        (CORE,),
    ),
    Mutant(
        "winner/code-inverted",
        "of two codes the lesser one wins",
        "warehouse/steps/messages/ranked_reports.sql",
        "report.error_code desc nulls last",
        "report.error_code asc nulls last",
        (CORE,),
    ),
    Mutant(
        "winner/detail-inverted",
        "of two details the lesser one wins",
        "warehouse/steps/messages/ranked_reports.sql",
        "report.error_detail desc nulls last",
        "report.error_detail asc nulls last",
        (CORE,),
    ),
    Mutant(
        "winner/mobile-inverted",
        "of two mobiles the lesser one wins",
        "warehouse/steps/messages/ranked_reports.sql",
        "report.mobile desc nulls last",
        "report.mobile asc nulls last",
        (CORE,),
    ),
    Mutant(
        "winner/uid-before-detail",
        "the uid decides before the detail does",
        "warehouse/steps/messages/ranked_reports.sql",
        "            report.error_detail desc nulls last,\n"
        "            report.uid desc nulls last,\n",
        "            report.uid desc nulls last,\n"
        "            report.error_detail desc nulls last,\n",
        (CORE,),
    ),
    Mutant(
        "winner/mobile-left-out",
        "contents that differ in the mobile alone are one content",
        "warehouse/steps/messages/ranked_reports.sql",
        "            report.uid desc nulls last,\n            report.mobile desc nulls last\n",
        "            report.uid desc nulls last\n",
        (CORE,),
    ),
    Mutant(
        "winner/last-push",
        "the last push that brought the winning content stands for it, not the first",
        "warehouse/steps/messages/ranked_reports.sql",
        "report.error_code, report.error_detail\n"
        "        order by report.received_at_utc, report.push_id, report.position\n",
        "report.error_code, report.error_detail\n"
        "        order by report.received_at_utc desc, report.push_id, report.position\n",
        (CORE,),
    ),
    Mutant(
        "winner/push-by-id",
        "the push of the least id stands for the content, not the one received first",
        "warehouse/steps/messages/ranked_reports.sql",
        "report.error_code, report.error_detail\n"
        "        order by report.received_at_utc, report.push_id, report.position\n",
        "report.error_code, report.error_detail\n"
        "        order by report.push_id, report.received_at_utc, report.position\n",
        (CORE,),
    ),
    Mutant(
        "winner/repetition-conflicts",
        "a report that was only repeated is called conflicting",
        "warehouse/steps/messages/winning_reports.sql",
        "max(content_rank) > 1 as conflicting",
        "count(*) > 1 as conflicting",
        (CORE,),
    ),
    Mutant(
        "winner/first-reception-of-the-winner",
        "a message's first reception is that of the winning content",
        "warehouse/steps/messages/winning_reports.sql",
        "    repeated.first_received_at_utc,\n",
        "    report.received_at_utc as first_received_at_utc,\n",
        (CORE,),
    ),
)

DECODING = (
    Mutant(
        "decoding/each-rung-twice",
        "each rung of the slow path decodes twice",
        "pipelines/decode/slow_path.py",
        "        yield value\n",
        '        yield unquote_to_bytes(value.replace(b"+", blank))\n',
        (DECODE,),
    ),
    Mutant(
        "decoding/any-percent",
        "what holds a percent sign anywhere is decoded once more",
        "warehouse/steps/decode/fast_elements.sql",
        "case when starts_with(once, '%') then form_decode(once) end",
        "case when contains(once, '%') then form_decode(once) end",
        (DECODE,),
    ),
    Mutant(
        "decoding/third-rung-slow",
        "the third rung is left out of the fast path: right, by way of Python",
        "warehouse/steps/decode/fast_elements.sql",
        "when starts_with(twice, '%') then form_decode(twice)",
        "when starts_with(twice, '%') then twice",
        (DECODE,),
    ),
    Mutant(
        "decoding/thrice-called-twice",
        "three decodings are noted as two",
        "warehouse/steps/decode/fast_elements.sql",
        "when starts_with(twice, '%') then 'thrice'",
        "when starts_with(twice, '%') then 'twice'",
        (DECODE,),
    ),
    Mutant(
        "decoding/plus-stays",
        "a plus is no blank on the slow path",
        "pipelines/decode/slow_path.py",
        'value = unquote_to_bytes(value.replace(b"+", blank))',
        "value = unquote_to_bytes(value)",
        (DECODE,),
    ),
    Mutant(
        "decoding/bad-bytes-pass",
        "bytes that are not UTF-8 are replaced without a word",
        "pipelines/decode/slow_path.py",
        'text = layer.decode("utf-8")\n',
        'text = layer.decode("utf-8", "replace")\n',
        (DECODE,),
    ),
    Mutant(
        "decoding/best-depth",
        "a push of several values is noted with the best decoding of them, not the worst",
        "pipelines/decode/slow_path.py",
        "worst = max(decodings",
        "worst = min(decodings",
        (DECODE,),
    ),
    Mutant(
        "decoding/repair-first-rung-only",
        "what is broken is put up with after one decoding only",
        "pipelines/decode/slow_path.py",
        "    for depth, layer in enumerate(layers):\n"
        '        text = layer.decode("utf-8", "replace").lstrip("\\ufeff")\n',
        "    for depth, layer in enumerate(layers[:1]):\n"
        '        text = layer.decode("utf-8", "replace").lstrip("\\ufeff")\n',
        (DECODE,),
    ),
    Mutant(
        "decoding/salvage-first-rung-only",
        "a damaged array is salvaged after one decoding only",
        "pipelines/decode/slow_path.py",
        "    for depth, layer in enumerate(layers):\n"
        '        text = layer.decode("utf-8", "replace").lstrip(_BEFORE_JSON)\n',
        "    for depth, layer in enumerate(layers[:1]):\n"
        '        text = layer.decode("utf-8", "replace").lstrip(_BEFORE_JSON)\n',
        (DECODE,),
    ),
    Mutant(
        "decoding/first-value-only",
        "of a parameter that stands twice, plainly named, the fast path takes the first",
        "warehouse/steps/decode/fast_elements.sql",
        "'(?s)(?:^|&)sms_status=.*&sms_status(?:=|&|$)|(?:^|&)[^=&]*%[^=&]*(?:=|&|$)'",
        "'(?:^|&)[^=&]*%[^=&]*(?:=|&|$)'",
        (DECODE,),
    ),
    Mutant(
        "decoding/every-blank-was-a-plus",
        "the fast path makes a plus of any blank before a mobile",
        "warehouse/steps/decode/fast_elements.sql",
        "when begins_with_blank and began_with_plus then",
        "when begins_with_blank then",
        (DECODE,),
    ),
    Mutant(
        "decoding/every-blank-was-a-plus-slowly",
        "the slow path makes a plus of any blank before a mobile",
        "pipelines/decode/slow_path.py",
        'if _has_blank_mobile(element) and twin["mobile"].startswith("\\t"):',
        "if _has_blank_mobile(element):",
        (DECODE,),
    ),
    Mutant(
        "decoding/commas-are-records",
        "a comma too many counts as a record that is lost",
        "pipelines/decode/salvage.py",
        "if not closed and not _SEPARATORS.fullmatch(stretch):",
        "if not closed:",
        (DECODE,),
    ),
)

LAW = (
    Mutant(
        "ledger/conflicts-are-duplicates",
        "a new content of a known message counts as a duplicate; the law still holds",
        "warehouse/core/repeated_reports.sql",
        "when copy_of_content = 1 then 'conflict'",
        "when copy_of_content = 1 then 'duplicate'",
        (CORE,),
    ),
    Mutant(
        "ledger/accepted-by-id",
        "the push of the least id is given the message, not the one received first",
        "warehouse/steps/messages/ranked_reports.sql",
        "        partition by report.sid\n"
        "        order by report.received_at_utc, report.push_id, report.position\n",
        "        partition by report.sid\n"
        "        order by report.push_id, report.received_at_utc, report.position\n",
        (CORE,),
    ),
    Mutant(
        "ledger/more-records-balance",
        "records that nothing accounts for do not break the law",
        "pipelines/load/ledger.py",
        "return totals[self.received] == sum(",
        "return totals[self.received] >= sum(",
        (LEDGER,),
    ),
    Mutant(
        "ledger/fewer-records-balance",
        "more outcomes than records do not break the law",
        "pipelines/load/ledger.py",
        "return totals[self.received] == sum(",
        "return totals[self.received] <= sum(",
        (LEDGER,),
    ),
    Mutant(
        "ledger/rejected-by-push",
        "the law counts rejected records where they were announced, not where they lie",
        "warehouse/steps/ledger/record_totals.sql",
        "(select count(*) from raw.rejected_records)",
        "(select coalesce(sum(rejected), 0)::bigint from raw.pushes)",
        (LEDGER,),
    ),
    Mutant(
        "ledger/pushes-unchecked",
        "a push that loses what another gains balances",
        "pipelines/load/ledger.py",
        'unbroken = broken["pushes"] == broken["files"] == 0',
        'unbroken = broken["files"] == 0',
        (LEDGER,),
    ),
    Mutant(
        "ledger/lost-by-push-balance",
        "a push with more records than outcomes balances",
        "warehouse/steps/ledger/broken_law.sql",
        "where records <> accepted + duplicates + conflicts + rejected",
        "where records < accepted + duplicates + conflicts + rejected",
        (LEDGER,),
    ),
    Mutant(
        "ledger/messages-uncompared",
        "a lost message balances where a duplicate was made up",
        "pipelines/load/ledger.py",
        ' and bool(broken["accepted"] == after["messages"])',
        "",
        (LEDGER,),
    ),
    Mutant(
        "ledger/one-good-push-is-enough",
        "a file balances if one of its pushes does",
        "warehouse/ops/ledger_by_file.sql",
        "coalesce(bool_and(records =",
        "coalesce(bool_or(records =",
        (LEDGER,),
    ),
    Mutant(
        "ledger/last-batch-only",
        "a run of several batches enters the figures of the last",
        "pipelines/load/ledger.py",
        "{name: gain + (same_run[name] if same_run else 0) for",
        "{name: gain for",
        (LEDGER,),
    ),
    Mutant(
        "ledger/gone-repetitions-stay",
        "a push keeps its duplicate when the report it repeated is gone",
        "warehouse/steps/ledger/changed_pushes.sql",
        "    from earlier_repetitions\n",
        "    from landed_pushes\n",
        (CORE,),
    ),
)

ORDER = (
    Mutant(
        "publish/manifest-first",
        "the manifest is ahead of the database for a moment, and of the others",
        "pipelines/folder/show.py",
        "    _replace(prepared_database(settings), analytics_path(settings))\n"
        "    for name in SHOWN:\n",
        '    _replace(ready / "manifest.json", exports / "manifest.json")\n'
        "    _replace(prepared_database(settings), analytics_path(settings))\n"
        "    for name in SHOWN:\n",
        (DISK,),
    ),
    Mutant(
        "publish/half-shown-stays",
        "what a killed process left half shown is completed by nobody",
        "pipelines/folder/lock.py",
        "            show(settings)\n            yield\n",
        "            yield\n",
        (CRASH,),
    ),
    Mutant(
        "publish/readers-do-not-complete",
        "commands that need no lock read what is half shown",
        "pipelines/folder/lock.py",
        "    if is_ready(settings):\n",
        "    if not is_ready(settings):\n",
        (CRASH,),
    ),
    Mutant(
        "publish/privacy-of-old-files",
        "numbers are looked for in the files that stay, not in the new ones",
        "pipelines/publish/preparation.py",
        "    refuse_phones(con, settings, written)\n",
        "    refuse_phones(con, settings, keep)\n",
        (PRIVACY,),
    ),
    Mutant(
        "publish/failure-leaves-files",
        "data files of a publication that failed stay",
        "pipelines/folder/show.py",
        "                path.unlink()\n",
        "                pass\n",
        (PRIVACY,),
    ),
    Mutant(
        "publish/no-grace",
        "replaced files go at once",
        "pipelines/publish/manifest.py",
        "if path not in current and end > now and",
        "if path not in current and end < now and",
        (GRACE,),
    ),
    Mutant(
        "publish/endless-grace",
        "replaced files stay for ever",
        "pipelines/publish/manifest.py",
        "if path not in current and end > now and",
        "if path not in current and",
        (GRACE,),
    ),
    Mutant(
        "publish/emptied-parts-stay",
        "a day without rows stays as a file without rows",
        "pipelines/publish/parquet.py",
        "if rows or file.part_day is None:",
        "if True:",
        (FORMS,),
    ),
    Mutant(
        "publish/altered-unseen",
        "of a published file only its size is looked at",
        "pipelines/publish/integrity.py",
        "    return stat.st_size, stat.st_ctime_ns, stat.st_ino\n",
        "    return stat.st_size, 0, 0\n",
        (REPAIR,),
    ),
    Mutant(
        "publish/form-unseen",
        "a table whose mobiles are to be written in another way is left as it is",
        "pipelines/publish/parquet.py",
        "{_PARQUET} {settings.export_mobile}",
        "{_PARQUET}",
        (f"{PUBLISH}::test_another_way_of_writing_mobiles_rewrites_everything",),
    ),
    Mutant(
        "publish/gone-table-stays",
        "a table whose file is gone stays among the exports",
        "pipelines/publish/backlog.py",
        "if file.form != forms.get(file.table_name)}",
        "if file.form != forms.get(file.table_name, file.form)}",
        (FORMS,),
    ),
    Mutant(
        "publish/parquet-unsynced",
        "exports are named before they are on disk",
        "pipelines/publish/parquet.py",
        "    path.chmod(0o600)\n    sync(path)\n",
        "    path.chmod(0o600)\n",
        (DISK,),
    ),
    Mutant(
        "publish/folder-unsynced",
        "names of new exports are not brought to disk",
        "pipelines/publish/parquet.py",
        "        sync(folder)\n        sync(folder.parent)\n",
        "        sync(folder.parent)\n",
        (DISK,),
    ),
    Mutant(
        "publish/database-unsynced",
        "the database is ready before it is on disk",
        "pipelines/publish/database.py",
        "    target.chmod(0o600)\n    sync(target)\n",
        "    target.chmod(0o600)\n",
        (DISK,),
    ),
    Mutant(
        "publish/mark-unsynced",
        "renames begin before it is on disk that they are to be completed",
        "pipelines/folder/show.py",
        "        folder.rename(_ready(settings))\n        sync(folder.parent)\n",
        "        folder.rename(_ready(settings))\n",
        (DISK,),
    ),
    Mutant(
        "publish/rename-unsynced",
        "the renames themselves are not brought to disk",
        "pipelines/folder/show.py",
        "    sync(exports)\n    ready.rmdir()\n",
        "    ready.rmdir()\n",
        (DISK,),
    ),
)

ZONE = (
    Mutant(
        "zone/setting-ignored",
        "the provider's times are read in Shanghai's zone, whatever is set",
        "warehouse/functions/time.sql",
        "utc_of_local(local_time_or_null(text), getvariable('provider_timezone'))",
        "utc_of_local(local_time_or_null(text), 'Asia/Shanghai')",
        (CORE,),
    ),
    Mutant(
        "zone/wrong-direction",
        "the zone is added where it must be taken off, seen only where clocks change",
        "warehouse/functions/time.sql",
        "        timezone('UTC', timezone(zone, local_time)),\n",
        "        timezone(zone, timezone('UTC', local_time)),\n",
        (CORE,),
    ),
    Mutant(
        "zone/second-of-two",
        "of a local time that comes twice the second is taken",
        "warehouse/functions/time.sql",
        "= local_time then earlier else latest end",
        "= local_time then latest else earlier end",
        (CORE,),
    ),
    Mutant(
        "zone/one-hour-back",
        "clocks are thought to be set back by one hour at most",
        "warehouse/functions/time.sql",
        "latest - interval 3 hour, zone) - (latest - interval 3 hour)",
        "latest - interval 1 hour, zone) - (latest - interval 1 hour)",
        (CORE,),
    ),
    Mutant(
        "zone/sends-by-the-provider",
        "the send log is read in the provider's zone",
        "warehouse/steps/send_files/read_sends.sql",
        "sent_time(sent_at, getvariable('sends_timezone'))",
        "sent_time(sent_at, getvariable('provider_timezone'))",
        (SENDS,),
    ),
    Mutant(
        "zone/applied-twice",
        "the provider's times are shifted by the zone twice",
        "warehouse/steps/messages/handset_times.sql",
        "handset_time(handset_time_raw) as",
        "utc_of_local(handset_time(handset_time_raw), getvariable('provider_timezone')) as",
        (CORE,),
    ),
    Mutant(
        "zone/west-of-greenwich",
        "a time of the send log that names a zone by a minus is shifted by the setting, too",
        "warehouse/functions/typed_sends.sql",
        "regexp_matches(substr(text, 11), 'Z|[+-]')",
        "regexp_matches(substr(text, 11), 'Z|[+]')",
        (SENDS,),
    ),
    Mutant(
        "zone/2010-left-out",
        "the first moment of 2010 is no plausible time",
        "warehouse/functions/time.sql",
        "when handset_time_utc >= timestamp '2010-01-01'",
        "when handset_time_utc > timestamp '2010-01-01'",
        (CORE,),
    ),
    Mutant(
        "zone/plausible-at-the-first-report",
        "whether a time is plausible is judged at the first report, not at the winning push",
        "warehouse/core/sms_status.sql",
        "plausible_time(handset.handset_time_utc, winner.received_at_utc)",
        "plausible_time(handset.handset_time_utc, winner.first_received_at_utc)",
        (CORE,),
    ),
)

CARRIER = (
    Mutant(
        "carrier/any-before-own",
        "the code of any operator is looked up before the operator's own",
        "warehouse/steps/messages/code_meanings.sql",
        "own.category, any_operator.category, elsewhere.category",
        "any_operator.category, own.category, elsewhere.category",
        (CORE,),
    ),
    Mutant(
        "carrier/rule-any-before-own",
        "the rule named is that of any operator, though the operator's own was found",
        "warehouse/steps/messages/code_meanings.sql",
        "            when own.code_key is not null then 'operator'\n"
        "            when any_operator.code_key is not null then 'any_operator'\n",
        "            when any_operator.code_key is not null then 'any_operator'\n"
        "            when own.code_key is not null then 'operator'\n",
        (CORE,),
    ),
    Mutant(
        "carrier/pattern-before-others",
        "a pattern comes before a literal code of other operators",
        "warehouse/steps/messages/code_meanings.sql",
        "elsewhere.category, pattern_hit.category, 'unknown'",
        "pattern_hit.category, elsewhere.category, 'unknown'",
        (CORE,),
    ),
    Mutant(
        "carrier/others-need-not-agree",
        "where other operators disagree the alphabet decides",
        "warehouse/steps/messages/code_meanings.sql",
        "having count(distinct category) = 1",
        "having count(distinct category) >= 1",
        (CORE,),
    ),
    Mutant(
        "carrier/patterns-of-others",
        "patterns of one operator are tried on the codes of all",
        "warehouse/steps/messages/code_meanings.sql",
        "on pattern.operator in (seen.range_operator, '*')\n",
        "on pattern.operator is not null\n",
        (CORE,),
    ),
    Mutant(
        "carrier/last-pattern",
        "of two patterns that match the last one counts",
        "warehouse/steps/messages/code_meanings.sql",
        "pattern.operator = '*', pattern.line::bigint\n",
        "pattern.operator = '*', pattern.line::bigint desc\n",
        (CORE,),
    ),
    Mutant(
        "carrier/unknown-operator-unexplained",
        "a code of a number without operator has no meaning",
        "warehouse/core/sms_status.sql",
        "and meaning.range_operator is not distinct from number.range_operator",
        "and meaning.range_operator = number.range_operator",
        (CORE,),
    ),
    Mutant(
        "carrier/blanks-at-the-colon",
        "a blank beside the colon makes another code",
        "warehouse/functions/text.sql",
        "'[\\s\\v\\p{Z}]*:[\\s\\v\\p{Z}]*'",
        "':[\\s\\v\\p{Z}]*'",
        (CORE,),
    ),
    Mutant(
        "carrier/success-judged",
        "a delivered message gets party and rule of a failed one with the same code",
        "warehouse/core/sms_status.sql",
        "    on winner.report_status = 'FAIL'\n    and meaning",
        "    on meaning",
        (CORE,),
    ),
)

NUMBER = (
    Mutant(
        "number/any-length",
        "a number with a digit too few or too many is the operator's of its range",
        "warehouse/steps/messages/numbers.sql",
        "case when placed.is_as_long_as_a_mobile then nullif(ranges.operator, '') end",
        "nullif(ranges.operator, '')",
        (NUMBERS,),
    ),
    Mutant(
        "number/dots-are-separators",
        "15205201314.0 is a number with a digit more",
        "warehouse/steps/messages/numbers.sql",
        "when regexp_full_match(mobile, '[+＋]?[0-9０-９]{7,}[.．][0-9０-９]*') then null",
        "",
        (NUMBERS,),
    ),
    Mutant(
        "number/any-dot-is-a-fraction",
        "152.05201314 is a fraction, too",
        "warehouse/steps/messages/numbers.sql",
        "[0-9０-９]{7,}[.．]",
        "[0-9０-９]{3,}[.．]",
        (NUMBERS,),
    ),
)

OPERATION = (
    Mutant(
        "operation/late-after-a-day",
        "files that wait for hours are no matter for a person",
        "pipelines/runs/status.py",
        "LATE_AFTER = timedelta(hours=1)",
        "LATE_AFTER = timedelta(days=1)",
        (LANDED,),
    ),
    Mutant(
        "operation/newest-pending",
        "how long files wait is told by the newest",
        "pipelines/runs/status.py",
        "timestamp() - min(arrivals)",
        "timestamp() - max(arrivals)",
        (LANDED,),
    ),
    Mutant(
        "operation/moved-away-needs-somebody",
        "a quarantined file that was moved away stays in `dlr status`",
        "pipelines/landing/registry.py",
        "for file, problem in rows.fetchall() if file in there}",
        "for file, problem in rows.fetchall()}",
        (LANDED,),
    ),
    Mutant(
        "operation/links-are-followed",
        "a landed link is taken for the file it leads to",
        "pipelines/landing/admission.py",
        "if path.is_symlink() and not path.is_dir():",
        "if path.is_symlink() and not path.exists():",
        (LANDED,),
    ),
    Mutant(
        "operation/news-are-changes",
        "a rebuild lists what landed meanwhile as moved",
        "warehouse/steps/rebuild/changed_messages.sql",
        "where coalesce(after.push_id not in (select push_id from fresh_pushes), true)",
        "where true",
        (REBUILD,),
    ),
    Mutant(
        "operation/refresh-once-a-day",
        "the refresh of every hour comes once a day",
        "pipelines/runs/schedules.py",
        '"7 * * * *"',
        '"7 0 * * *"',
        (SCHEDULES,),
    ),
    Mutant(
        "operation/housekeeping-every-hour",
        "the housekeeping of every night comes every hour",
        "pipelines/runs/schedules.py",
        '"37 3 * * *"',
        '"37 * * * *"',
        (SCHEDULES,),
    ),
    Mutant(
        "operation/5-per-cent-warns",
        "5 % of unmapped codes are a warning, not only more",
        "warehouse/marts/code_coverage_daily.sql",
        "sum(unmapped) > 0.05 * sum(with_code)",
        "sum(unmapped) >= 0.05 * sum(with_code)",
        (COVERAGE,),
    ),
    Mutant(
        "operation/6-per-cent",
        "more than 6 % of unmapped codes are a warning, not more than 5 %",
        "warehouse/marts/code_coverage_daily.sql",
        "sum(unmapped) > 0.05 * sum(with_code)",
        "sum(unmapped) > 0.06 * sum(with_code)",
        (COVERAGE,),
    ),
    Mutant(
        "operation/ten-are-few",
        "ten unmapped codes are too few for a warning",
        "warehouse/marts/code_coverage_daily.sql",
        "having sum(unmapped) >= 10",
        "having sum(unmapped) > 10",
        (COVERAGE,),
    ),
    Mutant(
        "operation/first-seen-last",
        "an unmapped code was first seen on its last day",
        "warehouse/marts/unmapped_errors.sql",
        "min(first_seen_utc)",
        "max(first_seen_utc)",
        (COVERAGE,),
    ),
    Mutant(
        "operation/last-seen-early",
        "an unmapped code was last seen with the first message of its last day",
        "warehouse/marts/unmapped_errors.sql",
        "max(last_seen_utc)",
        "max(first_seen_utc)",
        (COVERAGE,),
    ),
    Mutant(
        "operation/sql-may-write",
        "`dlr sql` opens the published database to write",
        "cli/published.py",
        "duckdb.connect(path, read_only=True)",
        "duckdb.connect(path)",
        (f"{COMMANDS}::test_the_published_database_is_opened_to_be_read",),
    ),
    Mutant(
        "operation/memory-limit-ignored",
        "DLR_MEMORY_LIMIT does not reach the engine",
        "pipelines/models/warehouse.py",
        "settings.memory_limit or _default_memory()",
        "_default_memory()",
        (f"{COMMANDS}::test_the_memory_limit_holds_wherever_the_warehouse_is_opened",),
    ),
)

MUTANTS = (*WINNER, *DECODING, *LAW, *ORDER, *ZONE, *CARRIER, *NUMBER, *OPERATION)
"""All of them; names are unique."""
