"""The converter's command line: its form, its options and their values, with the codes of the error guide."""

import re

KNOWN = {
    "framework",
    "model",
    "weight",
    "output",
    "soc_version",
    "input_format",
    "input_shape",
    "dynamic_batch_size",
    "dynamic_image_size",
    "dynamic_dims",
    "precision_mode",
    "precision_mode_v2",
    "modify_mixlist",
    "keep_dtype",
    "customize_dtypes",
    "op_select_implmode",
    "op_precision_mode",
    "optypelist_for_implmode",
    "buffer_optimize",
    "enable_small_channel",
    "insert_op_conf",
    "output_type",
    "out_nodes",
    "log",
    "op_compiler_cache_mode",
    "op_compiler_cache_dir",
    "mdl_bank_path",
    "op_bank_path",
    "deterministic",
    "jit_compile",
    "external_weight",
    "is_weight_clip",
    "host_env_os",
    "host_env_cpu",
    "auto_tune_mode",
    "mode",
    "om",
    "json",
    "display_model_info",
    "help",
}
VALUES = {
    "input_format": {"NCHW", "ND", "NCDHW"},
    "precision_mode": {
        "force_fp16",
        "force_fp32",
        "cube_fp16in_fp32out",
        "allow_mix_precision",
        "allow_mix_precision_fp16",
        "allow_fp32_to_fp16",
        "must_keep_origin_dtype",
    },
    "precision_mode_v2": {"fp16", "origin", "cube_fp16in_fp32out", "mixed_float16"},
    "op_select_implmode": {
        "high_performance",
        "high_precision",
        "high_performance_for_all",
        "high_precision_for_all",
    },
    "buffer_optimize": {"l1_optimize", "l2_optimize", "off_optimize"},
    "output_type": {"FP32", "FP16", "UINT8"},
    "op_compiler_cache_mode": {"disable", "enable", "force"},
    "enable_small_channel": {"0", "1"},
    "deterministic": {"0", "1"},
    "is_weight_clip": {"0", "1"},
    "jit_compile": {"0", "1", "2"},
    "external_weight": {"0", "1", "2"},
    "host_env_os": {"linux"},
    "host_env_cpu": {"x86_64", "aarch64"},
}
LEVELS = {"debug", "info", "warning", "error", "null"}
SOCS = {"Ascend310P3", "Ascend310P1", "Ascend310B4", "Ascend910B3", "Ascend910B4"}
PATHS = ("model", "output", "keep_dtype", "modify_mixlist", "mdl_bank_path", "op_bank_path", "op_compiler_cache_dir")
PLAIN = re.compile(r"[A-Za-z0-9\-._/\u4e00-\u9fa5]+")
MIXED = {"allow_mix_precision", "allow_mix_precision_fp16", "mixed_float16"}


class UsageError(Exception):
    """The command line has not the form; said on stderr."""


class RefusedError(Exception):
    """An option, the model or the environment is refused, with a code; said on stdout."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code, self.text = code, text


def parse(words):
    """Options by name; ``--x=v``, ``--x v``, one dash, and hyphens for underscores are taken."""
    found, words = {}, list(words)
    while words:
        word = words.pop(0)
        if not word.startswith("-"):
            raise UsageError(f"Non-option parameter: {word}")
        name, has_value, value = word.lstrip("-").partition("=")
        name = name.replace("-", "_")
        if name not in KNOWN:
            raise UsageError(f"ERROR: unknown command line flag '{name}'")
        if name != "help" and not has_value:
            if not words:
                raise UsageError(f"ERROR: flag '--{name}' is missing its argument")
            value = words.pop(0)
        found[name] = value
    return found


def invalid(name, value, reason):
    return RefusedError("E10001", f"Value [{value}] for parameter [--{name}] is invalid. Reason: {reason}")


def check(options):
    """Refuse what the guide says is refused, the model itself apart."""
    if "framework" not in options:
        raise RefusedError("E10007", "[--framework] is required. The value must be 0, 1, 3 or 5")
    if options["framework"] not in {"0", "1", "3", "5"}:
        raise RefusedError("E10007", "[--framework] must be 0, 1, 3 or 5")
    for name in ("model", "output", "soc_version"):
        if not options.get(name):
            raise RefusedError("E10054", f"The required parameter [--{name}] for ATC is empty")
    if {"precision_mode", "precision_mode_v2"} <= options.keys():
        raise RefusedError("E10056", "[--precision_mode] and [--precision_mode_v2] are mutually exclusive")
    if options.get("log", "null") not in LEVELS:
        raise RefusedError("E10010", f"Value [{options['log']}] for [--log] is not one of {sorted(LEVELS)}")
    for name, values in VALUES.items():
        if name in options and options[name] not in values:
            raise invalid(name, options[name], f"it must be one of {', '.join(sorted(values))}")
    if options["soc_version"] not in SOCS:
        raise invalid("soc_version", options["soc_version"], "it is not supported")
    if "auto_tune_mode" in options:
        raise invalid("auto_tune_mode", options["auto_tune_mode"], "the feature was removed, use AOE")
    _check_pairs(options)
    for name in PATHS:
        if name in options and not PLAIN.fullmatch(options[name]):
            raise invalid(name, options[name], "the path has characters other than A-Z, a-z, 0-9, -, ., _, /")
    if options["output"].endswith("/"):
        raise RefusedError("E10022", "[--output] is a folder; it must end in a file name")
    if len(options["output"]) > 4000:
        raise RefusedError("E10021", "[--output] is too long")


def _check_pairs(options):
    if "optypelist_for_implmode" in options and "op_select_implmode" not in options:
        raise invalid("optypelist_for_implmode", options["optypelist_for_implmode"], "op_select_implmode is not set")
    mode = options.get("precision_mode", options.get("precision_mode_v2"))
    if "modify_mixlist" in options and mode not in MIXED:
        raise invalid("modify_mixlist", options["modify_mixlist"], "the precision mode is not a mixed one")
    if "mdl_bank_path" in options and options.get("buffer_optimize") == "off_optimize":
        raise invalid("mdl_bank_path", options["mdl_bank_path"], "buffer_optimize is off_optimize")
    if "dynamic_dims" in options and "insert_op_conf" in options:
        raise invalid("dynamic_dims", options["dynamic_dims"], "AIPP is configured")


def shapes(text, dynamic):
    """``mel:4,80,200;other:1`` as a dictionary of lists; a dimension below 1 wants an option for dynamic shapes."""
    found = {}
    for part in filter(None, text.split(";")):
        name, separator, numbers = part.rpartition(":")
        if not separator or not name or not numbers:
            raise RefusedError("E10002", f"[--input_shape] is {part}; it must be name:d,d;name:d")
        try:
            found[name] = [int(number) for number in numbers.split(",")]
        except ValueError:
            raise RefusedError("E10014", f"[--input_shape] has {numbers}, which is no list of numbers") from None
        if min(found[name]) < 1 and not (dynamic or min(found[name]) == -1):
            raise RefusedError("E10011", f"[--input_shape] of {name} has a dimension below 1")
    return found
