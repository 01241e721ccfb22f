"""A trace is compared with the network that it was made of."""

import pytest
import torch

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
