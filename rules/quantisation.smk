# wavs of some utterances -> features; with the network -> the network in int8, once for all batch sizes of an engine.


rule extract_calibration:
    """Compute the features of the utterances that the network in int8 is calibrated with."""
    output:
        features="work/quantisation/calibration.npy",
        sidecar="work/quantisation/calibration.json",
    log:
        "logs/extract_calibration.log",
    priority: 1
    conda:
        "../envs/cpu.yaml"
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("extract_calibration.py"),
        code=stage_code("extract_calibration.py"),
        versions=stage_versions("extract_calibration.py"),
        stamp=calibration_stamp,
        roots=calibration_roots,
        tree=calibration_tree,
        options=calibration_options,
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --root {params.roots:q} {params.tree} {params.options}"
        " --threads {threads} --output {output.features:q} --sidecar {output.sidecar:q} > {log:q} 2>&1"


rule reference_outputs:
    """Compute what the reference makes of noise that is like the calibration's features, for the network in int8."""
    input:
        network=path_of(rules.trace_network.output.network),
        features=path_of(rules.extract_calibration.output.features),
    output:
        "work/quantisation/reference.npz",
    log:
        "logs/reference_outputs.log",
    priority: 1
    conda:
        "../envs/cpu.yaml"
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("reference_outputs.py"),
        code=stage_code("reference_outputs.py", engines.source(engines.parse(REFERENCE)[0])),
        versions=stage_versions("reference_outputs.py", *engines.module(engines.parse(REFERENCE)[0]).PACKAGES),
        shape=setting(options.of_shape(FEATURE_SET.shape)),
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --network {input.network:q}"
        " --calibration {input.features:q} {params.shape} --output {output:q} > {log:q} 2>&1"


# NNCF takes all cores that it sees, and offers no way to give it fewer.
rule quantise_network:
    """Quantise the network to int8 for OpenVINO, but for what must stay in float."""
    input:
        network=path_of(rules.trace_network.output.network),
        features=path_of(rules.extract_calibration.output.features),
        sidecar=path_of(rules.extract_calibration.output.sidecar),
    output:
        network="work/quantisation/network.xml",
        weights="work/quantisation/network.bin",
        record="work/quantisation/network.json",
    log:
        "logs/quantise_network.log",
    priority: 1
    conda:
        "../envs/cpu.yaml"
    threads: workflow.cores
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("quantise_network.py"),
        code=stage_code("quantise_network.py"),
        versions=stage_versions("quantise_network.py"),
        options=setting(options.of_quantisation(config, FEATURE_SET.shape)),
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --network {input.network:q} --calibration {input.features:q}"
        " --calibration-sidecar {input.sidecar:q} {params.options} --threads {threads}"
        " --output {output.network:q} --weights {output.weights:q} --record {output.record:q} > {log:q} 2>&1"


# The sessions that tell the ranges take all cores, too.
rule quantise_onnx:
    """Quantise the network as ONNX to int8 for ONNX Runtime, but for what must stay in float."""
    input:
        network=path_of(rules.export_onnx.output[0]),
        features=path_of(rules.extract_calibration.output.features),
        sidecar=path_of(rules.extract_calibration.output.sidecar),
    output:
        network="work/quantisation/onnx/network.onnx",
        record="work/quantisation/onnx/network.json",
    log:
        "logs/quantise_onnx.log",
    priority: 1
    conda:
        "../envs/cpu.yaml"
    threads: workflow.cores
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("quantise_onnx.py"),
        code=stage_code("quantise_onnx.py"),
        versions=stage_versions("quantise_onnx.py"),
        options=setting(options.of_quantisation(config, FEATURE_SET.shape)),
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --network {input.network:q} --calibration {input.features:q}"
        " --calibration-sidecar {input.sidecar:q} {params.options} --threads {threads}"
        " --output {output.network:q} --record {output.record:q} > {log:q} 2>&1"
