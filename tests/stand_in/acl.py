"""A stand-in for pyACL: 25 calls that return codes, and memory, contexts and models that the caller gives back.

Calls return 0 or a code of ACL's. Where the real one would read or write memory that is not the caller's, it raises.
"""

import itertools
import sys
import threading
from types import SimpleNamespace

import numpy as np
from om_stand_in import STAND_IN as STAND_IN
from om_stand_in import DisciplineError, faults, setting
from om_stand_in.device import STATE, DeviceError, Model, begin, close_device, open_device, require_process

if "no-acl" in faults():
    raise ModuleNotFoundError("No module named 'acl'", name="acl")
if "no-cann" in faults():
    raise ImportError("libascend_hal.so: cannot open shared object file: No such file or directory")

H2H, H2D, D2H, D2D = range(4)
_NUMBERS = itertools.count(0x1000, 0x10)
_HELD = {}  # handle to (kind, what it is)
_CURRENT = threading.local()


def _hold(kind, value):
    handle = next(_NUMBERS)
    _HELD[handle] = kind, value
    return handle


def _held(handle, kind):
    found = _HELD.get(handle)
    if found is None or found[0] != kind:
        raise DisciplineError(f"{handle!r} is no {kind}, or no longer: the real one would use whatever lies there")
    return found[1]


def _give_back(handle, kind):
    _held(handle, kind)
    del _HELD[handle]
    return 0


def _context_fault():
    """107002 where this thread has no context, else 0."""
    require_process()
    return 0 if getattr(_CURRENT, "context", None) in _HELD else 107002


def init(config=None):
    if "devlib" in faults():
        return 100039
    if STATE.initialised or "begun" in faults():
        return 100002
    begin()
    STATE.initialised = True
    STATE.log("init")
    return 0


def finalize():
    if not STATE.initialised:
        return 100001
    if STATE.finalized:
        return 100037
    STATE.leaks += [kind for kind, _ in _HELD.values() if kind != "borrowed"]
    _HELD.clear()
    STATE.finalized = True
    STATE.log("finalize")
    return 0


def _set_device(device):
    if not STATE.initialised or STATE.finalized:
        return 100001
    try:
        open_device(device)
    except DeviceError as error:
        return error.code
    return 0


def _reset_device(device):
    if STATE.finalized:
        return 100001
    try:
        close_device()
    except DeviceError as error:
        return error.code
    return 0


def _create_context(device):
    if "open" not in STATE.events:
        return 0, 107001
    _CURRENT.context = _hold("context", device)
    return _CURRENT.context, 0


def _set_context(context):
    _held(context, "context")
    _CURRENT.context = context
    return 0


def _destroy_context(context):
    return _give_back(context, "context")


def _malloc(size, policy):
    if fault := _context_fault():
        return 0, fault
    if type(size) is not int or size <= 0:
        return 0, 100000
    if "out-of-memory" in faults():
        return 0, 207001
    return _hold("device memory", bytearray(size)), 0


def _malloc_host(size):
    return (0, 107002) if _context_fault() else (_hold("host memory", bytearray(size)), 0)


def _memory(pointer, on_device):
    return _held(pointer, "device memory") if on_device else _host(pointer)


def _host(pointer):
    """Memory of ACL's on the host, or of an object of Python's that its owner still has."""
    if _HELD.get(pointer, ("",))[0] != "borrowed":
        return _held(pointer, "host memory")
    if not _is_alive(pointer):
        raise DisciplineError("memory of an object that is gone is read")
    owner = _HELD[pointer][1]
    return owner if isinstance(owner, bytes) else owner.tobytes(order="A")


def _memcpy(target, room, source, size, kind):
    if fault := _context_fault():
        return fault
    to, origin = _memory(target, kind in (H2D, D2D)), _memory(source, kind in (D2H, D2D))
    if size > room:
        return 100000
    if room > len(to) or size > len(origin):
        raise DisciplineError(f"{size} bytes into {room}, of {len(to)} and {len(origin)}: the bounds are wrong")
    to[:size] = origin[:size]
    STATE.log("h2d" if kind == H2D else "d2h")
    return 0


def _load(path):
    if fault := _context_fault():
        return 0, fault
    try:
        handle = _hold("model", (Model(path), _CURRENT.context))
    except DeviceError as error:
        return 0, error.code
    STATE.log("load")
    return handle, 0


def _get_desc(description, model):
    _held(description, "description")
    if model not in _HELD:
        return 145003
    _HELD[description] = "description", _held(model, "model")[0]
    return 0


def _described(description):
    return _held(description, "description")


def _dimensions(description, index, of_inputs):
    model = _described(description)
    name, shape = list((model.inputs if of_inputs else model.outputs).items())[index]
    return {"name": name, "dimCount": len(shape), "dims": list(shape)}, 0


def _add(dataset, buffer):
    _held(dataset, "dataset").append(buffer)
    _held(buffer, "data buffer")
    return dataset, 0


def _execute(handle, given, taken):
    if fault := _context_fault():
        return fault
    if handle not in _HELD:
        return 145003
    model, context = _held(handle, "model")
    if context != _CURRENT.context:
        return 107002
    inputs = [_held(buffer, "data buffer") for buffer in _held(given, "dataset")]
    outputs = [_held(buffer, "data buffer") for buffer in _held(taken, "dataset")]
    sizes = [size for _, size in inputs], [size for _, size in outputs]
    if sizes != (model.sizes(True), model.sizes(False)):
        return 100017
    try:
        found = model.run([bytes(_memory(pointer, True)[:size]) for pointer, size in inputs])
    except DeviceError as error:
        return error.code
    for (pointer, size), data in zip(outputs, found):
        _memory(pointer, True)[:size] = data
    return 0


def _is_alive(handle):
    """Whether the caller still has the object whose memory a pointer means."""
    borrowed = _HELD[handle][1]
    return sys.getrefcount(borrowed) > 3  # the table, this function's name for it, and the question


def _pointer_to(owner):
    """A pointer to memory of an object of Python's: good while the caller has the object."""
    for handle in [handle for handle, (kind, _) in _HELD.items() if kind == "borrowed" and not _is_alive(handle)]:
        del _HELD[handle]
    return _hold("borrowed", owner)


def _bytes_to_ptr(data):
    if type(data) is not bytes:
        raise TypeError("bytes are needed")
    return _pointer_to(data)


def _ptr_to_bytes(pointer, size):
    memory = _host(pointer)
    if size > len(memory):
        raise DisciplineError(f"{size} bytes of {len(memory)} are read")
    return bytes(memory[:size])


def _ptr_to_numpy(pointer, shape, kind):
    if kind != 1:
        raise DisciplineError("presumed: ptr_to_numpy is asked for bytes (1) alone")
    return np.frombuffer(_host(pointer), np.int8)[: int(np.prod(shape))].reshape(shape)  # no copy: memory of ACL's


rt = SimpleNamespace(
    set_device=_set_device,
    reset_device=_reset_device,
    get_device_count=lambda: (int(setting("DEVICES", "2")), 0),
    create_context=_create_context,
    set_context=_set_context,
    destroy_context=_destroy_context,
    malloc=_malloc,
    free=lambda pointer: _give_back(pointer, "device memory"),
    malloc_host=_malloc_host,
    free_host=lambda pointer: _give_back(pointer, "host memory"),
    memcpy=_memcpy,
)
mdl = SimpleNamespace(
    load_from_file=_load,
    unload=lambda model: _give_back(model, "model"),
    create_desc=lambda: _hold("description", None),
    get_desc=_get_desc,
    destroy_desc=lambda description: _give_back(description, "description"),
    get_num_inputs=lambda description: len(_described(description).inputs),
    get_num_outputs=lambda description: len(_described(description).outputs),
    get_input_size_by_index=lambda description, index: _described(description).sizes(True)[index],
    get_output_size_by_index=lambda description, index: _described(description).sizes(False)[index],
    get_input_dims=lambda description, index: _dimensions(description, index, True),
    get_output_dims=lambda description, index: _dimensions(description, index, False),
    get_output_data_type=lambda description, index: 0 if _described(description).output_dtype.itemsize == 4 else 1,
    get_input_data_type=lambda description, index: 0,
    create_dataset=lambda: _hold("dataset", []),
    add_dataset_buffer=_add,
    destroy_dataset=lambda dataset: _give_back(dataset, "dataset"),
    execute=_execute,
)
util = SimpleNamespace()


if setting("WHEEL", "2025") == "2023":  # the earlier names of the two conversions
    util.numpy_to_ptr, util.ptr_to_numpy = _pointer_to, _ptr_to_numpy
else:
    util.bytes_to_ptr, util.ptr_to_bytes = _bytes_to_ptr, _ptr_to_bytes
create_data_buffer = lambda pointer, size: _hold("data buffer", (pointer, size))  # noqa: E731
destroy_data_buffer = lambda buffer: _give_back(buffer, "data buffer")  # noqa: E731
get_soc_name = lambda: setting("SOC", "Ascend310P3")  # noqa: E731
