"""Rates, their uncertainty and percentiles, computed exactly and rounded once, at the end."""

from collections.abc import Sequence
from decimal import Decimal, localcontext
from fractions import Fraction

Z = Fraction("1.959963984540054")


def rate(part: int | None, whole: int | None) -> float | None:
    """Share of a part in a whole; None over nothing."""
    if part is None or whole is None or whole <= 0:
        return None
    return float(Fraction(part, whole))


def wilson(part: int | None, whole: int | None) -> tuple[float | None, float | None]:
    """Both ends of the 95 % interval: the roots of (p - x)² = z² x (1 - x) / n."""
    if part is None or whole is None or whole <= 0:
        return None, None
    p, square = Fraction(part, whole), Z * Z
    middle = p + square / (2 * whole)
    under_root = p * (1 - p) / whole + square / (4 * Fraction(whole) ** 2)
    half = Z * _root(under_root)
    bottom = 1 + square / whole
    low, high = (middle - half) / bottom, (middle + half) / bottom
    return float(max(low, Fraction(0))), float(min(high, Fraction(1)))


def _root(value: Fraction) -> Fraction:
    with localcontext(prec=50):
        return Fraction((Decimal(value.numerator) / Decimal(value.denominator)).sqrt())


def percentile(ordered: Sequence[int], share: Fraction) -> Fraction:
    """Type 7 of Hyndman and Fan: at (n - 1) * share, linear between neighbours."""
    place = (len(ordered) - 1) * share
    below = place.numerator // place.denominator
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
