"""What is told of the machine, and the peak of its matrix products."""

import inspect

import numpy as np
import pytest

from asv import cpus
from asv.benchmark import machine
from asv.engines import openvino

CPUINFO = """\
processor\t: 0
model name\t: A Processor @ 2.0GHz: fast
flags\t\t: fpu avx2 avx512_bf16 mmx
"""


def test_the_processor(tmp_path):
    (tmp_path / "x86").write_text(CPUINFO)
    assert cpus.processor(tmp_path / "x86") == ("A Processor @ 2.0GHz: fast", ["avx2", "avx512_bf16"])
    (tmp_path / "arm").write_text("processor\t: 0\nFeatures\t: fp asimd bf16\n")
    model, flags = cpus.processor(tmp_path / "arm")
    assert model  # the architecture
    assert flags == ["asimd", "bf16"]
    assert cpus.processor(tmp_path / "nowhere")[1] == []


def test_the_peak_is_the_better_librarys(monkeypatch):
    monkeypatch.setattr(machine, "_shortest", lambda run: run())
    products = {"pytorch": lambda *_: lambda: 2.0, "openvino": lambda *_: lambda: 0.5}
    monkeypatch.setattr(machine, "PRODUCTS", products)
    assert machine.peak("f32", 1) == (pytest.approx(4 * machine.SIZE**3 / 1e9), "openvino")
    monkeypatch.setitem(machine.PRODUCTS, "openvino", lambda *_: None)  # it is not installed
    assert machine.peak("f32", 1)[1] == "pytorch"


@pytest.mark.parametrize("precision", machine.PRECISIONS)
def test_every_product_runs(monkeypatch, precision):
    monkeypatch.setattr(machine, "SIZE", 16)
    runs = [product(precision, 1) for product in machine.PRODUCTS.values()]
    assert len([run() for run in runs if run is not None]) == (1 if precision == "int8" else 2)


def test_the_rate_is_of_all_products_in_a_row(monkeypatch):
    monkeypatch.setattr(machine, "_shortest", lambda run: run())
    monkeypatch.setattr(machine, "PRODUCTS", {"openvino": lambda *_: lambda: 2.0})
    one, several = machine.peak("f32", 1)[0], machine.peak("int8", 1)[0]
    assert several == pytest.approx(machine.IN_A_ROW["int8"] * one)


def test_the_products_in_a_row_are_of_integers(monkeypatch):
    """All but the last hand integers on, as they are of the plug-in's own account."""
    monkeypatch.setattr(machine, "SIZE", 64)
    run = machine._openvino_product("int8", 1)
    request = inspect.getclosurevars(run).nonlocals["request"]
    kinds = [node.get_rt_info() for node in request.get_compiled_model().get_runtime_model().get_ordered_ops()]
    products = [kind for kind in kinds if kind["layerType"].astype(str) in ("FullyConnected", "MatMul")]
    assert len(products) == machine.IN_A_ROW["int8"]
    given = [kind["outputPrecisions"].astype(str) for kind in products]
    assert set(given[:-1]) <= {"u8", "i8"}, given


def test_the_product_in_int8_is_of_eight_bits_and_right(monkeypatch):
    monkeypatch.setattr(machine, "SIZE", 64)
    monkeypatch.setitem(machine.IN_A_ROW, "int8", 1)
    a, b = machine._matrices()
    (found,) = machine._openvino_product("int8", 1)().values()
    difference = np.abs(found - a.clip(-4, 4) @ b.clip(-4, 4))
    step = 8 / 255  # of both matrices: errors of half a step each, over 64 products
    assert 0.01 < difference.max() < 64**0.5 * 4 * step


def test_the_versions_that_the_table_prints_are_there_whatever_an_engine_depends_on(monkeypatch):
    monkeypatch.setattr(openvino, "PACKAGES", ("openvino",))
    monkeypatch.setattr(machine, "peak", lambda precision, threads: (1.0, "pytorch"))
    found = machine.describe(1)
    assert set(found) == set(machine.Machine.__annotations__)
    assert found["torch"][0].isdecimal()
