"""The program: case files, the finite-element bulk, the run loop, results.

result = multiscale.run("crack.yaml", set={"load.K.steps": 5})
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiscale.api import run
    from multiscale.config import Case, InputError
    from multiscale.outcome import Result

__all__ = ["Case", "InputError", "Result", "run"]

_PLACES = {"run": "api", "Result": "outcome", "Case": "config", "InputError": "config"}


def __getattr__(name: str) -> Any:
    """What is offered is imported when it is asked for: the command line's help needs none of it."""
    if name not in _PLACES:
        raise AttributeError(f"module 'multiscale' has no attribute '{name}'")
    import importlib

    return getattr(importlib.import_module(f"multiscale.{_PLACES[name]}"), name)
