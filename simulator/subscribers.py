"""Who gets the messages: made-up numbers in real ranges, by operator and country.

By design none of them belongs to anybody: Chinese ones have ``0000`` and four digits after a real
three-digit prefix, foreign ones lie in ranges that regulators reserve for fiction, and Afghan ones
(no such range exists) have ``0000`` after the prefix of the provider's sample.
"""

import random
from itertools import accumulate
from typing import NamedTuple

DOMESTIC_SHARES = {"china_mobile": 0.56, "china_telecom": 0.24, "china_unicom": 0.20}
"""Share of each operator in domestic messages; rounded from public subscriber figures."""

_DOMESTIC = {
    "china_mobile": "134 135 136 137 138 139 147 150 151 152 157 158 159 178 182 183 184 187 188",
    "china_telecom": "133 153 173 177 180 181 189 191 193 199",
    "china_unicom": "130 131 132 145 155 156 166 175 176 185 186 196",
}
_DOMESTIC_PREFIXES = {
    operator: [f"{prefix}0000" for prefix in text.split()] for operator, text in _DOMESTIC.items()
}
_OPERATORS = tuple(DOMESTIC_SHARES)
_OPERATOR_BOUNDS = tuple(accumulate(DOMESTIC_SHARES.values()))
_FOREIGN = {
    "GB": (0.3, ["+447700900"], 3),  # kept by Ofcom for drama
    "US": (0.3, [f"+1{area}55501" for area in ("212", "312", "415", "617")], 2),  # for fiction
    "FR": (0.2, ["+3363998"], 4),  # kept by Arcep for audiovisual works
    "AF": (0.2, ["+93700000"], 3),
}
"""Share of each country in messages abroad, prefixes of its numbers, digits that follow."""
_COUNTRIES = tuple(_FOREIGN)
_COUNTRY_BOUNDS = tuple(accumulate(share for share, _, _ in _FOREIGN.values()))


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
        _, prefixes, digits = _FOREIGN[country]
        return Subscriber(_draw_number(rng, prefixes, digits), "foreign", country)
    operator = rng.choices(_OPERATORS, cum_weights=_OPERATOR_BOUNDS)[0]
    return Subscriber(_draw_number(rng, _DOMESTIC_PREFIXES[operator], 4), operator, "CN")


def _draw_number(rng: random.Random, prefixes: list[str], digits: int) -> str:
    prefix = prefixes[int(rng.random() * len(prefixes))] if len(prefixes) > 1 else prefixes[0]
    return f"{prefix}{int(rng.random() * 10**digits):0{digits}d}"
