"""How often the accuracy gate decides rightly: the table of docs/metrics.md.

    python measurements/gate_decisions.py                                  # some minutes
    python measurements/gate_decisions.py --speakers 20 --sets 20          # a glance

Simulated trials of speakers who differ in how easily they are recognised and imitated. The engine's scores differ from
the reference's by chance, as rounding does, and its true EER is the reference's, or above it by the limit or a multiple
of it. Both true EERs are known by formula.
"""

from __future__ import annotations

import argparse
from collections import Counter
from statistics import NormalDist

import numpy as np
from shared import table

from asv.errors import InputError
from asv.scoring import bootstrap, gate, metrics

NORMAL = NormalDist()
MEAN, TARGET_SPREAD, NONTARGET_SPREAD = 4.0, 0.7, 0.4  # of a target's score; of the speakers' effects
SCALE = np.hypot(1, TARGET_SPREAD) + np.sqrt(1 + 2 * NONTARGET_SPREAD**2)
TRUTH = NORMAL.cdf(-MEAN / SCALE)  # the reference's EER
LIMIT = 0.002
VERDICTS = (gate.PASS, gate.UNDECIDED, gate.FAIL)


def simulate(random, speakers, trials, noise, increase):
    """Trials of a random sample of speakers by the reference and by an engine.

    Args:
        random: NumPy's generator.
        speakers: their number.
        trials: target trials, and nontarget trials, of each speaker.
        noise: what the engine adds by chance, in standard deviations of a trial's own part of a score.
        increase: of the engine's true EER over the reference's.

    Returns:
        scores of the reference and of the engine, targets, and the speakers of both sides.
    """
    ease, likeness = TARGET_SPREAD * random.normal(size=speakers), NONTARGET_SPREAD * random.normal(size=speakers)
    first = np.repeat(np.arange(speakers), trials)
    other = (first + random.integers(1, speakers, size=len(first))) % speakers
    targets = np.arange(2 * len(first)) < len(first)
    lowered = MEAN + NORMAL.inv_cdf(TRUTH + increase) * SCALE  # by how much fewer targets are recognised
    effect = np.append(MEAN + ease[first], likeness[first] + likeness[other])
    own, added = random.normal(size=(2, len(targets)))
    ours = effect - lowered * targets + np.sqrt(1 - noise**2) * own + noise * added  # of the same spread
    return effect + own, ours, targets, np.append(first, first), np.append(first, other)


def judged(trials, replicates, seed):
    """The gate's verdict on simulated trials, and how many speakers it says would settle it."""
    reference, ours, targets, *_ = trials
    rates = [metrics.equal_error_rate(metrics.error_rates(scores, targets))[0] for scores in (reference, ours)]
    change = {"difference": rates[1] - rates[0], "low": None, "high": None, "speakers": None, "reason": "no interval"}
    change["sides_changed"] = bootstrap.sides_changed(reference, ours, targets)
    try:
        found = bootstrap.paired_differences(*trials, replicates, seed)
        change |= {"low": found.eer.low, "high": found.eer.high, "speakers": found.speakers}
    except InputError as error:
        change["reason"] = str(error)
    return gate.judge(change, LIMIT)


def decisions(speakers, noise, increase, sets, trials, replicates):
    """How often each verdict was given, a Counter, over sets that are the same in every call."""
    found = Counter()
    for seed in range(sets):
        random = np.random.default_rng([13, speakers, seed])
        found[judged(simulate(random, speakers, trials, noise, increase), replicates, seed).verdict] += 1
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speakers", type=int, nargs="+", default=[20, 40, 100, 300])
    parser.add_argument("--noises", type=float, nargs="+", default=[0.02, 0.1])
    parser.add_argument("--increases", type=float, nargs="+", default=[0, LIMIT, 3 * LIMIT], help="of the true EER")
    parser.add_argument("--sets", type=int, default=200)
    parser.add_argument("--trials", type=int, default=20, help="targets, and nontargets, of each speaker")
    parser.add_argument("--replicates", type=int, default=200)
    options = parser.parse_args()
    rows = []
    for noise in options.noises:
        for increase in options.increases:
            for speakers in options.speakers:
                found = decisions(speakers, noise, increase, options.sets, options.trials, options.replicates)
                shares = [f"{found[verdict] / options.sets:.1%}" for verdict in VERDICTS]
                rows.append((noise, f"{100 * increase:g}", speakers, *shares))
                print(*rows[-1], flush=True)
    print(f"\nReference: EER {TRUTH:.2%}; limit {100 * LIMIT:g} points; {options.sets} sets each.\n")
    table(("noise", "true increase, points", "speakers", *VERDICTS), rows)


if __name__ == "__main__":
    main()
