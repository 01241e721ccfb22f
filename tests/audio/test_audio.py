"""Audio that nobody has checked: what is rejected and why, and that what is accepted is read rightly."""

import random
import struct
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from support.scripts import assert_one_error, run_script, sine, unless_root, write_sound
from support.synthetic import write_score_inputs

from asv import files
from asv.audio.reading import Audio, AudioError, AudioRules, read_audio
from asv.dataset.shards import shard_files
from asv.dataset.tree import find_speakers
from asv.features import extraction, front_ends, manifest
from asv.features.contract import Contract
from asv.features.crops import crop_starts, repeat_to
from asv.features.npy import CropWriter, RowWriter, open_rows

RATE = 16000


def rejected(path, rules=None):
    """The error that a file is rejected with."""
    with pytest.raises(AudioError) as caught:
        read_audio(path, rules or AudioRules())
    return caught.value


def pitch(samples, rate=RATE):
    """Frequency of the highest peak of the spectrum, hertz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return np.argmax(spectrum) * rate / len(samples)


# Damaged files


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.999])
def test_wav_with_its_data_cut_is_truncated(tmp_path, kept):
    path = write_sound(tmp_path / "a.wav")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    error = rejected(path)
    assert error.reason == "truncated"
    assert f"{len(content) - int(len(content) * kept)} bytes" in error.detail
    assert "fetch the file again" in error.detail


def test_wav_cut_behind_its_header_is_truncated_rather_than_empty(tmp_path):
    path = write_sound(tmp_path / "a.wav")
    path.write_bytes(path.read_bytes()[:44])
    assert rejected(path).reason == "truncated"


def test_truncation_is_told_before_what_follows_from_it(tmp_path):
    """A cut file is not 'too short': a longer minimum would be the wrong remedy."""
    path = write_sound(tmp_path / "a.wav")
    path.write_bytes(path.read_bytes()[:200])
    assert rejected(path).reason == "truncated"


def test_wav_of_an_extensible_header_and_extra_chunks_is_checked_for_truncation(tmp_path):
    path = write_sound(tmp_path / "a.wav", format="WAVEX", subtype="PCM_24")
    content = path.read_bytes()
    with_chunk = content[:12] + b"junk" + struct.pack("<I", 3) + b"abc\0" + content[12:]
    path.write_bytes(with_chunk)
    assert len(read_audio(path, AudioRules()).samples) == 8000
    path.write_bytes(with_chunk[:-10])
    assert rejected(path).reason == "truncated"


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.95])
def test_flac_cut_short_is_rejected(tmp_path, kept):
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 40000)
    path = write_sound(tmp_path / "a.flac", noise)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    error = rejected(path)
    assert error.reason in ("truncated", "unreadable")
    assert "again" in error.detail


def test_flac_with_a_damaged_frame_is_rejected(tmp_path):
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 40000)
    path = write_sound(tmp_path / "a.flac", noise)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 50] = bytes(50)
    path.write_bytes(content)
    assert rejected(path).reason in ("truncated", "unreadable")


def test_flac_of_unknown_length_is_read_and_noted(tmp_path):
    """What an encoder writes that cannot seek back to its header."""
    path = write_sound(tmp_path / "a.flac")
    content = bytearray(path.read_bytes())
    assert content[:4] == b"fLaC"
    content[21] &= 0xF0  # the 36 bits of the number of samples
    content[22:26] = bytes(4)
    path.write_bytes(content)
    assert read_audio(path, AudioRules()).notes == ("header without length",)


@pytest.mark.parametrize("suffix", ["wav", "flac"])
@pytest.mark.parametrize(
    "content",
    [b"", b"R", b"RIFF", b"RIFF\0\0\0\0WAVE", b"fLaC", b"this is not audio\n" * 50, b"<html>404 Not Found</html>"],
    ids=["empty", "one byte", "RIFF", "WAVE", "fLaC", "text", "html"],
)
def test_what_is_not_audio_is_unreadable(tmp_path, content, suffix):
    """What it is instead is named: see test_containers.py."""
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(content)
    error = rejected(path)
    assert error.reason == "unreadable"
    assert "fetch the" in error.detail
    assert "remove it" not in error.detail


def test_header_without_samples_is_called_empty(tmp_path):
    error = rejected(write_sound(tmp_path / "a.wav", np.zeros(0)))
    assert (error.reason, "or remove it" in error.detail) == ("empty", True)
    flac = write_sound(tmp_path / "a.flac").read_bytes()
    streaminfo = bytearray(flac[:42])
    streaminfo[4] |= 128  # the last block of metadata
    streaminfo[21] &= 0xF0
    streaminfo[22:26] = bytes(4)
    (tmp_path / "a.flac").write_bytes(streaminfo)
    assert rejected(tmp_path / "a.flac").reason == "empty"


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_random_damage_never_ends_in_anything_but_a_reason(tmp_path, suffix):
    """200 files with flipped, cut and repeated bytes: a rejection or samples, never another exception."""
    good = write_sound(tmp_path / f"good.{suffix}", np.random.default_rng(1).uniform(-0.9, 0.9, 1600)).read_bytes()
    dice = random.Random(2)
    accepted, errors = 0, []
    for _ in range(200):
        content = bytearray(good)
        for _ in range(dice.choice((1, 3, 20))):
            place = dice.randrange(min(len(content), 60)) if dice.random() < 0.7 else dice.randrange(len(content))
            content[place] = dice.randrange(256)
        if dice.random() < 0.3:
            del content[dice.randrange(len(content)) :]
        path = tmp_path / f"bad.{suffix}"
        path.write_bytes(content)
        try:
            audio = read_audio(path, AudioRules(resample="any"))
            assert np.isfinite(audio.samples).all()
            accepted += 1
        except AudioError as error:
            errors.append(str(error))
    assert accepted
    assert errors
    assert not any(character in error for error in errors for character in "\t\n\r")  # they go into a table


def test_header_that_claims_a_huge_file_is_not_given_memory(tmp_path):
    """655 kHz, 8 channels and half an hour in 10 kB: under the limit of an hour, but 38 GB once decoded."""
    path = write_sound(tmp_path / "a.flac", np.zeros((1000, 8)), 655350)
    content = bytearray(path.read_bytes())
    claimed = 655350 * 1800
    content[21] = content[21] & 0xF0 | claimed >> 32
    content[22:26] = struct.pack(">I", claimed & 0xFFFFFFFF)
    path.write_bytes(content)
    with soundfile.SoundFile(path) as stream:
        assert stream.frames == claimed
    assert rejected(path).reason == "too long"


def test_missing_file_is_unreadable(tmp_path):
    error = rejected(tmp_path / "a.wav")
    assert (error.reason, "No such file" in error.detail) == ("unreadable", True)


@unless_root
def test_file_without_permission_tells_so(tmp_path):
    path = write_sound(tmp_path / "a.wav")
    path.chmod(0)
    error = rejected(path)
    assert error.reason == "unreadable"
    assert "Permission denied" in error.detail
    assert "permissions" in error.detail


@pytest.mark.parametrize(
    "kind",
    [{"format": "MP3"}, {"format": "OGG"}, {"subtype": "GSM610"}, {"subtype": "IMA_ADPCM"}],
    ids=["mp3", "ogg", "gsm", "adpcm"],
)
def test_other_content_under_the_name_of_a_wav_is_a_matter_of_format(tmp_path, kind):
    error = rejected(write_sound(tmp_path / "a.wav", **kind))
    assert error.reason == "format"
    assert next(iter(kind.values())).lower() in error.detail.lower()
    assert "convert it to 16 kHz wav or flac: mv" in error.detail


# Strange samples


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_one_sample_that_is_not_finite_rejects_the_file(tmp_path, value):
    samples = sine(0.5)
    samples[4321] = value
    error = rejected(write_sound(tmp_path / "a.wav", samples, subtype="FLOAT"))
    assert error.reason == "not finite"
    assert "convert the file again" in error.detail


def test_double_beyond_float32_is_not_finite(tmp_path):
    samples = sine(0.5)
    samples[4321] = 1e300
    assert rejected(write_sound(tmp_path / "a.wav", samples, subtype="DOUBLE")).reason == "not finite"


@pytest.mark.parametrize(
    ("value", "factor"),
    [
        *((1.4126, "1/1.4126"), (-2.0, "1/2 "), (100.0, "1/100 "), (129.0, "1/32768 "), (-32768.0, "1/32768 ")),
        *((2.0**22, "1/8388608 "), (-(2.0**31), "1/2147483648 "), (1e30, "1/1.00000002e+30")),
    ],
)
def test_float_of_another_scale_is_out_of_range(tmp_path, value, factor):
    samples = sine(0.5)
    samples[7] = value
    error = rejected(write_sound(tmp_path / "a.wav", samples, subtype="FLOAT"))
    assert error.reason == "out of range"
    assert f"{abs(np.float32(value)):g}" in error.detail
    assert f"scale the file: mv {tmp_path}/a.wav" in error.detail
    assert f"-af volume={factor}" in error.detail


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
@pytest.mark.parametrize("value", [1.0000001, 1.0008, -1.0008, 1.4125])
def test_a_small_overshoot_is_taken_as_it_is_and_noted(tmp_path, value, subtype):
    """What a resampler or a lossy decoder adds to audio of full scale; up to 3 dB."""
    samples = sine(0.5)
    samples[7] = value
    audio = read_audio(write_sound(tmp_path / "a.wav", samples, subtype=subtype), AudioRules())
    np.testing.assert_array_equal(audio.samples, samples.astype(np.float32))
    assert audio.notes == ("peak above 1",)


def test_float_of_exactly_one_is_accepted(tmp_path):
    samples = sine(0.5)
    samples[:2] = 1, -1
    read = read_audio(write_sound(tmp_path / "a.wav", samples, subtype="FLOAT"), AudioRules()).samples
    np.testing.assert_array_equal(read[:2], [1, -1])
    assert read_audio(tmp_path / "a.wav", AudioRules()).notes == ()


def test_silence_is_rejected(tmp_path):
    error = rejected(write_sound(tmp_path / "a.wav", np.zeros(8000)))
    assert error.reason == "silent"
    assert "convert the file again" in error.detail


def test_channels_that_cancel_each_other_are_silent(tmp_path):
    path = write_sound(tmp_path / "a.wav", np.stack((sine(0.5), -sine(0.5)), axis=1), subtype="FLOAT")
    assert rejected(path).reason == "silent"


# Formats


def test_int16_is_scaled_by_exactly_32768(tmp_path):
    values = np.array([-32768, -32767, -1, 0, 1, 2, 12345, 32767] * 1000, np.int16)
    read = read_audio(write_sound(tmp_path / "a.wav", values), AudioRules())
    assert read.samples.dtype == np.float32
    np.testing.assert_array_equal(read.samples, values.astype(np.float64) / 32768)


@pytest.mark.parametrize(
    ("suffix", "subtype", "step"),
    [
        *(("wav", "PCM_24", 0), ("wav", "PCM_32", 0), ("wav", "FLOAT", 0), ("wav", "DOUBLE", 0)),
        *(("wav", "PCM_U8", 2**-7), ("wav", "ULAW", 2**-5), ("wav", "ALAW", 2**-5)),
        *(("flac", "PCM_16", 0), ("flac", "PCM_24", 0)),
    ],
)
def test_other_encodings_give_the_same_samples_within_quantisation(tmp_path, suffix, subtype, step):
    values = np.round(sine(0.5) * 32768).astype(np.int16)
    wanted = read_audio(write_sound(tmp_path / "a.wav", values), AudioRules()).samples
    # libsndfile shifts integers between integer encodings, and scales them by 1 in floating-point ones.
    source = values if subtype.startswith("PCM") else values / 32768
    read = read_audio(write_sound(tmp_path / f"b.{suffix}", source, subtype=subtype), AudioRules()).samples
    np.testing.assert_allclose(read, wanted, rtol=0, atol=step)


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFF000], ids=["ffmpeg", "sox"])
def test_wav_from_a_pipe_is_read_to_its_end(tmp_path, size):
    """Programs that cannot seek back leave a placeholder as the length."""
    path = write_sound(tmp_path / "a.wav")
    wanted = read_audio(path, AudioRules()).samples
    content = bytearray(path.read_bytes())
    assert content[36:40] == b"data"
    content[4:8] = struct.pack("<I", min(size + 36, 0xFFFFFFFF))
    content[40:44] = struct.pack("<I", size)
    path.write_bytes(content)
    np.testing.assert_array_equal(read_audio(path, AudioRules()).samples, wanted)


def test_stereo_is_mixed_to_the_mean(tmp_path):
    left, right = sine(0.5, hertz=300), sine(0.5, hertz=500)
    read = read_audio(write_sound(tmp_path / "a.wav", np.stack((left, right), axis=1), subtype="FLOAT"), AudioRules())
    np.testing.assert_allclose(read.samples, (left + right) / 2, atol=1e-6)
    assert read.channels == 2


@pytest.mark.parametrize(("channels", "rule"), [(2, "reject"), (9, "mix")])
def test_too_many_channels_are_rejected_with_their_number(tmp_path, channels, rule):
    path = write_sound(tmp_path / "a.wav", np.stack([sine(0.5)] * channels, axis=1))
    error = rejected(path, AudioRules(channels=rule))
    assert error.reason == "channels"
    assert f"{channels} channels" in error.detail
    assert "mix" in error.detail


def test_mono_passes_where_channels_are_rejected(tmp_path):
    assert read_audio(write_sound(tmp_path / "a.wav"), AudioRules(channels="reject")).channels == 1


# Sample rates


@pytest.mark.parametrize(
    ("rate", "rule", "accepted"),
    [
        *((8000, "down", False), (8000, "never", False), (8000, "any", True), (16000, "never", True)),
        *((44100, "down", True), (44100, "never", False), (48000, "down", True), (48000, "never", False)),
    ],
)
def test_rule_of_the_sample_rate(tmp_path, rate, rule, accepted):
    path = write_sound(tmp_path / "a.wav", sine(0.5, rate), rate)
    if accepted:
        read = read_audio(path, AudioRules(resample=rule))
        assert (read.sample_rate, read.duration, len(read.samples)) == (rate, 0.5, 8000)
    else:
        error = rejected(path, AudioRules(resample=rule))
        assert error.reason == "sample rate"
        assert f"{rate} Hz" in error.detail
        assert f"dataset.resample is {rule}" in error.detail


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_sine_keeps_its_frequency_and_its_height(tmp_path, rate):
    path = write_sound(tmp_path / "a.wav", sine(1, rate, 1000), rate)
    samples = read_audio(path, AudioRules(resample="any")).samples
    assert len(samples) == RATE
    assert pitch(samples) == pytest.approx(1000, abs=1)
    inner = samples[1000:-1000]
    np.testing.assert_allclose(inner, sine(1, RATE, 1000)[1000:-1000], atol=2e-2)


def test_resampling_down_leaves_no_alias(tmp_path):
    """12 kHz at 48 kHz would fold to 4 kHz at 16 kHz."""
    path = write_sound(tmp_path / "a.wav", sine(1, 48000, 12000), 48000)
    assert np.abs(read_audio(path, AudioRules()).samples[1000:-1000]).max() < 5e-3


@pytest.mark.parametrize("rate", [16001, 44101, 192001])
def test_rate_whose_filter_would_fill_the_memory_is_rejected(tmp_path, rate):
    error = rejected(write_sound(tmp_path / "a.wav", sine(0.2, rate), rate))
    assert error.reason == "sample rate"
    assert f"{rate} Hz is too odd a rate" in error.detail
    assert "resample the file" in error.detail


# Durations


@pytest.mark.parametrize(
    ("seconds", "reason"), [(0.09, "too short"), (0.1, None), (1, None), (2, None), (2.001, "too long")]
)
def test_limits_of_the_duration_are_inclusive(tmp_path, seconds, reason):
    path = write_sound(tmp_path / "a.wav", sine(seconds))
    rules = AudioRules(min_duration=0.1, max_duration=2)
    if reason is None:
        assert read_audio(path, rules).duration == seconds
    else:
        error = rejected(path, rules)
        assert error.reason == reason
        assert f"{seconds:.3f} s" in error.detail
        assert "dataset.min_duration" in error.detail or "dataset.max_duration" in error.detail


def test_no_limit_on_the_duration_unless_asked_for(tmp_path):
    assert read_audio(write_sound(tmp_path / "a.wav", sine(25)), AudioRules()).duration == 25


# Crops and rows


def test_crop_starts_fill_the_room_and_nothing_beyond():
    starts = {crop_starts(f"a/b/{i}.wav", 203, 200, 1, 0)[0] for i in range(200)}
    assert starts == {0, 1, 2, 3}


def test_crop_of_exactly_its_length_starts_at_zero():
    assert crop_starts("a/b/c.wav", 200, 200, 3, 7) == [0, 0, 0]


def test_crops_depend_on_name_seed_and_index_alone():
    first = crop_starts("a/b/c.wav", 100000, 200, 3, 0)
    assert first == crop_starts("a/b/c.wav", 100000, 200, 5, 0)[:3]
    assert len({*first, *crop_starts("a/b/c.wav", 100000, 200, 3, 1), *crop_starts("a/b/d.wav", 100000, 200, 3, 0)}) > 6


def test_repeating_starts_over_and_never_cuts():
    np.testing.assert_array_equal(repeat_to(np.array([1, 2, 3]), 8), [1, 2, 3, 1, 2, 3, 1, 2])
    np.testing.assert_array_equal(repeat_to(np.array([1, 2, 3]), 2), [1, 2, 3])


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_rows_are_mapped_as_numpy_reads_them(tmp_path, rows):
    path = tmp_path / "rows.npy"
    wanted = np.random.default_rng(0).random((rows, 3, 4), np.float32)
    with path.open("wb") as stream:
        writer = RowWriter(stream, (3, 4))
        for row in wanted:
            writer.append(row)
        writer.close()
    for read in (np.load(path), open_rows(path)):
        assert read.dtype == np.float32
        np.testing.assert_array_equal(read, wanted)


@pytest.mark.parametrize("row", [np.zeros((3, 5), np.float32), np.zeros((3, 4))], ids=["shape", "float64"])
def test_row_of_another_kind_is_refused(tmp_path, row):
    with (tmp_path / "rows.npy").open("wb") as stream, pytest.raises(ValueError, match=r"expected float32 \(3, 4\)"):
        RowWriter(stream, (3, 4)).append(row)


# The stage


def extract(root, folder, *options):
    """Run the stage on one shard; returns its outcome."""
    kinds = ("features.npy", "manifest.tsv", "rejected.tsv", "features.json", "lengths.npy")
    outputs = {name: folder / name for name in kinds}
    names = dict(zip(("--output", "--manifest", "--rejected", "--sidecar", "--lengths"), outputs.values()))
    arguments = [part for pair in names.items() for part in pair]
    return run_script("extract_features.py", "--root", root, *arguments, *options)


@pytest.fixture(scope="module")
def bad_and_good(tmp_path_factory):
    """A tree with one utterance of each kind, and what the stage made of it."""
    folder = tmp_path_factory.mktemp("stage")
    speaker = folder / "wavs" / "id1"
    write_sound(speaker / "s1" / "frames-199.wav", sine(0.01 * 198))
    write_sound(speaker / "s1" / "frames-200.wav", sine(0.01 * 199))
    write_sound(speaker / "s1" / "frames-201.wav", sine(0.01 * 200))
    write_sound(speaker / "s2" / "frames-200.wav", sine(0.01 * 199, hertz=600))
    write_sound(speaker / "s2" / "tenth.wav", sine(0.1))
    write_sound(speaker / "s2" / "long.wav", sine(25))
    write_sound(speaker / "s2" / "flac.flac")
    write_sound(speaker / "s2" / "Größe 1 é.WAV", format="WAV")
    write_sound(speaker / "s3" / "short.wav", sine(0.05))
    write_sound(speaker / "s3" / "silent.wav", np.zeros(8000))
    write_sound(speaker / "s3" / "slow.wav", sine(1, 8000), 8000)
    write_sound(speaker / "s3" / "fast.wav", sine(3, 48000), 48000)
    write_sound(speaker / "s3" / "loud.wav", sine(2.5, amplitude=1.01), subtype="FLOAT")
    write_sound(speaker / "s3" / "sphere.sph", sine(2.5), format="NIST")
    (speaker / "s3" / "phone.m4a").write_bytes(b"\0\0\0\x20ftypM4A ")
    (speaker / "s3" / "empty.wav").write_bytes(b"")
    (speaker / "s3" / "text.wav").write_text("not audio\n")
    outcome = extract(folder / "wavs", folder)
    assert outcome[0] == 0, outcome[1]
    return folder, outcome[1]


def test_stage_accounts_for_every_file(bad_and_good):
    folder, stderr = bad_and_good
    used = [row.utterance for row in manifest.read_utterances(folder / "manifest.tsv")]
    rejected = {row.utterance: row.reason for row in manifest.read_rejected(folder / "rejected.tsv")}
    assert rejected == {
        "id1/s3/short.wav": "too short",
        "id1/s3/silent.wav": "silent",
        "id1/s3/slow.wav": "sample rate",
        "id1/s3/phone.wav": "format",
        "id1/s3/empty.wav": "unreadable",
        "id1/s3/text.wav": "unreadable",
    }
    assert used == sorted(
        [f"id1/s1/frames-{n}.wav" for n in (199, 200, 201)]
        + [f"id1/s2/{name}.wav" for name in ("Größe 1 é", "flac", "frames-200", "long", "tenth")]
        + [f"id1/s3/{name}.wav" for name in ("fast", "loud", "sphere")]
    )
    assert "17 files found, 11 used, 6 rejected" in stderr


def test_stage_writes_rows_in_the_order_of_the_manifest(bad_and_good):
    folder, _ = bad_and_good
    rows = manifest.read_utterances(folder / "manifest.tsv")
    features = np.load(folder / "features.npy", mmap_mode="r")
    assert features.dtype == np.float32
    assert features.shape == (len(rows), 80, 200)
    assert np.isfinite(features).all()
    place = {row.utterance: index for index, row in enumerate(rows)}
    # Equal file names in different folders are different utterances, 440 and 600 Hz.
    low, high = (features[place[f"id1/{s}/frames-200.wav"]].mean(axis=1).argmax() for s in ("s1", "s2"))
    assert low < high
    # A sine at 48 kHz is that sine at 16 kHz.
    fast, slow = (features[place[f"id1/{name}.wav"]].mean(axis=1).argmax() for name in ("s3/fast", "s2/long"))
    assert fast == slow


def test_stage_records_what_a_file_was_before_conversion(bad_and_good):
    folder, _ = bad_and_good
    rows = {row.utterance: row for row in manifest.read_utterances(folder / "manifest.tsv")}
    fast, flac = rows["id1/s3/fast.wav"], rows["id1/s2/flac.wav"]
    assert (fast.sample_rate, fast.duration, fast.channels) == (48000, 3.0, 1)
    assert {name: row.notes for name, row in rows.items() if row.notes} == {"id1/s3/loud.wav": "peak above 1"}
    assert (flac.file, flac.speaker, flac.session) == ("id1/s2/flac.flac", "id1", "s2")
    assert files.read_json(folder / "features.json")["shape"] == [80, 200]


def test_rejections_name_a_remedy(bad_and_good):
    folder, _ = bad_and_good
    detail = {row.file: row.detail for row in manifest.read_rejected(folder / "rejected.tsv")}
    source = f"{folder}/wavs/id1/s3/phone"
    assert detail["id1/s3/phone.m4a"] == (
        f".m4a is not read; convert it to 16 kHz wav or flac: ffmpeg -i {source}.m4a -ac 1 -ar 16000 {source}.wav"
        f" && mv {source}.m4a {source}.m4a.orig"
    )
    assert "dataset.min_duration is 0.1 s" in detail["id1/s3/short.wav"]
    assert "dataset.resample: any" in detail["id1/s3/slow.wav"]


def test_shard_of_rejected_files_alone_still_gives_readable_rows(tmp_path):
    write_sound(tmp_path / "wavs" / "id1" / "s" / "a.wav", sine(0.05))
    code, stderr = extract(tmp_path / "wavs", tmp_path, "--short", "reject")
    assert code == 0, stderr
    for features in (np.load(tmp_path / "features.npy"), open_rows(tmp_path / "features.npy")):
        assert features.shape == (0, 80, 200)
        assert features.dtype == np.float32
    assert manifest.read_utterances(tmp_path / "manifest.tsv") == []
    assert [row.reason for row in manifest.read_rejected(tmp_path / "rejected.tsv")] == ["too short"]


@pytest.mark.parametrize("shard", ["1", "2-of-2", "a-of-b", "0-of-0", "-1-of-2"])
def test_shard_that_does_not_exist_is_refused(tmp_path, shard):
    write_sound(tmp_path / "wavs" / "id1" / "s" / "a.wav")
    outcome = extract(tmp_path / "wavs", tmp_path, f"--shard={shard}")
    assert_one_error(outcome, repr(shard), "K-of-N")
    assert not list(tmp_path.glob("*.npy"))


@pytest.mark.parametrize(("seconds", "rows"), [(1.979, 0), (1.989, 0), (1.99, 1), (2.0, 1)])
def test_short_rule_rejects_below_a_whole_crop_only(tmp_path, seconds, rows):
    """200 frames, centred, 10 ms apart, need 1.99 s."""
    used, left_out = stage_functions(tmp_path, sine(seconds), short="reject")
    assert (len(used), [row.reason for row in left_out]) == (rows, [] if rows else ["too short"])


def test_short_utterance_is_repeated_from_its_start(tmp_path):
    used, left_out = stage_functions(tmp_path, sine(0.1), short="repeat")
    assert (len(used), left_out) == (1, [])
    features = np.load(tmp_path / "features.npy")
    # 0.1 s are ten frames, so frames away from the ends come again every ten.
    np.testing.assert_allclose(features[0][:, 20:30], features[0][:, 30:40], atol=1e-4)


def stage_functions(tmp_path, samples, short):
    """The stage's functions on a tree of one utterance."""
    write_sound(tmp_path / "wavs" / "id1" / "s" / "a.wav", samples)
    with (tmp_path / "features.npy").open("wb") as stream:
        writer = CropWriter(stream, 80, 200)
        listed = shard_files(find_speakers([tmp_path / "wavs"]), "0-of-1")
        crops = extraction.CropSettings(short=short)
        outcome = extraction.extract(listed, AudioRules(), front_ends.make(Contract()), crops, writer)
        writer.close()
    return outcome


def test_audio_is_described_as_documented(tmp_path):
    read = read_audio(write_sound(tmp_path / "a.wav"), AudioRules())
    assert isinstance(read, Audio)
    assert (read.duration, read.sample_rate, read.channels, read.samples.shape) == (0.5, RATE, 1, (8000,))


# The verdict on a whole data set


def merge(folder, *options):
    return run_script(
        "merge_manifests.py",
        *("--manifest", *sorted(folder.glob("m*.tsv")), "--rejected", *sorted(folder.glob("r*.tsv"))),
        *("--utterances-output", folder / "utterances.out", "--rejected-output", folder / "rejected.out"),
        *options,
    )


def utterance(name):
    return manifest.Utterance(name, *name.split("/")[:2], name, 1.0, RATE, 1)


@pytest.fixture
def two_shards(tmp_path):
    manifest.write_utterances(tmp_path / "m0.tsv", [utterance("b/s/1.wav")])
    manifest.write_utterances(tmp_path / "m1.tsv", [utterance("a/s/é 1.wav")])
    bad = [manifest.Rejected(f"{s}/s/2.wav", f"{s}/s/2.wav", "silent", "every sample is zero") for s in "ba"]
    manifest.write_rejected(tmp_path / "r0.tsv", bad[:1])
    manifest.write_rejected(tmp_path / "r1.tsv", bad[1:])
    return tmp_path


def test_merged_tables_are_sorted_by_utterance(two_shards):
    assert merge(two_shards)[0] == 0
    assert [row.utterance for row in manifest.read_utterances(two_shards / "utterances.out")] == [
        "a/s/é 1.wav",
        "b/s/1.wav",
    ]
    assert [row.utterance for row in manifest.read_rejected(two_shards / "rejected.out")] == ["a/s/2.wav", "b/s/2.wav"]


def test_on_bad_audio_fail_names_bad_files_and_the_whole_table(two_shards):
    outcome = merge(two_shards, "--on-bad-audio", "fail")
    table = two_shards / "rejected.failed.tsv"
    assert_one_error(
        outcome, "2 files", "dataset.on_bad_audio is fail", "a/s/2.wav: silent", "b/s/2.wav: silent", table
    )
    assert not (two_shards / "rejected.out").exists()
    assert [row.utterance for row in manifest.read_rejected(table)] == ["a/s/2.wav", "b/s/2.wav"]
    assert merge(two_shards)[0] == 0
    assert not table.exists()  # it would be of another run


def test_data_set_without_one_usable_file_is_refused(two_shards):
    for table in two_shards.glob("m*.tsv"):
        manifest.write_utterances(table, [])
    assert_one_error(merge(two_shards), "none of the 2 files can be used", "a/s/2.wav: silent", "b/s/2.wav: silent")
    assert len(manifest.read_rejected(two_shards / "rejected.failed.tsv")) == 2


@pytest.mark.parametrize("rule", ["reject", "fail"])
def test_thousands_of_bad_files_are_counted_and_five_shown(two_shards, rule):
    """VoxCeleb2 as it comes, and three other faults, each of which has an example."""
    names = [f"a/s/{index:05}.m4a" for index in range(3000)]
    rows = [manifest.Rejected(name, name, "format", f".m4a is not read: ffmpeg -i {name}") for name in names]
    manifest.write_rejected(two_shards / "r0.tsv", rows)
    others = ("too short", "silent", "empty")
    manifest.write_rejected(two_shards / "r1.tsv", [manifest.Rejected(f"z/s/{r}", r, r, "") for r in others])
    if rule == "reject":
        for table in two_shards.glob("m*.tsv"):
            manifest.write_utterances(table, [])
    outcome = merge(two_shards, "--on-bad-audio", rule)
    assert_one_error(outcome, "3003 files", "3,000 format", "1 too short", "ffmpeg -i a/s/00000.m4a", *others)
    assert len(outcome[1].splitlines()) == 1 + 4 + 1 + 5 + 1
    assert len(manifest.read_rejected(two_shards / "rejected.failed.tsv")) == 3003


def test_notes_are_counted_one_by_one():
    notes = ("", "peak above 1", "header without length; peak above 1", "header without length; missing pad byte")
    rows = [manifest.Utterance("a/s/1.wav", "a", "s", "1.wav", 1.0, RATE, 1, note) for note in notes]
    counts = {"header without length": 2, "missing pad byte": 1, "peak above 1": 2}
    assert manifest.count_notes(rows) == counts


def test_notes_are_counted_in_the_answer(tmp_path):
    random = np.random.default_rng(0)
    names = [f"{s}/v/{n}.wav" for s in "abc" for n in range(3)]
    score, answer = write_score_inputs(tmp_path, names, random.standard_normal((9, 192)).astype(np.float32), [3.0] * 9)
    rows = manifest.read_utterances(tmp_path / "manifest.tsv")
    rows[4] = replace(rows[4], notes="header without length; peak above 1")
    manifest.write_utterances(tmp_path / "manifest.tsv", rows)
    for script, arguments in (("score.py", score), ("write_answer.py", answer)):
        code, stderr = run_script(script, *arguments)
        assert code == 0, stderr
    noted = files.read_json(tmp_path / "eer.json")["utterances"]["noted"]
    assert noted == {"header without length": 1, "peak above 1": 1}
    assert (
        "noted       1 header without length, 1 peak above 1 (results/utterances.tsv)\n"
        in (tmp_path / "eer.txt").read_text()
    )
