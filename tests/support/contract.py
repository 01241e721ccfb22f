"""The engine contract of asv/engine_interface.py, checked at run time."""

from __future__ import annotations

import inspect

import numpy as np

from asv.engine_interface import Engine, InFlightEngine

STEPS = {
    "compile_artefact": ["network", "folder", "job"],
    "load": ["folder", "job"],
    "load_in_flight": ["folder", "job"],
}


def check_engine(module):
    """The module has what it must have; nothing of it is run."""
    assert isinstance(module, Engine)
    assert isinstance(module, InFlightEngine) == hasattr(module, "load_in_flight")
    for names in (module.PACKAGES, module.PRECISIONS):
        assert names
        assert all(isinstance(name, str) for name in names)
    for step, parameters in STEPS.items():
        if hasattr(module, step):
            assert list(inspect.signature(getattr(module, step)).parameters) == parameters


def check_session(session, job):
    """A session gives embeddings of unit length, whatever the order of a batch in memory, and says what it is."""
    batch = np.random.default_rng(0).uniform(-1, 1, job.batch_shape).astype(np.float32)
    before, output = batch.copy(), session.run(batch).copy()
    assert output.shape == (job.batch_size, 192)
    assert output.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(output, axis=1), 1, atol=5e-3)
    np.testing.assert_array_equal(batch, before)
    np.testing.assert_array_equal(session.run(np.asfortranarray(batch)), output)
    assert session.facts["precision"] == job.precision
    assert session.facts["precision_from"] in ("engine", "request")
    assert session.facts["threads"] == job.threads
    assert set(getattr(session, "seconds", {})) in (set(), {"to_device", "compute", "from_device"})
