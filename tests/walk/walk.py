"""A random walk of edits, faults and calls, which looks for an answer that is not the present configuration's.

Whenever a call exits with 0, every file that it was asked for must equal, byte by byte, the one of a run from nothing
in a clean folder; whenever it does not, the same call must succeed as soon as the cause is gone. By hand, for longer:

    PYTHONPATH=tests python -m walk.walk --seed 1 --seconds 3600
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from walk.forked import Snakemake

REPO = Path(__file__).resolve().parents[2]
LEFT_OUT = ("__pycache__", ".*", "work", "results", "logs", "tests", "docs", "measurements")
SETTINGS = {
    "engine": ["openvino", "torchscript"],
    "shards": [1, 2, 3],
    "features": [{}, {"f_max": 7000}, {"crops": 2}, {"keep": False}],
    "scoring": [{}, {"bootstrap": {"seed": 1}}, {"as_norm": {"cohort": "cohort.txt"}}, {"subtract_mean": "dataset"}],
    "checkpoint": [{"archive": "one.zip"}, {"archive": "two.zip"}],
    "lists": [["trials.txt"], ["trials.txt", "other.txt"], []],
    "on_bad_audio": ["reject", "fail"],
}
TARGETS = [
    "results/eer_bs4.txt",
    "results/eer_bs8.txt",
    "results/rejected.tsv",
    "results/openvino-f32/eer_bs4.json",
    "results/openvino-f32/agreement_bs4.json",
    "results/torchscript-f32/det_bs4.svg",
    "work/network/network.json",
]
RULES = ["extract_features", "merge_manifests", "unzip_checkpoint", "trace_network", "compile_engine", "infer", "score"]
RULES += ["check_features", "convert_network", "write_answer", "copy_answer", "compare_engine", "plot_scores"]
# Stages that an edit makes stale, by what is edited.
STALE = {
    "engine": ["compile_engine", "infer", "score"],
    "shards": ["extract_features", "infer"],
    "features": ["extract_features", "infer", "score"],
    "scoring": ["score", "write_answer"],
    "checkpoint": ["unzip_checkpoint", "trace_network", "compile_engine", "infer", "score"],
    "lists": ["score", "write_answer"],
    "on_bad_audio": ["extract_features"],
    "wavs": ["extract_features", "infer", "score"],
    "infer.py": ["infer"],
    "score.py": ["score"],
    "trace_network.py": ["trace_network", "compile_engine"],
    "asv/scoring/metrics.py": ["score"],
    "asv/features/crops.py": ["extract_features"],
}
FLAGS = [
    [],
    [],
    [],
    [],
    ["--keep-going"],
    ["--forcerun", "trace_network"],
    ["--forcerun", "score"],
    ["--keep-incomplete"],
]
FLAGS += [["--cores", "1"], ["--rerun-triggers", "mtime"]]
PARTIAL = [
    ["--until", "trace_network"],
    ["--until", "merge_manifests"],
    ["--omit-from", "infer"],
    ["--dry-run"],
    ["--touch"],
]
MODES = ["fail", "fail", "late", "half", "full", "kill", "orphan"]
LONGEST = 120  # seconds of a call
PATIENCE = 30  # seconds after a signal until a user gives up and kills


class WrongAnswerError(AssertionError):
    """The invariant does not hold."""


def real_code(target):
    """A copy of the workflow."""
    return shutil.copytree(REPO, target, ignore=shutil.ignore_patterns(*LEFT_OUT))


def stand_in_code(target):
    """A copy of the workflow whose stage scripts are all the stand-in."""
    real_code(target)
    text = Path(__file__).with_name("stand_in_stage.py").read_text()
    for script in (target / "workflow_scripts").glob("*.py"):
        script.write_text(text)
    return target


class Project:
    """A folder with a small data set, its configuration, and the workflow's code beside it."""

    def __init__(self, folder, code):
        self.folder, self.code, self.count = folder, code, 0
        folder.mkdir(parents=True)
        self.settings = {name: values[0] for name, values in SETTINGS.items()}
        for speaker in range(4):
            for session in range(2):
                self.write(f"wavs/id{speaker}/s{session}/00000.wav")
        for name in ("one.zip", "two.zip"):
            self.write(name)
        self.lists()
        self.configure()

    def write(self, name):
        """New content of another size than any before."""
        self.count += 1
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{name} {self.count} " + "x" * self.count + "\n")

    def utterances(self):
        return sorted(str(p.relative_to(self.folder / "wavs")) for p in (self.folder / "wavs").rglob("*.wav"))

    def lists(self, rotate=0):
        """Trial lists and a cohort of the utterances that are there."""
        names = self.utterances()
        names = names[rotate % len(names) :] + names[: rotate % len(names)]
        pairs = [f"{int(a.split('/')[0] == b.split('/')[0])} {a} {b}\n" for a in names[:4] for b in names if a != b]
        (self.folder / "trials.txt").write_text("".join(pairs))
        (self.folder / "other.txt").write_text("".join(pairs[::2]))
        (self.folder / "cohort.txt").write_text("".join(name + "\n" for name in names[::2]))

    def configure(self):
        settings = dict(self.settings)
        lists, bad = settings.pop("lists"), settings.pop("on_bad_audio")
        settings["dataset"] = {"root": "wavs", "trials": lists, "on_bad_audio": bad}
        (self.folder / "config.yaml").write_text(json.dumps(settings, indent=1))

    def state(self):
        """Digest of all that an answer rests on."""
        names = sorted(p for p in self.folder.rglob("*") if p.is_file() and p.relative_to(self.folder).parts[0] in OURS)
        parts = [(str(p.relative_to(self.folder)), p.read_bytes()) for p in names]
        parts += [p.read_bytes() for p in sorted((self.code / "workflow_scripts").rglob("*.py"))]
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def words(self, *arguments):
        """Snakemake's arguments for a call."""
        return ["--snakefile", str(self.code / "Snakefile"), "--cores", "2", *arguments]

    def command(self, *arguments):
        return [sys.executable, "-m", "snakemake", *self.words(*arguments)]

    def environment(self, **variables):
        return {**os.environ, "PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": "1", **variables}

    def start(self, *arguments, **variables):
        process = subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment(**variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        (self.folder / "snakemake.pid").write_text(str(process.pid))
        return process

    def call(self, *arguments, **variables):
        """Run to the end; returns exit code and output."""
        # Orphans would keep a pipe open after their run's end, so the output goes to a file.
        with tempfile.NamedTemporaryFile("r") as stream:
            process = Snakemake(self.words(*arguments), self.folder, self.environment(**variables), stream.name)
            (self.folder / "snakemake.pid").write_text(str(process.pid))
            delay = float(variables.get("KILL_AFTER", "0"))
            if delay:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(delay)
                process.send(signal.Signals[variables["KILL_BY"]])
                # Snakemake 9.27 waits for itself for ever where SIGTERM comes while it selects jobs.
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(PATIENCE)
                process.kill()
            return process.wait(LONGEST), stream.read()


class RealProject(Project):
    """The same with audio and checkpoints that the real stages read."""

    def write(self, name):
        from support.synthetic import write_checkpoint, write_voice  # torch, which stand-ins do without

        self.count += 1
        path = self.folder / name
        if path.suffix == ".zip":
            write_checkpoint(path, seed=self.count)
        else:
            write_voice(path, pitch=90 + 7 * self.count, seconds=1 + 0.1 * (self.count % 7), seed=self.count)


OURS = ("wavs", "config.yaml", "trials.txt", "other.txt", "cohort.txt", "one.zip", "two.zip")


class Walk:
    """The walk itself; everything that it decides comes from its seed.

    Args:
        folder: an empty folder.
        seed: of the decisions.
        code: of the workflow; the walk changes it. Unless given, its stages are stand-ins.
        kind: :class:`Project`, or with the real stages :class:`RealProject`.
        edits: kinds of edits to make, one of which is drawn.
    """

    def __init__(self, folder, seed, code=None, kind=Project, edits=None):
        self.random, self.folder = random.Random(seed), Path(folder)
        self.project = kind(self.folder / "project", code or stand_in_code(self.folder / "code"))
        self.kinds = EDITS if edits is None else edits
        self.history, self.right, self.former = [], {}, {}
        self.stale: list[str] = []  # rules that the last edits concern
        self.calls = self.successes = 0

    def edits(self):
        """Change nothing, or one or two things; says what."""
        self.stale = []
        return [
            getattr(self, f"edit_{self.random.choice(self.kinds)}")()
            for _ in range(self.random.choice([0, 0, 1, 1, 2]))
        ]

    def edit_setting(self):
        name = self.random.choice(list(SETTINGS))
        self.stale += STALE[name]
        self.project.settings[name] = self.random.choice(SETTINGS[name])
        self.project.configure()
        return f"{name}: {self.project.settings[name]}"

    def edit_wav(self):
        self.stale += STALE["wavs"]
        name = self.random.choice(self.project.utterances())
        self.project.write(f"wavs/{name}")
        return f"replaced {name}"

    def edit_new_wav(self):
        self.stale += STALE["wavs"]
        name = f"id{self.random.randrange(6)}/s{self.random.randrange(3)}/{self.random.randrange(9):05}.wav"
        self.project.write(f"wavs/{name}")
        return f"added {name}"

    def edit_less(self):
        self.stale += STALE["wavs"]
        names = self.project.utterances()
        if len(names) < 7:
            return self.edit_new_wav()
        (self.project.folder / "wavs" / self.random.choice(names)).unlink()
        self.project.lists()
        return "deleted a wav"

    def edit_renamed(self):
        self.stale += STALE["wavs"]
        path = self.project.folder / "wavs" / self.random.choice(self.project.utterances())
        path.rename(path.with_name(f"{self.random.randrange(100, 999):05}.wav"))
        self.project.lists()
        return f"renamed {path.name}"

    def edit_list(self):
        self.stale += STALE["lists"]
        self.project.lists(self.random.randrange(1, 7))
        return "other lists"

    def edit_archive(self):
        self.stale += STALE["checkpoint"]
        name = self.random.choice(["one.zip", "two.zip"])
        self.project.write(name)
        if older := self.random.choice([True, False]):
            os.utime(self.project.folder / name, (1e9, 1e9))
        return f"{'an older' if older else 'another'} {name}"

    def edit_code(self):
        names = ["infer.py", "score.py", "trace_network.py", "asv/scoring/metrics.py", "asv/features/crops.py"]
        name = self.random.choice(names)
        self.stale += STALE[name]
        with (self.project.code / "workflow_scripts" / name).open("a") as stream:
            stream.write(f"\nCHANGED = {self.random.random()}\n")
        return f"changed {name}"

    def edit_foreign(self):
        """Somebody puts a former state of a made file in its place."""
        known = [name for name in self.former if (self.project.folder / name).is_file()]
        if not known:
            return "nothing foreign"
        name = self.random.choice(known)
        (self.project.folder / name).write_bytes(self.former[name])
        return f"a former {name}"

    def remember(self):
        for top in ("work", "results"):
            for path in (self.project.folder / top).rglob("*"):
                name = str(path.relative_to(self.project.folder))
                if path.is_file() and "outdated" not in name and self.random.random() < 0.1:
                    self.former[name] = path.read_bytes()

    def answer(self, target):
        """The right content of a target: that of a run from nothing."""
        key = self.project.state(), target
        if key not in self.right:
            clean = Project.__new__(Project)  # of the same files
            clean.folder, clean.code = self.folder / "clean", self.project.code
            shutil.rmtree(clean.folder, ignore_errors=True)
            clean.folder.mkdir()
            for name in OURS:
                (clean.folder / name).symlink_to(self.project.folder / name)
            wanted = [target, *(t for t in self.asked if t != target)]
            code, output = clean.call(*wanted)
            if code:
                raise WrongAnswerError(f"a run from nothing fails:\n{output}")
            for name in wanted:
                self.right[key[0], name] = (clean.folder / name).read_bytes()
        return self.right[key]

    def check(self, targets, where):
        self.asked = targets
        for target in targets:
            path = self.project.folder / target
            if not path.exists():
                raise WrongAnswerError(f"{where}: exit 0 without {target}")
            if path.read_bytes() != self.answer(target):
                raise WrongAnswerError(f"{where}: exit 0 with a wrong {target}")

    def step(self):
        changed = self.edits()
        targets = self.random.sample(TARGETS, self.random.choice([1, 1, 2]))
        partial = self.random.random() < 0.15
        flags = self.random.choice(PARTIAL if partial else FLAGS)
        fault, environment = None, {}
        if self.random.random() < (0.6 if self.stale else 0.3):
            mode = self.random.choice(MODES)
            rule = self.random.choice(self.stale if self.stale and self.random.random() < 0.8 else RULES)
            shard = self.random.choice(["", "0-of"]) if rule in ("extract_features", "infer") else ""
            fault = {"rule": rule, "mode": mode, "part": shard}
            (self.project.folder / "fault.json").write_text(json.dumps(fault))
            environment["ORPHAN_SECONDS"] = str(self.random.choice([0.2, 1.5, 4]))
        elif self.random.random() < 0.15:
            environment["KILL_AFTER"] = str(self.random.uniform(0.5, 4))
            environment["KILL_BY"] = self.random.choice(["SIGKILL", "SIGTERM", "SIGINT"])
        self.history.append(f"{changed} | {' '.join(targets)} {' '.join(flags)} | {fault or environment or ''}")
        code, output = self.project.call(*targets, *flags, **environment)
        self.calls += 1
        (self.project.folder / "fault.json").unlink(missing_ok=True)
        if code == 0 and not partial:
            self.successes += 1
            self.check(targets, "first call")
        elif code:
            # Now and then something else is asked for before what failed.
            others = [self.random.sample(TARGETS, 1)] if self.random.random() < 0.3 else []
            for asked in [*others, targets]:
                self.history.append(f"  then {' '.join(asked)}")
                code, again = self.project.call(*asked)
                self.calls += 1
                if code:
                    raise WrongAnswerError(
                        f"the cause is gone, and the call fails:\n{output[-3000:]}\n--- again\n{again[-3000:]}"
                    )
                self.successes += 1
                self.check(asked, "second call")
        self.remember()

    def run(self, steps):
        for number in range(steps):
            try:
                self.step()
            except WrongAnswerError as error:
                raise WrongAnswerError(f"step {number}: {error}\n" + "\n".join(self.history)) from None


EDITS = ["setting", "setting", "setting", "wav", "new_wav", "less", "renamed", "list", "archive", "archive", "code"]
EDITS += ["foreign"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=200, help="of each seed; then the next seed's walk begins")
    parser.add_argument("--seconds", type=float, default=0, help="how long to go on with further seeds")
    options = parser.parse_args()
    started, calls, compared = time.monotonic(), 0, 0
    for seed in itertools.count(options.seed):
        with tempfile.TemporaryDirectory() as folder:
            walk = Walk(folder, seed)
            try:
                walk.run(options.steps)
            finally:
                calls, compared = calls + walk.calls, compared + walk.successes
                seconds = time.monotonic() - started
                print(f"to seed {seed}: {calls} calls, {compared} with exit 0 compared, {seconds:.0f} s", flush=True)
        if seconds > options.seconds:
            break


if __name__ == "__main__":
    main()
