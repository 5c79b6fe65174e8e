"""Alerts to a webhook: JSON by POST, in the shape that its service takes."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from typing import IO
from urllib.parse import urlsplit

from pipelines.service.alerts.message import Message
from pipelines.service.alerts.target import TIMEOUT_S, DeliveryError

SHAPES: Mapping[str, Callable[[Message], object]] = {
    "json": lambda message: message.to_json(),
    "slack": lambda message: {"text": message.text},
    "feishu": lambda message: {"msg_type": "text", "content": {"text": message.text}},
    "dingtalk": lambda message: {"msgtype": "text", "text": {"content": message.text}},
}
_HOSTS = {
    "hooks.slack.com": "slack",
    "open.feishu.cn": "feishu",
    "open.larksuite.com": "feishu",
    "oapi.dingtalk.com": "dingtalk",
}
_REFUSALS = {"feishu": ("code", "msg"), "dingtalk": ("errcode", "errmsg")}
"""These two answer 200 whatever happens; in their answer, 0 is success."""
_MOST_READ_BYTES = 10_000
_MOST_SHOWN = 200


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A POST that is redirected would arrive as a GET without its content."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> None:
        """Let it be the error that it is for us."""


_OPENER = urllib.request.build_opener(_NoRedirect)


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook of one of the SHAPES."""

    shape: str
    secret: str
    """Its URL."""

    @classmethod
    def from_setting(cls, text: str) -> "Webhook":
        """``https://…``, its shape told by its host, or with the shape before it and a ``+``."""
        shape, plus, url = text.partition("+")
        if plus and shape in SHAPES:
            return cls(shape, url)
        return cls(_HOSTS.get(urlsplit(text).hostname or "", "json"), text)

    @property
    def name(self) -> str:
        """Its shape and host."""
        return f"webhook ({self.shape}) at {urlsplit(self.secret).hostname}"

    def send(self, message: Message) -> str:
        """Post; raises DeliveryError."""
        request = urllib.request.Request(  # noqa: S310  the settings allow http and https only
            self.secret,
            json.dumps(SHAPES[self.shape](message), ensure_ascii=False).encode(),
            {"Content-Type": "application/json; charset=utf-8", "User-Agent": "dlr"},
        )
        try:
            with _OPENER.open(request, timeout=TIMEOUT_S) as response:
                answer = response.read(_MOST_READ_BYTES)
                status = response.status
        except urllib.error.HTTPError as error:
            with error:
                raise DeliveryError(
                    f"it answered {error.code} {error.reason}"
                    + (" (is the URL right?)" if 300 <= error.code < 500 else "")
                ) from None
        except urllib.error.URLError as error:
            raise DeliveryError(f"no connection: {_cause(error.reason)}") from None
        except (OSError, HTTPException, ValueError) as error:
            raise DeliveryError(f"no answer: {_cause(error)}") from None
        self._expect_success(answer)
        return f"accepted with {status}"

    def _expect_success(self, answer: bytes) -> None:
        if self.shape not in _REFUSALS:
            return
        code, text = _REFUSALS[self.shape]
        try:
            content = json.loads(answer)
            refused = content.get(code, content.get("StatusCode", 0)) != 0
            said = str(content.get(text, ""))[:_MOST_SHOWN]
        except (ValueError, AttributeError):
            raise DeliveryError("its answer is not what this service answers") from None
        if refused:
            raise DeliveryError(f"it refused the message: {said}")


def _cause(error: object) -> str:
    """An error without the URL, which some carry."""
    if isinstance(error, TimeoutError):
        return f"nothing within {TIMEOUT_S:g} s"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
