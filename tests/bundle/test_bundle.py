"""The bundle: what is in it, and that its example scores as the workflow does, without the workflow."""

import json
import subprocess
import sys

import numpy as np
import pytest
from support.paths import SCRIPTS
from support.synthetic import CONFIG, make_project

from asv import files
from asv.bundle import making
from asv.errors import InputError
from asv.scoring import tables

NOTHING = {"engine": None, "reason": "no row passes the accuracy gate"}
BEST = {"engine": "openvino-f32", "batch_size": 4, "mode": "one by one", "value": 1.0, "gate": "PASS"}
FILES = {"contract.json", "thresholds.json", "provenance.json", "requirements.txt", "score_pair.py", "SHA256SUMS"}


def test_what_is_chosen():
    assert making.chosen({"latency": BEST}, "latency") == ("openvino-f32", 4)
    with pytest.raises(
        InputError, match=r"bundle\.goal: nothing is recommended for memory: no row passes the accuracy"
    ):
        making.chosen({"memory": NOTHING}, "memory")


def test_an_artefact_that_was_not_given(tmp_path):
    files.write_json(tmp_path / "artefact.json", {"engine": "openvino", "requested_precision": "f32", "input": [4]})
    assert making.place_of([tmp_path], "openvino-f32", 4) == 0
    with pytest.raises(InputError, match="no artefact of openvino-f32 at batch size 8"):
        making.place_of([tmp_path], "openvino-f32", 8)


@pytest.mark.parametrize(
    "scoring", [{"subtract_mean": "dataset", "as_norm": None}, {"subtract_mean": "none", "as_norm": {}}]
)
def test_normalised_scores_are_refused(tmp_path, scoring):
    if scoring["as_norm"] is not None:
        scoring["as_norm"] = {"cohort": "cohort.txt"}
    with pytest.raises(InputError, match="gives plain cosines, and these scores are normalised"):
        making.thresholds({"scoring": scoring}, tmp_path, 10, 0)


@pytest.fixture(scope="module", params=["openvino", pytest.param("onnxruntime", marks=pytest.mark.slow)])
def bundle(request, tmp_path_factory):
    """A project, and the folder of its bundle."""
    from support.workflow import Workflow

    engine = f"{request.param}-f32"
    project = make_project(Workflow(tmp_path_factory.mktemp("project")), CONFIG + "features: {crops: 2}\nshards: 1\n")
    project.run(f"results/{engine}/eer_bs4.txt")
    files.write_json(project.folder / "recommendation.json", {"throughput": {**BEST, "engine": engine}})
    (features,) = project.folder.glob("work/features/*/0-of-1/features.json")
    audio = {"channels": "mix", "min_duration": 0.1, "max_duration": None, "resample": "down"}
    arguments = {
        "recommendation": "recommendation.json",
        "artefacts": f"work/engines/{engine}/bs4",
        "answers": f"results/{engine}/eer_bs4.json",
        "scores": f"results/{engine}/scores_bs4",
        "features": features,
        "audio": json.dumps(audio),
        "bootstrap-replicates": 50,
        "output": "bundle",
    }
    words = [str(word) for name, value in arguments.items() for word in (f"--{name}", value)]
    command = [sys.executable, str(SCRIPTS / "make_bundle.py"), *words]
    done = subprocess.run(command, cwd=project.folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"bundle: {engine}, batch size 4, recommended for throughput\n"
    return project, project.folder / "bundle"


def score_of(folder, *arguments, python=sys.executable):
    """Run the example as somebody who has nothing but the folder; returns its output."""
    command = [python, "-s", "-E", str(folder / "score_pair.py"), *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_is_in_it(bundle):
    _, folder = bundle
    assert {path.name for path in folder.iterdir()} == {*FILES, "artefact", "asv"}
    sums = (folder / "SHA256SUMS").read_text().splitlines()
    paths = {path for path in folder.rglob("*") if path.is_file() and path.name != "SHA256SUMS"}
    assert {line.split("  ")[1] for line in sums} == {str(path.relative_to(folder)) for path in paths}
    for line in sums:
        digest, name = line.split("  ")
        assert files.digest(folder / name) == digest
    names = {line.split("==")[0] for line in (folder / "requirements.txt").read_text().splitlines()}
    engine = json.loads((folder / "artefact/artefact.json").read_text())["engine"]
    assert names == {"numpy", "soundfile", engine}
    provenance = json.loads((folder / "provenance.json").read_text())
    assert provenance["recommended"]["batch_size"] == 4
    assert provenance["network"]["family"] == "modelzoo"


def test_thresholds(bundle):
    _, folder = bundle
    found = json.loads((folder / "thresholds.json").read_text())
    (points,) = found["lists"].values()
    assert list(points) == ["at the EER", "at 1 % false accepts", "at 0.1 % false accepts"]
    low, high = points["at the EER"]["interval"]
    assert low <= high
    assert points["at 0.1 % false accepts"]["threshold"] is None
    assert points["at 0.1 % false accepts"]["reason"].startswith("too few nontargets")
    assert (found["replicates"], found["level"], found["reason"]) == (50, 0.95, None)


def test_the_example_scores_as_the_workflow_does(bundle):
    project, folder = bundle
    engine = json.loads((folder / "provenance.json").read_text())["recommended"]["engine"]
    ((_, path),) = tables.of_folder(project.folder / f"results/{engine}/scores_bs4").items()
    rows = [line.split("\t") for line in path.read_text().splitlines()[1:]]
    for enrolment, test, _, score in (rows[0], rows[-1]):
        wavs = [project.folder / "wavs" / name for name in (enrolment, test)]
        output = score_of(folder, *wavs, "--ids", enrolment, test)
        assert float(output.split()[1]) == pytest.approx(float(score), abs=1e-4)
        assert {line.split()[0] for line in output.splitlines()[1:]} <= {"accept", "reject"}
        assert len(output.splitlines()) >= 2


def test_bad_audio_is_an_error_in_one_line(bundle, tmp_path):
    _, folder = bundle
    (tmp_path / "bad.wav").write_bytes(b"RIFF")
    command = [sys.executable, "-s", "-E", str(folder / "score_pair.py"), tmp_path / "bad.wav", tmp_path / "bad.wav"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {tmp_path / 'bad.wav'}: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.slow
def test_in_an_environment_of_its_own(bundle, tmp_path):
    """With what its requirements.txt names and nothing else: no torch, no Snakemake."""
    project, folder = bundle
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv/bin/python"
    install = [python, "-m", "pip", "install", "--quiet", "-r", folder / "requirements.txt"]
    subprocess.run(list(map(str, install)), check=True)
    wav = project.folder / "wavs/id0/s0/00000.wav"
    output = score_of(folder, wav, wav, python=str(python))
    np.testing.assert_allclose(float(output.split()[1]), 1, atol=1e-5)
