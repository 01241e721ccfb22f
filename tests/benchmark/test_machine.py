"""What is told of the machine, and the peak of its matrix products."""

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
    for product in machine.PRODUCTS.values():
        product(precision, 1)()


def test_the_versions_that_the_table_prints_are_there_whatever_an_engine_depends_on(monkeypatch):
    monkeypatch.setattr(openvino, "PACKAGES", ("openvino",))
    monkeypatch.setattr(machine, "peak", lambda precision, threads: (1.0, "pytorch"))
    found = machine.describe(1)
    assert set(found) == set(machine.Machine.__annotations__)
    assert found["torch"][0].isdecimal()
