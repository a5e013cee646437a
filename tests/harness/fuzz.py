"""A mutation fuzzer for parsers of bytes and texts from outside.

    fuzz(parse, seeds)       # 50,000 inputs; fails at the first that is not taken or refused

Inputs are valid seeds, mutated: as protobuf messages within messages (also where a message
lies in a field of type bytes), as DER, byte by byte, and texts by words.  The same arguments
make the same inputs, so that a failure comes again; it prints the input as hex.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TypeVar

from gridloom.common.errors import GridloomError

T = TypeVar("T")

INPUTS = 50_000
"""Of every target: what the tests promise."""

_MAX_SIZE = 1 << 17
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_FIXED_SIZES = {_FIXED64: 8, _FIXED32: 4}
_LARGE = (1 << 31, (1 << 32) - 1, 1 << 63, (1 << 64) - 1)
_NUMBERS = (0, 1, 2, 3, 5, 25, 77, 127, 128, 254, 255, *_LARGE)
_SEQUENCE, _CONSTRUCTED, _DER_STRINGS = b"\x30", 0x20, (0x03, 0x04)
_DER_TAGS = (0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0C, 0x13, 0x17, 0x18, 0x30, 0x31, 0xA0, 0xA3)
_FIELD_NUMBERS = (1, 2, 3, 4, 5, 15, 16, 99, 1 << 28)
_BYTES = (b"", b"\x00", b"\xff", b"\x0a\x00", b"\xff" * 10, b"\x80" * 9 + b"\x01", b"x" * 300)
_WORDS = re.compile(r"\w+|\s+|.", re.DOTALL)
_SIGNS = ("", " ", "\x00", "\U0010ffff", "é", "\n", "'", '"', "{", "}", "[", "(", ")", ",", ":")
_LITERALS = ("null", "true", "-1", "0", "1e999", "NaN", "9" * 30, "a" * 300, "../..", "!!python/x")
_DEEP = ("[" * 3000, '{"a":' * 3000, "- " * 3000)
_TEXTS = (*_SIGNS, *_LITERALS, *_DEEP)
_JSON_KEYS = ("", "name", "id", "\x00", "a" * 300, "1")
_JSON_NUMBERS = (None, True, False, 0, -1, 1, 1.5, 2**70, -(2**70), float("inf"), float("nan"), "")
_JSON_TEXTS: tuple[object, ...] = (
    "x",
    "\ud800",
    "\x00",
    "a" * 300,
    "9" * 5000,
    [],
    {},
    [[]],
    [None],
    {"": None},
)
_JSON_VALUES: tuple[object, ...] = (*_JSON_NUMBERS, *_JSON_TEXTS)

Field = tuple[int, int, bytes | int]
"""Field number, wire type, and its value: a number, or bytes."""


def fuzz(
    parse: Callable[[bytes], object],
    seeds: Sequence[bytes],
    *,
    inputs: int = INPUTS,
    seed: int = 1,
    refusals: tuple[type[Exception], ...] = (),
) -> None:
    """Give ``parse`` so many mutated seeds; all it may raise are GridloomError and refusals."""
    mutator = ByteMutator(seeds, seed)
    _run(parse, mutator.mutations(inputs), bytes.hex, (GridloomError, *refusals))


async def fuzz_async(
    serve: Callable[[bytes], Awaitable[object]],
    seeds: Sequence[bytes],
    *,
    inputs: int = INPUTS,
    seed: int = 1,
) -> None:
    """The same for a service, on the running loop."""
    for number, data in enumerate(ByteMutator(seeds, seed).mutations(inputs)):
        try:
            await serve(data)
        except GridloomError:
            continue
        except Exception as error:
            raise _failure(number, error, data.hex()) from error


def fuzz_text(
    parse: Callable[[str], object],
    seeds: Sequence[str],
    *,
    words: Sequence[str] = (),
    inputs: int = INPUTS,
    seed: int = 1,
    refusals: tuple[type[Exception], ...] = (),
) -> None:
    """The same for texts; words: what else may turn up in them."""
    mutator = TextMutator(seeds, words, seed)
    _run(parse, mutator.mutations(inputs), ascii, (GridloomError, *refusals))


def fuzz_json(
    parse: Callable[[str], object],
    documents: Sequence[object],
    *,
    words: Sequence[str] = (),
    inputs: int = INPUTS,
    seed: int = 1,
    refusals: tuple[type[Exception], ...] = (),
) -> None:
    """The same for JSON (which is YAML too): half of the inputs well formed, half of them not."""
    known: tuple[type[Exception], ...] = (GridloomError, *refusals)
    half = inputs // 2
    _run(parse, JsonMutator(documents, words, seed).mutations(half), ascii, known)
    texts = [json.dumps(document) for document in documents]
    _run(parse, TextMutator(texts, words, seed).mutations(inputs - half), ascii, known)


def _run(
    parse: Callable[[T], object],
    mutations: Iterator[T],
    show: Callable[[T], str],
    refusals: tuple[type[Exception], ...],
) -> None:
    for number, data in enumerate(mutations):
        try:
            parse(data)
        except refusals:
            continue
        except Exception as error:
            raise _failure(number, error, show(data)) from error


def _failure(number: int, error: Exception, shown: str) -> AssertionError:
    return AssertionError(f"input {number} raised {type(error).__name__}: {error}\n{shown}")


class ByteMutator:
    """Makes mutations of seeds, of each seed as often as of any other."""

    def __init__(self, seeds: Sequence[bytes], seed: int = 1) -> None:
        self._seeds = list(seeds)
        self._random = random.Random(seed)
        self._values = [value for data in seeds for value in _values(data)] or [b""]

    def mutations(self, count: int) -> Iterator[bytes]:
        """So many mutations, never the seeds themselves."""
        for index in range(count):
            data = self._seeds[index % len(self._seeds)]
            yield self.mutate(data)

    def mutate(self, data: bytes) -> bytes:
        """One mutation, of one to four steps."""
        chance = self._random.random
        mutated = self._step(data)
        while chance() < 0.25:
            mutated = self._step(mutated)
        return mutated[:_MAX_SIZE] if mutated != data else self._havoc(data)

    def _step(self, data: bytes) -> bytes:
        if self._random.random() >= 0.8:
            return self._havoc(data)
        return self._der(data) if data[:1] == _SEQUENCE else self._message(data, 0)

    def _der(self, data: bytes) -> bytes:
        """Change one element of DER, or of what it contains."""
        elements = split_der(data)
        if not elements:
            return self._havoc(data)
        place = self._random.randrange(len(elements))
        tag, value = elements[place]
        holds_more = tag & _CONSTRUCTED or tag in _DER_STRINGS
        if holds_more and len(value) > 1 and self._random.random() < 0.85:
            elements[place] = (tag, self._der(value))
        else:
            match self._random.randrange(5):
                case 0:
                    del elements[place]
                case 1:
                    elements.insert(place, elements[self._random.randrange(len(elements))])
                case 2:
                    elements[place] = (self._random.choice(_DER_TAGS), value)
                case 3:
                    elements[place] = (tag, self._random.choice(_BYTES))
                case _:
                    elements[place] = (tag, self._havoc(value))
        return join_der(elements)

    def _message(self, data: bytes, depth: int) -> bytes:
        """Change one field of a message, or of a message within it."""
        fields = split(data)
        if not fields:
            return self._havoc(data)
        place = self._random.randrange(len(fields))
        number, wire_type, value = fields[place]
        if isinstance(value, bytes) and len(value) > 1 and self._random.random() < 0.7:
            fields[place] = (number, wire_type, self._message(value, depth + 1))
        else:
            self._field(fields, place)
        return join(fields)

    def _field(self, fields: list[Field], place: int) -> None:
        choose = self._random
        number, wire_type, value = fields[place]
        match choose.randrange(8):
            case 0:
                del fields[place]
            case 1:
                fields.insert(choose.randrange(len(fields) + 1), fields[place])
            case 2:
                other = choose.randrange(len(fields))
                fields[place], fields[other] = fields[other], fields[place]
            case 3:
                fields[place] = (
                    choose.choice((1, 2, 3, 4, 5, 15, 16, 99, 1 << 28)),
                    wire_type,
                    value,
                )
            case 4:
                fields[place] = (number, _LENGTH, choose.choice(self._values))
            case 5:
                fields[place] = (number, _LENGTH, choose.choice(_BYTES))
            case 6:
                fields[place] = (number, _VARINT, choose.choice(_NUMBERS))
            case _:
                nested = value if isinstance(value, bytes) else b""
                for _ in range(choose.choice((1, 2, 40, 110))):
                    nested = join([(choose.choice((1, 2, number)), _LENGTH, nested)])
                fields[place] = (number, _LENGTH, nested)

    def _havoc(self, data: bytes) -> bytes:
        """Change bytes, whatever they mean."""
        choose = self._random
        size = len(data)
        at = choose.randrange(size + 1)
        match choose.randrange(6):
            case 0 if at < size:
                return data[:at] + bytes((data[at] ^ 1 << choose.randrange(8),)) + data[at + 1 :]
            case 1 if at < size:
                return data[:at] + bytes((choose.choice((0, 1, 127, 128, 255)),)) + data[at + 1 :]
            case 2:
                return data[:at]
            case 3:
                return data[:at] + choose.choice(_BYTES) + data[at:]
            case 4:
                return data[:at] + data[min(size, at + choose.randrange(1, 9)) :]
            case _:
                donor = choose.choice(self._seeds)
                start = choose.randrange(len(donor) + 1)
                return data[:at] + donor[start:]


class TextMutator:
    """Makes mutations of texts, word by word and character by character."""

    def __init__(self, seeds: Sequence[str], words: Sequence[str] = (), seed: int = 1) -> None:
        self._seeds = [_WORDS.findall(text) for text in seeds]
        self._random = random.Random(seed)
        self._words = [*words, *(word for text in self._seeds for word in text)]

    def mutations(self, count: int) -> Iterator[str]:
        """So many mutations."""
        for index in range(count):
            words = list(self._seeds[index % len(self._seeds)])
            self._step(words)
            while self._random.random() < 0.4:
                self._step(words)
            yield "".join(words)

    def _step(self, words: list[str]) -> None:
        choose = self._random
        at = choose.randrange(len(words) + 1)
        match choose.randrange(7):
            case 0:
                del words[at : at + choose.randrange(1, 4)]
            case 1:
                words[at:at] = words[at : at + choose.randrange(1, 4)]
            case 2:
                words.insert(at, choose.choice(self._words))
            case 3:
                words[at : at + 1] = [choose.choice(self._words)]
            case 4:
                words.insert(at, choose.choice(_TEXTS))
            case 5:
                words[at : at + 1] = [choose.choice(_TEXTS)]
            case _:
                words[at:] = words[at + 1 : at + choose.randrange(2, 40)]


class JsonMutator:
    """Makes mutations of JSON documents, value by value: well formed, but not what is expected."""

    def __init__(self, documents: Sequence[object], words: Sequence[str] = (), seed: int = 1):
        self._documents = list(documents)
        self._random = random.Random(seed)
        self._values = [*_JSON_VALUES, *words, *documents]

    def mutations(self, count: int) -> Iterator[str]:
        """So many mutations."""
        for index in range(count):
            value = self._changed(self._documents[index % len(self._documents)])
            while self._random.random() < 0.3:
                value = self._changed(value)
            yield json.dumps(value)

    def _changed(self, value: object) -> object:
        """A copy in which one value, at any depth, is another one, gone, or added."""
        choose = self._random
        if not isinstance(value, dict | list) or not value or choose.random() < 0.1:
            return choose.choice(self._values)
        if isinstance(value, list):
            return self._list(list(value))
        changed = dict(value)
        key = choose.choice(list(changed))
        match choose.randrange(6):
            case 0:
                del changed[key]
            case 1:
                changed[choose.choice(_JSON_KEYS)] = changed.pop(key)
            case 2:
                changed[choose.choice(_JSON_KEYS)] = choose.choice(self._values)
            case _:
                changed[key] = self._changed(changed[key])
        return changed

    def _list(self, items: list[object]) -> list[object]:
        place = self._random.randrange(len(items))
        match self._random.randrange(4):
            case 0:
                del items[place]
            case 1:
                items.insert(place, self._random.choice(self._values))
            case _:
                items[place] = self._changed(items[place])
        return items


def split(data: bytes) -> list[Field] | None:
    """The fields of a serialized message, None if the bytes are none (groups included)."""
    fields: list[Field] = []
    offset, size = 0, len(data)
    while offset < size:
        tag, offset = _varint(data, offset)
        wire_type = tag & 7
        if tag < 8 or offset > size:
            return None
        if wire_type == _LENGTH:
            length, offset = _varint(data, offset)
            if offset + length > size:
                return None
            fields.append((tag >> 3, wire_type, data[offset : offset + length]))
            offset += length
        elif wire_type == _VARINT:
            value, offset = _varint(data, offset)
            fields.append((tag >> 3, wire_type, value))
        elif wire_type in _FIXED_SIZES:
            end = offset + _FIXED_SIZES[wire_type]
            fields.append((tag >> 3, wire_type, data[offset:end]))
            offset = end
        else:
            return None
        if offset > size:
            return None
    return fields


def join(fields: Sequence[Field]) -> bytes:
    """The bytes of these fields; a value that does not fit its wire type becomes one that does."""
    parts: list[bytes] = []
    for number, wire_type, value in fields:
        if isinstance(value, int):
            parts += (_encoded(number << 3 | _VARINT), _encoded(value))
        elif wire_type in _FIXED_SIZES and len(value) == _FIXED_SIZES[wire_type]:
            parts += (_encoded(number << 3 | wire_type), value)
        else:
            parts += (_encoded(number << 3 | _LENGTH), _encoded(len(value)), value)
    return b"".join(parts)


def split_der(data: bytes) -> list[tuple[int, bytes]] | None:
    """The elements (tag, contents) in DER one after the other, None if the bytes are none."""
    elements: list[tuple[int, bytes]] = []
    offset = 0
    while offset < len(data):
        head = data[offset : offset + 2]
        if len(head) < 2:
            return None
        length, start = head[1], offset + 2
        if length & 0x80:
            size = length & 0x7F
            length = int.from_bytes(data[start : start + size], "big")
            start += size
        offset = start + length
        if offset > len(data):
            return None
        elements.append((head[0], data[start:offset]))
    return elements


def join_der(elements: Sequence[tuple[int, bytes]]) -> bytes:
    """The bytes of these elements."""
    parts: list[bytes] = []
    for tag, value in elements:
        length = len(value)
        size = (length.bit_length() + 7) // 8
        prefix = bytes((0x80 | size,)) + length.to_bytes(size, "big") if length > 127 else None
        parts += (bytes((tag,)), prefix or bytes((length,)), value)
    return b"".join(parts)


def _varint(data: bytes, offset: int) -> tuple[int, int]:
    """The varint at ``offset`` and the offset behind it, which is past the end if it is broken."""
    value = shift = 0
    for position in range(offset, min(len(data), offset + 10)):
        byte = data[position]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position + 1
        shift += 7
    return 0, len(data) + 1


def _encoded(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _values(data: bytes, depth: int = 0) -> Iterator[bytes]:
    """All values that are bytes, of the message and of what looks like a message in it."""
    for _, _, value in split(data) or ():
        if isinstance(value, bytes) and value:
            yield value
            if depth < 12:
                yield from _values(value, depth + 1)
