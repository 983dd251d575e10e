"""A device that is none: its tensors are the processor's, but one operation on tensors of both is an error.

It stands for a graphics card where there is none. Numbers (tensors without axes) of the processor may be mixed in, as
on a real one. Its name is that of a device of PyTorch's which nobody uses here.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

import nnp.device

ELSEWHERE = torch.device("lazy", 0)


class MixedDevices(AssertionError):
    """An operation on tensors of two devices."""


class Away(torch.Tensor):
    """A tensor of that device. held: its values, on the processor."""

    held: torch.Tensor

    @staticmethod
    def __new__(cls, held: torch.Tensor) -> Away:
        return torch.Tensor._make_wrapper_subclass(
            cls, held.shape, strides=held.stride(), storage_offset=held.storage_offset(),
            dtype=held.dtype, device=ELSEWHERE,
        )  # fmt: skip

    def __init__(self, held: torch.Tensor):
        self.held = held

    def tolist(self) -> Any:
        return self.held.tolist()

    @classmethod
    def __torch_dispatch__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(function, args, kwargs or {})


class Elsewhere(TorchDispatchMode):
    """Inside this, ELSEWHERE is a device."""

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(function, args, kwargs or {})


_TRANSFERS = ("aten::_to_copy", "aten::copy_")


def _run(function: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    tensors = [t for t in torch.utils._pytree.tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)]
    away = any(isinstance(t, Away) for t in tensors)
    wanted = kwargs.get("device")
    name = function._schema.name
    if name == "aten::_local_scalar_dense":
        return function(args[0].held if away else args[0])
    here = [t for t in tensors if not isinstance(t, Away) and t.dim() > 0]
    if away and here and name not in _TRANSFERS:
        raise MixedDevices(
            f"{name} on {[tuple(t.shape) for t in here]} of the processor and others elsewhere"
        )
    if wanted is not None:
        kwargs = kwargs | {"device": torch.device("cpu")}
        away = torch.device(wanted).type == ELSEWHERE.type
    given = {id(t.held): t for t in tensors if isinstance(t, Away)}
    args, kwargs = tree_map(_held, args), tree_map(_held, kwargs)
    out = function(*args, **kwargs)
    if name == "aten::copy_":
        away = id(out) in given
    return tree_map(lambda t: given.get(id(t), Away(t)) if isinstance(t, torch.Tensor) and away else t, out)


def _held(value: Any) -> Any:
    return value.held if isinstance(value, Away) else value


def sent_away(module: torch.nn.Module) -> torch.nn.Module:
    """Its parameters and buffers there, as `module.to(ELSEWHERE)` would leave them; what is neither stays."""
    for part in module.modules():
        for name, value in part._parameters.items():
            if value is not None:
                part._parameters[name] = torch.nn.Parameter(Away(value.detach()), requires_grad=False)
        for name, value in part._buffers.items():
            if value is not None:
                part._buffers[name] = Away(value)
    return module


@pytest.fixture
def elsewhere(monkeypatch) -> Iterator[torch.device]:
    """As a card: `placed(potential, ELSEWHERE)` leaves there what `Module.to` would move."""

    def moved(potential, device):
        return sent_away(deepcopy(potential)) if isinstance(potential, torch.nn.Module) else potential

    monkeypatch.setattr(nnp.device, "_moved", moved)
    with Elsewhere():
        yield ELSEWHERE
