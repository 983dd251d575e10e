"""Quantities with units: "40 nm", "1.2 MPa*sqrt(m)", "1 meV/Å" to internal units and back.

Internal units are ASE's: Å, eV, amu and the time unit Å·sqrt(amu/eV) that follows from them.
"""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction

from ase import units as si

Exponents = tuple[Fraction, Fraction, Fraction]


def _powers(length: float, energy: float, time: float = 0.0) -> Exponents:
    return Fraction(length), Fraction(energy), Fraction(time)


@dataclass(frozen=True)
class Dimension:
    """A kind of quantity: powers of length, energy and time; the internal unit, and the one people read; what is
    larger than anything that can be meant, in internal units."""

    name: str
    powers: Exponents
    internal: str
    shown: str
    largest: float = 1e6


DIMENSIONS: dict[str, Dimension] = {
    d.name: d
    for d in (
        Dimension("length", _powers(1, 0), "Å", "nm", 1e10),
        Dimension("energy", _powers(0, 1), "eV", "eV"),
        Dimension("time", _powers(0, 0, 1), "Å*sqrt(amu/eV)", "fs", 1e12),
        Dimension("force", _powers(-1, 1), "eV/Å", "meV/Å"),
        Dimension("stress", _powers(-3, 1), "eV/Å^3", "GPa"),
        Dimension("surface energy", _powers(-2, 1), "eV/Å^2", "J/m^2"),
        Dimension("stress intensity", _powers(-2.5, 1), "eV/Å^2.5", "MPa*sqrt(m)"),
    )
}


@dataclass(frozen=True)
class Unit:
    """One of this unit is `factor` internal units."""

    factor: float
    powers: Exponents

    def __mul__(self, other: Unit) -> Unit:
        return Unit(self.factor * other.factor, _add(self.powers, other.powers, 1))

    def __truediv__(self, other: Unit) -> Unit:
        return Unit(self.factor / other.factor, _add(self.powers, other.powers, -1))

    def __pow__(self, power: Fraction) -> Unit:
        x, e, t = self.powers
        return Unit(self.factor ** float(power), (x * power, e * power, t * power))


def _add(a: Exponents, b: Exponents, sign: int) -> Exponents:
    return a[0] + sign * b[0], a[1] + sign * b[1], a[2] + sign * b[2]


_ONE = Unit(1.0, _powers(0, 0))


def _table() -> dict[str, Unit]:
    length, energy, time = _powers(1, 0), _powers(0, 1), _powers(0, 0, 1)
    force, stress = _powers(-1, 1), _powers(-3, 1)
    newton, pascal = si.J / si.m, si.J / si.m**3
    sizes = {
        length: {"Å": 1.0, "A": 1.0, "Angstrom": 1.0, "angstrom": 1.0, "bohr": si.Bohr, "m": si.m}
        | {"pm": 0.01, "nm": si.nm, "µm": 1e4, "um": 1e4, "mm": 1e7},
        energy: {"eV": 1.0, "meV": 1e-3, "keV": 1e3, "J": si.J, "mJ": 1e-3 * si.J, "Ha": si.Ha, "Ry": si.Ry},
        time: {"fs": si.fs, "ps": 1e3 * si.fs, "ns": 1e6 * si.fs, "s": si.second},
        force: {"N": newton, "mN": 1e-3 * newton, "µN": 1e-6 * newton, "nN": 1e-9 * newton},
        stress: {"Pa": pascal, "kPa": 1e3 * pascal, "MPa": 1e6 * pascal, "GPa": si.GPa},
        _powers(-2, 1, 2): {"amu": 1.0, "u": 1.0},
    }
    return {name: Unit(factor, powers) for powers, row in sizes.items() for name, factor in row.items()}


UNITS: dict[str, Unit] = _table()

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_QUANTITY = re.compile(rf"\s*({_NUMBER}|[+-]?\.?(?:inf|nan))\s*(.*?)\s*", re.IGNORECASE)
_TOKEN = re.compile(r"\s*(?:(\*\*|[*/^()·×√])|(\d+\.?\d*|\.\d+)|([^\W\d]+)|(-))\s*")
_LONGEST = 50
"""Words and signs of a unit."""
_ALIASES = {"**": "^", "·": "*", "×": "*", "√": "sqrt"}


def parse(text: str) -> tuple[float, Unit | None]:
    """Number and unit of a text such as "1.2 MPa*sqrt(m)"; unit None where there is only a number.

    ValueError, in words for the user, where the text is no quantity.
    """
    match = _QUANTITY.fullmatch(unicodedata.normalize("NFC", text))
    if not match:
        raise ValueError(f"cannot read '{text}' as a number with a unit")
    number, unit = match.groups()
    return float(number.replace(".inf", "inf").replace(".nan", "nan")), parse_unit(unit) if unit else None


def parse_unit(text: str) -> Unit:
    """A product of units with powers and roots: "MPa*sqrt(m)", "meV/Å", "MPa m^0.5". ValueError otherwise."""
    normal = unicodedata.normalize("NFC", text).replace("μ", "µ")
    tokens, at = [], 0
    while at < len(normal):
        match = _TOKEN.match(normal, at)
        if not match:
            raise ValueError(f"cannot read the unit '{text}'")
        token = match.group().strip()
        tokens.append(_ALIASES.get(token, token))
        at = match.end()
    if len(tokens) > _LONGEST:
        raise ValueError(f"cannot read the unit '{text[:20]}…'")
    parser = _UnitParser(tokens, text)
    try:
        unit = parser.product()
    except ArithmeticError:
        raise ValueError(f"cannot read the unit '{text}'") from None
    if parser.tokens:
        raise ValueError(f"cannot read the unit '{text}'")
    return unit


class _UnitParser:
    """Recursive descent: product of powers of names and brackets; a blank multiplies."""

    def __init__(self, tokens: list[str], text: str):
        self.tokens, self.text = tokens, text

    def product(self) -> Unit:
        unit = self.power()
        while self.tokens and self.tokens[0] != ")":
            divide = self.tokens[0] == "/"
            if self.tokens[0] in "*/":
                self.tokens.pop(0)
            factor = self.power()
            unit = unit / factor if divide else unit * factor
        return unit

    def power(self) -> Unit:
        unit = self.atom()
        if self.tokens and self.tokens[0] == "^":
            self.tokens.pop(0)
            unit = unit ** self.exponent()
        return unit

    def exponent(self) -> Fraction:
        sign = 1
        token = self.take()
        if token == "-":
            sign, token = -1, self.take()
        if token == "(":
            value = self.exponent()
            if self.tokens and self.tokens[0] == "/":
                self.tokens.pop(0)
                value /= self.exponent()
            self.expect(")")
            return sign * value
        try:
            power = sign * Fraction(token[:_LONGEST])
        except ValueError:
            raise ValueError(f"cannot read the unit '{self.text}'") from None
        if abs(power) > _LONGEST:
            raise ValueError(f"cannot read the unit '{self.text}'")
        return power

    def atom(self) -> Unit:
        token = self.take()
        if token == "sqrt":
            return self.atom() ** Fraction(1, 2)
        if token == "(":
            unit = self.product()
            self.expect(")")
            return unit
        if token == "1":
            return _ONE
        if token not in UNITS:
            raise ValueError(f"unknown unit '{token}'{_near(token)}")
        return UNITS[token]

    def take(self) -> str:
        if not self.tokens:
            raise ValueError(f"cannot read the unit '{self.text}'")
        return self.tokens.pop(0)

    def expect(self, token: str) -> None:
        if self.take() != token:
            raise ValueError(f"cannot read the unit '{self.text}'")


def _near(name: str) -> str:
    lower = {u.lower(): u for u in UNITS}
    match = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.6)
    return f", did you mean {lower[match[0]]}?" if match else ""


def name_of(powers: Exponents) -> str:
    """What kind of quantity has these powers, in words."""
    for d in DIMENSIONS.values():
        if d.powers == powers:
            return f"{'an' if d.name[0] == 'e' else 'a'} {d.name}"
    return "another kind of quantity"


def to_internal(text: str, dimension: str, bare: float = 1.0) -> float:
    """Value in internal units of a text; a bare number counts `bare` internal units. ValueError otherwise."""
    value, unit = parse(text)
    if unit is None:
        return value * bare
    if unit.powers != DIMENSIONS[dimension].powers:
        raise ValueError(
            f"must be {name_of(DIMENSIONS[dimension].powers)}, got {text} ({name_of(unit.powers)})"
        )
    return value * unit.factor


def to_text(value: float, dimension: str) -> str:
    """The quantity as text that reads back as exactly the same number, in the unit people use if possible."""
    d = DIMENSIONS[dimension]
    friendly = f"{value / parse_unit(d.shown).factor:.12g} {d.shown}"
    if math.isfinite(value) and to_internal(friendly, dimension) == value:
        return friendly
    return f"{value!r} {d.internal}"
