"""The result for a person: text made from the result's JSON."""

from __future__ import annotations

import textwrap

from .. import caveats
from ..trials.protocols import CENTROID, CENTROID_LEAVE_ONE_OUT
from . import answer_int8, answer_network, sentence
from . import notes as protocol_notes
from .result import Result
from .words import percent, score_name

CENTROID_NOTES = {
    CENTROID: "each centroid contains the utterance it is scored against, as in the original guide: flattering",
    CENTROID_LEAVE_ONE_OUT: "an utterance is taken out of its own speaker's centroid: unbiased",
}
HEADLINES = {
    CENTROID: "the original guide's centroid protocol alone (no trial list was given or found), {trials:,} scores",
    CENTROID_LEAVE_ONE_OUT: "centroids, leave-one-out (no trial list was given or found), {trials:,} scores",
}


def headline(result: Result) -> str:
    """The first lines, one per trial list: the EER, of what, and what it must not be taken for.

    Without a list it is one line, of the centroid protocol's unbiased form where there is one.
    """
    lists = {name: protocol for name, protocol in result["protocols"].items() if name not in CENTROID_NOTES}
    chosen = lists or dict([next(iter(result["protocols"].items()))])
    return "\n".join(_headline(result, name, protocol) for name, protocol in chosen.items())


def _headline(result, name, protocol):
    trials = protocol["targets"] + protocol["nontargets"]
    of_what = HEADLINES.get(name, "{name}, {trials:,} trials").format(name=name, trials=trials)
    notes = [*_left_out(result, protocol), *caveats.of_result(result)]
    if name == CENTROID:
        notes.append("FLATTERING: each centroid contains the utterance it is scored against")
    if protocol["heard_speakers"]:
        notes.append("NOT A FAIR TEST: the network has heard these speakers")
    if doubt := protocol_notes.doubtful_labels(protocol):
        notes.append(doubt)
    return f"EER {percent(protocol['eer'])}   {of_what}" + (f"   [{'; '.join(notes)}]" if notes else "")


def _left_out(result, protocol):
    """Trials and utterances that the figure does not hold."""
    utterances, skipped = result["utterances"], protocol.get("skipped", 0)
    if skipped:
        yield f"{skipped:,} of {protocol['targets'] + protocol['nontargets'] + skipped:,} trials skipped"
    if utterances["rejected"]:
        yield f"{utterances['rejected']:,} of {utterances['found']:,} utterances rejected"


def _interval(interval, drawn):
    if interval["reason"]:
        bound = interval.get("upper_bound")
        return f"no interval: {interval['reason']}" + (
            "" if bound is None else f"; below {percent(bound)} with 95 % confidence"
        )
    low, high = (f"{100 * interval[side]:.3f}" for side in ("low", "high"))
    speakers = f"bootstrap over {interval['speakers']:,} speakers"
    return f"95 % interval {low} to {high} %, {speakers}{', not over crops' if drawn else ''}"


def _min_dcf(protocol, prior):
    threshold = protocol["min_dcf_thresholds"][prior]
    where = "nothing accepted" if threshold is None else f"at {threshold:.4f}"
    return f"{protocol['min_dcf'][prior]:.4f} (p = {prior}, {where})"


def _operating_point(rate, point):
    if point["reason"]:
        return f"{100 * float(rate):g} %: {point['reason']}"
    return f"{100 * float(rate):g} %: miss {100 * point['miss']:.2f} % at {point['threshold']:.4f}"


def _durations(bins):
    """Errors at the threshold in each bin."""

    def share(value):
        return "-" if value is None else f"{100 * value:.2f}"

    for part in bins:
        seconds = f"{part['from']} to {part['to']} s" if part["to"] else f"from {part['from']} s"
        yield f"{seconds}: {share(part['miss'])} / {share(part['false_accept'])}"


def _protocol_lines(name, protocol, score, drawn):
    yield f"protocol {name}"
    rows = {
        "EER": f"{percent(protocol['eer'])} ({_interval(protocol['eer_interval'], drawn)})",
        "convex hull": f"EER {percent(protocol['eer_convex_hull'])}",
        "threshold": f"{protocol['threshold']:.6f} ({score}, at the EER)",
        "minDCF": ", ".join(_min_dcf(protocol, prior) for prior in protocol["min_dcf"]),
        "accepting": "of nontargets "
        + "; ".join(_operating_point(*item) for item in protocol["operating_points"].items()),
        "ROC-AUC": f"{protocol['roc_auc']:.6f}",
        "Cllr": f"{protocol['cllr']:.4f} of the scores as they are, {protocol['min_cllr']:.4f} at best (minCllr), bits",
        "trials": f"{protocol['targets']:,} target, {protocol['nontargets']:,} nontarget",
    }
    if name in CENTROID_NOTES:
        rows["note"] = CENTROID_NOTES[name]
        rows["utterances"] = f"{protocol['utterances']:,} of at most {protocol['max_duration']} s"
        if protocol.get("speakers_without_target"):
            rows["left out"] = f"target scores of {protocol['speakers_without_target']:,} speakers with one utterance"
    else:
        rows["list"] = f"{protocol['list'] or 'not one of VoxCeleb1'}, md5 {protocol['md5']}"
        rows["format"] = protocol["format"]
        matched = ", ".join(f"{count:,} by {kind}" for kind, count in protocol["matching"].items())
        rows["names"] = f"of utterances, found in the data set: {matched}"
        rows["skipped"] = f"{protocol['skipped']:,} trials that name missing utterances"
        rows["duplicates"] = f"{protocol['duplicates']:,} trials listed more than once"
        durations, speakers = protocol["conditions"]["duration"], protocol["conditions"]["speakers"]
        rows["durations"] = f"of the shorter side, miss / false accept in %: {', '.join(_durations(durations))}"
        worst = (f"{s['speaker']} {s['misses'] + s['false_accepts']:,} of {s['trials']:,}" for s in speakers[:3])
        rows["most errors"] = ", ".join(worst) or "none"
    yield from (f"  {key:<11} {value}" for key, value in rows.items())
    yield from (f"  {'WARNING':<11} {note}" for note in protocol["notes"])


def _speakers(facts):
    """Counts of the data set's speakers."""
    each = facts["utterances_per_speaker"]
    sessions = f" with {facts['sessions']:,} sessions" if facts["sessions"] else ""
    layout = f" (layout {facts['layout']})" if facts["layout"] else ""
    return (
        f"{facts['speakers']:,}{sessions}; utterances each: {each['minimum']:,} to {each['maximum']:,}, median "
        f"{each['median']:g}; such as {facts['example']}{layout}"
    )


def _noted(counts):
    return ", ".join(f"{count:,} {note}" for note, count in counts.items()) + " (results/utterances.tsv)"


def text(result: Result) -> str:
    """Whole text of ``eer_bs<N>.txt``."""
    engine, network, utterances = result["engine"], result["network"], result["utterances"]
    told = "as the engine reports" if engine["precision_from"] == "engine" else "as requested; the engine does not tell"
    lines = [headline(result)]
    for name, protocol in result["protocols"].items():
        score = "cosine" if name in CENTROID_NOTES else score_name(result["scoring"])
        lines += ["", *_protocol_lines(name, protocol, score, answer_network.places_are_drawn(result["features"]))]
    if result["centroid_left_out"]:
        lines += ["", f"protocol {CENTROID}: left out, {result['centroid_left_out']}"]
    reasons = ", ".join(f"{count} {reason}" for reason, count in utterances["reasons"].items())
    rows = {
        "data set": sentence.dataset(result),
        "utterances": f"{utterances['found']:,} found, {utterances['used']:,} used, {utterances['rejected']:,} rejected"
        + (f" ({reasons})" if reasons else ""),
        "speakers": _speakers(utterances),
        "converted": f"{utterances['resampled']:,} resampled, {utterances['mixed']:,} mixed to one channel",
        **({"noted": _noted(utterances["noted"])} if utterances["noted"] else {}),
        "engine": f"{engine['name']} ({', '.join(map(' '.join, engine['versions'].items()))})",
        "precision": f"{engine['precision']} ({told}; asked for: {engine['requested_precision']})",
        **answer_int8.rows(engine),
        "batch size": engine["batch_size"],
        "threads": engine["threads"],
        "network": answer_network.described(network),
        "features": answer_network.features(network, result["features"]),
        "crops": answer_network.crops(result["features"], engine),
        "fit": answer_network.fit(network),
        **answer_network.published(network),
        "checkpoint": f"{network['source']}, sha256 {network['checkpoint_sha256']}",
        "weights": network["weights"] + (f"; omitted: {', '.join(network['omitted'])}" if network["omitted"] else ""),
        "versions": ", ".join(f"{name} {version}" for name, version in result["versions"].items()),
        "code": result["code"],
        "to quote": f"\n{'':12}".join(textwrap.wrap(result["sentence"], 106, break_on_hyphens=False)),
    }
    lines += ["", *(f"{key:<11} {value}" for key, value in rows.items())]
    return "\n".join(lines) + "\n"
