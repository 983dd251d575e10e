"""The training file: YAML to frozen dataclasses, checked once."""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import types
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from ase.data import atomic_numbers

from nnp.data import Keys
from nnp.density.architecture import Architecture as Density
from nnp.families import family
from nnp.neural import Architecture


class ConfigError(ValueError):
    """A wrong entry of the training file; the message starts with its dotted path."""


@dataclass(frozen=True)
class Data:
    """keys: names of the labels. validation: fraction of every configuration type that is held out.
    split_seed: which frames those are. always_train: configuration types of which nothing is held out.
    free_atoms: energies of isolated atoms, {element: eV}, which join the training as frames of the
    configuration type "free atom"."""

    keys: Keys = field(default_factory=Keys)
    validation: float = 0.1
    split_seed: int = 0
    always_train: tuple[str, ...] = ()
    free_atoms: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0.0 <= self.validation < 1.0:
            raise ValueError(f"validation must lie in [0, 1), not {self.validation}")
        for symbol in self.free_atoms:
            if symbol not in atomic_numbers:
                raise ValueError(f"free_atoms: no element '{symbol}'")


@dataclass(frozen=True)
class Loss:
    """energy · ⟨ΔE²/n²⟩ + forces · ⟨ΔF²⟩ + stress · ⟨ΔW²/n²⟩, W = stress × volume; all in eV and Å.

    After the fraction `late_from` of the epochs energy and stress count late_energy and late_stress times
    as much. config_types: factors on single configuration types."""

    energy: float = 10.0
    forces: float = 1.0
    stress: float = 1.0
    late_from: float = 0.7
    late_energy: float = 4.0
    late_stress: float = 2.0
    config_types: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Optimiser:
    """AdamW (amsgrad) with a cosine schedule after a linear warm-up, gradients clipped to a total norm, and
    an exponential moving average of the weights, which is what the model file holds."""

    epochs: int = 60
    batch: int = 6
    learning_rate: float = 1e-2
    final_rate: float = 1e-5
    warm_up: int = 50
    weight_decay: float = 1e-6
    clip: float = 5.0
    average: float = 0.995

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch < 1:
            raise ValueError("epochs and batch must be at least 1")
        if not self.learning_rate > 0.0:
            raise ValueError(f"learning_rate must be positive, not {self.learning_rate}")


@dataclass(frozen=True)
class Training:
    """Everything a training run depends on besides the data themselves.

    model: sizes of a family of potentials (nnp.families), which its key `type` names."""

    model: Architecture = field(default_factory=Density)
    data: Data = field(default_factory=Data)
    loss: Loss = field(default_factory=Loss)
    optimiser: Optimiser = field(default_factory=Optimiser)
    seed: int = 0
    dtype: str = "float32"
    checkpoint_every: int = 5

    def __post_init__(self) -> None:
        if self.dtype not in ("float32", "float64"):
            raise ValueError(f"dtype must be float32 or float64, not '{self.dtype}'")
        if self.checkpoint_every < 1:
            raise ValueError("checkpoint_every must be at least 1")


def load_training(path: str | Path, overrides: list[str] | None = None) -> Training:
    """Read a training file; `overrides` are key.path=value, value in YAML. ConfigError when it is wrong."""
    path = Path(path)
    if not path.is_file():
        raise ConfigError(f"no training file '{path}'")
    try:
        tree = yaml.safe_load(path.read_text()) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not readable as YAML ({' '.join(str(error).split())})") from None
    if not isinstance(tree, dict):
        raise ConfigError(f"{path}: a training file is a mapping of keys to values")
    for text in overrides or []:
        _override(tree, text)
    return build(Training, tree)


def _override(tree: dict[str, Any], text: str) -> None:
    dotted, equals, value = text.partition("=")
    if not equals or not dotted:
        raise ConfigError(f"--set {text}: write key.path=value")
    *parents, last = dotted.split(".")
    for key in parents:
        tree = tree.setdefault(key, {})
        if not isinstance(tree, dict):
            raise ConfigError(f"{dotted}: '{key}' is a value and has no keys below it")
    try:
        tree[last] = yaml.safe_load(value)
    except yaml.YAMLError:
        raise ConfigError(f"{dotted}: '{value}' is not readable as YAML") from None


def build(kind: type, tree: Any, path: str = "") -> Any:
    """A dataclass of `kind` from nested mappings. Unknown keys are errors with the nearest known one."""
    if not isinstance(tree, dict):
        raise ConfigError(f"{path}: expected a mapping of keys to values, got {tree!r}")
    hints = typing.get_type_hints(kind)
    known = [f.name for f in dataclasses.fields(kind)]
    values = {}
    for key, value in tree.items():
        dotted = f"{path}.{key}" if path else str(key)
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise ConfigError(f"{dotted}: unknown key (known: {', '.join(known)}){hint}")
        values[key] = _value(hints[key], value, dotted)
    try:
        return kind(**values)
    except ValueError as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"{path or 'training file'}: {error}") from None


def _architecture(tree: Any, path: str) -> Architecture:
    if not isinstance(tree, dict):
        raise ConfigError(f"{path}: expected a mapping of keys to values, got {tree!r}")
    try:
        found = family(tree.get("type", Density.type))
    except ValueError as error:
        raise ConfigError(f"{path}.type: {error}") from None
    return build(found.architecture, tree, path)  # type: ignore[arg-type]


def _value(kind: Any, value: Any, path: str) -> Any:
    if kind is Architecture:
        return _architecture(value, path)
    if dataclasses.is_dataclass(kind):
        return build(kind, value, path)  # type: ignore[arg-type]
    origin = typing.get_origin(kind)
    if origin is tuple:
        if not isinstance(value, list):
            raise ConfigError(f"{path}: expected a list, got {value!r}")
        return tuple(_value(typing.get_args(kind)[0], v, f"{path}[{k}]") for k, v in enumerate(value))
    if origin is dict:
        if not isinstance(value, dict):
            raise ConfigError(f"{path}: expected a mapping of keys to values, got {value!r}")
        return {str(k): _value(typing.get_args(kind)[1], v, f"{path}.{k}") for k, v in value.items()}
    return _scalar(kind, value, path)


_NAMES = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}


def _scalar(kind: Any, value: Any, path: str) -> Any:
    if kind is float and isinstance(value, str):
        with contextlib.suppress(ValueError):  # YAML reads 1e-6 as text
            value = float(value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    fits = isinstance(value, kind) and not (kind is int and isinstance(value, bool))
    if not fits or (kind is float and value != value):
        raise ConfigError(f"{path}: expected {_NAMES[kind]}, got {value!r}")
    return value


def as_plain(config: Training) -> dict[str, Any]:
    """Nested plain values, defaults included."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict | types.MappingProxyType):
            return {k: plain(v) for k, v in value.items()}
        return [plain(v) for v in value] if isinstance(value, list | tuple) else value

    return plain(dataclasses.asdict(config))
