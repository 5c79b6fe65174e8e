"""Alerts to real servers: once at the beginning, once at the end, whatever happens in between."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from contract.problems import KINDS, Problem, service_folder
from contract.settings import Settings
from pipelines.service.alerts import Alerts, Pace, Patience
from pipelines.service.alerts.delivery import Delivery
from pipelines.service.alerts.episodes import Alert
from pipelines.service.alerts.message import message_of
from tests.data_folder import settings_of
from tests.ingest.asking import until
from tests.live import TOKEN
from tests.service.targets import (
    PASSWORD,
    SECRET,
    USER,
    Hook,
    make_certificate,
    running_hook,
    running_mailbox,
)

Outcome = tuple[int, str, str]

START = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
FULL = Problem("disk_bytes", "The disk is almost full.")
OFF = Problem("sensor_off", "The sensor is switched off.")
NUMBER = "+86 152-0520-1314"


class Service:
    """Reports by a clock of the test's, and delivers at once."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.log: list[str] = []
        self.clock = START
        self.restart()

    def restart(self) -> None:
        self.alerts = Alerts(self.settings, self.log.append, Pace(first_backoff=timedelta(0)))

    def look(self, *problems: Problem, after_s: float = 15, unjudged: tuple[str, ...] = ()) -> None:
        self.clock += timedelta(seconds=after_s)
        self.alerts.report(problems, self.clock, unjudged)
        self.alerts.deliver()


@pytest.fixture
def alerts_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Any:
    """`dlr alerts test` in this process; exit status, what it prints, what it complains of."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DLR_DATA", str(tmp_path / "data"))

    def command(**environment: str) -> Outcome:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return main(["alerts", "test"]), *capsys.readouterr()

    return command


@pytest.fixture
def hook() -> Iterator[Hook]:
    with running_hook() as hook:
        yield hook


def settings_for(tmp_path: Path, **more: Any) -> Settings:
    return settings_of(tmp_path / "data", push_tokens=TOKEN, **more)


@pytest.fixture
def service(tmp_path: Path, hook: Hook) -> Service:
    return Service(settings_for(tmp_path, alert_webhook=hook.url))


def test_one_alert_at_the_beginning_and_one_at_the_end(service: Service, hook: Hook) -> None:
    for _ in range(10):
        service.look(FULL)
    assert hook.alerts == [("begin", "disk_bytes")]
    for _ in range(10):
        service.look()
    assert hook.alerts == [("begin", "disk_bytes"), ("end", "disk_bytes")]
    [begin], [end] = (post["alerts"] for post in hook.posts)
    assert begin["since"] == end["since"] == "2026-11-29T12:00:15Z"
    assert begin["critical"] is True
    assert begin["sentence"] == FULL.sentence
    assert hook.posts[0]["text"].splitlines()[1:] == [
        "BEGAN 2026-11-29T12:00:15Z disk_bytes: The disk is almost full.",
        "Runbook: docs/operations/alerts.md",
    ]


def test_what_passes_by_itself_is_no_alert(service: Service, hook: Hook) -> None:
    service.look(FULL)
    for _ in range(10):
        service.look()
    assert hook.alerts == []


def test_flapping_is_one_alert(service: Service, hook: Hook) -> None:
    for _ in range(20):
        service.look(FULL)
        service.look()
        service.look()
    assert hook.alerts == [("begin", "disk_bytes")]


def test_nothing_is_over_because_nobody_looked(service: Service, hook: Hook) -> None:
    for _ in range(5):
        service.look(OFF)
    for _ in range(20):
        service.look(unjudged=("sensor_off",))
    assert hook.alerts == [("begin", "sensor_off")]


def test_a_restart_repeats_none(service: Service, hook: Hook) -> None:
    for n in range(20):
        service.look(FULL, *([OFF] if n > 10 else []))
        service.restart()
    assert hook.alerts == [("begin", "disk_bytes"), ("begin", "sensor_off")]
    for _ in range(5):
        service.look(OFF)
    service.restart()
    assert hook.alerts[2:] == [("end", "disk_bytes")]


def test_a_target_that_was_away_hears_all_once(service: Service, hook: Hook) -> None:
    hook.status = 500
    for _ in range(5):
        service.look(FULL)
    service.restart()
    for _ in range(10):
        service.look()
    assert hook.posts == []
    assert [line for line in service.log if "not delivered" in line] == service.log[:1]
    queued = json.loads((service_folder(service.settings.data) / "alerts/state.json").read_text())
    assert len(next(iter(queued["targets"].values()))["queue"]) == 2
    hook.status = 200
    service.look()
    service.look()
    assert hook.alerts == [("begin", "disk_bytes"), ("end", "disk_bytes")]
    assert len(hook.posts) == 1
    assert "delivered again" in service.log[-1]


def test_a_target_that_was_gone_hears_all_once(tmp_path: Path) -> None:
    with running_hook() as hook:
        service = Service(settings_for(tmp_path, alert_webhook=hook.url))
    for _ in range(5):
        service.look(FULL)
    assert [each.name for each in service.alerts.report([FULL], service.clock)] == [
        "disk_bytes",
        "alerts_failing",
    ]
    with running_hook(hook.port) as back:
        service.look(FULL)
        assert back.alerts == [("begin", "disk_bytes")]
    assert "alerts_failing" in KINDS


def test_a_clock_that_was_set_back_delays_nothing(service: Service, hook: Hook) -> None:
    service.look(FULL)
    service.look(FULL, after_s=-7200)
    service.look(FULL)
    service.look(FULL)
    assert hook.alerts == [("begin", "disk_bytes")]


def test_a_full_disk_keeps_no_alert_back(tmp_path: Path, hook: Hook) -> None:
    settings = settings_for(tmp_path, alert_webhook=hook.url)
    settings.data.parent.mkdir(exist_ok=True)
    settings.data.write_text("no folder can be made here")
    service = Service(settings)
    for _ in range(5):
        service.look(FULL)
    assert hook.alerts == [("begin", "disk_bytes")]
    assert all(line.startswith("Cannot write ") for line in service.log)


def test_garbage_on_disk_is_survived(service: Service, hook: Hook) -> None:
    service.look(FULL)
    state = service_folder(service.settings.data) / "alerts/state.json"
    for garbage in (b"", b"[1]", b"{", b'{"episodes": {"x": 1}}', b"\xff\x00"):
        state.write_bytes(garbage)
        service.restart()
        service.look(FULL)
    service.look(FULL)
    service.look(FULL)
    assert hook.alerts == [("begin", "disk_bytes")]


def test_messages_are_not_too_many() -> None:
    delivery, sent = Delivery(), 0
    for minute in range(60):
        for second in range(60):
            at = START + timedelta(minutes=minute, seconds=second)
            delivery.add([Alert("begin", "ui_down", str((minute, second)), at, at)])
            if message := delivery.due(at):
                sent += len(message.alerts)
                delivery.delivered(message)
    assert sent + len(delivery.queue) == 3600  # all of them, in at most 20 messages and 60
    assert delivery.allowed < 1


def test_backoff_grows_to_ten_minutes_and_the_queue_is_bounded() -> None:
    delivery, at, waits = Delivery(), START, []
    for _ in range(12):
        delivery.add([Alert("begin", "ui_down", "x", at, at)] * 100)
        assert delivery.due(at)
        delivery.failed(at)
        assert delivery.next_try
        waits.append((delivery.next_try - at).total_seconds())
        assert delivery.due(delivery.next_try - timedelta(seconds=1)) is None
        at = delivery.next_try
    assert waits == [5, 10, 20, 40, 80, 160, 320, 600, 600, 600, 600, 600]
    message = delivery.due(at)
    assert message
    assert len(message.alerts) == 200
    assert "1000 older alerts were left out." in message.text


def test_the_thread_delivers_and_stops(tmp_path: Path, hook: Hook) -> None:
    at_once = Pace(Patience(timedelta(0), timedelta(0)), timedelta(0), pause_s=0.01)
    alerts = Alerts(settings_for(tmp_path, alert_webhook=hook.url), print, at_once)
    alerts.start()
    alerts.report([FULL])
    until(lambda: hook.alerts == [("begin", "disk_bytes")])
    began = time.monotonic()
    alerts.stop()
    assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    ("prefix", "answer", "read"),
    [
        ("slack+", b"ok", lambda post: post["text"]),
        ("feishu+", b'{"code": 0, "msg": "success"}', lambda post: post["content"]["text"]),
        ("feishu+", b'{"StatusCode": 0}', lambda post: post["content"]["text"]),
        ("dingtalk+", b'{"errcode": 0, "errmsg": "ok"}', lambda post: post["text"]["content"]),
        ("json+", b"", lambda post: post["text"]),
    ],
)
def test_the_shapes(tmp_path: Path, hook: Hook, prefix: str, answer: bytes, read: Any) -> None:
    hook.answer = answer
    service = Service(settings_for(tmp_path, alert_webhook=prefix + hook.url))
    for _ in range(4):
        service.look(FULL)
    [post] = hook.posts
    assert read(post).startswith("dlr on ")
    assert "disk_bytes: The disk is almost full." in read(post)
    kinds = {"feishu+": ("msg_type", "text"), "dingtalk+": ("msgtype", "text")}
    if prefix in kinds:
        key, value = kinds[prefix]
        assert post[key] == value


@pytest.mark.parametrize("tls", ["none", "starttls", "smtps"])
def test_alerts_by_mail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tls: str) -> None:
    certificate = make_certificate(tmp_path) if tls != "none" else None
    if certificate:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with running_mailbox(certificate, from_the_start=tls == "smtps") as mailbox:
        login = "alerts%40example.com:a%3Apass%2Fword-for-tests@" if certificate else ""
        scheme = "smtps" if tls == "smtps" else "smtp"
        url = f"{scheme}://{login}127.0.0.1:{mailbox.port}"
        service = Service(
            settings_for(tmp_path, smtp_url=url, alert_email="ops@example.com,boss@example.com")
        )
        for _ in range(5):
            service.look(FULL)
        for _ in range(8):
            service.look()
    assert service.log == []
    assert mailbox.logins == [USER] * 4 * (certificate is not None)
    assert sorted(str(mail["to"]) for mail in mailbox.mails) == [
        *["boss@example.com"] * 2,
        *["ops@example.com"] * 2,
    ]
    begin, *_, end = mailbox.mails
    assert begin["subject"].endswith(": disk_bytes began")
    assert end["subject"].endswith(": disk_bytes over")
    assert FULL.sentence in begin.get_content()
    assert begin["auto-submitted"] == "auto-generated"


def test_a_password_is_not_sent_in_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.service.alerts import mail

    monkeypatch.setattr(mail, "_is_loopback", lambda _host: False)  # no other host is reachable
    with running_mailbox() as mailbox:
        target = mail.Mail("ops@example.com", f"smtp://me:secret-word@127.0.0.1:{mailbox.port}")
        with pytest.raises(mail.DeliveryError, match="the password was not sent"):
            target.send(message_of([]))
    assert mailbox.logins == mailbox.mails == []


def test_no_secret_and_no_number_anywhere(tmp_path: Path, capfd: Any) -> None:
    certificate_free = f"smtp://me:{PASSWORD.replace(':', '%3A').replace('/', '%2F')}@127.0.0.1:9"
    with running_hook() as hook:
        url = hook.url
        service = Service(
            settings_for(
                tmp_path,
                alert_webhook=url,
                smtp_url=certificate_free,
                alert_email="ops@example.com",
            )
        )
        nasty = f"{url} {TOKEN} {certificate_free} {PASSWORD} 15205201314 {NUMBER} {SECRET}."
        for _ in range(8):
            service.look(Problem("check_failed", f"Something said {nasty}"))
        assert hook.alerts == [("begin", "check_failed")]
        heard = json.dumps(hook.posts, ensure_ascii=False)
    for _ in range(8):
        service.look()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.name for path in files} == {"state.json", "problems.json"}
    written = "".join(path.read_text() for path in files)
    for text in (heard, written, "\n".join(service.log), "".join(capfd.readouterr())):
        for secret in (TOKEN, PASSWORD, "a%3Apass", SECRET, "15205201314", "0520-1314"):
            assert secret not in text
    assert "[secret]" in heard
    assert "[number]" in heard


def test_dlr_alerts_test_says_what_happened(alerts_test: Any, hook: Hook) -> None:
    with running_hook() as refusing, running_hook() as moved, running_mailbox() as mailbox:
        refusing.answer = b'{"errcode": 310000, "errmsg": "keywords not in content"}'
        moved.status = 302
        code, out, err = alerts_test(
            DLR_ALERT_WEBHOOK=f"{hook.url},dingtalk+{refusing.url},slack+{moved.url},"
            f"feishu+{hook.url},http://127.0.0.1:9/{SECRET},http://dlr.invalid/{SECRET}",
            DLR_SMTP_URL=f"smtp://127.0.0.1:{mailbox.port}",
            DLR_ALERT_EMAIL="ops@example.com",
        )
    assert (code, err) == (1, "")
    assert out.splitlines() == [
        "webhook (json) at 127.0.0.1: accepted with 200.",
        "webhook (dingtalk) at 127.0.0.1: FAILED, it refused the message: keywords not in content.",
        "webhook (slack) at 127.0.0.1: FAILED, it answered 302 Found (is the URL right?).",
        "webhook (feishu) at 127.0.0.1: FAILED, its answer is not what this service answers.",
        "webhook (json) at 127.0.0.1: FAILED, no connection: Connection refused.",
        "webhook (json) at dlr.invalid: FAILED, no connection: Name or service not known.",
        "e-mail to ops@example.com by 127.0.0.1: accepted by the server.",
    ]
    assert "test alert" in hook.posts[0]["text"]
    assert hook.posts[0]["alerts"] == []
    [mail] = mailbox.mails
    assert mail["subject"].endswith(": test alert")


def test_dlr_alerts_test_with_a_wrong_password_or_certificate(
    tmp_path: Path, alerts_test: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = make_certificate(tmp_path)
    with running_mailbox(certificate) as mailbox:
        url = f"smtp://alerts%40example.com:wrong-word@127.0.0.1:{mailbox.port}"
        settings = {"DLR_SMTP_URL": url, "DLR_ALERT_EMAIL": "ops@example.com"}
        unknown = alerts_test(**settings)
        wrong = alerts_test(SSL_CERT_FILE=str(certificate), **settings)
    assert (wrong[0], unknown[0]) == (1, 1)
    assert "FAILED, the server answered 535 " in wrong[1]
    assert "FAILED, its certificate is not trusted: self-signed certificate." in unknown[1]
    assert "wrong-word" not in f"{wrong} {unknown}"


def test_dlr_alerts_test_that_succeeds_or_has_no_target(alerts_test: Any, hook: Hook) -> None:
    sentence = "dlr: There is no target: set DLR_ALERT_WEBHOOK, or DLR_ALERT_EMAIL.\n"
    assert alerts_test() == (1, "", sentence)
    assert alerts_test(DLR_ALERT_WEBHOOK=hook.url)[0] == 0


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"DLR_ALERT_WEBHOOK": f"ftp://x/{SECRET}"}, "DLR_ALERT_WEBHOOK must be URLs"),
        ({"DLR_SMTP_URL": f"mail.example.com:{SECRET}"}, "DLR_SMTP_URL must be smtp://"),
        ({"DLR_ALERT_EMAIL": "ops@example.com"}, "DLR_ALERT_EMAIL needs a mail server"),
        (
            {"DLR_ALERT_EMAIL": "ops", "DLR_SMTP_URL": "smtp://127.0.0.1"},
            "DLR_ALERT_EMAIL must be e-mail addresses",
        ),
    ],
)
def test_wrong_settings_are_a_sentence(
    alerts_test: Any, settings: dict[str, str], sentence: str
) -> None:
    code, _, complaint = alerts_test(**settings)
    assert code == 1
    assert sentence in complaint
    assert SECRET not in complaint
