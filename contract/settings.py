"""Every setting of the product, read once from the environment and a ``.env`` file."""

import re
from functools import cached_property
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BeforeValidator,
    ByteSize,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from contract.errors import UserError

Network = IPv4Network | IPv6Network

_MAPPED_BITS = 96
"""Bits before an IPv4 address that is written as an IPv6 one."""
_TOKEN = re.compile(r"[A-Za-z0-9._~-]{1,200}")
_WEBHOOK = re.compile(r"((json|slack|feishu|dingtalk)\+)?https?://[^\s/?#]+\S*")
_EMAIL = re.compile(r"[^\s@,<>]+@[^\s@,<>]+")
_HOST = re.compile(r"\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+")
_URLS = {
    "smtp_url": (r"smtps?://[^\s/?#]+/?(\?\S*)?", "smtp://user:password@host:587 or smtps://…:465"),
    "dagster_storage": (r"postgresql://[^\s#]+", "postgresql://user:password@host/database"),
}
_BIND = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^:\[\]\s]+):(?P<port>[0-9]{1,5})")


class SettingsError(UserError):
    """One or more settings are wrong; the message names each and says what is allowed."""


def _split(value: object) -> object:
    """Split a comma-separated text; spaces around the items are ignored."""
    if isinstance(value, str):
        return [item.strip() for item in value.split(",") if item.strip()]
    return value


def _network(value: object) -> object:
    """Read ``10.0.0.0/8`` or a single address; host bits must be clear.

    An IPv4 network written as IPv6 becomes IPv4, as the addresses compared with it do.
    """
    if not isinstance(value, str):
        return value
    try:
        network = ip_network(value)
    except ValueError:
        raise ValueError("must be networks such as 192.0.2.0/24, without host bits") from None
    first = network.network_address
    mapped = first.ipv4_mapped if isinstance(first, IPv6Address) else None
    if mapped is None or network.prefixlen < _MAPPED_BITS:
        return network
    return IPv4Network((mapped, network.prefixlen - _MAPPED_BITS))


CommaSeparated = BeforeValidator(_split)
Networks = Annotated[
    tuple[Annotated[Network, BeforeValidator(_network)], ...], NoDecode, CommaSeparated
]


class Settings(BaseSettings):
    """The product's settings; a field is the variable ``DLR_<FIELD>``, its docstring the meaning.

    To add a setting is to add a field, and its row in ``docs/settings.md``.
    """

    model_config = SettingsConfigDict(
        env_prefix="DLR_",
        env_file=".env",
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    data: Path = Path("data")
    """Folder of everything that is stored."""
    push_tokens: Annotated[tuple[SecretStr, ...], NoDecode, CommaSeparated] = ()
    """Secrets of the push URL; all of them are valid, so that one can be rotated."""
    bind: str = "127.0.0.1:8080"
    """Address and port of the receiver, ``host:port`` or ``[v6]:port``."""
    provider_timezone: str = "Asia/Shanghai"
    """Time zone of the provider's naive times (IANA name)."""
    sends_timezone: str = "UTC"
    """Time zone of a send log's naive times (IANA name)."""
    max_body_bytes: ByteSize = Field(default=ByteSize(4 * 1024**2), gt=0)
    """Largest body accepted, in bytes or such as ``4MiB``."""
    allowed_networks: Networks = ()
    """Networks that may push; empty allows every address."""
    trusted_proxies: Networks = ()
    """Networks whose ``X-Forwarded-For`` is trusted."""
    memory_limit: ByteSize | None = Field(default=None, ge=256 * 10**6)
    """Memory the database engine may use, such as ``1GB``; by default 40 % of what there is."""
    linger_ms: int = Field(default=0, ge=0, le=5000)
    """Longest wait of the receiver for more pushes to write into the same file, milliseconds."""
    compact_after_days: int = Field(default=7, ge=0)
    """Age in days at which landed files are compacted; 0 never compacts them."""
    max_run_s: int = Field(default=3600, ge=60)
    """Longest run in seconds; `dlr up` ends one of its runs that takes longer."""
    dagster_storage: SecretStr | None = None
    """Database of Dagster's history, ``postgresql://user:password@host/name``; by default files."""
    default_region: str = Field(default="CN", pattern=r"^[A-Z]{2}$")
    """Country (ISO 3166) of numbers written without a country code."""
    export_mobile: Literal["masked", "hashed", "plain"] = "masked"
    """How mobiles appear in exports and in the published database."""
    export_mobile_key: SecretStr | None = Field(default=None, validate_default=True)
    """Key of the keyed hash; required for ``hashed``, otherwise unused."""

    ui_bind: str = "127.0.0.1:3000"
    """Address and port of the UI under `dlr up`, which has no login."""
    ui_hosts: Annotated[tuple[str, ...], NoDecode, CommaSeparated] = ()
    """Host names the UI answers to, beside loopback names and its own address."""
    ui_path_prefix: str = Field(default="", pattern=r"^(/[A-Za-z0-9._~-]+)*$")
    """Path under which the UI lies, such as ``/dagster``, for a proxy."""
    ui_read_only: bool = False
    """Whether the UI shows everything and changes nothing."""

    alert_webhook: Annotated[tuple[SecretStr, ...], NoDecode, CommaSeparated] = ()
    """Webhooks that get alerts; the URLs are secrets."""
    smtp_url: SecretStr | None = None
    """Mail server for alerts, ``smtp://user:password@host:587`` or ``smtps://…:465``."""
    alert_email: Annotated[tuple[str, ...], NoDecode, CommaSeparated] = ()
    """Addresses that get alerts by e-mail."""

    @field_validator("push_tokens")
    @classmethod
    def _tokens_fit_a_url(cls, tokens: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if not all(_TOKEN.fullmatch(token.get_secret_value()) for token in tokens):
            raise ValueError("must be tokens of 1 to 200 characters from A-Z a-z 0-9 . _ ~ -")
        return tokens

    @field_validator("alert_webhook")
    @classmethod
    def _webhooks_are_urls(cls, urls: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if not all(_WEBHOOK.fullmatch(url.get_secret_value()) for url in urls):
            raise ValueError(
                "must be URLs that begin with https:// or http://, or with the shape before it, "
                "such as slack+https:// (json, slack, feishu, dingtalk)"
            )
        return urls

    @field_validator("smtp_url", "dagster_storage")
    @classmethod
    def _url_has_its_form(cls, url: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        form, example = _URLS[info.field_name or ""]
        if url is not None and not re.fullmatch(form, url.get_secret_value()):
            raise ValueError(f"must be {example}")
        return url

    @field_validator("alert_email")
    @classmethod
    def _emails_can_be_sent(cls, addresses: tuple[str, ...], info: ValidationInfo) -> object:
        if not all(_EMAIL.fullmatch(address) for address in addresses):
            raise ValueError("must be e-mail addresses, such as ops@example.com")
        if addresses and "smtp_url" in info.data and info.data["smtp_url"] is None:
            raise ValueError("needs a mail server: set DLR_SMTP_URL")
        return addresses

    @field_validator("ui_hosts")
    @classmethod
    def _hosts_have_no_port(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_HOST.fullmatch(host) for host in hosts):
            raise ValueError("must be host names without a port, such as dlr.example.com")
        return hosts

    @field_validator("bind", "ui_bind")
    @classmethod
    def _bind_has_host_and_port(cls, bind: str) -> str:
        match = _BIND.fullmatch(bind)
        if not match or int(match["port"]) > 65535:
            raise ValueError("must be host:port, such as 127.0.0.1:8080 or [::1]:8080")
        return bind

    @field_validator("provider_timezone", "sends_timezone")
    @classmethod
    def _zone_is_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("must be an IANA time zone, such as Asia/Shanghai or UTC") from error
        return name

    @field_validator("export_mobile_key")
    @classmethod
    def _hash_has_a_key(cls, key: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        is_hashed = info.data.get("export_mobile") == "hashed"
        if is_hashed and (key is None or len(key.get_secret_value()) < 16):
            raise ValueError(
                "is required for DLR_EXPORT_MOBILE=hashed: a secret of 16 characters or more, "
                "kept outside the data folder"
            )
        return key

    @property
    def host(self) -> str:
        """Host part of ``bind``, without the brackets of an IPv6 address."""
        return split_bind(self.bind)[0]

    @property
    def port(self) -> int:
        """Port part of ``bind``."""
        return split_bind(self.bind)[1]

    @cached_property
    def landing(self) -> Path:
        """Root of the landed files of all providers."""
        return self.data.absolute() / "landing"

    @cached_property
    def sends(self) -> Path:
        """Folder of the send log's files."""
        return self.data.absolute() / "sends"


def split_bind(bind: str) -> tuple[str, int]:
    """Host, without the brackets of an IPv6 address, and port of ``host:port``."""
    host, _, port = bind.rpartition(":")
    return host.strip("[]"), int(port)


def load_settings(**overrides: object) -> Settings:
    """Read the settings; ``overrides`` (by field name) take precedence over the environment.

    Raises SettingsError with one line for each wrong setting. A value is never
    repeated in the message, because it may be a secret.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except UnicodeDecodeError as error:
        raise SettingsError(
            f"{Path('.env').absolute()} is not UTF-8 (byte {error.start}); save it as UTF-8."
        ) from None
    except ValidationError as error:
        lines = []
        for problem in error.errors(include_input=False, include_url=False):
            name = "DLR_" + str(problem["loc"][0]).upper() if problem["loc"] else ""
            lines.append(f"{name} {problem['msg'].removeprefix('Value error, ')}".strip())
        raise SettingsError("Wrong settings:\n  " + "\n  ".join(lines)) from None
