"""Fuzzes what reads and checks a ``config.yaml``: settings of any value in any place, and files of any bytes.

By hand, for an hour: PYTHONPATH=tests:workflow_scripts python -m fuzz.configurations --seconds 3600
"""

from __future__ import annotations

import copy
import json

import yaml
from fuzz import driver
from support.paths import REPO

from asv.errors import InputError
from asv.snakefile import config, config_files

SHIPPED = REPO / "config.yaml"
TEXT = SHIPPED.read_text(encoding="utf-8")
SETTINGS = yaml.safe_load(TEXT)
ODD = [
    *(None, True, False, 0, -1, 1, 2, 4.0, 1e-5, 1e308, float("nan"), float("inf"), 2**63, -(2**63), 10**400),
    *("", " ", "4", "1e-5", "null", "true", "~", "~nobody/x", "auto", "demo", "{a}", "{speaker}/{utterance}", "\0"),
    *("cohort", "openvino-f32", "openvino-int8", "-f32", "torch_aie", "../..", "http://", "x" * 5000, "é" * 300),
    *([], {}, [[]], [None], [4, 4], ["a", "a"], {"a": {}}, {"": 0}, {None: 0}, {0: 1}, {"engine": "x"}, [{}], [0.5]),
]
YAML_WORDS = [":", "- ", "&a ", "*a", "!!python/object:os.system ", "!!binary ", "<<: *a", "{", "}", "[", "]", "'"]
YAML_WORDS += [
    '"',
    "|",
    ">",
    "---\n",
    "%YAML 9\n",
    "\t",
    "\0",
    "\ufeff",
    "\u2028",
    "? ",
    "0x",
    "1_0",
    "2001-01-01",
    "#",
    "\n",
]


def _paths(value, above=()):
    """Paths of all settings and groups, as tuples of keys."""
    for name, part in value.items():
        yield (*above, name)
        if isinstance(part, dict):
            yield from _paths(part, (*above, name))


PATHS = list(_paths(SETTINGS))


def _mutate(random, settings):
    """Change, remove, misplace or misspell a setting."""
    *above, name = random.choice(PATHS)
    place = settings
    for key in above:
        if not isinstance(place.get(key), dict):
            return
        place = place[key]
    kind = random.randrange(6)
    if kind <= 2:
        place[name] = copy.deepcopy(random.choice(ODD))
    elif kind == 3:
        place.pop(name, None)
    elif kind == 4:
        place[random.choice([name[:-1], name.upper(), f"{name}s", ".".join([*above, name])])] = random.choice(ODD)
    else:
        place[random.choice(PATHS)[-1]] = copy.deepcopy(random.choice(ODD))


def make_input(random):
    """Bytes of a configuration: mutated settings as YAML or JSON, or the shipped text with damage."""
    if random.random() < 0.7:
        settings = copy.deepcopy(SETTINGS)
        if random.random() < 0.5:
            settings = {name: settings[name] for name in random.sample(list(settings), random.randint(0, 3))}
        for _ in range(random.choice([0, 1, 1, 2, 5])):
            _mutate(random, settings)
        if random.random() < 0.2:
            return json.dumps(settings, skipkeys=True).encode()
        return yaml.safe_dump(settings, allow_unicode=True, sort_keys=False).encode("utf-8")
    start = random.randrange(len(TEXT))
    text = TEXT[start : start + random.choice([50, 500, len(TEXT)])]
    for _ in range(random.randint(1, 4)):
        place = random.randrange(len(text) + 1)
        text = text[:place] + random.choice(YAML_WORDS) * random.choice([1, 1, 2, 3000]) + text[place:]
    content = text.encode("utf-8")
    if random.random() < 0.2:
        place = random.randrange(len(content) + 1)
        content = content[:place] + random.randbytes(random.randint(1, 4)) + content[place:]
    return content


def check(content, folder):
    path = folder / "config.yaml"
    path.write_bytes(content)
    used, _ = config_files.of_working_folder(path, SHIPPED, config.settings())
    if not used:
        return
    try:  # as Snakemake reads it; what it cannot read, it says itself
        settings = yaml.safe_load(content.decode("utf-8-sig"))
    except (yaml.YAMLError, ValueError, RecursionError, TypeError, OverflowError) as error:
        raise InputError("Snakemake refuses it") from error
    before = repr(settings)
    checked = config.check(settings, lambda: [("config.yaml", settings)])
    assert repr(settings) == before, "the configuration was changed in place"
    assert set(checked) == set(SETTINGS), "settings are missing, or too many"
    assert config.check(checked) == checked, "what was accepted is not accepted again"


if __name__ == "__main__":
    driver.main("configurations", make_input, check)
