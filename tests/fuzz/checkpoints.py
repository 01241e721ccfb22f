"""Fuzz archives and checkpoints: ``python tests/fuzz/checkpoints.py --seconds 3600 --seed 1``.

Each input is a valid file of one of the formats that are read, changed in ways that keep some of its structure: an
archive around it, instructions of its pickle, entries and fields of its zip, or bytes anywhere.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import pickletools
import struct
import sys
import tarfile
import warnings
import zipfile
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "workflow_scripts")]

import torch  # noqa: E402
from fuzz import driver  # noqa: E402
from support.families import state_of  # noqa: E402

from asv.errors import InputError  # noqa: E402
from asv.network import families  # noqa: E402
from asv.network.archive import extract_checkpoint  # noqa: E402
from asv.network.checkpoint import load_network  # noqa: E402
from asv.network.ecapa_tdnn import EcapaTdnn  # noqa: E402

SMALL = {"conv1d_in.weight": torch.ones(1, 80, 5), "conv1d_in.bias": torch.ones(1), "n": torch.tensor(3)}


class Extra:
    """An object of a class that the reader does not know."""


def _saved(content, **options):
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.save(content, stream, **options)
    return stream.getvalue()


def _safetensors():
    data, header = b"", {}
    for name, value in SMALL.items():
        content = value.reshape(-1).view(torch.uint8).numpy().tobytes()
        dtype = "I64" if value.dtype == torch.int64 else "F32"
        start, data = len(data), data + content
        header[name] = {"dtype": dtype, "shape": list(value.shape), "data_offsets": [start, len(data)]}
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


@functools.cache
def seeds():
    """Valid files: few tensors, so that damage often meets what matters; and whole networks, which load."""
    torch.manual_seed(0)
    contents = [
        {"step": 3, "model_state_dict": SMALL, "args": Extra(), "optimizer": {"state": {0: SMALL}}},
        {"model": SMALL, "ema": SMALL},
        torch.nn.Linear(2, 2),
        {"state_dict": {f"model.{name}": torch.nn.Parameter(v) for name, v in SMALL.items() if name != "n"}},
    ]
    options = [{"pickle_protocol": p, "_use_new_zipfile_serialization": new} for p in (2, 4) for new in (True, False)]
    found = [_saved(content, **option) for content in contents for option in options]
    whole = {"model_state_dict": EcapaTdnn(1, 1).state_dict()}
    window = {"speaker_encoder.torchfbank.1.spectrogram.window": torch.hamming_window(400)}
    others = [_saved(state_of("wespeaker", seed=1)), _saved({**state_of("taoruijie", seed=1), **window})]
    return [*found, _safetensors(), _saved(whole), _saved(whole, _use_new_zipfile_serialization=False), *others]


def _bytes(dice, content):
    """Flip, cut, repeat or overwrite anywhere."""
    content = bytearray(content)
    for _ in range(dice.choice((1, 1, 2, 8))):
        if not content:
            break
        place = dice.randrange(len(content))
        length = dice.choice((1, 2, 4, 8, 100))
        how = dice.randrange(5)
        if how == 0:
            content[place] ^= 1 << dice.randrange(8)
        elif how == 1:
            content[place : place + length] = dice.choice((b"\0", b"\xff", b"\x7f", b"\x80")) * length
        elif how == 2:
            del content[place : place + length]
        elif how == 3:
            other = dice.randrange(len(content))
            content[place:place] = content[other : other + length]
        else:
            del content[place:]
    return bytes(content)


CODES = [code.code.encode("latin-1") for code in pickletools.opcodes]
PIECES = [
    *(b"cos\nsystem\n", b"cbuiltins\neval\n", b"ctorch._utils\n_rebuild_tensor_v2\n", b"ccollections\nOrderedDict\n"),
    *(b"ctorch\nFloatStorage\n", b"ctorch.nn.parameter\nParameter\n", b"X\5\0\0\0touch", b"\x85R", b"tR", b"}b"),
    *(
        b"r\xff\xff\xff\xff",
        b"\x8a\x08" + b"\xff" * 7 + b"\x7f",
        b"\x8e" + b"\xff" * 7 + b"\x7f",
        b"h\0",
        b"(",
        b"]q\0",
    ),
]


def _pickle(dice, content):
    """Remove, repeat, swap or insert whole instructions."""
    try:
        places = [place for _, _, place in pickletools.genops(content)] + [len(content)]
    except Exception:  # one that another change damaged
        return _bytes(dice, content)
    parts = [content[start:end] for start, end in zip(places, places[1:])]
    for _ in range(dice.choice((1, 1, 2, 5))):
        place = dice.randrange(len(parts))
        how = dice.randrange(5)
        if how == 0:
            del parts[place]
        elif how == 1:
            parts[place:place] = [dice.choice(parts)] * dice.choice((1, 2, 50))
        elif how == 2:
            other = dice.randrange(len(parts))
            parts[place], parts[other] = parts[other], parts[place]
        elif how == 3:
            parts.insert(place, dice.choice(PIECES))
        else:
            parts.insert(place, dice.choice(CODES) + dice.randbytes(dice.choice((0, 1, 4))))
        if not parts:
            break
    return b"".join(parts)


def _zip(dice, content):
    """Change a zip's entries, with right checksums: the pickle, other contents, names, order, compression."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = [(name, archive.read(name)) for name in archive.namelist()]
    place = dice.randrange(len(entries))
    name, inner = entries[place]
    how = dice.randrange(7)
    if how <= 2:
        entries = [(n, _pickle(dice, c) if n.endswith("data.pkl") else c) for n, c in entries]
    elif how == 3:
        entries[place] = name, _bytes(dice, inner)
    elif how == 4:
        names = ("../x", "/x", "data.pkl", name + "x", name.upper(), "a/b/data.pkl", "constants.pkl")
        entries[place] = dice.choice(names), inner
    elif how == 5:
        del entries[place]
    else:
        entries.append(dice.choice(entries))
    return _zipped(dice, entries)


def _zipped(dice, entries):
    stream = io.BytesIO()
    how = dice.choice((zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2))
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w", how) as archive:
        warnings.simplefilter("ignore")  # of equal names
        for name, content in entries:
            archive.writestr(name, content)
    return stream.getvalue()


def _legacy(dice, content):
    """Change one of the pickles of an old file."""
    stream, places = io.BytesIO(content), [0]
    for _ in range(5):
        pickle_end = [0 for _ in pickletools.genops(stream)]  # reads one pickle
        places.append(stream.tell() if pickle_end else 0)
    which = dice.choice((0, 2, 3, 3, 3, 4))
    changed = _pickle(dice, content[places[which] : places[which + 1]])
    return content[: places[which]] + changed + content[places[which + 1] :]


def _tarred(dice, entries):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=dice.choice(("w", "w:gz", "w:bz2", "w:xz"))) as archive:
        for name, content in entries:
            member = tarfile.TarInfo(name)
            member.size, member.type = len(content), dice.choice([tarfile.REGTYPE] * 9 + [tarfile.SYMTYPE])
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def make_input(dice):
    """One file."""
    if dice.random() < 0.05:
        return dice.choice((b"", b"PK\3\4", b"\x80\x02", b"\x1f\x8b\x08", b"{")) + dice.randbytes(dice.randrange(500))
    content = dice.choice(seeds())
    if dice.random() < 0.6:
        if content[:2] == b"PK":
            content = _zip(dice, content)
        elif content[:1] == b"\x80":
            content = _legacy(dice, content)
    if dice.random() < 0.4:
        content = _bytes(dice, content)
    if dice.random() < 0.3:
        entries = [("readme.txt", b"hello"), (dice.choice(("x/c.pt", "c", "../c.pt", "._c.pt")), content)]
        content = dice.choice((_zipped, _tarred))(dice, entries[dice.randrange(2) :])
        if dice.random() < 0.3:
            content = _bytes(dice, content)
    return content


def check(content, folder):
    """As the two stages read it; and the checkpoint's reader alone, which trusts the first stage in nothing.

    It is read as a checkpoint of each family.
    """
    (folder / "c.pt").write_bytes(content)
    names = families.names()
    with contextlib.suppress(InputError):
        load_network(folder / "c.pt", names[zlib.crc32(content) % len(names)])
    extract_checkpoint(folder / "c.pt", folder / "out.pt")
    for name in names:
        with contextlib.suppress(InputError):
            load_network(folder / "out.pt", name)
    load_network(folder / "out.pt")


if __name__ == "__main__":
    driver.main("checkpoint", make_input, check)
