"""The NPU adapter against the strict stand-in: right results, every mutation caught, every failure with its remedy."""

import contextlib
import importlib
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from support.mutants import mutant
from support.paths import SCRIPTS, STAND_IN

from asv import engines
from asv.ascend import explain, probe
from asv.ascend import plugin as ascend
from asv.engine_interface import Job
from asv.errors import InputError
from asv.inference import embed as inference
from asv.network.ecapa_tdnn import EcapaTdnn, EmbeddingOnly
from asv.snakefile.config import check

SHAPE = (80, 200)
BATCH = 4


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    """A small seeded network, traced with and without the attention map: files by name."""
    torch.manual_seed(0)
    network, folder = EcapaTdnn(channels=16, speakers=4).eval(), tmp_path_factory.mktemp("networks")
    with torch.no_grad():
        for name, module in {"embedding": EmbeddingOnly(network), "attention": network}.items():
            torch.jit.trace(module, torch.zeros(1, *SHAPE)).save(str(folder / name))
    return folder


@pytest.fixture(scope="module")
def features():
    """Seven rows: the last batch is not full."""
    return np.random.default_rng(1).uniform(-1, 1, (7, *SHAPE)).astype(np.float32)


@pytest.fixture(scope="module")
def reference(networks, features):
    with torch.inference_mode():
        return torch.jit.load(str(networks / "embedding"))(torch.from_numpy(features)).numpy()


def options(**changes):
    """The engine's options as the workflow hands them over: the defaults of the schema."""
    placement = ("python", "env_scripts", "devices")
    settings = check({})["engines"]["torch_aie"]
    return {name: value for name, value in {**settings, **changes}.items() if name not in placement}


def embed(plugin, networks, features, folder, *, module=ascend, run=inference, network="embedding", **changes):
    """Embeddings through compile, load, run and close, as compile_engine.py and infer.py do."""
    extra = {"ir": "ts"} if plugin.__name__ == "mindietorch" else {}
    adapter, precision = module.Plugin(plugin.__name__, **extra), changes.pop("precision", "f32")
    device = changes.pop("device", 0)
    job = Job(BATCH, SHAPE, precision, options=options(**changes), device=device)
    folder.mkdir(exist_ok=True)
    adapter.compile_artefact(networks / network, folder, job)
    session = adapter.load(folder, job)
    # Embedding a batch that is not contiguous, too: the interface does not forbid it.
    session.run(np.asfortranarray(features[:BATCH]))
    embeddings, _ = run.embed(session, features, BATCH)
    session.close()
    return embeddings


def events():
    from ascend_stand_in import STATE

    return STATE.events


def test_float32_is_the_reference(stand_in, networks, features, reference, tmp_path):
    np.testing.assert_allclose(embed(stand_in, networks, features, tmp_path), reference, atol=1e-6)
    assert events()[0] == "set_device"
    assert events()[-1] == "finalize"
    batch = ["to_npu", "forward", "synchronize", "to_cpu"]
    assert events()[-13:-1] == 3 * batch
    assert [path.name for path in tmp_path.iterdir()] == [f"ecapa_tdnn_{stand_in.__name__}_bs4.pt"]


def test_float16_inside_stays_close(stand_in, networks, features, reference, tmp_path):
    embeddings = embed(stand_in, networks, features, tmp_path, precision="fp16")
    assert embeddings.dtype == np.float32
    assert 1e-5 < np.abs(embeddings - reference).max() < 1e-2  # close, and really not float32


def test_the_attention_map_changes_nothing(stand_in, networks, features, reference, tmp_path):
    embeddings = embed(stand_in, networks, features, tmp_path, network="attention")
    np.testing.assert_allclose(embeddings, reference, atol=1e-6)


@pytest.mark.parametrize("fault", ["partial", "half-outputs", "partial,half-outputs"])
@pytest.mark.parametrize("network", ["embedding", "attention"])
def test_outputs_may_be_on_the_cpu_or_in_float16(
    stand_in, networks, features, reference, tmp_path, monkeypatch, fault, network
):
    monkeypatch.setenv("STAND_IN_FAULTS", fault)
    embeddings = embed(stand_in, networks, features, tmp_path, network=network)
    np.testing.assert_allclose(embeddings, reference, atol=1e-6 if fault == "partial" else 1e-3)


def test_compilation_may_wait_for_the_load(stand_in, networks, features, reference, tmp_path):
    embeddings = embed(stand_in, networks, features, tmp_path, compile_when_loaded=True)
    np.testing.assert_allclose(embeddings, reference, atol=1e-6)
    assert [path.name for path in tmp_path.iterdir()] == ["ecapa_tdnn.torchscript.pt"]
    assert events().count("compile") == 1


def test_another_device(stand_in, networks, features, reference, tmp_path):
    np.testing.assert_allclose(embed(stand_in, networks, features, tmp_path, device=1), reference, atol=1e-6)


def test_the_parts_of_a_batch_are_timed(stand_in, networks, features, tmp_path):
    adapter = engines.module(stand_in.__name__).PLUGIN
    job = Job(BATCH, SHAPE, "f32", options=options(), device=0)
    adapter.compile_artefact(networks / "embedding", tmp_path, job)
    session = adapter.load(tmp_path, job)
    session.run(features[:BATCH])
    assert set(session.seconds) == {"to_device", "compute", "from_device"}
    assert all(seconds > 0 for seconds in session.seconds.values())
    assert "no NPU" in session.facts["stand_in"]
    session.close()


MUTATIONS = {
    "no synchronise": ("self._stream.synchronize()", "pass", "clock was read before the stream was synchronised"),
    "no .to(npu)": (".contiguous().to(self._device)", ".contiguous()", "forward takes tensors on the NPU alone"),
    "no .contiguous()": (".contiguous().to(self._device)", ".to(self._device)", "not contiguous"),
    "no set_device": ("plugin.set_device(device)", "pass", r"before set_device"),
    "no own stream": (", self._plugin.npu.stream(self._stream):", ":", "outside a stream of one's own"),
    "a common keyword left out": ('    "min_block_size",\n', "", "min_block_size not given"),
    "another device for the input": ('f"npu:{device}"', '"npu:1"', r"set_device\(0\) was called"),
    "an output left on the device": ('.to("cpu").float()', "", r"can't convert|offers no|numpy"),
    "the policy's name alone": (
        "getattr(plugin.PrecisionPolicy, POLICIES[job.precision])",
        "job.precision",
        "precision_policy",
    ),
    "an unknown keyword": ("precision_policy=policy", "precision=policy", "unknown precision"),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutated_adapter_is_caught(stand_in, networks, features, tmp_path, name):
    old, new, message = MUTATIONS[name]
    with pytest.raises(Exception, match=message):
        embed(stand_in, networks, features, tmp_path, module=mutant(ascend, old, new))


def test_a_last_batch_that_is_not_filled_up_is_caught(stand_in, networks, features, tmp_path):
    careless = mutant(
        inference,
        "yield filled(features[start : start + batch_size], batch_size)",
        "yield features[start : start + batch_size]",
    )
    with pytest.raises(InputError, match="MIE08E000001") as caught:
        embed(stand_in, networks, features, tmp_path, run=careless)
    assert "is not what the artefact was compiled for" in str(caught.value)


def test_float16_outputs_that_are_not_cast_are_caught(stand_in, networks, features, tmp_path, monkeypatch):
    monkeypatch.setenv("STAND_IN_FAULTS", "half-outputs")
    adapter = mutant(ascend, '.to("cpu").float()', '.to("cpu")').Plugin(stand_in.__name__, **extra_of(stand_in))
    job = Job(BATCH, SHAPE, "f32", options=options(), device=0)
    adapter.compile_artefact(networks / "embedding", tmp_path, job)
    assert adapter.load(tmp_path, job).run(features[:BATCH]).dtype == np.float16


def extra_of(plugin):
    return {"ir": "ts"} if plugin.__name__ == "mindietorch" else {}


def test_mindietorch_without_ir_is_caught(stand_in, networks, tmp_path):
    if stand_in.__name__ == "torch_aie":
        with pytest.raises(InputError, match="unknown ir"):
            run_compile(ascend.Plugin("torch_aie", ir="ts"), networks, tmp_path)
    else:
        with pytest.raises(InputError, match="ir not given"):
            run_compile(ascend.Plugin("mindietorch"), networks, tmp_path)


def run_compile(adapter, networks, folder, **changes):
    job = Job(BATCH, SHAPE, "fp16", options=options(**changes), device=0)
    return adapter.compile_artefact(networks / "embedding", folder, job)


def test_finalizing_early_is_caught(stand_in, networks, features, tmp_path):
    adapter = engines.module(stand_in.__name__).PLUGIN
    job = Job(BATCH, SHAPE, "f32", options=options(), device=0)
    adapter.compile_artefact(networks / "embedding", tmp_path, job)
    session = adapter.load(tmp_path, job)
    stand_in.finalize()
    with pytest.raises(InputError, match="used after finalize"):
        session.run(features[:BATCH])


def start_alone(plugin, source):
    """Run ``Plugin.start`` of a source in a process that has not imported torch."""
    code = "import types; m = types.ModuleType('asv.ascend.plugin'); m.__package__ = 'asv.ascend'\n"
    code += f"exec({source!r}, m.__dict__)\n"
    code += f"m.Plugin({plugin!r}).start(0)"
    environment = {"PYTHONPATH": f"{SCRIPTS}:{STAND_IN}"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    return done.stderr


def test_importing_the_plugin_before_torch_is_caught(stand_in):
    source = Path(ascend.__file__).read_text()
    first, second = (
        "            import torch  # the plug-in registers itself into it\n",
        "importlib.import_module(self.name)\n",
    )
    assert source.count(first) == source.count(second) == 1
    assert start_alone(stand_in.__name__, source) == ""
    swapped = source.replace(first, "").replace(second, f"{second}            import torch\n")
    assert f"import torch before {stand_in.__name__}" in start_alone(stand_in.__name__, swapped)


# Failures that a user will meet


def failure(plugin, monkeypatch, fault, networks, features, folder, **changes):
    monkeypatch.setenv("STAND_IN_FAULTS", fault)
    with pytest.raises(InputError) as caught:
        embed(plugin, networks, features, folder, **changes)
    return str(caught.value)


@pytest.mark.parametrize(
    ("fault", "parts"),
    [
        ("no-cann", ["libascendcl.so", "set_env.sh", "env_scripts"]),
        ("static-tls", ["LD_PRELOAD=$LD_PRELOAD:/opt/lib/libgomp-d22c30c5.so.1.0.0", "env_scripts"]),
        ("wrong-torch", ["undefined symbol", "built for another torch"]),
    ],
)
def test_a_plugin_that_cannot_be_loaded(stand_in, monkeypatch, networks, features, tmp_path, fault, parts):
    monkeypatch.delitem(sys.modules, stand_in.__name__)
    message = failure(stand_in, monkeypatch, fault, networks, features, tmp_path)
    for part in (f"{stand_in.__name__}: import failed", *parts):
        assert part in message


def test_a_plugin_that_is_not_installed(monkeypatch):
    monkeypatch.delitem(sys.modules, "torch_aie", raising=False)
    monkeypatch.setattr(sys, "path", [part for part in sys.path if part != str(STAND_IN)])
    importlib.invalidate_caches()
    with pytest.raises(InputError) as caught:
        ascend.Plugin("torch_aie").start(0)
    for part in ("torch_aie is not installed in", sys.executable, "engines.torch_aie.python", "CANN"):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("fault", "changes", "parts"),
    [
        ("device-absent", {}, ["107001", "device 0 is absent, busy or lost", "npu-smi info", "devices"]),
        ("device-busy", {}, ["507033", "device 0 is absent, busy or lost", "who holds them"]),
        ("", {"device": 7}, ["device 7 is absent"]),
        ("", {"soc_version": "Ascend310"}, ["soc_version Ascend310 is refused", "npu-smi info", "soc_version"]),
        ("compile", {}, ["Create infer builder failed", "~/ascend/log/", "TORCH_AIE_LOG_LEVEL", "torch_executed_ops"]),
        ("device-lost", {}, ["507018", "npu:0 failed while it computed", "~/ascend/log/", "only what is missing"]),
    ],
)
def test_a_failure_names_its_remedy(stand_in, monkeypatch, networks, features, tmp_path, fault, changes, parts):
    message = failure(stand_in, monkeypatch, fault, networks, features, tmp_path, **changes)
    assert message.startswith(f"{stand_in.__name__}: ")
    for part in parts:
        assert part in message


def test_a_lost_device_shows_its_remedy_although_it_cannot_be_given_back(
    stand_in, monkeypatch, networks, features, tmp_path, capsys
):
    """As compile_engine.py, infer.py and benchmark_engine.py close a session: whatever happened."""
    adapter = ascend.Plugin(stand_in.__name__, **extra_of(stand_in))
    job = Job(BATCH, SHAPE, "f32", options=options(), device=0)
    adapter.compile_artefact(networks / "embedding", tmp_path, job)
    monkeypatch.setenv("STAND_IN_FAULTS", "device-lost")

    def run_until_lost():
        with contextlib.closing(adapter.load(tmp_path, job)) as session:
            for _ in range(3):
                session.run(features[:BATCH])

    with pytest.raises(InputError, match="npu:0 failed while it computed"):
        run_until_lost()
    assert events()[-1] == "finalize"
    assert "npu:0 was not given back: aclrtResetDevice failed" in capsys.readouterr().err


def test_a_stream_that_cannot_be_made_names_the_device(stand_in, monkeypatch, networks, tmp_path):
    adapter = ascend.Plugin(stand_in.__name__, **extra_of(stand_in))
    job = Job(BATCH, SHAPE, "f32", options=options(), device=0)
    adapter.compile_artefact(networks / "embedding", tmp_path, job)

    def lost(device):
        raise RuntimeError("aclrtCreateStream failed, error code is 507018")

    monkeypatch.setattr(stand_in.npu, "Stream", lost)
    with pytest.raises(InputError, match=r"507018\n  device 0 is absent, busy or lost"):
        adapter.load(tmp_path, job)


def test_a_tuple_at_the_end_is_named(stand_in, monkeypatch, networks, features, tmp_path):
    changes = {"network": "attention", "require_full_compilation": True}
    assert "network.outputs" in failure(stand_in, monkeypatch, "", networks, features, tmp_path, **changes)


def test_an_artefact_that_cannot_be_loaded(stand_in, tmp_path):
    (tmp_path / f"ecapa_tdnn_{stand_in.__name__}_bs4.pt").write_bytes(b"damaged")
    adapter = engines.module(stand_in.__name__).PLUGIN
    job = Job(BATCH, SHAPE, "fp16", options=options(), device=0)
    with pytest.raises(InputError, match=re.escape(f"is damaged; delete {tmp_path} and run again")):
        adapter.load(tmp_path, job)


@pytest.mark.parametrize("plugin", ["torch_aie", "mindietorch"])
def test_torch_npu_beside_the_plugin_is_named(monkeypatch, tmp_path, plugin):
    (tmp_path / "torch_npu.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    message = str(explain.forward_failed(plugin, RuntimeError("stream"), "npu:0", (1,)))
    assert "pip uninstall torch_npu" in message


def test_the_probe_tries_every_device(stand_in):
    adapter = ascend.Plugin(stand_in.__name__, **extra_of(stand_in))
    answer = probe.look(adapter, "devices", "Ascend310P3", [7, 0, 1])
    assert answer["facts"]["devices"] == {7: "failed", 0: "ok", 1: "ok"}
    assert "no NPU" in answer["facts"]["stand_in"]
    assert "device 7 is absent, busy or lost" in answer["problems"][0]
    assert events()[-1] == "finalize"
