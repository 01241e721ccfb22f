"""Contracts of any kind, small ones, for property tests."""

from hypothesis import strategies as st

from asv.features.contract import Contract


@st.composite
def contracts(draw, **fixed):
    """Any valid contract with short frames; fields in ``fixed`` are as given and must go together with all others."""

    def one_of(*values):
        return draw(st.sampled_from(values))

    n_fft = 2 * draw(st.integers(4, 32))
    win_length = one_of(n_fft, draw(st.integers(2, n_fft)))
    edges = one_of("reflect", "zeros", "snip")
    over = one_of("none", "frame", "signal_reflected", "signal_kept")
    mel = one_of("htk", "slaney", "kaldi", "speechbrain")
    log = one_of("none", "ln", "db")
    window = one_of("hann", "hamming", "povey")
    subtract_mean = draw(st.booleans())
    deviation = one_of("none", "unbiased", "biased", "instance_norm") if subtract_mean else "none"
    values = {
        "sample_rate": one_of(8000, 16000, 44100),
        "volume": one_of(None, -30.0, -6.5),
        "scale": one_of(1.0, 32768.0),
        "preemphasis": one_of(0.97, 0.5) if over != "none" else 0.0,
        "preemphasis_over": over,
        "edges": edges,
        "drop_last": edges != "snip" and draw(st.booleans()),
        "remove_dc": draw(st.booleans()),
        "window": window,
        "window_periodic": window != "povey" and draw(st.booleans()),
        "win_length": win_length,
        "n_fft": n_fft,
        "window_placement": one_of("left", "centre") if edges == "snip" else "centre",
        "hop_length": draw(st.integers(2, 40)),
        "power": one_of(1, 2),
        "mel": mel,
        "mel_area_norm": mel in ("htk", "slaney") and draw(st.booleans()),
        "n_mels": draw(st.integers(1, 4)),
        "f_min": one_of(0.0, 20.0, 300.0),
        "f_max": one_of(3800.0, 4000.0),
        "log": log,
        "floor": 0.0 if log == "none" else one_of(1e-10, 1e-5, 1.0),
        "floor_rule": "clamp" if log == "none" else one_of("clamp", "add"),
        "top_db": one_of(None, 10.0, 80.0) if log == "db" else None,
        "cut": one_of("frames", "wave"),
        "subtract_mean": subtract_mean,
        "deviation": deviation,
        "deviation_eps": 0.0 if deviation == "none" else 1e-5,
        "gain": one_of(1.0, 1 / 6, -2.0),
        "offset": one_of(0.0, 1.0),
    }
    return Contract(**{**values, **fixed})
