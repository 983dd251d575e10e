"""The training file: YAML to frozen dataclasses, checked once."""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import math
import types
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nnp.density.architecture import Architecture as Density
from nnp.families import family
from nnp.neural import Architecture
from nnp.ranges import OutOfRange
from nnp.storage import shipped_models
from nnp.train.settings import Training
from nnp.yamlfile import YamlError, parse, read

__all__ = ["ConfigError", "Training", "as_plain", "build", "load_training", "portable", "with_paths"]


class ConfigError(ValueError):
    """A wrong entry of the training file; the message starts with its dotted path."""


def load_training(path: str | Path, overrides: list[str] | None = None) -> Training:
    """Read a training file; `overrides` are key.path=value, value in YAML. ConfigError when it is wrong."""
    path = Path(path)
    try:
        tree = read(path)
    except YamlError as error:
        raise ConfigError(f"{path}: {error}") from None
    tree = {} if tree is None else tree
    if not isinstance(tree, dict):
        raise ConfigError(f"{path}: a training file is a mapping of keys to values")
    for text in overrides or []:
        _override(tree, text)
    return with_paths(build(Training, tree), lambda file: str(path.parent / file))


def with_paths(config: Training, change: Callable[[str], str]) -> Training:
    """The same settings with other paths of the files that they name."""
    files = tuple(dataclasses.replace(f, file=change(f.file)) for f in config.data.files)
    model, mark, member = config.start_from.partition("#")
    if model and model not in shipped_models():
        model = change(model)
    data = dataclasses.replace(config.data, files=files)
    return dataclasses.replace(config, data=data, start_from=model + mark + member)


def _override(tree: dict[str, Any], text: str) -> None:
    dotted, equals, value = text.partition("=")
    *parents, last = dotted.split(".")
    if not equals or not all((*parents, last)):
        raise ConfigError(f"--set wants key.path=value, got '{text}'")
    for key in parents:
        if tree.get(key) is None:
            tree[key] = {}
        tree = tree[key]
        if not isinstance(tree, dict):
            raise ConfigError(f"{dotted}: '{key}' is a value and has no keys below it")
    try:
        tree[last] = parse(value)
    except YamlError as error:
        raise ConfigError(f"--set {dotted}: {error}") from None


def build(kind: type, tree: Any, path: str = "") -> Any:
    """A dataclass of `kind` from nested mappings. Unknown keys are errors with the nearest known one."""
    _require_mapping(tree, path)
    hints = typing.get_type_hints(kind)
    known = [f.name for f in dataclasses.fields(kind)]
    values = {}
    for key, value in tree.items():
        if value is None and key in known:
            continue  # a key left empty has its default
        dotted = f"{path}.{key}" if path else str(key)
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise ConfigError(f"{dotted}: unknown key (known: {', '.join(known)}){hint}")
        values[key] = _value(hints[key], value, dotted)
    missing = [f.name for f in dataclasses.fields(kind) if _required(f) and f.name not in values]
    if missing:
        raise ConfigError(f"{path or 'training file'}: the key '{missing[0]}' is missing")
    try:
        return kind(**values)
    except ValueError as error:
        if isinstance(error, ConfigError):
            raise
        key, _, reason = str(error).partition(" ")
        if key.rstrip(":") in known or isinstance(error, OutOfRange):
            raise ConfigError(f"{path}.{key.rstrip(':')}: {reason}".lstrip(".")) from None
        raise ConfigError(f"{path or 'training file'}: {error}") from None


def _require_mapping(tree: Any, path: str) -> None:
    if not isinstance(tree, dict):
        raise ConfigError(f"{path}: expected a mapping of keys to values, got {_shown(tree)}")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _required(item: dataclasses.Field) -> bool:
    return item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING


def _architecture(tree: Any, path: str) -> Architecture:
    _require_mapping(tree, path)
    try:
        found = family(tree.get("type") or Density.type)
    except ValueError as error:
        raise ConfigError(f"{path}.type: {error}") from None
    return build(found.architecture, tree, path)  # type: ignore[arg-type]


def _value(kind: Any, value: Any, path: str) -> Any:
    if kind is Architecture:
        return _architecture(value, path)
    if isinstance(kind, types.UnionType):
        return None if value is None else _value(typing.get_args(kind)[0], value, path)
    if dataclasses.is_dataclass(kind):
        if isinstance(value, str) and hasattr(kind, "from_text"):
            return kind.from_text(value)
        return build(kind, value, path)  # type: ignore[arg-type]
    origin = typing.get_origin(kind)
    if origin is tuple:
        if typing.get_args(kind)[0] is str and isinstance(value, str):
            value = [] if value == "none" else [value]
        if not isinstance(value, list):
            raise ConfigError(f"{path}: expected a list, got {_shown(value)}")
        return tuple(_value(typing.get_args(kind)[0], v, f"{path}[{k}]") for k, v in enumerate(value))
    if origin is dict:
        _require_mapping(value, path)
        return {str(k): _value(typing.get_args(kind)[1], v, f"{path}.{k}") for k, v in value.items()}
    return _scalar(kind, value, path)


_NAMES = {int: "a whole number", float: "a finite number", bool: "true or false", str: "text"}


def _scalar(kind: Any, value: Any, path: str) -> Any:
    if kind is float and isinstance(value, str):
        with contextlib.suppress(ValueError):  # YAML reads 1e-6 as text
            value = float(value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    fits = isinstance(value, kind) and not (kind is int and isinstance(value, bool))
    if not fits or (kind is float and not math.isfinite(value)):
        raise ConfigError(f"{path}: expected {_NAMES[kind]}, got {_shown(value)}")
    return value


def as_plain(config: Training) -> dict[str, Any]:
    """Nested plain values, defaults included."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict | types.MappingProxyType):
            return {k: plain(v) for k, v in value.items()}
        return [plain(v) for v in value] if isinstance(value, list | tuple) else value

    return plain(dataclasses.asdict(config))


def portable(config: Training) -> dict[str, Any]:
    """As plain values without the paths of one machine: what a model file says, and what resume compares."""
    named = with_paths(config, lambda file: Path(file).name)
    return as_plain(dataclasses.replace(named, data=dataclasses.replace(named.data, files=())))
