"""The network in int8 by OpenVINO's kernels for older CPUs: whether it is the same network, and how fast it is.

    snakemake --cores 2 results/openvino-int8/eer_bs8.txt
    python measurements/int8_without_vnni.py

Run in the folder of such a run. The network is quantised with weights of 8 bits outside the first layer, NNCF's own
choice, and of 7 bits in all layers, as the workflow does it. Each, and the network in float32, is run with the
instructions of this CPU, with AVX-512 but no VNNI, and with AVX2 (ONEDNN_MAX_CPU_ISA), a process each. What int8 leaves
in float is in float32. The cosine is with float32, over the calibration set; throughput is of batches of 8, one after
another. Keep the machine otherwise idle.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from shared import THREADS, describe_machine, table

from asv import vectors
from asv.network import openvino_model
from asv.quantisation import by_nncf, graph, running

LIMITS = {"this CPU": None, "AVX-512 without VNNI": "AVX512_CORE", "AVX2": "AVX2"}
WEIGHTS = {"8 bits": "first_layer_only", "7 bits": "enable"}
FLOAT = "float32"
BATCH, SECONDS = 8, 3.0
CALIBRATION = Path("work/quantisation/calibration.npy")


def write_models(place, features):
    """The network in float32 and in int8 with both kinds of weights, by name, as files in a folder."""
    (network,) = Path("work/network").glob("network.*[tx]")  # .pt or .onnx
    model = openvino_model.any_batch(network, features.shape[1:])
    toolkit = by_nncf.Nncf(model, features, THREADS)
    kept = [*graph.after_frames(model), *graph.delicate(model), *graph.recurrent(model)]
    models = {FLOAT: model}
    for name, by_nncf.OVERFLOW_FIX in WEIGHTS.items():
        models[name] = toolkit.quantise(kept)
    paths = {}
    for name, made in models.items():
        folder = place / name
        folder.mkdir()
        paths[name] = str(folder / "network.xml")
        openvino_model.write(made, folder / "network.xml", folder / "network.bin")
    return paths


def measure(path, embeddings):
    """Run a model with the instructions that the environment allows; prints its throughput and layers."""
    import openvino

    features, core = np.load(CALIBRATION), openvino.Core()
    model = core.read_model(path)
    np.save(embeddings, by_nncf.Nncf(model, features, THREADS).embeddings(model))
    model.reshape([BATCH, *features.shape[1:]])
    properties = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": THREADS, "PERFORMANCE_HINT": "LATENCY"}
    compiled = core.compile_model(model, "CPU", properties)
    request, batch, times = compiled.create_infer_request(), features[:BATCH], []
    started = time.perf_counter()
    while time.perf_counter() - started < SECONDS or len(times) < 10:
        before = time.perf_counter()
        request.infer([batch])
        times.append(time.perf_counter() - before)
    print(json.dumps([BATCH / float(np.median(times)), running.told(compiled, "f32")[1]]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", nargs=2, metavar=("MODEL", "EMBEDDINGS"), help="measure one; it calls itself so")
    options = parser.parse_args()
    if options.model:
        return measure(*options.model)
    describe_machine()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        paths, expected = write_models(Path(folder), np.load(CALIBRATION)), None
        for limit, instructions in LIMITS.items():
            for name, path in paths.items():
                environment = {**os.environ, **({"ONEDNN_MAX_CPU_ISA": instructions} if instructions else {})}
                command = [sys.executable, __file__, "--model", path, f"{folder}/embeddings.npy"]
                done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
                throughput, layers = json.loads(done.stdout.splitlines()[-1])
                found = np.load(f"{folder}/embeddings.npy")
                expected = found if expected is None else expected  # float32 on this CPU comes first
                cosines = vectors.cosines(found, expected)
                rows.append((limit, name, f"{cosines.mean():.4f}", f"{cosines.min():.4f}", f"{throughput:.1f}", layers))
    table(("instructions", "weights", "mean cosine", "lowest", "crops/s", "layers"), rows)
    return None


if __name__ == "__main__":
    main()
