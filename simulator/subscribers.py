"""Who gets the messages: made-up numbers in real ranges, by operator and country.

No number here can be anybody's by design: Chinese ones carry ``0000`` and four digits after
a real three-digit prefix, foreign ones lie in ranges that regulators keep free for fiction,
and Afghan ones (no such range exists) carry ``0000`` after the prefix of the provider's sample.
"""

import random
from collections.abc import Callable
from itertools import accumulate
from typing import NamedTuple

DOMESTIC_SHARES = {"china_mobile": 0.56, "china_telecom": 0.24, "china_unicom": 0.20}
"""Share of each operator in domestic messages; rounded from public subscriber figures."""

_PREFIXES = {
    "china_mobile": "134 135 136 137 138 139 147 150 151 152 157 158 159 178 182 183 184 187 188",
    "china_telecom": "133 153 173 177 180 181 189 191 193 199",
    "china_unicom": "130 131 132 145 155 156 166 175 176 185 186 196",
}
_OPERATORS = tuple(DOMESTIC_SHARES)
_OPERATOR_BOUNDS = tuple(accumulate(DOMESTIC_SHARES.values()))
_PREFIX_LISTS = {operator: tuple(text.split()) for operator, text in _PREFIXES.items()}
_NORTH_AMERICAN_AREAS = ("212", "312", "415", "617")


class Subscriber(NamedTuple):
    """One recipient."""

    mobile: str
    """As the provider pushes it: ``+86`` stripped, other countries with ``+``."""
    operator: str
    """Operator of the number's range, or ``foreign``."""
    country: str
    """ISO 3166 code."""

    @property
    def e164(self) -> str:
        """The number in E.164, as a sender's own log would have it."""
        return self.mobile if self.mobile.startswith("+") else "+86" + self.mobile


def draw_subscriber(rng: random.Random, foreign_share: float) -> Subscriber:
    """Draw a recipient; ``foreign_share`` of them are abroad."""
    if rng.random() < foreign_share:
        country = rng.choices(_COUNTRIES, cum_weights=_COUNTRY_BOUNDS)[0]
        return Subscriber(_FOREIGN[country][1](rng), "foreign", country)
    operator = rng.choices(_OPERATORS, cum_weights=_OPERATOR_BOUNDS)[0]
    prefixes = _PREFIX_LISTS[operator]
    prefix = prefixes[int(rng.random() * len(prefixes))]
    return Subscriber(f"{prefix}0000{int(rng.random() * 10_000):04d}", operator, "CN")


def _united_kingdom(rng: random.Random) -> str:
    """Return a mobile that Ofcom keeps for drama: 07700 900000 to 900999."""
    return f"+447700900{int(rng.random() * 1000):03d}"


def _united_states(rng: random.Random) -> str:
    """Return a number that the North American plan keeps for fiction: 555-0100 to 555-0199."""
    area = _NORTH_AMERICAN_AREAS[int(rng.random() * len(_NORTH_AMERICAN_AREAS))]
    return f"+1{area}55501{int(rng.random() * 100):02d}"


def _france(rng: random.Random) -> str:
    """Return a mobile that Arcep keeps for audiovisual works: 06 39 98 00 00 to 99 99."""
    return f"+3363998{int(rng.random() * 10_000):04d}"


def _afghanistan(rng: random.Random) -> str:
    """Return a made-up number under the prefix of the provider's own sample."""
    return f"+93700000{int(rng.random() * 1000):03d}"


_FOREIGN: dict[str, tuple[float, Callable[[random.Random], str]]] = {
    "GB": (0.3, _united_kingdom),
    "US": (0.3, _united_states),
    "FR": (0.2, _france),
    "AF": (0.2, _afghanistan),
}
_COUNTRIES = tuple(_FOREIGN)
_COUNTRY_BOUNDS = tuple(accumulate(share for share, _ in _FOREIGN.values()))
