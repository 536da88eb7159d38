"""The models seen as a shape: which keys and choices there are at each place. Errors and documentation ask it."""

from __future__ import annotations

import types
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, Tag
from pydantic.fields import FieldInfo


@dataclass(frozen=True)
class Shape:
    """What may stand at a place: exactly one of the groups below is filled, none for a plain value.

    `model`: keys of a model. `items`: what a mapping's values are. `list_of`: what a list's items are, one for all or
    one each. `variants`: alternatives by tag. `choices`: the words that may be written.
    """

    annotation: Any = None
    model: type[BaseModel] | None = None
    items: Shape | None = None
    list_of: tuple[Shape, ...] = ()
    variants: dict[str, Shape] = field(default_factory=dict)
    choices: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """Every key that a mapping may have here, over all alternatives."""
        if self.model is not None:
            return tuple(fields(self.model))
        return tuple(dict.fromkeys(key for variant in self.variants.values() for key in variant.keys))

    @property
    def options(self) -> tuple[str, ...]:
        """The words to choose from: choices, and the first key of each alternative that is a mapping."""
        found = list(self.choices)
        for variant in self.variants.values():
            found += variant.options if variant.model is None else variant.keys[:1]
        return tuple(found)

    def at(self, key: Any) -> Shape:
        """One step further down: a key, an index, or the tag of an alternative."""
        if self.variants:
            return self.variants.get(key, Shape())
        if self.model is not None:
            found = fields(self.model).get(key)
            return shape_of(found.annotation) if found else Shape()
        if self.list_of:
            return self.list_of[key if isinstance(key, int) and key < len(self.list_of) else -1]
        return self.items or Shape()


@cache
def fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a model by the key under which each is written; those that alternatives share come last."""
    own = set(model.__annotations__)
    ordered = sorted(model.model_fields.items(), key=lambda item: item[0] not in own)
    return {info.alias or name: info for name, info in ordered}


def shape_of(annotation: Any) -> Shape:
    """The shape of a type annotation."""
    bare = _bare(annotation)
    if isinstance(bare, type) and issubclass(bare, BaseModel):
        return Shape(annotation, model=bare)
    origin, arguments = get_origin(bare), get_args(bare)
    if origin is dict:
        return Shape(annotation, items=shape_of(arguments[1]))
    if origin is tuple:
        return Shape(annotation, list_of=tuple(shape_of(part) for part in arguments if part is not Ellipsis))
    if origin is Literal:
        return Shape(annotation, choices=tuple(str(choice) for choice in arguments))
    if bare is bool:
        return Shape(annotation, choices=("true", "false"))
    if origin in (Union, types.UnionType):
        return _alternatives(annotation, [part for part in arguments if part is not type(None)])
    return Shape(annotation)


def _alternatives(annotation: Any, parts: list[Any]) -> Shape:
    if len(parts) == 1:
        return shape_of(parts[0])
    tagged = {_tag(part): shape_of(part) for part in parts}
    return Shape(annotation, variants={tag: shape for tag, shape in tagged.items() if tag is not None})


def _bare(annotation: Any) -> Any:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return annotation


def _tag(part: Any) -> str | None:
    """The tag of an alternative: stated, or the only word that its `type` may be."""
    stated = next((meta.tag for meta in getattr(part, "__metadata__", ()) if isinstance(meta, Tag)), None)
    bare = _bare(part)
    if stated is None and isinstance(bare, type) and issubclass(bare, BaseModel) and "type" in bare.model_fields:
        return str(get_args(bare.model_fields["type"].annotation)[0])
    return stated
