"""Turn the content of a GIPP, a frozen dataclass, into XML elements and back.

A field is a scalar (text of the element), an array (numbers with a `shape`), or a tuple of scalars or of dataclasses
(one `item` child each). The field names are the tags.
"""

from __future__ import annotations

import types
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import numpy as np
from lxml import etree

from s2ps.model.errors import InputError

T = TypeVar("T")


def to_element(tag: str, value: Any) -> etree._Element:
    """Return the element of a dataclass, an array, a tuple or a scalar."""
    element = etree.Element(tag)
    if is_dataclass(value):
        for field in fields(value):
            element.append(to_element(field.name, getattr(value, field.name)))
    elif isinstance(value, np.ndarray):
        element.set("shape", " ".join(str(size) for size in value.shape))
        element.text = " ".join(f"{number:.10g}" for number in value.ravel())
    elif isinstance(value, tuple):
        for item in value:
            element.append(to_element("item", item))
    elif isinstance(value, bool):
        element.text = "true" if value else "false"
    else:
        element.text = repr(value) if isinstance(value, float) else str(value)
    return element


def from_element(kind: type[T], element: etree._Element, where: str) -> T:
    """Return an object of a dataclass from its element; raises InputError naming `where` and the field."""
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    for field in fields(kind):  # type: ignore[arg-type]
        child = element.find(field.name)
        if child is None:
            raise InputError(f"{where}: element {field.name} is missing", expected=f"the content of {kind.__name__}")
        try:
            values[field.name] = _value(hints[field.name], child, where)
        except ValueError as error:
            raise InputError(f"{where}: element {field.name}: {error}", next_step="fetch the file again") from error
    return kind(**values)


def _value(hint: Any, element: etree._Element, where: str) -> Any:
    text = (element.text or "").strip()
    if isinstance(hint, type) and is_dataclass(hint):
        return from_element(hint, element, where)
    if get_origin(hint) is tuple:
        return tuple(_value(get_args(hint)[0], child, where) for child in element.findall("item"))
    if get_origin(hint) is np.ndarray or isinstance(hint, types.GenericAlias):
        shape = tuple(int(size) for size in element.get("shape", "").split())
        return np.array(text.split(), dtype=np.float64).reshape(shape)
    if hint is bool:
        if text not in ("true", "false"):
            raise ValueError(f"{text!r} is neither true nor false")
        return text == "true"
    return hint(text)
