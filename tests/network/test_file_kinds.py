"""Content decides what a file is: checkpoints of any name are read, all else is named; damage is found by checksums."""

import io
import json
import random
import struct
import tarfile
import warnings
import zipfile

import numpy as np
import pytest
import torch
from fuzz import checkpoints, driver
from support.scripts import assert_one_error, run_script

from asv.errors import InputError
from asv.network import file_kinds, tensors
from asv.network.archive import checkpoint_in_folder, extract_checkpoint
from asv.network.checkpoint import load_network
from asv.network.ecapa_tdnn import EcapaTdnn

torch.manual_seed(0)
WEIGHTS = EcapaTdnn(8, 3).state_dict()


def saved(content=None, **options):
    stream = io.BytesIO()
    torch.save({"model_state_dict": WEIGHTS} if content is None else content, stream, **options)
    return stream.getvalue()


NEW, OLD = saved(), saved(_use_new_zipfile_serialization=False)


def safetensors(weights, metadata=True):
    """The format by its documentation: length of the header, header, bytes."""
    names = {torch.float32: "F32", torch.int64: "I64", torch.float16: "F16", torch.bfloat16: "BF16"}
    header, data = {"__metadata__": {"format": "pt"}} if metadata else {}, b""
    for name, value in weights.items():
        content = value.contiguous().view(-1).view(torch.uint8).numpy().tobytes()
        offsets = [len(data), len(data) + len(content)]
        header[name] = {"dtype": names[value.dtype], "shape": list(value.shape), "data_offsets": offsets}
        data += content
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


SAFE = safetensors(WEIGHTS)
CONTENTS = {"new": NEW, "old": OLD, "safetensors": SAFE}


def zipped(*entries, compression=zipfile.ZIP_DEFLATED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return stream.getvalue()


def tarred(*entries, mode="w"):
    """A tar of ``(name, content)``, or of TarInfos."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                archive.addfile(entry)
            else:
                member = tarfile.TarInfo(entry[0])
                member.size = len(entry[1])
                archive.addfile(member, io.BytesIO(entry[1]))
    return stream.getvalue()


def extracted(folder, content, name="c"):
    (folder / name).write_bytes(content)
    extract_checkpoint(folder / name, folder / "out")
    return (folder / "out").read_bytes()


def refused(folder, content, name="c"):
    with pytest.raises(InputError) as caught:
        extracted(folder, content, name)
    assert str(folder / name) in str(caught.value)
    return str(caught.value)


# What is read


@pytest.mark.parametrize("kind", list(CONTENTS))
@pytest.mark.parametrize("name", ["c.pt", "c.zip", "c.ckpt", "c.model", "c.pth.tar", "c.tar", "c", "c.onnx"])
def test_checkpoint_of_any_name(tmp_path, kind, name):
    assert extracted(tmp_path, CONTENTS[kind], name) == CONTENTS[kind]
    network, facts = load_network(tmp_path / "out")
    assert facts["speakers"] == 3
    assert all(torch.equal(value, WEIGHTS[name]) for name, value in network.state_dict().items())


@pytest.mark.parametrize("kind", list(CONTENTS))
@pytest.mark.parametrize("name", ["exps/pretrain.model", "c"])
@pytest.mark.parametrize(
    "pack",
    [zipped, tarred, *(lambda *entries, mode=f"w:{how}": tarred(*entries, mode=mode) for how in ("gz", "bz2", "xz"))],
    ids=["zip", "tar", "gz", "bz2", "xz"],
)
def test_checkpoint_of_any_name_in_an_archive(tmp_path, kind, name, pack):
    content = CONTENTS[kind]
    archive = pack(("readme.md", b"# hello"), ("._x.pt", content), (name, content), ("train.py", b"import torch"))
    assert extracted(tmp_path, archive) == content


def test_checkpoint_that_was_packed_again(tmp_path):
    """By ``python -m zipfile -c``, which message of an unpacked one says: other order, compressed, with folders."""
    with zipfile.ZipFile(io.BytesIO(NEW)) as archive:
        archive.extractall(tmp_path / "unpacked")
    folder = tmp_path / "unpacked" / "archive"
    with pytest.raises(InputError, match=r"unpacked as if it were an archive.*python -m zipfile -c") as caught:
        checkpoint_in_folder(tmp_path / "unpacked")
    command = str(caught.value).rpartition("python -m ")[2].replace("'", "").split()
    zipfile.main([*command[1:2], str(tmp_path / "again.pt"), str(folder)])
    content = (tmp_path / "again.pt").read_bytes()
    assert extracted(tmp_path, content) == content
    assert load_network(tmp_path / "out")[1]["speakers"] == 3
    assert extracted(tmp_path, zipped(("x/again.pt", content))) == content


def test_suffix_decides_between_several(tmp_path):
    other = saved({"optimizer": {}})
    assert extracted(tmp_path, zipped(("optimizer.state", other), ("model.pt", NEW))) == NEW
    message = refused(tmp_path, zipped(("a.pt", other), ("b.ckpt", NEW)))
    assert "found 2: a.pt, b.ckpt" in message


def test_folder_by_content(tmp_path):
    (tmp_path / "notes.txt").write_bytes(b"hello")
    (tmp_path / "broken").write_bytes(b"PK\3\4")
    (tmp_path / "epoch_12").write_bytes(NEW)
    assert checkpoint_in_folder(tmp_path) == str(tmp_path / "epoch_12")
    (tmp_path / "epoch_13").write_bytes(OLD)
    with pytest.raises(InputError, match="found 2: epoch_12, epoch_13; name the file"):
        checkpoint_in_folder(tmp_path)


# What is named


def array_file():
    stream = io.BytesIO()
    np.savez(stream, a=np.ones(3))
    return stream.getvalue()


OTHERS = {
    "LFS": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 19332096\n",
        "a Git LFS pointer, 71 bytes; run",
    ),
    "page": (b"\n<!DOCTYPE html><html>404</html>", "an HTML page, as a failed download"),
    "ONNX": (b"\x08\x07\x12\x07pytorch\x1a\x031.8" + bytes(100), "an ONNX model"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(100), "an HDF5 file, as Keras"),
    "npy": (b"\x93NUMPY\x01\x00", "a NumPy array"),
    "npz": (array_file(), "arrays of NumPy (.npz)"),
    "zeros": (bytes(5000), "nothing but zeros"),
    "pickle": (b"\x80\x04N.", "a plain Python pickle, not of torch.save"),
    "text": (b"epoch: 3\n", "a text that begins with 'epoch: 3'"),
    "noise": (random.Random(3).randbytes(500), "of a format that is not known (500 bytes)"),
    "7z": (b"7z\xbc\xaf\x27\x1c" + bytes(10), "a 7z archive; unpack it by hand"),
    "Keras": (zipped(("config.json", b"{}"), ("model.weights.h5", b"x")), "a Keras model"),
    "XML": (b'<?xml version="1.0"?><net name="x">', "OpenVINO"),
    "half a zip": (NEW[:5000], "a zip file whose end is missing; fetch it again"),
}


@pytest.mark.parametrize("kind", list(OTHERS))
def test_other_files_are_named(tmp_path, kind):
    content, words = OTHERS[kind]
    assert words in refused(tmp_path, content, "c.pt")
    (tmp_path / "c.pt").write_bytes(content)
    with pytest.raises(InputError, match=r"c\.pt: "):
        load_network(tmp_path / "c.pt")
    if kind != "half a zip":
        message = refused(tmp_path, zipped(("c.pt", content)))
        assert "expected one checkpoint in the archive, found none; there is: c.pt (" in message


def test_empty_file(tmp_path):
    assert "or an empty one" in refused(tmp_path, b"")
    assert "c.pt (an empty file)" in refused(tmp_path, zipped(("c.pt", b"")))


@pytest.mark.filterwarnings("ignore")
def test_torchscript_in_an_archive_is_named(tmp_path):
    stream = io.BytesIO()
    torch.jit.save(torch.jit.trace(torch.nn.Linear(2, 2), torch.zeros(1, 2)), stream)
    for content in (stream.getvalue(), zipped(("c.pt", stream.getvalue()))):
        assert "a TorchScript archive, not weights; save model.state_dict() with torch.save" in refused(
            tmp_path, content
        )


def test_messages_call_the_archive_by_the_name_that_they_are_given(tmp_path):
    (tmp_path / "fetched.zip").write_bytes(b"<html>")
    outcome = run_script(
        *("unzip_checkpoint.py", "--archive", tmp_path / "fetched.zip", "--output", tmp_path / "c.pt"),
        *("--source", "https://x.org/model.pt"),
    )
    assert_one_error(outcome, "error: https://x.org/model.pt: an HTML page")
    (tmp_path / "c.pt").write_bytes(saved({"a": 1}))
    outcome = run_script(
        *("trace_network.py", "--checkpoint", tmp_path / "c.pt", "--output", tmp_path / "t.pt"),
        *("--sidecar", tmp_path / "t.json", "--norm", tmp_path / "n.npz", "--reference", tmp_path / "r.npz"),
        *("--source", "mine.ckpt"),
    )
    assert_one_error(outcome, "error: mine.ckpt: no conv1d_in.weight", "In it: a (int)")


# Hostile tar archives


def special(name, kind, target=""):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


@pytest.mark.parametrize("mode", ["w", "w:gz"])
@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (("../x", b"x"), "points outside"),
        (("/tmp/x", b"x"), "points outside"),
        (("a\\..\\..\\x", b"x"), "points outside"),
        (special("x", tarfile.SYMTYPE, "/etc/passwd"), "a link or a special file"),
        (special("x", tarfile.LNKTYPE, "c.pt"), "a link or a special file"),
        (special("x", tarfile.FIFOTYPE), "a link or a special file"),
        (special("x", tarfile.CHRTYPE), "a link or a special file"),
    ],
)
def test_hostile_member_refuses_the_tar(tmp_path, entry, words, mode):
    assert words in refused(tmp_path, tarred(("c.pt", NEW), entry, mode=mode))
    assert {path.name for path in tmp_path.iterdir()} <= {"c", "out"}


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
def test_tar_bombs(tmp_path, mode):
    assert "decompression bomb" in refused(tmp_path, tarred(("c.pt", bytes(20_000_000)), mode=mode))
    assert "decompression bomb" in refused(tmp_path, tarred(("c.pt", NEW), ("x", bytes(40_000_000)), mode=mode))


def test_tar_of_many_members(tmp_path):
    members = [(f"{place}", b"") for place in range(10_001)]
    assert "10001 entries" in refused(tmp_path, tarred(*members))


@pytest.mark.parametrize("kept", [0.3, 0.9, 0.999])
@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_truncated_tar(tmp_path, mode, kept):
    archive = tarred(("readme", b"x" * 3000), ("c.pt", NEW), mode=mode).rstrip(b"\0")
    message = refused(tmp_path, archive[: int(kept * len(archive))])
    assert "fetch it again" in message or "the archive is damaged" in message


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
def test_flipped_bytes_in_a_packed_tar_are_found(tmp_path, mode):
    archive = bytearray(tarred(("c.pt", OLD), ("readme", b"x"), mode=mode))
    for place in random.Random(5).sample(range(100, len(archive) - 100), 5):
        archive[place] ^= 4
        refused(tmp_path, bytes(archive))
        archive[place] ^= 4
    assert extracted(tmp_path, bytes(archive)) == OLD


# Checksums


def test_every_flipped_byte_of_a_weight_is_found_and_its_entry_named(tmp_path):
    with zipfile.ZipFile(io.BytesIO(NEW)) as archive:
        entries = [entry for entry in archive.infolist() if entry.file_size]
    for entry in random.Random(1).sample(entries, 12):
        start = entry.header_offset + 30 + int.from_bytes(NEW[entry.header_offset + 26 :][:2], "little")
        start += int.from_bytes(NEW[entry.header_offset + 28 :][:2], "little")
        content = bytearray(NEW)
        content[start + random.Random(2).randrange(entry.file_size)] ^= 1
        for packed in (bytes(content), zipped(("x/c.pt", bytes(content)))):
            message = refused(tmp_path, packed)
            assert f"entry {entry.filename!r} is damaged" in message or "data.pkl" in entry.filename
            assert "CRC" in message


def test_damage_beside_the_checkpoint_is_found(tmp_path):
    archive = bytearray(zipped(("c.pt", NEW), ("readme", b"hello"), compression=zipfile.ZIP_STORED))
    archive[archive.rindex(b"hello")] ^= 1
    assert "entry 'readme' is damaged" in refused(tmp_path, bytes(archive))


def test_files_written_without_checksums_are_read(tmp_path):
    torch.serialization.set_crc32_options(False)
    try:
        content = saved()
    finally:
        torch.serialization.set_crc32_options(True)
    assert extracted(tmp_path, content) == content
    assert load_network(tmp_path / "out")[1]["speakers"] == 3


# The reader, against torch's own


def some_tensors(dice):
    """Tensors of all kinds that torch.save keeps as arrays: views, transposed, shared, empty."""
    types = (torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.uint8, torch.bool)
    base = torch.randn(60).to(dice.choice(types))
    shape = dice.choice([(60,), (6, 10), (3, 4, 5), (60, 1)])
    yield base.view(shape)
    yield base.view(6, 10).t()
    yield base[dice.randrange(30) :][: dice.randrange(1, 20)]
    yield torch.nn.Parameter(torch.randn(dice.randrange(1, 5), 3))
    yield torch.tensor(dice.random())
    yield torch.empty(0, 3)
    yield base


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("new", [True, False])
def test_reader_agrees_with_torch_to_the_bit(tmp_path, seed, new):
    dice = random.Random(seed)
    torch.manual_seed(seed)
    content = {f"{i}.{j}": t for i in range(3) for j, t in enumerate(some_tensors(dice))}
    path = tmp_path / "c.pt"
    path.write_bytes(saved({"w": content, "x": 3}, _use_new_zipfile_serialization=new))
    expected = torch.load(path, weights_only=True)["w"]
    with tensors.open_file(path) as opened:
        described = opened.tree["w"]
        found = {}
        for name in described:  # one at a time, since tensors that overlap are not read together
            found |= opened.read({name: described[name]})
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name].dtype == value.dtype
        assert found[name].shape == value.shape
        assert torch.equal(found[name], value), name


@pytest.mark.parametrize("order", ["big", "little"])
def test_byte_order_of_the_writer(tmp_path, order):
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(NEW)) as good, zipfile.ZipFile(stream, "w") as archive:
        for name in good.namelist():
            content = order.encode() if name.endswith("byteorder") else good.read(name)
            if order == "big" and "/data/" in name:
                size = 4 if len(content) != 8 else 8  # the counters alone have 8 bytes
                content = np.frombuffer(content, f"V{size}").view(f"u{size}").byteswap().tobytes()
            archive.writestr(name, content)
    (tmp_path / "c.pt").write_bytes(stream.getvalue())
    network, _ = load_network(tmp_path / "c.pt")
    assert torch.equal(network.fc.weight, WEIGHTS["fc.weight"])


def test_tied_weights_are_read_and_overlapping_ones_are_not(tmp_path):
    base = torch.arange(10.0)
    (tmp_path / "c.pt").write_bytes(saved({"a": base[:6], "b": base[:6], "c": base[3:]}))
    with tensors.open_file(tmp_path / "c.pt") as opened:
        found = opened.read(opened.tree)
    assert found.keys() == {"a", "b"}
    assert torch.equal(found["a"], found["b"])


# safetensors


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_safetensors_of_half_precision(tmp_path, dtype):
    weights = {f"model.{n}": v.to(dtype) if v.is_floating_point() else v for n, v in WEIGHTS.items()}
    (tmp_path / "c").write_bytes(safetensors(weights, metadata=False))
    network, facts = load_network(tmp_path / "c")
    assert facts["weights"] == "top level, without the prefix model."
    assert torch.equal(network.fc.weight, weights["model.fc.weight"].float())


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, "its end is missing"),
        ({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}, "has 4 bytes"),
        ({"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}, "is damaged"),
        ({"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}, "is damaged"),
        ({"a": {"dtype": "F32", "shape": [1.5], "data_offsets": [0, 4]}}, "is damaged"),
        ({"a": {"dtype": 3, "shape": [1], "data_offsets": [0, 4]}}, "is damaged"),
        ({"a": [1, 2]}, "is damaged"),
        ({"a": None}, "is damaged"),
        ({"a": {"dtype": "F8_E4M3", "shape": [4], "data_offsets": [0, 4]}}, "no conv1d_in.weight"),
        ({}, "no conv1d_in.weight"),
    ],
)
def test_damaged_safetensors(tmp_path, header, words):
    text = json.dumps(header).encode()
    (tmp_path / "c").write_bytes(struct.pack("<Q", len(text)) + text + bytes(4))
    with pytest.raises(InputError, match=words):
        load_network(tmp_path / "c")


def test_safetensors_whose_header_is_no_json(tmp_path):
    (tmp_path / "c").write_bytes(struct.pack("<Q", 50_000) + b"{" + b"[" * 60_000)
    with pytest.raises(InputError, match="header is damaged"):
        load_network(tmp_path / "c")


def test_kinds_of_what_torch_wrote_over_the_years():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for protocol in (0, 1, 2, 3, 4, 5):
            for new in (True, False):
                content = saved({"a": torch.ones(1)}, _use_new_zipfile_serialization=new, pickle_protocol=protocol)
                kind = file_kinds.of_entry(content[: file_kinds.HEAD], len(content))
                assert kind.name in file_kinds.WEIGHTS, (protocol, new)


def test_fuzzed_archives_and_checkpoints():
    """A result or an InputError, within bounds, and nothing written elsewhere; for hours by hand (tests/fuzz)."""
    found = driver.fuzz("checkpoint", checkpoints.make_input, checkpoints.check, count=500)
    assert found["read"] > 5


def test_numbers_that_wait_for_a_negation_are_not_read_without_it(tmp_path):
    """``torch._neg_view`` and its like leave a mark beside the storage."""
    (tmp_path / "c.pt").write_bytes(saved({"w": torch._neg_view(torch.ones(3)), "v": torch.ones(3)}))
    assert torch.load(tmp_path / "c.pt", weights_only=True)["w"].tolist() == [-1, -1, -1]
    with tensors.open_file(tmp_path / "c.pt") as opened:
        assert opened.tree["w"].name == "a tensor with metadata"
        assert opened.read({"v": opened.tree["v"]})["v"].tolist() == [1, 1, 1]


def test_names_in_messages_are_printable(tmp_path):
    weights = {**WEIGHTS, "x\n\x1b[31m" + "y" * 100: torch.ones(1), "fc.bias": torch.ones(1)}
    (tmp_path / "c.pt").write_bytes(saved(weights))
    with pytest.raises(InputError) as caught:
        load_network(tmp_path / "c.pt")
    assert str(caught.value).isprintable()
    assert "surplus: x??[31m" in str(caught.value)
    message = refused(tmp_path, zipped(("a\n\x1b[31m.txt", b"hello")))
    assert message.isprintable()
