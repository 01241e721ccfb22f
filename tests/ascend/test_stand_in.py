"""The stand-in for the NPU's plug-ins enforces its contract: every rule is broken here once."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from support.paths import STAND_IN

SHAPE = (4, 80, 200)


class Tiny(torch.nn.Module):
    """Anything with the network's input and output."""

    def forward(self, x):
        return x.mean(dim=2).repeat(1, 3)[:, :192] + 1


class TinyNested(torch.nn.Module):
    def forward(self, x):
        return x.mean(dim=2), (x.transpose(1, 2),)


def traced(module=Tiny):
    return torch.jit.trace(module().eval(), torch.zeros(1, *SHAPE[1:]))


def keywords(plugin, **changes):
    """What compile wants, all of it."""
    usual = {
        "inputs": [plugin.Input(SHAPE)],
        "precision_policy": plugin.PrecisionPolicy.FP32,
        "truncate_long_and_double": True,
        "require_full_compilation": False,
        "allow_tensor_replace_int": False,
        "min_block_size": 3,
        "torch_executed_ops": [],
        "soc_version": "Ascend310P3",
        "optimization_level": 0,
    }
    if plugin.__name__ == "mindietorch":
        usual["ir"] = "ts"
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def compiled(plugin, module=Tiny, **changes):
    plugin.set_device(0)
    return plugin.compile(traced(module), **keywords(plugin, **changes))


def forward(plugin, network, batch, device="npu:0"):
    stream = plugin.npu.Stream(device)
    with plugin.npu.stream(stream):
        output = network.forward(batch.to(device))
        stream.synchronize()
    return output


def rules():
    """Name of a rule to how it is broken and what is said; contract rules first."""
    x = torch.zeros(SHAPE)
    contract = {
        "input takes one positional": lambda p: p.Input((1,), (2,)),
        "input without shape": lambda p: p.Input(),
        "input with shape twice": lambda p: p.Input((1,), shape=(1,)),
        "input with shape and range": lambda p: p.Input((1,), min_shape=(1,), max_shape=(2,)),
        "input with half a range": lambda p: p.Input(min_shape=(1,)),
        "input with a range upside down": lambda p: p.Input(min_shape=(2,), max_shape=(1,)),
        "input with nine dimensions": lambda p: p.Input((1,) * 9),
        "input with a negative size": lambda p: p.Input((1, -1)),
        "input with a size that is no integer": lambda p: p.Input((1, 2.0)),
        "input whose shape is a number": lambda p: p.Input(4),
        "input of float64": lambda p: p.Input((1,), dtype=torch.float64),
        "input with an unknown format": lambda p: p.Input((1,), format="ND"),
        "input with an unknown keyword": lambda p: p.Input((1,), shapes=(1,)),
        "compile a plain module": lambda p: (p.set_device(0), p.compile(Tiny(), **keywords(p))),
        "compile without inputs": lambda p: compiled(p, inputs=None),
        "compile with a tensor for an input": lambda p: compiled(p, inputs=[x]),
        "compile with one input outside a list": lambda p: compiled(p, inputs=p.Input(SHAPE)),
        "compile with an unknown keyword": lambda p: compiled(p, soc="Ascend310P3"),
        "compile with a policy's name": lambda p: compiled(p, precision_policy="FP16"),
        "compile with too large a block": lambda p: compiled(p, min_block_size=1025),
        "compile with an unknown level": lambda p: compiled(p, optimization_level=3),
        "compile with a SoC that is no name": lambda p: compiled(p, soc_version=310),
        "compile with an operator outside a list": lambda p: compiled(p, torch_executed_ops="aten::relu"),
        "compile with 1 for true": lambda p: compiled(p, truncate_long_and_double=1),
        "forward on the CPU": lambda p: compiled(p).forward(x),
        "forward of another batch size": lambda p: forward(p, compiled(p), torch.zeros(3, 80, 200)),
        "forward of another dtype": lambda p: forward(p, compiled(p), torch.zeros(SHAPE, dtype=torch.float16)),
        "arithmetic on the NPU": lambda p: forward(p, compiled(p), x) + 1,
        "a slice on the NPU": lambda p: forward(p, compiled(p), x).narrow(0, 0, 1),
        "print on the NPU": lambda p: repr(forward(p, compiled(p), x)),
        "a tensor on another device": lambda p: (p.set_device(0), x.to("npu:1")),
        "a stream on another device": lambda p: (p.set_device(0), p.npu.Stream("npu:1")),
        "stream takes a stream": lambda p: (p.set_device(0), p.npu.stream("npu:0").__enter__()),
        "a device that is no number": lambda p: p.set_device("npu:0"),
        "a device beyond 1024": lambda p: p.set_device(1025),
    }
    discipline = {
        "compile before set_device": lambda p: p.compile(traced(), **keywords(p)),
        "copy before set_device": lambda p: x.to("npu:0"),
        "load before set_device": lambda p: torch.jit.load("any.pt"),
        "compile without a common keyword": lambda p: compiled(p, optimization_level=None),
        "compile for several sets of shapes": lambda p: compiled(p, inputs=[[p.Input(SHAPE)], [p.Input((1,))]]),
        "compile for a range of shapes": lambda p: compiled(p, inputs=[p.Input(min_shape=(1,), max_shape=(2,))]),
        "a tensor that is not contiguous": lambda p: (p.set_device(0), x.transpose(1, 2).to("npu:0")),
        "forward outside a stream": lambda p: compiled(p).forward(x.to("npu:0")),
        "copy before synchronise": lambda p: unsynchronised(p, lambda output: output.to("cpu")),
        "clock before synchronise": lambda p: unsynchronised(p, lambda output: read_clock()),
        "use after finalize": lambda p: (p.set_device(0), p.finalize(), x.to("npu:0")),
        "finalize twice": lambda p: (p.set_device(0), p.finalize(), p.finalize()),
        "set_device after finalize": lambda p: (p.finalize(), p.set_device(0)),
    }
    return [
        pytest.param(kind, how, id=f"{kind}: {name}")
        for kind, cases in (("ContractError", contract), ("DisciplineError", discipline))
        for name, how in cases.items()
    ]


def unsynchronised(plugin, use):
    network = compiled(plugin)
    with plugin.npu.stream(plugin.npu.Stream("npu:0")):
        return use(network.forward(torch.zeros(SHAPE).to("npu:0")))


def read_clock():
    import time

    return time.perf_counter()


@pytest.mark.parametrize(("kind", "how"), rules())
def test_a_broken_rule_is_an_error(stand_in, kind, how):
    import ascend_stand_in

    with pytest.raises((RuntimeError, torch.jit.Error)) as caught:
        how(stand_in)
    # TorchScript's interpreter hands errors of operators on as RuntimeErrors with their texts.
    assert type(caught.value) is getattr(ascend_stand_in, kind) or kind in str(caught.value), caught.value


def test_what_follows_the_rules_works(stand_in):
    x = torch.from_numpy(np.random.default_rng(0).standard_normal(SHAPE).astype(np.float32))
    output = forward(stand_in, compiled(stand_in), x)
    assert output.device == torch.device("npu:0")
    torch.testing.assert_close(output.to("cpu"), Tiny()(x))


def test_nested_outputs_stay_nested(stand_in):
    embedding, (attention,) = forward(stand_in, compiled(stand_in, TinyNested), torch.ones(SHAPE))
    assert (embedding.shape, attention.shape) == ((4, 80), (4, 200, 80))
    with pytest.raises(RuntimeError, match="the whole graph cannot be compiled"):
        compiled(stand_in, TinyNested, require_full_compilation=True)


def test_a_graph_compiled_in_part_leaves_outputs_on_the_cpu(stand_in, monkeypatch):
    monkeypatch.setenv("STAND_IN_FAULTS", "partial")
    embedding, (attention,) = forward(stand_in, compiled(stand_in, TinyNested), torch.ones(SHAPE))
    assert (embedding.device.type, attention.device.type) == ("npu", "cpu")
    assert forward(stand_in, compiled(stand_in), torch.ones(SHAPE)).device.type == "cpu"


def test_keywords_of_the_other_plugin(stand_in):
    own = {"ir": "ts"} if stand_in.__name__ == "torch_aie" else {"ir": "script"}
    with pytest.raises(RuntimeError, match="ir"):
        compiled(stand_in, **own)


def test_a_compiled_network_is_a_script_module_that_only_the_plugin_loads(stand_in, tmp_path):
    network = compiled(stand_in)
    assert isinstance(network, torch.jit.ScriptModule)
    network.save(str(tmp_path / "network.pt"))
    assert "stand-in" in torch.jit.load(str(tmp_path / "network.pt")).stand_in
    name = stand_in.__name__
    for imports, works in (("torch", False), (f"torch, {name}; {name}.set_device(0)", True), (name, False)):
        code = f"import {imports}\nimport torch\ntorch.jit.load({str(tmp_path / 'network.pt')!r})"
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONPATH": str(STAND_IN)}
        )
        assert (done.returncode == 0) == works, (imports, done.stderr)
        if imports == name:
            assert f"import torch before {name}" in done.stderr


def test_it_says_what_it_is(stand_in):
    from importlib import metadata

    assert "no NPU" in stand_in.STAND_IN
    assert metadata.version(stand_in.__name__) == "0+standin"
