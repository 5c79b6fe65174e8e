"""The description of the interface says what the receiver does: no more, no less."""

from http import HTTPStatus
from pathlib import Path
from typing import Any

import falcon.inspect
import pytest
import requests
import schemathesis
import yaml
from hypothesis import given, settings
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from ingest.receiver import PUSH_URL
from ingest.rejects import Reject
from tests.ingest.asgi import Receiver, Request
from tests.ingest.outcomes import BEFORE_THE_APPLICATION, CASES, PUSH_PATH
from tests.live import ROOT, TOKEN, Answer, Live, answer_on, connect, running_receiver

SPEC: dict[str, Any] = yaml.safe_load((ROOT / "ingest" / "openapi.yaml").read_text())
METHODS = {"post", "get", "head"}
TOLD = {"allow", "retry-after", "x-reject-reason", "x-request-id"}
"""Headers that say something about the answer."""


def test_it_is_valid() -> None:
    validate(SPEC)


def test_its_paths_and_methods_are_those_of_the_application(tmp_path: Path) -> None:
    app = falcon.inspect.inspect_app(Receiver(tmp_path).app)
    routes = {
        route.path: {method.method.lower() for method in route.methods if not method.internal}
        for route in app.routes
    }
    described = {path: METHODS & item.keys() for path, item in SPEC["paths"].items()}
    assert described.pop(PUSH_PATH) == METHODS
    assert PUSH_URL.match(PUSH_PATH)
    assert described == routes
    assert {sink.prefix for sink in app.sinks} == {"", PUSH_URL.pattern}


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """Return what a reference refers to, or the node itself."""
    found = SPEC if "$ref" in node else node
    for name in node.get("$ref", "#").split("/")[1:]:
        found = found[name]
    return found


def responses_to(path: str, method: str) -> dict[int, dict[str, Any]]:
    """Return the described responses by status."""
    item = SPEC["paths"][path]
    responses = item[method]["responses"] if method in METHODS else item["x-other-methods"]
    return {int(status): resolved(response) for status, response in responses.items()}


def bodies_of(response: dict[str, Any]) -> dict[str, str]:
    """Return the bodies of a response by slug."""
    schema = response["content"]["text/plain"]["schema"]
    return {one.get("title", ""): one.get("const", "") for one in schema.get("oneOf", [schema])}


@pytest.mark.parametrize("reject", Reject)
def test_each_reason_to_refuse_is_described(reject: Reject) -> None:
    method = "put" if reject == Reject.METHOD_NOT_ALLOWED else "post"
    response = responses_to(PUSH_PATH, method)[reject.status]
    if reject.status == HTTPStatus.NOT_FOUND:
        assert bodies_of(response) == {"": reject.sentence + "\n"}
        assert reject.slug in response["description"]
    else:
        assert bodies_of(response)[reject.slug] == reject.sentence + "\n"


@pytest.mark.parametrize(("path", "method"), CASES)
def test_what_is_answered_is_described_and_what_is_described_is_answered(
    path: str, method: str, tmp_path: Path
) -> None:
    receiver = Receiver(tmp_path, push_tokens=TOKEN, allowed_networks="192.0.2.0/24")
    usual = {
        "method": method.upper(),
        "path": path.format(token=TOKEN),
        "pieces": [b"sms_status="],
        "headers": [(b"content-length", b"11")],
    }
    with receiver.running():
        for case in CASES[path, method]:
            with pytest.MonkeyPatch.context() as patch:
                case.trouble(patch, receiver)
                answer = receiver.ask(Request(**{**usual, **case.changes}))
            slug = answer.headers.get("x-reject-reason", "")
            assert (answer.status, slug) == case.outcome
            assert_described(answer, path, method)
    described = {
        (status, slug)
        for status, response in responses_to(path, method).items()
        for slug in bodies_of(response)
    }
    assert described == BEFORE_THE_APPLICATION | {case.outcome for case in CASES[path, method]}


def assert_described(answer: Answer, path: str, method: str) -> None:
    """Hold an answer against the response that is described for its status."""
    response = responses_to(path, method)[answer.status]
    headers = {name.lower(): resolved(each) for name, each in response.get("headers", {}).items()}
    required = {name for name, header in headers.items() if header.get("required")}
    told = TOLD & answer.headers.keys()
    assert required <= told <= headers.keys()
    for name in told:
        OAS31Validator(headers[name]["schema"]).validate(answer.headers[name])
    ((media_type, content),) = response["content"].items()
    assert answer.headers["content-type"].split(";")[0] == media_type
    if method != "head":
        OAS31Validator(content["schema"]).validate(answer.body.decode())


def test_what_the_server_answers_by_itself_is_described(tmp_path: Path) -> None:
    prelude = (
        "import ingest.connections, ingest.wire\n"
        "ingest.wire.ARRIVAL_TIMEOUT_S = 2\n"
        "ingest.connections.CONNECTION_LIMIT = 1"
    )
    with running_receiver(tmp_path / "data", prelude=prelude) as live:
        with connect(live) as silent:
            with connect(live) as one_too_many:
                answers = [answer_on(one_too_many)]
            answers += [answer_on(silent)]
            assert silent.recv(1) == b""  # closed, so that the next one is not one too many
        for request in (b"?\r\n", b"GET / HTTP/1.1\r\nX: " + b"x" * 40_000):
            with connect(live) as client:
                client.sendall(request)
                answers += [answer_on(client)]
                assert client.recv(1) == b""
    assert {(answer.status, "") for answer in answers} == BEFORE_THE_APPLICATION
    for path, method in CASES:
        for answer in answers:
            assert_described(answer, path, method)


API = schemathesis.openapi.from_dict(SPEC)
OPERATIONS = [
    pytest.param(API[path][method], mode, id=f"{method} {path} {mode.value}")
    for path, item in SPEC["paths"].items()
    for method in sorted(METHODS & item.keys())
    for mode in schemathesis.GenerationMode
    # Where nothing can be said, nothing can be said wrongly.
    if mode == schemathesis.GenerationMode.POSITIVE or "parameters" in item
]


@pytest.mark.parametrize(("operation", "mode"), OPERATIONS)
@pytest.mark.parametrize("token", [TOKEN, None], ids=["right token", "any token"])
def test_requests_made_from_the_description(
    operation: Any,
    mode: schemathesis.GenerationMode,
    token: str | None,
    live: Live,
) -> None:
    """Every check of schemathesis holds: statuses, types, headers, bodies, who is refused."""
    session = requests.Session()
    session.trust_env = False  # no proxy between us

    @settings(max_examples=20, deadline=None)
    @given(case=operation.as_strategy(generation_mode=mode))
    def conform(case: "schemathesis.Case[Any]") -> None:
        if token and "token" in case.path_parameters:
            case.path_parameters["token"] = token
        case.call_and_validate(live.base_url, session)

    with session:
        conform()
