"""Statistical transforms by name: `trips.valid_trips` is the function `valid_trips` of transforms/trips.py.

A transform takes the name of a view of protected rows and returns one SELECT over it. It is pure text: the engine runs
it, and its result takes the place of the rows for every table of the feed.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from functools import cache

from acequia.errors import AcequiaError

Transform = Callable[[str], str]


def load(name: str) -> Transform:
    """The transform of that name.

    Raises:
        AcequiaError: `agreement_invalid` with the list of transforms, where there is none of that name.
    """
    known = transforms()
    if name not in known:
        raise AcequiaError("agreement_invalid", f"there is no transform `{name}`; there are {', '.join(known)}")
    return known[name]


@cache
def transforms() -> dict[str, Transform]:
    """Every transform by name: the public functions of the modules in transforms/, in alphabetical order."""
    package = importlib.import_module("transforms")
    found: dict[str, Transform] = {}
    for module_info in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"transforms.{module_info.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_"):
                found[f"{module_info.name}.{name}"] = function
    return dict(sorted(found.items()))


def looks_at_each_alone(name: str, contributor: str) -> bool:
    """Whether what the transform makes of one contributor's rows depends on no other's; False where nobody says so."""
    alone: dict[str, str | None] = importlib.import_module("transforms").ALONE
    return name in alone and alone[name] in (None, contributor)
