"""The engine of docs/adding-an-engine.md works: compiled, loaded, held against the contract, and measured."""

import importlib
import re
import shutil
import sys

import numpy as np
import pytest
from support import contract
from support.paths import REPO
from support.synthetic import write_traced

from asv import engines, files
from asv.benchmark import measurement, table, timing
from asv.engine_interface import Job
from asv.errors import InputError
from asv.inference import artefact
from asv.inference.embed import embed

SHAPE = (80, 200)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A copy of the folder of engines that has the document's engine, too."""
    document = (REPO / "docs/adding-an-engine.md").read_text(encoding="utf-8")
    [source] = re.findall(r"^```python\n(.*?)^```$", document, re.M | re.S)
    [name] = re.findall(r"`workflow_scripts/asv/engines/(\w+)\.py`:", document)
    copy = tmp_path / "engines"
    shutil.copytree(engines.FOLDER, copy)
    (copy / f"{name}.py").write_text(source, encoding="utf-8")
    monkeypatch.setattr(engines, "FOLDER", copy)
    monkeypatch.setattr(engines, "__path__", [*engines.__path__, str(copy)])
    engines.names.cache_clear()
    importlib.invalidate_caches()
    yield copy
    sys.modules.pop(f"asv.engines.{name}", None)
    vars(engines).pop(name, None)
    engines.names.cache_clear()


def test_the_documents_engine_works(folder, tmp_path):
    assert engines.parse("frozen-f32") == ("frozen", "f32")
    contract.check_engine(engines.module("frozen"))
    torchscript, place = tmp_path / "network.pt", tmp_path / "artefact"
    write_traced(torchscript)
    place.mkdir()
    record, cosine = artefact.compile_checked(torchscript, place, "frozen", Job(4, SHAPE, "f32"), "0")
    assert cosine > 0.99999
    assert artefact.read(place) == record
    job = artefact.job(record, threads=1, options={}, device=None)
    contract.check_session(artefact.load(place, record, job), job)

    features = np.random.default_rng(0).uniform(-1, 1, (6, *SHAPE)).astype(np.float32)
    reference = engines.module("torchscript").Session(torchscript, 1)
    ours, theirs = (embed(session, features, 4)[0] for session in (artefact.load(place, record, job), reference))
    np.testing.assert_allclose(ours, theirs, atol=1e-5)

    limits = {"seconds": 0.01, "count": 2, "runs": 2}
    measured = measurement.measure(place, record, job, timing.batches_of_noise(SHAPE, 4, rows=8), limits)
    assert measured["in_flight"] is None
    machine = {"matmul_gflops": {"f32": 100.0}}
    result = {
        "protocols": {"trials": {"eer": 0.1, "roc_auc": 0.9}},
        "network": {"gflop": 0.02},
        "features": {"hop_length": 160, "sample_rate": 16000},
    }
    agreement = {"min_cosine": 1.0, "mean_cosine": 1.0, "eer_change": {}, "gate": "PASS", "faults": []}
    row = table.row(measured, record, result, agreement, machine)
    assert (row["engine"], row["status"], row["gate"]) == ("frozen-f32", "ok", "PASS")
    assert row["throughput"] > 0
    files.write_table(tmp_path / "benchmarks.tsv", table.TSV, [table.tsv_cells(row)])
    assert files.read_table(tmp_path / "benchmarks.tsv")[0]["engine"] == "frozen-f32"


def test_it_refuses_options_by_the_settings_name(folder, tmp_path):
    job = Job(4, SHAPE, "f32", options={"streams": 2})
    with pytest.raises(InputError, match=r"engines\.frozen\.options: none are known, got streams"):
        engines.module("frozen").compile_artefact(tmp_path / "network.pt", tmp_path, job)


def test_it_is_gone_when_the_copy_is():
    assert "frozen" not in engines.names()
