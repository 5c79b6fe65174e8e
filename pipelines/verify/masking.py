"""How a text is written where others can read it; the setting is DLR_EXPORT_MOBILE."""

import hmac
import re
import sqlite3
from collections.abc import Callable, Iterable
from functools import lru_cache

from contract.settings import Settings
from pipelines.verify.headers import Table

_SHORTEST = 8
_MOST_REMEMBERED = 1 << 14
_MARK = "[-–_./() 　－（）．]"
_DIGIT = "[0-9０-９]"
_NO_ID = "[^0-9a-fA-F０-９]"
_CHINESE = f"(?:[0０]{{0,2}}[8８][6６]{_MARK}?)?[0０]?[1１][3-9３-９](?:{_MARK}?{_DIGIT}){{9}}"
_FOREIGN = f"[+＋](?:{_MARK}{{0,2}}{_DIGIT}){{8,15}}"
_PHONE = re.compile(rf"(^|{_NO_ID}){_CHINESE}(\Z|{_NO_ID})|{_FOREIGN}")
_RUN = re.compile(f"({_DIGIT}{{2}}){_DIGIT}{{4,}}({_DIGIT}{{2}})")
_FEW_DIGITS = re.compile(f"(?:{_DIGIT}[^0-9０-９]*){{8}}")

Mask = Callable[..., str | None]


def _masked(mobile: str | None, country: str | None) -> str | None:
    """Country and the last four digits; of a short text nothing is left."""
    if mobile is None:
        return None
    return f"{country or ''}****{mobile[-4:] if len(mobile) >= _SHORTEST else ''}"


def struck(text: str | None, mobile: str | None) -> str | None:
    """A text without what looks like a phone number, and without the row's own."""
    if text is None:
        return None
    own = mobile[-_SHORTEST:] if mobile else ""
    if len(own) == _SHORTEST and own in text and own.isascii() and own.isdigit():
        text = re.sub(f"[+0-9]*{own}", f"****{own[-4:]}", text)
    return _without_phones(text)


@lru_cache(_MOST_REMEMBERED)
def _without_phones(text: str) -> str:
    if len(text) < _SHORTEST or not _FEW_DIGITS.search(text):
        return text
    for _ in range(2):  # of two numbers with one character between them a match takes that
        text = _PHONE.sub(r"\1****\2", text)
    return text


def _fragment(text: str | None) -> str | None:
    """An unreadable fragment: only the ends of every long run of digits stay."""
    return None if text is None else _without_phones(_RUN.sub(r"\1****\2", text))


def masked_columns(table: Table, names: Iterable[str]) -> str:
    """Return columns of a table as readers get them, as SQL over its relation."""
    country = "country_code" if "country_code" in table.columns else "null"
    own = f"coalesce({', '.join([*reversed(table.private), 'null', 'null'])})"
    written = []
    for name in names:
        value = f'"{name}"'
        if name in table.private:
            value = f"exported_mobile({value}, {country})"
        elif name in table.free_text:
            # a call costs more than to see that a text is too short to hold a number
            short = f"length(cast({value} as blob)) < {_SHORTEST}"
            value = f"iif({short}, {value}, exported_text({value}, {own}))"
        elif name in table.fragments:
            value = f"exported_fragment({value})"
        written.append(f'{value} as "{name}"')
    return ", ".join(written)


def register_masks(con: sqlite3.Connection, settings: Settings) -> None:
    """Let SQL mask as these settings say: mobiles, texts of others, and unreadable fragments."""
    secret = settings.export_mobile_key
    key = secret.get_secret_value().encode() if secret else b""

    def hashed(mobile: str | None, _: str | None) -> str | None:
        return None if mobile is None else hmac.new(key, mobile.encode(), "sha256").hexdigest()

    def plain(text: str | None, _: str | None = None) -> str | None:
        return text

    masks: dict[str, tuple[Mask, Mask, Mask]] = {
        "plain": (plain, plain, plain),
        "masked": (_masked, struck, _fragment),
        "hashed": (hashed, struck, _fragment),
    }
    mobile, text, fragment = masks[settings.export_mobile]
    con.create_function("exported_mobile", 2, mobile, deterministic=True)
    con.create_function("exported_text", 2, text, deterministic=True)
    con.create_function("exported_fragment", 1, fragment, deterministic=True)
