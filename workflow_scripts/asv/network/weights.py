"""Finding a network's weights in a checkpoint, under whatever names a framework keeps them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..errors import InputError
from .file_kinds import shown
from .inert import Foreign, Global, Tensor

DEEPEST = 5  # levels of dictionaries in dictionaries
MOST = 1_000_000  # names that are looked at
LONGEST = 200  # characters of a name
FRIENDLY = {
    **dict.fromkeys(("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar"), "a NumPy number"),
    **dict.fromkeys(("numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct"), "a NumPy array"),
}


def kind_of(value: object) -> str:
    """What a value is, for a message."""
    if isinstance(value, (Foreign, Global)):
        return FRIENDLY.get(value.name, shown(value.name))
    if isinstance(value, Tensor):
        return f"a tensor {value.shape}"
    return type(value).__name__


def first_names(names: Iterable[str], most: int = 8) -> str:
    """The first names, in their order, and how many more there are."""
    names = list(names)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _is_module(value):
    return isinstance(value, Foreign) and isinstance(value.state, dict) and "_modules" in value.state


class _Budget:
    """Names that may still be looked at: a few bytes can put one large dictionary in many places."""

    def __init__(self):
        self.left = MOST

    def spend(self, names):
        self.left -= names + 1
        if self.left < 0:
            raise InputError(f"more than {MOST} names in it; save its weights anew, alone")


def _flat(module, budget):
    """State dictionary of a whole module that was saved as an object."""
    found: dict[str, Any] = {}
    waiting, seen = [("", module, 0)], set()
    while waiting:
        prefix, part, depth = waiting.pop()
        if id(part) in seen or depth > 4 * DEEPEST:
            continue
        seen.add(id(part))
        for group in ("_parameters", "_buffers"):
            values = _named(part.state.get(group))
            budget.spend(len(values))
            found.update((prefix + name, value) for name, value in values if value is not None)
        inner = _named(part.state["_modules"])
        budget.spend(len(inner))
        waiting += [(f"{prefix}{name}.", value, depth + 1) for name, value in inner if _is_module(value)]
    return found


def _named(values):
    """Items of a dictionary whose keys are names, and not too long."""
    items = values.items() if isinstance(values, dict) else ()
    return [(name, value) for name, value in items if isinstance(name, str) and len(name) <= LONGEST]


def _content(value, budget):
    """What a container holds, as a dictionary, or None for all else."""
    content = value
    if _is_module(value):
        content = _flat(value, budget)
    elif isinstance(value, Foreign):  # an object that is a dictionary, too, or has attributes
        content = value.items if value.items is not None else value.state
    elif type(value) in (list, tuple) and len(value) <= LONGEST:
        content = {str(place): part for place, part in enumerate(value)}
    if not isinstance(content, dict):
        return None
    budget.spend(len(content))
    return content


def _containers(tree):
    """Yield ``(path, above, content)`` of all containers of names, outermost first, each once.

    ``above`` has for every level over it what that level holds, and which of it the path takes.
    """
    waiting: list[tuple[tuple[str, ...], list[tuple[str, dict[Any, Any]]], Any]] = [((), [], tree)]
    seen, budget = set(), _Budget()
    for path, above, value in waiting:
        if id(value) in seen:
            continue
        seen.add(id(value))
        content = _content(value, budget)
        if content is None:
            continue
        yield path, above, content
        if len(path) < DEEPEST and not _is_module(value):
            inner = [(name, part) for name, part in _named(content) if type(part) in (dict, list, tuple, Foreign)]
            waiting += [((*path, name), [*above, (name, content)], part) for name, part in inner]


def names_in(tree: object) -> Iterator[str]:
    """Names of all values in all containers."""
    return (name for _, _, content in _containers(tree) for name, _ in _named(content))


def places(tree: object, anchor: str, fits: Callable[[object], bool]) -> dict[str, Place]:
    """All places where the weight called ``anchor`` lies and ``fits``: a dictionary from labels to :class:`Place`."""
    found: dict[str, Place] = {}
    for path, above, content in _containers(tree):
        for name, value in _named(content):
            if (name == anchor or name.endswith(f".{anchor}")) and fits(value):
                place = Place(path, above, content, name[: -len(anchor)])
                if place.label in found or len(found) == LONGEST:
                    raise InputError(f"too many places of weights, one is {shown(place.label)}; save them anew, alone")
                found[place.label] = place
    return found


@dataclass
class Place:
    """Where weights lie: in ``content``, at the end of ``path``, behind ``prefix``; ``above`` as in ``_containers``."""

    path: tuple[str, ...]
    above: list[tuple[str, dict[Any, Any]]]
    content: dict[Any, Any]
    prefix: str

    @property
    def label(self) -> str:
        """Dotted path, by which ``checkpoint.weights`` chooses; a full stop for what lies at the top."""
        return ".".join([*self.path, *([self.prefix[:-1]] if self.prefix else [])]) or "."

    @property
    def words(self) -> str:
        """The same for a person."""
        place = shown(".".join(self.path) or "top level")
        return f"{place}, without the prefix {shown(self.prefix)}" if self.prefix else place

    def weights(self) -> dict[str, object]:
        """Values by name, without the prefix."""
        names = [(name, value) for name, value in _named(self.content) if name.startswith(self.prefix)]
        return {name[len(self.prefix) :]: value for name, value in names}

    def omitted(self) -> list[str]:
        """What lies beside the weights and is more than a number or a text, in words."""
        beside = [
            shown(key) + (f" ({kind_of(value)})" if isinstance(value, Foreign) else "")
            for name, level in self.above
            for key, value in level.items()
            if key != name and isinstance(value, (dict, list, tuple, Foreign))
        ]
        return beside + sorted(
            {shown(n.split(".")[0]) for n, _ in _named(self.content) if not n.startswith(self.prefix)}
        )


def summary(tree: object) -> str:
    """What a checkpoint holds, in a few words: its top keys, and the first names of tensors."""
    budget = _Budget()
    content = _content(tree, budget)
    if content is None:
        return f"nothing but {kind_of(tree)}" if tree is not None else "nothing"
    parts = []
    for key, value in list(content.items())[:10]:
        inner = _content(value, budget)
        words = f"{len(inner)} names: {first_names(map(shown, inner), 3)}" if inner else kind_of(value)
        parts.append(f"{shown(key)} ({words})")
    more = f" and {len(content) - 10} more" if len(content) > 10 else ""
    return (", ".join(parts) or "an empty dictionary") + more
