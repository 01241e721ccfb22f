"""Protocol buffers as they lie in a file, field by field: enough to read and to edit a model without their compiler."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Union

VARINT, MESSAGE = 0, 2  # wire types
FIXED = {1: 8, 5: 4}  # those of so many bytes
LONGEST = 10  # bytes of a varint
Buffer = Union[bytes, memoryview]


class DamagedError(ValueError):
    """What is read is no protocol buffer, or a part of one."""


class Field(NamedTuple):
    """A field: its number, its wire type, and its value, a number or a view of bytes."""

    number: int
    wire: int
    value: int | memoryview

    @property
    def text(self) -> str:
        """The value of a string."""
        return bytes(self.view).decode("utf-8", "replace")

    @property
    def view(self) -> memoryview:
        """The value of a message, a string, or bytes."""
        if isinstance(self.value, int):
            raise DamagedError(f"field {self.number} is a number, and bytes are expected")
        return self.value

    @property
    def integer(self) -> int:
        """The value as a signed number of 64 bits."""
        if not isinstance(self.value, int):
            raise DamagedError(f"field {self.number} has bytes, and a number is expected")
        return self.value - (1 << 64) if self.value >> 63 else self.value


def _varint(view: memoryview, place: int) -> tuple[int, int]:
    value = 0
    for count in range(LONGEST):
        if place + count >= len(view):
            raise DamagedError("it ends within a number")
        byte = view[place + count]
        value |= (byte & 0x7F) << 7 * count
        if byte < 0x80:
            return value & ((1 << 64) - 1), place + count + 1
    raise DamagedError("a number is too long")


def fields(buffer: Buffer) -> Iterator[Field]:
    """The fields of a message, in their order.

    Raises:
        DamagedError: where the bytes are no message, or end too early.
    """
    view, place = memoryview(buffer), 0
    while place < len(view):
        key, place = _varint(view, place)
        number, wire = key >> 3, key & 7
        if wire == VARINT:
            value, place = _varint(view, place)
            yield Field(number, wire, value)
            continue
        if wire == MESSAGE:
            size, place = _varint(view, place)
        elif wire in FIXED:
            size = FIXED[wire]
        else:
            raise DamagedError(f"wire type {wire} is unknown")
        if size > len(view) - place:
            raise DamagedError(f"{size} bytes are announced, and {len(view) - place} are there")
        yield Field(number, wire, view[place : place + size])
        place += size


def header(head: bytes) -> tuple[int, int, int]:
    """Number of the field that begins here, where its value begins, and how many bytes that has."""
    view = memoryview(head)
    key, place = _varint(view, 0)
    if key & 7 == VARINT:
        return key >> 3, place, _varint(view, place)[1] - place
    if key & 7 == MESSAGE:
        size, place = _varint(view, place)
        return key >> 3, place, size
    if key & 7 not in FIXED:
        raise DamagedError(f"wire type {key & 7} is unknown")
    return key >> 3, place, FIXED[key & 7]


def chosen(buffer: Buffer, *numbers: int) -> list[Field]:
    """The fields of a message that have one of these numbers."""
    return [field for field in fields(buffer) if field.number in numbers]


def text_of(buffer: Buffer, number: int) -> str:
    """A string of a message, empty where it has none."""
    return next((field.text for field in chosen(buffer, number)), "")


def integers(found: Iterable[Field]) -> list[int]:
    """Repeated numbers, packed or not."""
    values: list[int] = []
    for field in found:
        if field.wire == VARINT:
            values.append(field.integer)
            continue
        view, place = field.view, 0
        while place < len(view):
            value, place = _varint(view, place)
            values.append(value - (1 << 64) if value >> 63 else value)
    return values


def varint(value: int) -> bytes:
    """A number, as it is written."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(place: int, value: int) -> bytes:
    """A field of a number."""
    return varint(place << 3 | VARINT) + varint(value)


def message(place: int, *parts: Buffer | str) -> bytes:
    """A field of a string, of bytes, or of a message in parts."""
    whole = b"".join(part.encode() if isinstance(part, str) else bytes(part) for part in parts)
    return varint(place << 3 | MESSAGE) + varint(len(whole)) + whole


def written(field: Field) -> bytes:
    """A field, as it was read."""
    if field.wire == VARINT:
        return number(field.number, field.integer)
    head = varint(field.number << 3 | field.wire)
    return head + (varint(len(field.view)) if field.wire == MESSAGE else b"") + bytes(field.view)
