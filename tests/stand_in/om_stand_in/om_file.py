"""The file: a header of 256 bytes as CANN's loader reads it, then JSON of what was compiled, and the ONNX model."""

import json
import os
import struct

HEADER = 256
LENGTH_AT, MODEL_LENGTH_AT, DYNAMIC_AT = 76, 184, 193


def write(path, facts, model, dynamic=False, truncated=False):
    """Write with mode 0600, whatever the umask."""
    text = json.dumps(facts).encode()
    body = struct.pack("<I", len(text)) + text + model
    header = bytearray(HEADER)
    header[:4] = b"IMOD"
    struct.pack_into("<I", header, 4, HEADER)
    struct.pack_into("<I", header, LENGTH_AT, len(body))
    struct.pack_into("<Q", header, MODEL_LENGTH_AT, len(body))
    header[DYNAMIC_AT] = dynamic
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(handle, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(bytes(header) + (body[: len(body) // 2] if truncated else body))


def read(path):
    """Facts and the ONNX model; ValueError where the loader would refuse the file."""
    with open(path, "rb") as stream:
        content = stream.read()
    if len(content) < HEADER or content[:4] != b"IMOD" or struct.unpack_from("<I", content, 4)[0] != HEADER:
        raise ValueError("no header")
    length = struct.unpack_from("<Q", content, MODEL_LENGTH_AT)[0] or struct.unpack_from("<I", content, LENGTH_AT)[0]
    if length != len(content) - HEADER:
        raise ValueError("the length in the header is not the file's")
    (size,) = struct.unpack_from("<I", content, HEADER)
    start = HEADER + 4
    return json.loads(content[start : start + size]), content[start + size :]
