"""What a value that came from JSON must look like, as strict as records are: an unknown field is a mismatch."""

from __future__ import annotations

from collections.abc import Callable, Mapping

# None where the value fits; otherwise where it does not: the field's name, "" for the value itself. Never the value.
Shape = Callable[[object], "str | None"]


class Optional:
    """A field that may be missing."""

    __slots__ = ("shape",)

    def __init__(self, shape: Shape) -> None:
        self.shape = shape


def text(accepts: Callable[[str], object]) -> Shape:
    """A string that the test accepts."""
    return lambda value: None if isinstance(value, str) and accepts(value) else ""


def one_of(*choices: str | int | bool) -> Shape:
    """One of these values, of the same type: True is not 1."""
    return lambda value: None if any(type(value) is type(it) and value == it for it in choices) else ""


def whole(minimum: int, maximum: int) -> Shape:
    """A whole number in a range."""
    return lambda value: None if type(value) is int and minimum <= value <= maximum else ""


def either(first: Shape, second: Shape) -> Shape:
    """A value of one of the two shapes."""
    return lambda value: None if first(value) is None else second(value)


def array(element: Shape, minimum: int, maximum: int | None = None) -> Shape:
    """An array of so many elements."""

    def find_mismatch(value: object) -> str | None:
        if not isinstance(value, list) or len(value) < minimum or len(value) > (maximum or len(value)):
            return ""
        for index, item in enumerate(value):
            inner = element(item)
            if inner is not None:
                return _below(str(index), inner)
        return None

    return find_mismatch


def fields(shapes: Mapping[str, Shape | Optional]) -> Shape:
    """An object with exactly these fields."""

    def find_mismatch(value: object) -> str | None:
        if not isinstance(value, dict) or not value.keys() <= shapes.keys():
            return ""
        for name, shape in shapes.items():
            if isinstance(shape, Optional):
                inner = shape.shape(value[name]) if name in value else None
            else:
                inner = shape(value[name]) if name in value else ""
            if inner is not None:
                return _below(name, inner)
        return None

    return find_mismatch


def dictionary(accepts: Callable[[str], object], element: Shape) -> Shape:
    """An object whose every field's name the test accepts and whose every value is of one shape."""

    def find_mismatch(value: object) -> str | None:
        if not isinstance(value, dict):
            return ""
        for name, item in value.items():
            inner = element(item) if accepts(name) else ""
            if inner is not None:
                return _below("(field)", inner)
        return None

    return find_mismatch


def _below(name: str, inner: str) -> str:
    return f"{name}.{inner}" if inner else name
