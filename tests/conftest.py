"""Fixtures: the reference data where it exists, the NPU stand-in, and real runs of the workflow."""

from __future__ import annotations

import importlib
import os

import pytest
from hypothesis import settings
from support.paths import SHARED, STAND_IN
from support.workflow import Workflow

# Before torch is imported: workers share the processor, and threads that wait for each other take a quarter of it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The same examples in every run; `pytest --hypothesis-profile=search` looks for new ones.
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("search", derandomize=False, deadline=None)
settings.load_profile("fixed")


# A worker takes whole files. Those of Snakemake's runs take longest and begin first, so that none is waited for.
LONGEST = ("tests/workflow/test_walk", "tests/workflow", "tests/benchmark")


def pytest_collection_modifyitems(items):
    def place(item):
        return next((n for n, name in enumerate(LONGEST) if item.nodeid.startswith(name)), len(LONGEST))

    items.sort(key=place)


def _shared(name):
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"reference data not on this machine: {path.name} is looked for in {SHARED}")
    return path


@pytest.fixture(scope="session")
def golden():
    """Folder of reference numbers."""
    return _shared("golden")


@pytest.fixture(scope="session")
def speech():
    """Folder of real speech: the tree ``fsdd16k`` and its ``trials.txt``."""
    return _shared("speech")


@pytest.fixture(params=["torch_aie", "mindietorch"])
def stand_in(request, monkeypatch):
    """The stand-in for an NPU's plug-in, under both names, with two devices and no memory of other tests."""
    monkeypatch.syspath_prepend(STAND_IN)
    plugin = importlib.import_module(request.param)
    from ascend_stand_in import STATE, device

    STATE.name = request.param
    STATE.reset()
    device.install()
    yield plugin
    device.uninstall()
    STATE.reset()


@pytest.fixture
def workflow(tmp_path):
    return Workflow(tmp_path)
