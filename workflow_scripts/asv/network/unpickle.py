"""Reading pickles of ``torch.save`` without executing anything.

A pickle is a program for a small machine, and its instructions to find and call things make it dangerous. This machine
finds and calls nothing: the name of a function or class stays a name, a call becomes a record of what would have been
called, and only the handful of names in :mod:`asv.network.inert`, from which tensors and dictionaries are made, have a
meaning, by functions of our own. Tensors stay descriptions; their numbers are not read here. The instructions are
decoded by Python's ``pickletools``.
"""

from __future__ import annotations

import pickletools
from typing import IO, Any

from .inert import Foreign, Global, PickleError, Storage, Tensor, call, dictionary, name_of, set_item, storage_of

LARGEST = 64 << 20  # bytes of a pickle; one with an optimizer's state has a few hundred thousand
MOST_INSTRUCTIONS = 1_000_000  # a checkpoint with an optimizer's state has some 20,000


def _persistent(machine, identity):
    """What lies beside the pickle. An old file names a storage again by the same id."""
    found = storage_of(identity)
    return machine.storages.setdefault(found.key, found) if isinstance(found, Storage) else found


class _Machine:
    """Stack, marks and memo of one pickle, and how many steps it may still take."""

    def __init__(self):
        self.stack, self.marks, self.memo, self.left = [], [], {}, MOST_INSTRUCTIONS
        self.storages = {}

    def spend(self, steps):
        """Count steps; a few bytes can ask again and again for work on one long list."""
        self.left -= steps
        if self.left < 0:
            raise PickleError(f"a pickle of more than {MOST_INSTRUCTIONS} steps")

    def marked(self):
        """What lies above the last mark, which goes."""
        above, self.stack = self.stack, self.marks.pop()
        return above

    def top(self, count):
        """The last items, taken off."""
        if len(self.stack) < count:
            raise PickleError("an instruction without its operands")
        items = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return items

    def step(self, name, argument):
        """Follow one instruction."""
        if name in PUSHED:
            self.stack.append(argument)
        elif handler := HANDLERS.get(name):
            handler(self, argument)
        elif name not in ("PROTO", "FRAME"):
            raise PickleError(f"the instruction {name}, which torch.save does not write")


PUSHED = {code.name for code in pickletools.opcodes if code.arg is not None} - {
    *("GET", "BINGET", "LONG_BINGET", "PUT", "BINPUT", "LONG_BINPUT"),
    *("GLOBAL", "INST", "EXT1", "EXT2", "EXT4", "PERSID", "PROTO", "FRAME"),
}


def _extend(machine, argument):
    _add(machine, machine.marked())


def _add(machine, items):
    target = machine.stack[-1]
    if type(target) is list:
        target.extend(items)
    elif not isinstance(target, Foreign):
        raise PickleError("elements for what is no list")


def _append(machine, argument):
    _add(machine, machine.top(1))


def _set_items(machine, argument):
    items = machine.marked()
    for key, value in zip(items[::2], items[1::2]):
        set_item(machine.stack[-1], key, value)


def _set_item(machine, argument):
    key, value = machine.top(2)
    set_item(machine.stack[-1], key, value)


def _make(machine, argument):
    """REDUCE and NEWOBJ: a name, and a tuple of arguments."""
    function, arguments = machine.top(2)
    if type(arguments) is not tuple:
        raise PickleError("a call whose arguments are no tuple")
    machine.spend(len(arguments))
    machine.spend(sum(len(part) for part in arguments if type(part) in (list, tuple, dict)))
    machine.stack.append(call(function, arguments))


def _make_with_names(machine, argument):
    function, _, _ = machine.top(3)
    machine.stack.append(Foreign(name_of(function)))


def _make_old(machine, argument):
    """INST and OBJ of old protocols."""
    items = machine.marked()
    name = argument.replace(" ", ".") if argument else name_of(items[0])
    machine.stack.append(Foreign(name))


def _build(machine, argument):
    (state,) = machine.top(1)
    if isinstance(machine.stack[-1], Tensor):
        raise PickleError("a state for a tensor, which would change its numbers")
    if isinstance(machine.stack[-1], Foreign):
        machine.stack[-1].state = state  # of all others it is attributes, which nothing here needs


def _stack_global(machine, argument):
    module, name = machine.top(2)
    if type(module) is not str or type(name) is not str:
        raise PickleError("a name that is no text")
    machine.stack.append(Global(f"{module}.{name}"))


def _push(make):
    def handler(machine, argument):
        made = make(machine, argument)  # which may put another stack in place
        machine.stack.append(made)

    return handler


def _pop(machine, argument):
    if machine.stack:
        machine.stack.pop()
    else:
        machine.marked()


def _mark(machine, argument):
    machine.marks.append(machine.stack)
    machine.stack = []


def _get(machine, argument):
    return machine.memo[argument]


def _put(machine, argument):
    place = len(machine.memo) if argument is None else argument
    if not 0 <= place < 1 << 32:  # larger ones could be chosen to have equal hashes
        raise PickleError("a place in the memo that makes no sense")
    machine.memo[place] = machine.stack[-1]


def _frozen_set(machine, argument):
    machine.marked()
    return Foreign("frozenset")


HANDLERS = {
    "NONE": _push(lambda machine, _: None),
    "NEWTRUE": _push(lambda machine, _: True),
    "NEWFALSE": _push(lambda machine, _: False),
    "EMPTY_LIST": _push(lambda machine, _: []),
    "EMPTY_TUPLE": _push(lambda machine, _: ()),
    "EMPTY_DICT": _push(lambda machine, _: {}),
    "EMPTY_SET": _push(lambda machine, _: Foreign("set")),
    "LIST": _push(lambda machine, _: machine.marked()),
    "TUPLE": _push(lambda machine, _: tuple(machine.marked())),
    "TUPLE1": _push(lambda machine, _: tuple(machine.top(1))),
    "TUPLE2": _push(lambda machine, _: tuple(machine.top(2))),
    "TUPLE3": _push(lambda machine, _: tuple(machine.top(3))),
    "DICT": _push(lambda machine, _: dictionary(zip(*[iter(machine.marked())] * 2))),
    "FROZENSET": _push(_frozen_set),
    "DUP": _push(lambda machine, _: machine.stack[-1]),
    "GLOBAL": _push(lambda machine, name: Global(name.replace(" ", "."))),
    "STACK_GLOBAL": _stack_global,
    "PERSID": _push(_persistent),
    "BINPERSID": _push(lambda machine, _: _persistent(machine, *machine.top(1))),
    **dict.fromkeys(
        ("EXT1", "EXT2", "EXT4"), _push(lambda machine, code: Global(f"number {code} of the copyreg registry"))
    ),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _push(_get)),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), _put),
    **dict.fromkeys(("REDUCE", "NEWOBJ"), _make),
    "NEWOBJ_EX": _make_with_names,
    **dict.fromkeys(("INST", "OBJ"), _make_old),
    "BUILD": _build,
    "APPEND": _append,
    "APPENDS": _extend,
    "ADDITEMS": _extend,
    "SETITEM": _set_item,
    "SETITEMS": _set_items,
    "MARK": _mark,
    "POP": _pop,
    "POP_MARK": lambda machine, _: machine.marked() and None,
}


class _Limited:
    """The part of a file that a pickle may have: reads never ask for more than there can be."""

    def __init__(self, stream):
        self._stream, self._left = stream, LARGEST

    def _take(self, content):
        self._left -= len(content)
        return content

    def read(self, size):
        if size > self._left:
            raise PickleError(f"a pickle of more than {LARGEST} bytes, or a damaged one")
        return self._take(self._stream.read(size))

    def readline(self):
        return self._take(self._stream.readline(self._left))


def load(stream: IO[bytes]) -> tuple[Any, dict[str, Storage]]:
    """Read one pickle from a binary stream, which then stands behind it.

    Returns:
        ``(tree, storages)``: what it holds, of None, bool, int, float, str, bytes, list, tuple, dict (whose keys are
        text, numbers or Foreign), Global, Foreign, Storage and Tensor; and every Storage that it names, by key. Cycles
        are possible: walk it with care, and never print it.

    Raises:
        PickleError: for one that is damaged, too large or too long.
    """
    machine = _Machine()
    try:
        for code, argument, _ in pickletools.genops(_Limited(stream)):  # type: ignore[arg-type]  # has what it calls
            machine.spend(1)
            if code.name == "STOP":
                return machine.stack[-1], machine.storages
            machine.step(code.name, argument)
    except PickleError:
        raise
    except (ValueError, IndexError, KeyError, OverflowError, TypeError) as error:  # of pickletools, stack and memo
        raise PickleError(f"a damaged pickle ({error})") from error
    raise PickleError("a pickle without an end")
