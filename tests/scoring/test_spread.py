"""The spread over the crops' places: which settings it has, what it says of them, and where it is refused."""

import numpy as np
import pytest

from asv.errors import InputError
from asv.report import spread_document
from asv.scoring import lengths, metrics, spread
from asv.scoring.length_trials import Trials
from asv.scoring.protocols import Draws
from asv.snakefile import crop_spread, feature_sets
from asv.snakefile.config import check


def configured(**settings):
    config = check(settings)
    return config, feature_sets.of_config(config)


def test_every_number_of_crops_has_all_seeds_and_the_answers_features_are_among_them():
    config, own = configured(features={"crops": 3}, crop_spread={"seeds": [0, 4], "crops": [1, 3]})
    found = [(setting.crops["crops"], setting.crops["seed"]) for setting in crop_spread.grid(config, own)]
    assert found == [(1, 0), (1, 4), (3, 0), (3, 4)]
    keys = crop_spread.keys(config, own)
    assert len(set(keys)) == 4
    assert keys[2] == own.key
    config, own = configured(features={"crops": 3}, crop_spread={"seeds": [7, 0]})
    assert crop_spread.keys(config, own)[1] == own.key


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ({"frames": "whole"}, "features.frames: whole"),
        ({"placement": "even"}, "features.placement: even draws no places"),
    ],
)
def test_without_drawn_places_there_is_nothing_to_vary(features, message):
    config, own = configured(features=features)
    with pytest.raises(InputError, match=message):
        crop_spread.keys(config, own)


def test_a_row_has_the_figures_of_every_seed_and_their_spread(tmp_path):
    random = np.random.default_rng(0)
    targets, speakers = np.arange(400) % 4 == 0, np.arange(400) % 20
    scores = [random.normal(size=400) + 2 * targets for _ in range(3)]
    facts = {"frames": 200, "crops": 2, "frames_heard": 400.0}
    settings = [lengths.Setting(tmp_path, {**facts, "seed": seed}, {}, []) for seed in (0, 1, 5)]
    trials = Trials("list", targets, speakers, np.where(targets, speakers, (speakers + 7) % 20), {}, None)
    row = spread.row(settings, scores, trials, Draws(50), 0.01)
    eers = [metrics.equal_error_rate(metrics.error_rates(of_seed, targets))[0] for of_seed in scores]
    assert (row["seeds"], row["eers"], row["gflop"]) == ([0, 1, 5], eers, 4.0)
    assert row["eer"] == {
        "mean": pytest.approx(np.mean(eers)),
        "deviation": pytest.approx(np.std(eers, ddof=1)),
        "lowest": min(eers),
        "highest": max(eers),
    }
    assert row["interval"]["low"] < eers[0] < row["interval"]["high"]
    told = spread_document.sentence(row)
    assert told.startswith(f"2 crops of 200 frames: EER {100 * min(eers):.3f} to {100 * max(eers):.3f} % over 3 random")
    assert spread_document.printed({**row, "gflop": None, "interval": {"low": None}})[7] == "–"


def test_settings_are_put_together_by_their_number_of_crops(tmp_path):
    settings = [lengths.Setting(tmp_path, {"crops": crops}, {}, []) for crops in (1, 5, 1)]
    assert spread.by_crops(settings) == {1: [settings[0], settings[2]], 5: [settings[1]]}
