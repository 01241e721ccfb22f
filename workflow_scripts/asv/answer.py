"""The result for a person: text made from the result's JSON."""

from __future__ import annotations

from .trials import CENTROID


def _percent(fraction):
    return f"{100 * fraction:.3f} %"


def headline(result):
    """The first line: the EER, of what, and whether it is only the demo's."""
    name, protocol = next(iter(result["protocols"].items()))
    trials = protocol["targets"] + protocol["nontargets"]
    of_what = f"{name}, {trials:,} trials"
    if name == CENTROID:
        of_what = f"the seed's centroid protocol alone (no trial list was given or found), {trials:,} scores"
    notes = []
    if result["dataset"]["demo"]:
        notes.append("DEMO: synthetic voices, says nothing of real speech")
    if result["network"]["demo"]:
        notes.append(f"DEMO checkpoint ({result['network']['demo']})")
    return f"EER {_percent(protocol['eer'])}   {of_what}" + (f"   [{'; '.join(notes)}]" if notes else "")


def _protocol_lines(name, protocol):
    yield f"protocol {name}"
    rows = {
        "EER": _percent(protocol["eer"]),
        "threshold": f"{protocol['threshold']:.6f} (cosine, at the EER)",
        "minDCF": ", ".join(f"{value:.4f} (p = {prior})" for prior, value in protocol["min_dcf"].items()),
        "ROC-AUC": f"{protocol['roc_auc']:.6f}",
        "trials": f"{protocol['targets']:,} target, {protocol['nontargets']:,} nontarget",
    }
    if name == CENTROID:
        rows["note"] = "each centroid contains the utterance it is scored against, as in the seed: flattering"
        rows["utterances"] = f"{protocol['utterances']:,} of at most {protocol['max_duration']} s"
    else:
        rows["list"] = f"md5 {protocol['md5']}"
        rows["skipped"] = f"{protocol['skipped']:,} trials that name missing utterances"
        rows["duplicates"] = f"{protocol['duplicates']:,} trials listed more than once"
    yield from (f"  {key:<11} {value}" for key, value in rows.items())


def text(result):
    """Whole text of ``eer_bs<N>.txt``."""
    engine, network, utterances = result["engine"], result["network"], result["utterances"]
    told = "as the engine reports" if engine["precision_from"] == "engine" else "as requested; the engine does not tell"
    lines = [headline(result)]
    for name, protocol in result["protocols"].items():
        lines += ["", *_protocol_lines(name, protocol)]
    if result["centroid_left_out"]:
        lines += ["", f"protocol {CENTROID}: left out, {result['centroid_left_out']}"]
    reasons = ", ".join(f"{count} {reason}" for reason, count in utterances["reasons"].items())
    rows = {
        "utterances": f"{utterances['found']:,} found, {utterances['used']:,} used, {utterances['rejected']:,} rejected"
        + (f" ({reasons})" if reasons else ""),
        "converted": f"{utterances['resampled']:,} resampled, {utterances['mixed']:,} mixed to one channel",
        "engine": f"{engine['name']} ({', '.join(map(' '.join, engine['versions'].items()))})",
        "precision": f"{engine['precision']} ({told}; asked for: {engine['requested_precision']})",
        "batch size": engine["batch_size"],
        "threads": engine["threads"],
        "network": f"ECAPA-TDNN, C = {network['channels']}, {network['parameters']:,} parameters, "
        f"step {network['step']}, {network['speakers']} training speakers",
        "checkpoint": f"sha256 {network['checkpoint_sha256']}",
        "versions": ", ".join(f"{name} {version}" for name, version in result["versions"].items()),
        "code": result["code"],
    }
    lines += ["", *(f"{key:<11} {value}" for key, value in rows.items())]
    return "\n".join(lines) + "\n"
