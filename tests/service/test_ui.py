"""The UI's door: what a page in the operator's browser can ask of it, and what is refused.

Three webservers on one data folder: Dagster's own, on which each hole is shown first; ours; and
ours with every setting. What is at stake is the sensor's switch.
"""

import json
import shutil
import subprocess
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import pytest
from dagster_webserver.webserver import DagsterWebserver
from starlette.routing import Mount, Route

from contract.settings import SettingsError
from pipelines.service.dagster_state import read_dagster_state
from pipelines.service.gather import ui_url
from tests.browser import Browser, browsing, why_no_browser
from tests.command import ROOT
from tests.data_folder import settings_of
from tests.deploy.test_proxies import HOST, caddy, nginx, running
from tests.live import free_port
from tests.service.live_ui import JSON, Ui, running_uis, until

NO_BROWSER = why_no_browser()
Write = Callable[[Path, int, int], list[str]]
EVIL = {"Origin": "http://evil.example"}


class Uis(NamedTuple):
    plain: Ui
    ours: Ui
    reader: Ui
    """Read-only, under a prefix, on another address, with another name."""


@pytest.fixture(scope="module")
def uis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Uis]:
    settings = {
        "HOST": "127.0.0.2",
        "DLR_UI_HOSTS": f"{HOST}, [fd00::7]",
        "DLR_UI_PATH_PREFIX": "/dagster",
        "DLR_UI_READ_ONLY": "true",
    }
    with running_uis(tmp_path_factory.mktemp("ui") / "data", None, {}, settings) as started:
        yield Uis(*started)


class Attack(NamedTuple):
    """A request that switches the sensor off; ``STOP`` stands for the mutation."""

    status: int
    """What ours answers."""
    method: str
    path: str
    body: str = ""
    headers: dict[str, str] = {}  # noqa: RUF012  never written to


IN_URL = "/graphql?query=STOP"
IN_JSON = '{"query": "STOP"}'
ATTACKS = {
    "by GET": Attack(405, "GET", IN_URL),
    "by GET with the path escaped": Attack(405, "GET", "/%67raphql?query=STOP"),
    "by GET with a line feed after the path": Attack(405, "GET", "/graphql%0A?query=STOP"),
    "behind a query": Attack(
        405, "GET", "/graphql?query=query%20a%7Bversion%7D%20STOP&operationName=b"
    ),
    "as the second query": Attack(405, "GET", "/graphql?query=%7Bversion%7D&query=STOP"),
    "as the first query of none": Attack(405, "GET", "/graphql?query=%7B&query=STOP"),
    "by POST with a URL alone": Attack(415, "POST", IN_URL),
    "by a form": Attack(
        415, "POST", IN_URL, "a=b", {"Content-Type": "application/x-www-form-urlencoded"}
    ),
    "by an upload": Attack(
        415, "POST", IN_URL, "--b--", {"Content-Type": "multipart/form-data; boundary=b"}
    ),
    "as JSON that a browser calls text": Attack(
        415, "POST", "/graphql", IN_JSON, {"Content-Type": "text/plain; application/json"}
    ),
    "as GraphQL that a browser calls text": Attack(
        415, "POST", "/graphql", "STOP", {"Content-Type": "text/plain; application/graphql"}
    ),
    "from another origin": Attack(403, "POST", "/graphql", IN_JSON, JSON | EVIL),
    "from another port": Attack(
        403, "POST", "/graphql", IN_JSON, JSON | {"Origin": "http://127.0.0.1:9"}
    ),
    "from nowhere": Attack(403, "POST", "/graphql", IN_JSON, JSON | {"Origin": "null"}),
    "from another site": Attack(
        403, "POST", "/graphql", IN_JSON, JSON | {"Sec-Fetch-Site": "cross-site"}
    ),
    "from another port of the site": Attack(
        403, "POST", "/graphql", IN_JSON, JSON | {"Sec-Fetch-Site": "same-site"}
    ),
    "to a stranger's name": Attack(
        421,
        "POST",
        "/graphql",
        IN_JSON,
        JSON | {"Host": "evil.example:3000", "Origin": "http://evil.example:3000"},
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_a_change_that_any_page_could_ask_for_is_refused(uis: Uis, name: str) -> None:
    attack = ATTACKS[name]
    stop = uis.plain.stop_sensor().replace("mutation", "mutation b")
    path = attack.path.replace("STOP", quote(stop))
    body = attack.body.replace("STOP", stop.replace('"', '\\"') if "{" in attack.body else stop)
    uis.plain.switch_on()
    answer = uis.ours.request(attack.method, path, body.encode(), attack.headers)
    assert answer.status == attack.status
    assert answer.body.count(b"\n") == 1, "one sentence"
    assert uis.plain.is_on()
    answer = uis.plain.request(attack.method, path, body.encode(), attack.headers)
    assert answer.status == 200
    assert not uis.plain.is_on(), "Dagster's own webserver does it"


def paths_of_the_webserver() -> list[str]:
    """One path for each route of the installed webserver."""
    webserver: DagsterWebserver = object.__new__(DagsterWebserver)  # routes need no context
    webserver._app_path_prefix = ""
    routes = [each for each in webserver.build_routes() if isinstance(each, Route | Mount)]
    filled = [each.path.replace("{path:path}", "a/b") for each in routes]
    return sorted(
        {path.replace("{run_id:str}", "r").replace("{asset_key:path}", "a") for path in filled}
    )


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_no_route_answers_strangers(uis: Uis, method: str) -> None:
    paths = paths_of_the_webserver()
    assert {"/graphql", "/report_asset_check/a", "/logs/a/b", "/", "/_next"} <= {*paths}
    for path in paths:
        for status, headers in (
            (421, {"Host": "evil.example"}),
            (421, {"Host": "evil.example", "Origin": "http://127.0.0.1"}),
            (403, EVIL),
            (403, {"Origin": "null"}),
            (403, {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "iframe"}),
            (403, {"Sec-Fetch-Site": "same-site"}),
        ):
            answer = uis.ours.request(method, path, headers=headers)
            assert answer.status == status, (path, headers, answer)
    if method == "GET":
        assert (
            uis.plain.request("GET", "/server_info", headers={"Host": "evil.example"} | EVIL).status
            == 200
        )


def test_events_are_reported_by_those_who_may(uis: Uis) -> None:
    path = "/report_asset_materialization/made/up"
    assert uis.plain.request("POST", path, headers=EVIL).status == 200, "Dagster's own takes it"
    assert uis.ours.request("POST", path, headers=EVIL).status == 403
    assert uis.ours.request("POST", path).status == 200
    assert uis.reader.request("POST", path).status == 401


def test_reading_goes_on(uis: Uis) -> None:
    assert uis.ours.request("GET", "/graphql?query=%7Bversion%7D").body.startswith(b'{"data"')
    own = {"Origin": uis.ours.url, "Sec-Fetch-Site": "same-origin"}
    kind = {"Content-Type": "application/json; charset=utf-8"}
    asked = uis.ours.request("POST", "/graphql", b'{"query": "{version}"}', own | kind)
    assert asked.body.startswith(b'{"data":{"version"')
    assert uis.ours.request("GET", "/graphql", headers={"Accept": "text/html"}).status == 200
    assert uis.ours.request("GET", "/graphql?query=" + "%7B" * 5000).status == 405


def test_a_link_from_elsewhere_opens_the_ui_and_a_frame_does_not(uis: Uis) -> None:
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    page = uis.ours.request("GET", "/runs", headers=link | {"Sec-Fetch-Dest": "document"})
    assert page.status == 200
    assert page.headers["x-frame-options"] == "DENY"
    raw = uis.ours.raw("GET /runs HTTP/1.1", f"Host: localhost:{uis.ours.port}")
    assert b"<!DOCTYPE html>" in raw.body
    policy = page.headers["content-security-policy"]
    assert policy == "frame-ancestors 'none'", "the last of two headers; the other is Dagster's"
    post = uis.ours.request("POST", "/runs", headers=link | {"Sec-Fetch-Dest": "document"})
    assert post.status == 403
    assert "x-frame-options" not in uis.plain.request("GET", "/runs").headers


@pytest.mark.parametrize(
    ("status", "hosts"),
    [
        (200, ["127.0.0.1"]),
        (200, ["LOCALHOST:9"]),
        (200, ["[::1]:3000"]),
        (200, ["127.0.0.2:1"]),
        (200, ["reports.example.com"]),
        (200, ["REPORTS.example.com:443"]),
        (200, ["[fd00::7]"]),
        (421, ["a.reports.example.com"]),
        (421, ["localhost.evil.example"]),
        (421, ["10.0.0.1"]),
        (400, ["reports.example.com@evil.example"]),
        (400, ["127.0.0.1/"]),
        (400, [""]),
        (400, []),
        (400, ["localhost", "evil.example"]),
        (400, ["localhost", "localhost"]),
    ],
)
def test_it_answers_to_names_it_knows(uis: Uis, status: int, hosts: list[str]) -> None:
    lines = [f"Host: {host}" for host in hosts]
    answer = uis.reader.raw("GET /dagster/server_info HTTP/1.1", *lines)
    assert answer.status == status
    if status == 421:
        assert b"DLR_UI_HOSTS" in answer.body
    if not hosts:
        assert uis.reader.raw("GET /dagster/server_info HTTP/1.0").status == 400


def test_a_proxy_may_name_the_port_that_its_scheme_has_anyway(uis: Uis) -> None:
    for status, host, origin in (
        (200, "reports.example.com:443", "https://reports.example.com"),
        (200, "reports.example.com:80", "http://reports.example.com"),
        (200, "reports.example.com:8443", "https://reports.example.com:8443"),
        (403, "reports.example.com", "https://reports.example.com:8443"),
        (403, "reports.example.com:443", "http://reports.example.com"),
        (403, "127.0.0.2", "https://reports.example.com"),
    ):
        headers = {"Host": host, "Origin": origin}
        assert uis.reader.request("GET", "/server_info", headers=headers).status == status


def websocket_head(path: str, host: str, *origins: str) -> list[str]:
    """The request for a websocket, by lines."""
    return [
        f"GET {path} HTTP/1.1",
        f"Host: {host}",
        *(f"Origin: {origin}" for origin in origins),
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol: graphql-ws",
    ]


def websocket(ui: Ui, host: str, *origins: str) -> tuple[str, str]:
    """Ask for a websocket, in it for the mutation; returns first line and first message."""
    head = websocket_head(f"{ui.prefix}/graphql", host, *origins)
    with ui.connect(*head) as connection, connection.makefile("rb") as answers:
        first = answers.readline().decode()
        while answers.readline().strip():
            pass
        if " 101 " not in first:
            return first, ""
        start = {"type": "start", "id": "1", "payload": {"query": ui.stop_sensor()}}
        text = json.dumps(start).encode()
        frame = b"\x81\xfe" + len(text).to_bytes(2, "big") + bytes(4) + text  # masked by zeros
        connection.sendall(frame)
        size = answers.read(2)[1]
        size = int.from_bytes(answers.read(2), "big") if size == 126 else size
        return first, answers.read(size).decode()


def test_websockets_are_for_pages_of_the_ui(uis: Uis) -> None:
    own = f"127.0.0.1:{uis.ours.port}"
    uis.plain.switch_on()
    for origins in ([f"http://{own}"], []):
        first, message = websocket(uis.ours, own, *origins)
        assert " 101 " in first
        assert '"type": "error"' in message or '"type":"error"' in message, message
    for host, origin in (
        (own, "http://evil.example"),
        (own, "null"),
        (own, f"http://localhost:{uis.ours.port}"),
        ("evil.example", "http://evil.example"),
    ):
        assert " 403 " in websocket(uis.ours, host, origin)[0]
        assert " 101 " in websocket(uis.plain, host, origin)[0], "Dagster's own opens it"
    assert uis.plain.is_on()


def test_a_reader_changes_nothing_and_the_supervisor_still_sees(uis: Uis) -> None:
    uis.plain.switch_on()
    refused = uis.reader.graphql(uis.reader.stop_sensor())
    assert refused == {"stopSensor": {"__typename": "UnauthorizedError"}}
    assert uis.plain.is_on()
    state = read_dagster_state(uis.reader.url)
    assert state is not None
    assert state.sensor_on
    assert b'"/dagster/_next' in uis.reader.request("GET", "/").body
    assert uis.reader.raw("GET / HTTP/1.1", "Host: localhost").headers["location"] == "/dagster"


def test_the_settings_say_where_the_ui_is_and_what_is_wrong_with_them(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, ui_bind="0.0.0.0:13", ui_path_prefix="/a/b")
    assert ui_url(settings) == "http://127.0.0.1:13/a/b"
    assert ui_url(settings_of(tmp_path, ui_bind="[fd00::7]:13")) == "http://[fd00::7]:13"
    assert ui_url(settings_of(tmp_path)) == "http://127.0.0.1:3000"
    for wrong in ({"ui_bind": "3000"}, {"ui_hosts": "https://a"}, {"ui_path_prefix": "a/"}):
        with pytest.raises(SettingsError, match=f"DLR_{next(iter(wrong)).upper()} "):
            settings_of(tmp_path, **wrong)


def with_ui(write: Write, ui: Ui) -> Write:
    """The same proxy with the UI's page included, and a password."""

    def write_both(folder: Path, port: int, receiver: int) -> list[str]:
        command = write(folder, port, receiver)
        name, line = {
            "nginx": ("nginx-ui.conf", "# include /etc/nginx/"),
            "caddy": ("Caddyfile-ui", "# import "),
        }[write.__name__]
        page = (ROOT / "deploy" / name).read_text()
        for text, other in {
            "127.0.0.1:3000": f"{ui.host}:{ui.port}",
            "/etc/nginx/dlr-ui.htpasswd": str(folder / "htpasswd"),
            "{$DLR_UI_USER} {$DLR_UI_PASSWORD_HASH}": f"operator {hashed('caddy')}",
        }.items():
            page = page.replace(text, other)
        (folder / "htpasswd").write_text(f"operator:{hashed('openssl')}\n")
        (folder / name).write_text(page)
        site = folder / name.replace("-ui", "")
        assert line in site.read_text()
        site.write_text(
            site.read_text()
            .replace(line + name, f"{line[2:]}{name}")
            .replace("include /etc/nginx/nginx-ui", f"include {folder}/nginx-ui")
        )
        return command

    return write_both


def hashed(tool: str) -> str:
    """The hash of a password, as the pages say how to make it."""
    words = {
        "openssl": ["openssl", "passwd", "-apr1", "a password"],
        "caddy": ["caddy", "hash-password", "--plaintext", "a password"],
    }[tool]
    if not shutil.which(words[0]):
        return ""
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize("write", [nginx, caddy], ids=["nginx", "caddy"])
def test_behind_a_proxy_with_a_login(uis: Uis, tmp_path: Path, write: Write) -> None:
    if not shutil.which(write.__name__, path="/usr/sbin:/usr/bin") or not shutil.which("openssl"):
        pytest.skip(f"needs {write.__name__} and openssl")
    login = {"Authorization": "Basic " + b64encode(b"operator:a password").decode()}
    with running(with_ui(write, uis.reader), tmp_path, free_port()) as proxy:
        own = f"{HOST}:{proxy.port}"
        seen = login | {"Host": own}
        page = "/dagster/runs"
        assert proxy.request("GET", page, headers={"Host": own})[0] == 401
        assert proxy.request("GET", "/runs", headers=seen)[0] == 404
        assert proxy.request("GET", "/dagster", headers=seen)[0] in (301, 302)
        status, content = proxy.request("GET", page, headers=seen)
        assert status == 200
        assert b'"/dagster/_next' in content
        query = b'{"query": "{version}"}'
        for origin, status in ((f"https://{own}", 200), ("https://evil.example", 403)):
            headers = seen | JSON | {"Origin": origin}
            assert proxy.request("POST", "/dagster/graphql", query, headers)[0] == status
            lines = websocket_head("/dagster/graphql", own, origin)
            lines.append(f"Authorization: {login['Authorization']}")
            with proxy.connect() as connection:
                connection.sendall("".join(f"{line}\r\n" for line in (*lines, "")).encode())
                first = connection.makefile("rb").readline()
            assert f" {101 if status == 200 else 403} ".encode() in first
        assert "a password" not in proxy.logged()
        assert login["Authorization"] not in proxy.logged()


PAGE = """
const url = base + "/graphql?query=" + encodeURIComponent(stop);
const text = JSON.stringify({query: stop});
const post = (url, kind, body, mode) =>
  fetch(url, {method: "POST", mode, body, headers: kind ? {"Content-Type": kind} : {}});
const loaded = (tag, set) => new Promise(done => {
  const element = document.createElement(tag);
  element.onload = element.onerror = done;
  set(element);
  document.body.append(element);
});
const form = () => loaded("iframe", frame => {
  frame.name = "hidden" + Math.random();
  setTimeout(() => {
    const form = document.createElement("form");
    Object.assign(form, {method: "POST", action: url, target: frame.name});
    document.body.append(form);
    form.submit();
  });
}).then(() => new Promise(done => setTimeout(done, 300)));
const attacks = {
  image: () => loaded("img", image => image.src = url),
  script: () => loaded("script", script => script.src = url),
  form,
  text: () => post(url, "text/plain", "x", "no-cors"),
  disguised: () => post(base + "/graphql", "text/plain; application/json", text, "no-cors"),
  beacon: () => { navigator.sendBeacon(url); return new Promise(done => setTimeout(done, 300)); },
};
window.over = false;
attacks[name]().catch(() => 0).finally(() => window.over = true);
"""
"""What a hostile page tries, each by itself: requests as above, as a browser makes them."""
HOSTILE = ("image", "script", "form", "text", "disguised", "beacon")


@contextmanager
def hostile_site() -> Iterator[int]:
    """A web site on some port of this machine, with an empty page."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>cats</title><body>cats")

        def log_message(self, *words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def attack(browser: Browser, name: str, ui: Ui) -> None:
    """Let the page that is open try one attack, and wait for its end."""
    words = {"name": name, "base": ui.url, "stop": ui.stop_sensor()}
    variables = "".join(f"const {key} = {json.dumps(value)};" for key, value in words.items())
    browser.run(f"{variables}\n{PAGE}")
    browser.wait(lambda: browser.ask("window.over"))


def opened(browser: Browser, ui: Ui) -> bool:
    """Whether the page that is open gets a websocket."""
    address = json.dumps(f"ws://127.0.0.1:{ui.port}/graphql")
    browser.run(
        f"window.socket = new WebSocket({address}, 'graphql-ws'); window.got = undefined;"
        "socket.onopen = () => window.got = true; socket.onclose = () => window.got ??= false;"
    )
    browser.wait(lambda: browser.ask("window.got") is not None)
    return bool(browser.ask("window.got"))


@pytest.mark.skipif(NO_BROWSER is not None, reason=str(NO_BROWSER))
def test_a_hostile_page_in_a_real_browser_changes_nothing(uis: Uis, tmp_path: Path) -> None:
    plain, ours, _ = uis
    rebound = "--host-resolver-rules=MAP *.example 127.0.0.1"
    with hostile_site() as port, browsing("http://", tmp_path / "profile", rebound) as browser:
        for site, names in ((f"localhost:{port}", HOSTILE), (f"evil.example:{port}", HOSTILE[:1])):
            browser.open(site, "cats")
            for name in names:
                plain.switch_on()
                attack(browser, name, ours)
                assert plain.is_on(), (site, name)
                attack(browser, name, plain)
                until(lambda: not plain.is_on(), 5, f"{name} from {site}")
            assert opened(browser, plain), "Dagster's own opens a websocket for anybody"
            assert not opened(browser, ours)
        for ui, is_on in ((ours, True), (plain, False)):  # DNS rebinding: our port, its name
            plain.switch_on()
            seen = browser.open(f"evil.example:{ui.port}/server_info")
            assert ("DLR_UI_HOSTS" in seen) == is_on
            browser.run(
                "window.over = false; fetch('/graphql', {method: 'POST', body: "
                f"JSON.stringify({{query: {json.dumps(ui.stop_sensor())}}}), "
                "headers: {'Content-Type': 'application/json'}}).finally(() => window.over = true)"
            )
            browser.wait(lambda: browser.ask("window.over"))
            assert plain.is_on() == is_on
        browser.open(f"127.0.0.1:{ours.port}/automation", "landed_files_sensor")
        assert "landed_files_sensor" in browser.text(), "the UI itself works"
        assert opened(browser, ours)
