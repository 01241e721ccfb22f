"""A trace is compared with the network that it was made of."""

import subprocess
import sys
import textwrap

import pytest
import torch
from support.families import SMALL, seeded
from support.paths import SCRIPTS
from torch.utils.flop_counter import FlopCounterMode

from asv.errors import InputError
from asv.network.ecapa_tdnn import MELS, EcapaTdnn, EmbeddingOnly
from asv.network.trace import check_trace, count_parameters, gflop, trace

SHAPE = (MELS, 50)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return EcapaTdnn(8, 4).eval()


def test_a_trace_of_each_kind_is_the_network(network):
    for module in (network, EmbeddingOnly(network)):
        assert check_trace(trace(module, SHAPE), module, SHAPE) <= 1e-5


@pytest.mark.parametrize("factor", [1.001, float("nan")])
def test_a_trace_of_something_else_is_refused(network, factor):
    module = EmbeddingOnly(network)
    traced = trace(module, SHAPE)
    with pytest.raises(InputError, match=r"the trace differs from eager PyTorch by .*; not written"):
        check_trace(traced, lambda batch: factor * module(batch), SHAPE)


def test_parameters_and_work_are_counted():
    small, large = (EcapaTdnn(8, speakers).eval() for speakers in (4, 400))
    assert count_parameters(small) == count_parameters(large)
    multiply = torch.nn.Conv1d(MELS, 3, 1, bias=False)
    assert gflop(multiply, SHAPE) == 2 * MELS * 3 * 50 / 1e9


@pytest.mark.parametrize("family", sorted(SMALL))
def test_work_is_what_torch_counts(family):
    network, shape = seeded(family), (SMALL[family].n_mels, 57)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, *shape))
    assert gflop(network, shape) == counter.get_total_flops() / 1e9 > 0


def test_tracing_does_not_import_torchs_compiler():
    """It would take longer than all the rest, in the first stage of every run."""
    program = """
        import sys, torch
        from asv.network import families
        from asv.network.ecapa_tdnn import EcapaTdnn
        from asv.network.trace import check_trace, gflop, trace
        with torch.device("meta"):
            EcapaTdnn(8, 4)
        network = EcapaTdnn(8, 4).eval()
        check_trace(trace(network, (80, 50)), network, (80, 50))
        gflop(network, (80, 50))
        print(*{"torch._dynamo", "torch._inductor", "sympy"} & set(sys.modules))
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    assert subprocess.run(command, cwd=SCRIPTS, capture_output=True, text=True, check=True).stdout == "\n"
