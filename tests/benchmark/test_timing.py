"""Timing: when a run ends, what is counted, and which percentiles are told."""

import numpy as np
import pytest

from asv.benchmark import timing


class Clock:
    """A clock that advances by what each batch is said to take."""

    def __init__(self, monkeypatch, durations):
        self.now, self.durations, self.batches = 0.0, iter(durations), []
        monkeypatch.setattr(timing.time, "perf_counter", lambda: self.now)

    def run(self, batch):
        self.batches.append(batch)
        self.now += next(self.durations)


def forever(*values):
    while True:
        yield from values


def test_a_run_lasts_until_both_minima_are_met(monkeypatch):
    clock = Clock(monkeypatch, forever(0.25))
    seconds, times = timing.timed_run(clock.run, ["a", "b", "c"], seconds=1.0, count=2)
    assert (seconds, len(times)) == (1.0, 4)
    assert clock.batches == ["a", "b", "c", "a"]
    seconds, times = timing.timed_run(clock.run, ["a"], seconds=1.0, count=10)
    assert (seconds, len(times)) == (2.5, 10)


def test_warm_up_lasts_until_times_are_stable(monkeypatch):
    clock = Clock(monkeypatch, [*(1.0 / 2**i for i in range(20)), *[1e-3] * 20])
    count, _, stable = timing.warm_up(clock.run, ["a"])
    assert stable
    assert count >= 20  # while times halve they are not stable


def test_warm_up_ends_for_an_engine_that_never_is_stable(monkeypatch):
    clock = Clock(monkeypatch, (0.1 * 1.2**i for i in range(1000)))
    _, seconds, stable = timing.warm_up(clock.run, ["a"])
    assert not stable
    assert seconds >= timing.LONGEST_WARM_UP


def test_summary_by_hand():
    found = timing.summary([(2.0, [0.5, 1.0]), (4.0, [1.0, 1.0]), (1.0, [0.5, 0.25])], batch_size=8)
    assert found["throughput_runs"] == [8.0, 4.0, 16.0]
    assert found["throughput"] == 8.0
    assert found["engine_throughput"] == pytest.approx(16 / 1.5)
    assert found["latency_mean_ms"] == pytest.approx(1e3 * 4.25 / 6)
    assert found["batches"] == 6
    assert found["latency_p50_ms"] is None


@pytest.mark.parametrize(("percent", "count"), [(50, 11), (90, 64), (99, 662)])
def test_percentiles_need_support(percent, count):
    times = list(np.linspace(0, 1, count))
    assert timing.percentile(times, percent) == pytest.approx(percent / 100)
    assert timing.percentile(times[1:], percent) is None


@pytest.mark.parametrize(("rows", "batch_size", "count"), [(300, 64, 5), (5, 64, 1), (5, 300, 1), (256, 1, 256)])
def test_batches_of_noise(rows, batch_size, count):
    batches = timing.batches_of_noise((2, 3), batch_size, rows)
    assert [batch.shape for batch in batches] == [(batch_size, 2, 3)] * count
    assert all(batch.flags.c_contiguous and batch.dtype == np.float32 for batch in batches)
    assert len({batch.tobytes() for batch in batches}) == count
    again = timing.batches_of_noise((2, 3), batch_size, rows)
    assert all(np.array_equal(one, two) for one, two in zip(batches, again))


class Engine:
    """A session for both ways of measuring: each batch takes 0.25 s of a clock, or 0.1 s in flight."""

    in_flight = 2

    def __init__(self, clock, parts=None):
        self.clock = clock
        if parts:
            self.seconds = parts

    def run(self, batch):
        self.clock.now += 0.25

    def run_all(self, batches):
        self.clock.batches += batches
        self.clock.now += 0.1 * len(batches)


BATCHES = [np.zeros((4, 2, 3), np.float32)] * 2


class Around:
    entered = 0

    def __enter__(self):
        self.entered += 1

    def __exit__(self, *exception):
        pass


@pytest.mark.parametrize("parts", [None, {"to_device": 0.05, "compute": 0.1, "from_device": 0.1}])
def test_one_batch_after_another(monkeypatch, parts):
    engine, around = Engine(Clock(monkeypatch, ()), parts), Around()
    found = timing.measure_one_by_one(engine, BATCHES, seconds=1.0, count=6, runs=3, around=around)
    assert found["throughput_runs"] == [16.0] * 3
    assert found["batches"] == 18  # those of the runs alone
    assert found["warm_up"] == {"batches": 10, "seconds": 2.5, "stable": True}
    assert found["compute_ms"] == (parts and pytest.approx(100.0))
    assert around.entered == 3


def test_several_in_flight(monkeypatch):
    clock, around = Clock(monkeypatch, ()), Around()
    found = timing.measure_in_flight(Engine(clock), BATCHES, seconds=1.0, count=6, runs=2, latency=0.125, around=around)
    assert found["throughput"] == pytest.approx(40.0)
    assert len(clock.batches) == 4 + 2 * 8  # a warm-up of twice as many as are in flight, and the runs
    assert found["in_flight"] == 2
    assert around.entered == 2


def test_in_flight_has_enough_batches_whatever_the_latency(monkeypatch):
    clock = Clock(monkeypatch, ())
    timing.measure_in_flight(Engine(clock), BATCHES, seconds=0.01, count=1, runs=1, latency=10, around=Around())
    assert len(clock.batches) == 4 + 4
