"""Settings: read once, every mistake named at once, no value repeated."""

from pathlib import Path

import pytest

from contract.settings import SettingsError, load_settings


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("DLR_DATA", "DLR_PUSH_TOKENS", "DLR_BIND", "DLR_ALLOWED_NETWORKS"):
        monkeypatch.delenv(name, raising=False)


def test_defaults(tmp_path: Path) -> None:
    settings = load_settings()
    assert settings.landing == tmp_path / "data" / "landing"
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert settings.max_body_bytes == 4 * 1024**2
    assert settings.push_tokens == ()


def test_environment_stands_above_the_env_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("DLR_PUSH_TOKENS=a, b\nDLR_BIND=[::1]:81\n")
    monkeypatch.setenv("DLR_BIND", "0.0.0.0:82")
    settings = load_settings()
    assert [token.get_secret_value() for token in settings.push_tokens] == ["a", "b"]
    assert (settings.host, settings.port) == ("0.0.0.0", 82)


WRONG = {
    "DLR_PUSH_TOKENS": "good,not/good",
    "DLR_BIND": "nowhere",
    "DLR_PROVIDER_TIMEZONE": "Mars/Base",
    "DLR_MAX_BODY_BYTES": "much",
    "DLR_ALLOWED_NETWORKS": "192.0.2.0/33",
    "DLR_TRUSTED_PROXIES": "proxy",
    "DLR_MEMORY_LIMIT": "1kB",
    "DLR_DEFAULT_REGION": "China",
    "DLR_EXPORT_MOBILE_KEY": "too short",
}


def test_all_wrong_settings_are_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in WRONG.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DLR_EXPORT_MOBILE", "hashed")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    message = str(caught.value)
    assert {line.split()[0] for line in message.splitlines()[1:]} == set(WRONG)
    assert not [value for value in WRONG.values() if value in message]


@pytest.mark.parametrize("bind", ["host", "host:", ":80", "host:99999", "::1:80", "h:80x"])
def test_bind_needs_host_and_port(bind: str) -> None:
    with pytest.raises(SettingsError, match="must be host:port"):
        load_settings(bind=bind)


def test_ipv4_inside_ipv6_is_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLR_ALLOWED_NETWORKS", "::ffff:192.0.2.0/120, ::ffff:198.51.100.7, ::/0")
    networks = load_settings().allowed_networks
    assert list(map(str, networks)) == ["192.0.2.0/24", "198.51.100.7/32", "::/0"]
