# checkpoint archive -> checkpoint -> TorchScript -> ONNX; of a brought graph -> TorchScript or ONNX.


rule fetch_checkpoint:
    """Download the checkpoint's archive."""
    output:
        "work/checkpoint/fetched.zip",
    log:
        "logs/fetch_checkpoint.log",
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("fetch_checkpoint.py"),
        code=stage_code("fetch_checkpoint.py"),
        url=setting(config["checkpoint"]["archive"]),
        sha256=setting(config["checkpoint"]["sha256"]),
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --url {params.url:q} --sha256 {params.sha256} --output {output:q}"
        " > {log:q} 2>&1"


CHECKPOINT_ARCHIVE = checked(
    inputs.checkpoint_archive, config, DEMO_ARCHIVES, path_of(rules.fetch_checkpoint.output[0])
)
checked(inputs.refuse_wildcards, {"checkpoint.archive": [CHECKPOINT_ARCHIVE]}, get_wildcard_names)


rule unzip_checkpoint:
    """Take the checkpoint out of its archive."""
    input:
        CHECKPOINT_ARCHIVE,
    output:
        "work/checkpoint/checkpoint.pt",
    log:
        "logs/unzip_checkpoint.log",
    priority: 1
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("unzip_checkpoint.py"),
        code=stage_code("unzip_checkpoint.py"),
        source=checkpoint_source,
        options=setting(options.of_unzip(config)),
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --archive {input:q} --source {params.source:q}"
        " {params.options} --output {output:q} > {log:q} 2>&1"


rule trace_network:
    """Make the network: build that of the checkpoint and trace it as TorchScript, or check and adapt a brought graph."""
    input:
        path_of(rules.unzip_checkpoint.output[0]),
    output:
        network=f"work/network/{networks.file_name(config)}",
        sidecar="work/network/network.json",
        norm="work/network/first_norm.npz",
        reference="work/network/reference.npz",
    log:
        "logs/trace_network.log",
    priority: 1
    conda:
        "../envs/cpu.yaml"
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script(networks.script(config)),
        code=network_code(networks.script(config), engines.source(engines.parse(REFERENCE)[0])),
        versions=stage_versions(networks.script(config)),
        source=checkpoint_source,
        options=setting(options.of_network(config)),
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --checkpoint {input:q} --source {params.source:q}"
        " {params.options}"
        " --output {output.network:q} --sidecar {output.sidecar:q} --norm {output.norm:q} --reference {output.reference:q}"
        " > {log:q} 2>&1"


rule convert_network:
    """Convert the network to OpenVINO's model, for any batch size."""
    input:
        path_of(rules.trace_network.output.network),
    output:
        network="work/network/openvino.xml",
        weights="work/network/openvino.bin",
    log:
        "logs/convert_network.log",
    priority: 1
    conda:
        "../envs/cpu.yaml"
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("convert_network.py"),
        code=stage_code("convert_network.py"),
        versions=stage_versions("convert_network.py"),
        shape=setting(options.of_shape(FEATURE_SET.shape)),
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --network {input:q} {params.shape}"
        " --output {output.network:q} --weights {output.weights:q} > {log:q} 2>&1"


rule export_onnx:
    """Export the network as one ONNX file for any batch size, which says what features it wants."""
    input:
        network=path_of(rules.trace_network.output.network),
        sidecar=path_of(rules.trace_network.output.sidecar),
    output:
        "results/network.onnx",
    log:
        "logs/export_onnx.log",
    priority: 1
    conda:
        "../envs/cpu.yaml"
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("export_onnx.py"),
        code=stage_code("export_onnx.py"),
        versions=stage_versions("export_onnx.py"),
        options=setting(FEATURE_SET.options_of_export),
        opset=setting(options.options_of(config["onnx"], "opset")),
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --network {input.network:q} --sidecar {input.sidecar:q}"
        " {params.options} {params.opset} --output {output:q} > {log:q} 2>&1"


rule check_features:
    """Compare the features with those that the network was trained on."""
    input:
        norm=path_of(rules.trace_network.output.norm),
        manifests=collect(rules.extract_features.output.manifest, features=FEATURE_SET.key, shard=SAMPLED_SHARDS),
        corpus=[DEMO_WAVS] if inputs.is_demo(config) else [],
    output:
        "work/network/fit.json",
    log:
        "logs/check_features.log",
    priority: 1
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("check_features.py"),
        code=network_code("check_features.py"),
        versions=stage_versions("check_features.py"),
        roots=feature_roots,
        options=setting(FEATURE_SET.options_of_check),
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --norm {input.norm:q} --manifest {input.manifests:q}"
        " --root {params.roots:q} {params.options} --output {output:q} > {log:q} 2>&1"
