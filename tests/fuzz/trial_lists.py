"""Fuzzes the readers of trial lists and cohorts, and the matching of their names, against definitions written out.

By hand, for ten minutes: PYTHONPATH=tests:workflow_scripts python -m fuzz.trial_lists --seconds 600
"""

from __future__ import annotations

import re

from fuzz import driver

from asv.errors import InputError
from asv.trials import matching
from asv.trials.cohort import match_cohort
from asv.trials.line_formats import LABELS
from asv.trials.lists import read_trials
from asv.trials.rows import match, rows_of_trials

LABEL_WORDS = {word for words in LABELS for word in words}
IDS = [
    *(f"id{s}/{v}/0000{u}.wav" for s in (1, 2) for v in ("x6-uY_q", "-a_") for u in (1, 2)),
    *("id3/00009.wav", "a-b/c.wav", "a/b-c.wav", "d/e/f/g.wav", "f/g.wav", "ü/日本 語/1.wav", "0/1.wav", "1/0/1.wav"),
]
JUNK = [
    "",
    ".",
    "..",
    "/",
    "\\",
    "0",
    "1",
    "target",
    "#",
    "#1 a",
    "a b",
    ",",
    ";",
    '"',
    '"a',
    "\u2028",
    "\x85",
    "\0",
    "\ufeff",
]
HEADERS = [
    "label enrolment test",
    "enrolment,test,target",
    "utt1\tutt2\tlabel",
    "# comment",
    "score;a;b",
    "enroll test label score",
]


def _name(random, name, wild):
    """The id in one of many spellings; of other utterances and of none where it gets wild."""
    if random.random() > wild:
        return name
    kind = random.randrange(4)
    if kind == 0:
        name = name.replace("/", random.choice("-_\\"))
    elif kind == 1:
        name = random.choice(["wav/", "/data/x/", "./", "../", "C:\\", "//"]) + name
    elif kind == 2:
        name = name.split("/", random.randrange(3))[-1]
    elif kind == 3:
        name = random.choice(JUNK) + random.choice([name, ""])
    if random.random() < 0.5:
        name = name.removesuffix(".wav") + random.choice(["", ".WAV", ".flac", ".m4a", ".wav.wav", ".1"])
    return name


def _list(random):
    words, separator = random.choice(LABELS[:4] + LABELS[:1] * 6), random.choice([" ", " ", "\t", ",", ";", ", "])
    last, score = random.random() < 0.5, random.random() < 0.2
    lines = [random.choice(HEADERS)] if random.random() < 0.2 else []
    ids = [name for name in IDS if separator != " " or " " not in name or random.random() < 0.1]
    wild, doubt = random.choice([0, 0.1, 0.5]), random.choice([0, 0, 0.1])
    for _ in range(random.choice([0, 1, 2, 5, 40])):
        a, b = random.choice(ids), random.choice(ids)
        label = words[(a[:3] == b[:3]) == (random.random() < doubt)]
        a, b = _name(random, a, wild), _name(random, b, wild)
        if random.random() < 0.1:
            label = label.upper()
        fields = [a, b, label] if last else [label, a, b]
        lines.append(separator.join(fields + [f"{random.gauss(0, 1):.3g}"] * score))
        if random.random() < 0.02:
            lines.append(random.choice(["", " \t", "# 1 a b", "#", "a", "1 a", "0 a b c", *HEADERS]))
            last = last != (random.random() < 0.2)
    return random.choice(["\n", "\n", "\r\n", "\r"]).join(lines) + random.choice(["", "\n"])


def _cohort(random):
    return "\n".join(_name(random, random.choice(IDS), 0.3) for _ in range(random.randrange(20)))


def _damaged(random, content):
    content = bytearray(content)
    for _ in range(random.choice([1, 1, 3, 30])):
        place = random.randrange(len(content) + 1)
        kind = random.randrange(5)
        if kind == 0:
            del content[place : place + random.choice([1, 1, 100])]
        elif kind == 1:
            content[place:place] = random.randbytes(random.choice([1, 4]))
        elif kind == 2:
            content[place:place] = random.choice(JUNK).encode()
        elif kind == 3:
            content[place:place] = content[: random.randrange(200)]
        else:
            content[place:place] = random.choice([b"/", b"a/", b",", b"#", b" ", b"\n", b"\0", b'"', b"1 "]) * 20_000
    return bytes(content)


def make_input(random):
    text = (_list if random.random() < 0.8 else _cohort)(random)
    encoding = random.choices(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1"], [20, 2, 1, 1, 1])[0]
    content = text.encode(encoding, "replace")
    return _damaged(random, content) if random.random() < 0.4 else content


def candidates(name, ids):
    """Places of the ids that a name can mean, by the definition, one id after the other."""
    if exact := [place for place, known in enumerate(ids) if known == name]:
        return exact
    parts, found = name.split("/"), []
    for place, known in enumerate(ids):
        theirs = known.split("/")
        longer = len(parts) > len(theirs) and parts[-len(theirs) :] == theirs
        ending = len(theirs) > len(parts) and theirs[-len(parts) :] == parts
        kaldi = len(parts) == 1 and name in ("-".join(theirs), "_".join(theirs))
        if longer or ending or kaldi:
            found.append(place)
    return found


def _check_matching(names, ids):
    wanted = [candidates(name, ids) for name in names]
    try:
        found, kinds = matching.places(names, ids)
    except InputError:
        assert any(len(places) > 1 for places in wanted)
        return
    assert found.tolist() == [places[0] if places else -1 for places in wanted]
    assert all(len(places) < 2 for places in wanted)
    assert sum(kinds.values()) == sum(map(len, wanted))


def _check_lines(content, trials):
    """Every line is a trial as it says, a comment or the header; none is lost."""
    lines = re.split("\r\n|\r|\n", content.decode("utf-8-sig"))
    filled = [line for line in lines if line.strip()]
    comments = [line for line in filled if line.lstrip().startswith("#")]
    rows = [line for line in filled if not line.lstrip().startswith("#")]
    if "header line left out" in trials.format:
        header = rows.pop(0)
        assert not re.search(r"[\\/]", header)
        could_be_a_trial = not LABEL_WORDS.isdisjoint(re.split(r"[\s,;]+", header.lower()))
        assert not (could_be_a_trial and re.search(r"\d", header))
    assert len(rows) == len(trials.targets)
    assert (f"{len(comments):,} comment line" in trials.format) == bool(comments)
    words = re.search(r"([\w-]+)/([\w-]+)", trials.format).groups()
    separator = "," if "comma-sep" in trials.format else ";" if "semicolon-sep" in trials.format else None
    label = 0 if trials.format.startswith(words[0]) else 2
    for line, target, *sides in zip(rows, trials.targets, trials.first, trials.second):
        fields = [field.strip() for field in line.split(separator)]
        if '"' not in line and "\t" not in line:  # else naive splitting will not do
            assert len(fields) == 3 + ("scores after it" in trials.format)
            assert fields.pop(label).lower() == words[not target]
            for side, written in zip(sides, fields):
                assert trials.names[side] == matching.spelled(written)


def check(content, folder):
    path = folder / "list.txt"
    path.write_bytes(content)
    row_of = {name: row for row, name in enumerate(IDS[:-3])}
    rejected = dict.fromkeys(IDS[-3:], "rejected: silent")
    try:
        rows = match_cohort(path, IDS, row_of, rejected)
        assert len(set(rows)) == len(rows) > 0
    except InputError:
        pass
    trials = read_trials(path)
    _check_lines(content, trials)
    _check_matching(trials.names, IDS)
    matched, _ = match(trials, IDS)
    assert len(matched.targets) == len(trials.targets)
    assert len(set(matched.names)) == len(matched.names)
    first, second, targets, skipped = rows_of_trials(matched, row_of, rejected, "skip")
    assert len(first) == len(second) == len(targets) == len(trials.targets) - skipped


if __name__ == "__main__":
    driver.main("trial_lists", make_input, check)
