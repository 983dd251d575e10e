"""Errors in what PETSc calls back: from 3.22 on it raises one of its own, which says nothing but a number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any


def called_back(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method that PETSc calls; the first exception in it is kept as `error` of its object."""

    @wraps(method)
    def call(self: Any, *given: Any) -> Any:
        try:
            return method(self, *given)
        except Exception as error:
            if self.error is None:
                self.error = error
            raise

    return call


@contextmanager
def own_errors(problem: Any) -> Iterator[None]:
    """Around a call of PETSc's: raise what went wrong in the problem's callbacks instead of what PETSc makes of it."""
    problem.error = None
    try:
        yield
    except Exception as error:
        if problem.error is not None and problem.error is not error:
            raise problem.error from error
        raise
