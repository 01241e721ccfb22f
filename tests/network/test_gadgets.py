"""Checkpoints made to run code when they are loaded: none of it runs. And pickles made to eat time or memory."""

import contextlib
import io
import pickle
import struct
import time
import zipfile
from pathlib import Path

import pytest
import torch
from fuzz import driver

from asv.errors import InputError
from asv.network import unpickle
from asv.network.checkpoint import load_network
from asv.network.ecapa_tdnn import EcapaTdnn
from asv.network.file_kinds import LEGACY_MAGIC

SAVED = io.BytesIO()
torch.save({"model_state_dict": EcapaTdnn(8, 3).state_dict()}, SAVED)


def text(content):
    """BINUNICODE."""
    return b"X" + struct.pack("<I", len(content.encode())) + content.encode()


def name(module, attribute):
    """GLOBAL."""
    return f"c{module}\n{attribute}\n".encode()


def gadgets(canary):
    """Pickles, without PROTO and STOP, each of which writes the file ``canary`` when it is loaded by ``pickle``."""
    touch = f"touch {canary}"
    code = f"open({str(canary)!r}, 'w')"
    inner = pickle.dumps(_Reduced(eval, code))
    one = text(touch) + b"\x85R"
    return {
        "os.system": name("os", "system") + one,
        "posix.system": name("posix", "system") + one,
        "os.popen": name("os", "popen") + one,
        "subprocess": name("subprocess", "check_output") + b"(](" + text("touch") + text(str(canary)) + b"etR",
        "Popen by NEWOBJ_EX": name("subprocess", "check_call") + b"(](" + text("touch") + text(str(canary)) + b"etR",
        "eval": name("builtins", "eval") + text(code) + b"\x85R",
        "exec": name("builtins", "exec") + text(code) + b"\x85R",
        "eval of Python 2": name("__builtin__", "eval") + text(code) + b"\x85R",
        "getattr of __import__": name("builtins", "getattr")
        + name("builtins", "__import__") + text("os") + b"\x85R" + text("system") + b"\x86R" + one,
        "runpy": name("runpy", "run_path") + text(str(canary.parent / "payload.py")) + b"\x85R",
        "map": name("builtins", "list") + name("builtins", "map") + name("builtins", "eval")
        + b"](" + text(code) + b"e\x86R\x85R",
        "partial": name("functools", "partial") + name("builtins", "eval") + text(code) + b"\x86R)R",
        "INST": b"(" + text(touch) + b"ios\nsystem\n",
        "OBJ": b"(" + name("os", "system") + text(touch) + b"o",
        "STACK_GLOBAL": text("os") + text("system") + b"\x93" + one,
        "STACK_GLOBAL of the memo": text("os") + b"q\x00" + text("system") + b"q\x0100h\x00h\x01\x93" + one,
        "pickle in a pickle": name("pickle", "loads") + b"B" + struct.pack("<I", len(inner)) + inner + b"\x85R",
        "torch.load in a pickle": name("torch.storage", "_load_from_bytes")
        + b"B" + struct.pack("<I", len(legacy(inner))) + legacy(inner) + b"\x85R",
        "torch.hub": name("torch.hub", "_import_module")
        + text("x") + text(str(canary.parent / "payload.py")) + b"\x86R",
        "__setstate__": name("builtins", "eval") + text(code) + b"\x85R}" + text("__setstate__") + b"Nsb",
        "tensor of a call": name("torch._tensor", "_rebuild_from_type_v2") + b"("
        + name("os", "system") + name("torch", "Tensor") + text(touch) + b"\x85}tR",
        "rebuild of a call": name("torch._tensor", "_rebuild_from_type_v2") + b"("
        + name("builtins", "eval") + name("torch", "Tensor") + text(code) + b"\x85}tR",
        "dotted name": b"\x80\x04" + text("shutil") + text("os.system") + b"\x93" + one,
        "key of a dictionary": b"}" + name("os", "system") + one + text("x") + b"s",
        "in a list, popped": b"](" + name("os", "system") + one + b"0e",
        "in an ordered dictionary": name("collections", "OrderedDict") + b"](]("
        + text("x") + name("os", "system") + one + b"ee\x85R",
    }  # fmt: skip


class _Reduced:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def legacy(pickled):
    """A file of torch before 1.6 around a pickle."""
    head = [LEGACY_MAGIC, 1001, {"protocol_version": 1001, "little_endian": True}]
    return b"".join(pickle.dumps(part, 2) for part in head) + pickled + pickle.dumps([], 2)


def in_zip(path, pickled):
    """The good checkpoint with another pickle."""
    with zipfile.ZipFile(io.BytesIO(SAVED.getvalue())) as good, zipfile.ZipFile(path, "w") as archive:
        for entry in good.namelist():
            archive.writestr(entry, pickled if entry.endswith("data.pkl") else good.read(entry))
    return path


def beside_weights(gadget):
    """The good checkpoint's pickle with a gadget under the key ``extra``."""
    with zipfile.ZipFile(io.BytesIO(SAVED.getvalue())) as good:
        pickled = good.read("archive/data.pkl")
    return pickled[:-1] + text("extra") + gadget + b"s."


@pytest.fixture
def canary(tmp_path):
    path = tmp_path / "canary" / "ran"
    path.parent.mkdir()
    (path.parent / "payload.py").write_text(f"open({str(path)!r}, 'w')")
    return path


NAMES = list(gadgets(Path("x")))


def fails(path):
    with pytest.raises(InputError) as caught:
        load_network(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("gadget", NAMES)
def test_gadgets_do_not_run(tmp_path, canary, gadget):
    """Alone and beside weights, in both forms of file; and each does run where it is loaded without care."""
    pickled = gadgets(canary)[gadget]
    fails(in_zip(tmp_path / "c.pt", b"\x80\x02" + pickled + b"."))
    (tmp_path / "c.pt").write_bytes(legacy(b"\x80\x02" + pickled + b"."))
    fails(tmp_path / "c.pt")
    _, facts = load_network(in_zip(tmp_path / "c.pt", beside_weights(pickled)))
    assert facts["omitted"]
    assert facts["omitted"][0].startswith("extra")
    assert not canary.exists()


@pytest.mark.parametrize("gadget", NAMES)
def test_gadgets_do_run_where_pickle_loads_them(canary, gadget):
    with contextlib.suppress(Exception):  # some fail after they ran
        pickle.loads(b"\x80\x02" + gadgets(canary)[gadget] + b".")
    for _ in range(100):
        if canary.exists():  # a shell may still be on its way
            break
        time.sleep(0.05)
    assert canary.exists()


# Time and memory

HALF = b"\x80\x02"
PAIR = name("collections", "OrderedDict") + b"h\x00\x85R0"  # of the list in the memo
BOMBS = {
    "place in the memo": HALF + b"Nr\xff\xff\xff\xff.",
    "places in the memo of equal hashes": HALF
    + b"N"
    + b"".join(b"p%d\n" % (i * (2**61 - 1)) for i in range(50_000))
    + b".",
    "bytes that are not there": HALF + b"\x8e" + struct.pack("<Q", 1 << 40) + b".",
    "bytes that cannot be": HALF + b"\x8e" + struct.pack("<Q", (1 << 64) - 1) + b".",
    "frame": HALF + b"\x95" + struct.pack("<Q", 1 << 62) + b"N.",
    "integer of many digits": HALF + b"I" + b"9" * 1_000_000 + b"\n.",
    "integer of many bytes": HALF + b"\x8b" + struct.pack("<i", 10_000_000) + b"\xff" * 10_000_000 + b".",
    "tuples in tuples as a key": HALF + b"}(K\x01" + b"2\x86" * 100_000 + b"Nu.",
    "tuples in tuples": HALF + b"N" + b"\x85" * 900_000 + b".",
    "lists in lists": HALF + b"](" * 300_000 + b"e" * 300_000 + b".",
    "marks": HALF + b"(" * 900_000 + b".",
    "dictionaries": HALF + b"(" + b"}" * 900_000 + b"t.",
    "instructions": HALF + b"N0" * 600_000 + b".",
    "integer keys of equal hashes": HALF
    + b"}("
    + b"".join(b"\x8a\x0d" + (i * (2**61 - 1)).to_bytes(13, "little") + b"N" for i in range(100_000))
    + b"u.",
    "one long list again and again": HALF + b"]q\x00(" + b"]" * 100_000 + b"e" + PAIR * 50_000 + b".",
    "one long list in a tensor again and again": HALF
    + b"]q\x00("
    + b"]" * 40_000
    + b"e"
    + (
        name("torch._tensor", "_rebuild_from_type_v2")
        + b"("
        + name("collections", "OrderedDict")
        + name("torch", "Tensor")
        + b"h\x00\x85}tR0"
    )
    * 5_000
    + b".",
    "itself": HALF + b"}q\x00(" + text("a") + b"h\x00" + text("b") + b"h\x00u.",
    "one dictionary in many": HALF
    + b"}q\x00("
    + b"".join(text(f"{i}") + b"N" for i in range(100_000))
    + b"u("
    + b"(ia\nB\nh\x00b" * 100_000
    + b"t.",
}


@pytest.mark.parametrize("most", [50_000, pytest.param(unpickle.MOST_INSTRUCTIONS, marks=pytest.mark.slow)])
@pytest.mark.parametrize("bomb", list(BOMBS))
def test_pickles_cannot_eat_time_or_memory(monkeypatch, bomb, most):
    """Within the driver's bounds, 20 s and 1 GB; the largest number of instructions is for the long tests."""
    monkeypatch.setattr(unpickle, "MOST_INSTRUCTIONS", most)

    def check(content, folder):
        load_network(in_zip(folder / "c.pt", content))

    found = driver.fuzz("bomb", lambda dice: BOMBS[bomb], check, count=1)
    assert found["refused"] == 1


# Tensors that are not what they seem


def tensor(key="0", shape=(8, 80, 5), stride=(400, 5, 1), offset=0, storage="FloatStorage", count=3200):
    """A pickle of ``{"conv1d_in.weight": tensor}``, as torch.save writes it."""

    def integers(numbers):
        return b"(" + b"".join(b"\x8a\x08" + struct.pack("<q", number) for number in numbers) + b"t"

    identity = (
        b"(" + text("storage") + name("torch", storage) + text(key) + text("cpu") + integers([count])[1:-1] + b"tQ"
    )
    parts = identity + integers([offset])[1:-1] + integers(shape) + integers(stride) + b"\x89)"
    return HALF + b"}" + text("conv1d_in.weight") + name("torch._utils", "_rebuild_tensor_v2") + b"(" + parts + b"tRs."


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "missing: "),
        ({"key": "7777"}, "storage '7777' is missing"),
        ({"key": "../../../x"}, "is missing"),
        ({"key": "x" * 100_000}, "is missing"),
        ({"offset": 1 << 40}, "shorter than a tensor in it"),
        ({"offset": -1}, "make no sense"),
        ({"stride": (0, 0, 0)}, "not plain arrays of floating-point numbers: conv1d_in.weight"),
        ({"stride": (1 << 60, 1 << 60, 1)}, "not plain arrays of floating-point numbers: conv1d_in.weight"),
        ({"stride": (-1, 5, 1)}, "make no sense"),
        ({"stride": (5, 1)}, "make no sense"),
        ({"shape": (1 << 61, 80, 5)}, "no conv1d_in.weight"),
        ({"shape": (2048, 80, 5)}, "shorter than a tensor in it"),
        ({"shape": (1,) * 100, "stride": (1,) * 100}, "make no sense"),
        ({"count": -5}, "whose key or size makes no sense"),
        ({"storage": "ComplexFloatStorage"}, "not plain arrays"),
        ({"storage": "NoStorage"}, "not plain arrays"),
    ],
)
def test_tensors_of_absurd_shapes_are_refused(tmp_path, changes, words):
    message = fails(in_zip(tmp_path / "c.pt", tensor(**changes)))
    assert words in message
    assert len(message) < 1000


@pytest.mark.parametrize("identity", [b"X\1\0\0\0xQ", b")Q", b"K\x01\x85Q", b"Px\n", text("storage") + b"\x85Q", b"NQ"])
def test_other_persistent_ids_are_refused(tmp_path, identity):
    assert "persistent id" in fails(in_zip(tmp_path / "c.pt", HALF + identity + b"."))


@pytest.mark.parametrize("code", [b"\x82\x01", b"\x83\x01\x01", b"\x84\x01\x01\x01\x01"])
def test_codes_of_the_registry_stay_names(tmp_path, code):
    _, facts = load_network(in_zip(tmp_path / "c.pt", beside_weights(code + b")R")))
    assert "of the copyreg registry" in facts["omitted"][0]
