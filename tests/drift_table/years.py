"""Years through the detectors that the watch runs: the same baselines, the same steps, in lanes."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retrain.drift.alarm import Signal
from retrain.drift.baseline import Baseline, fit_baseline, held_out_levels, season_of, surprise_of
from retrain.drift.detectors.alarm_gate import GateLimits, Ints, no_alarms, step
from retrain.drift.detectors.e_detector import CLIP, Floats, no_evidence
from retrain.drift.detectors.population_stability import distance, stability_index
from retrain.drift.reference import LEAST_SCALE
from retrain.drift.signals import SignalKey, effect_of, one_way
from schemas.setting_views import AlarmLimits
from tests.drift_table.streams import REFERENCE_H, Years

LABELS = ("negative", "neutral", "positive")
LIMITS = AlarmLimits()


@dataclass(frozen=True)
class Lanes:
    """One signal of every stream, from the end of its reference on; not `seen`: an outage."""

    signal: Signal
    w: Floats
    deviation: Floats
    seen: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Alarms:
    """When each stream's alarms were raised, in hours after the reference."""

    raised: npt.NDArray[np.bool_]

    @property
    def count(self) -> int:
        """How many alarms were raised in all streams."""
        return int(self.raised.sum())

    def first_after(self, hour: int) -> Floats:
        """Return the hours from `hour` to each stream's next alarm, infinite without one."""
        late = self.raised[:, hour:]
        return np.where(late.any(axis=1), late.argmax(axis=1) + 1.0, np.inf)


def lanes_of(
    years: Years, reference_h: int = REFERENCE_H, *, only: Collection[str] = ()
) -> dict[str, Lanes]:
    """Fit a reference to the first hours of each stream and hold the others against it."""
    shares = years.counts / np.maximum(1.0, years.tweets)[..., None]
    values = {f"label_share:{label}": shares[..., place] for place, label in enumerate(LABELS)}
    index = distance(stability_index(years.counts.astype(float), _expected(shares, reference_h)))
    values |= years.signals | {str(Signal.LABEL_DISTRIBUTION): index}
    return {
        name: _lanes(name, series, years, reference_h)
        for name, series in values.items()
        if not only or name in only
    }


def alarms_of(
    lanes: Lanes, run_length: float, limits: AlarmLimits = LIMITS, *, effect: bool = True
) -> Alarms:
    """Run the e-detector and its gate over a signal of all streams."""
    streams, hours = lanes.w.shape
    gate_limits = GateLimits(limits.raise_windows, limits.end_windows)
    gate, log1p_r = no_alarms(streams, end_windows=limits.end_windows), no_evidence(streams)
    least = effect_of(lanes.signal, limits) if effect else 0.0
    raised = np.zeros((streams, hours), dtype=bool)
    for hour in range(hours):
        held = lanes.seen[:, hour]
        before = gate, log1p_r
        gate, log1p_r = step(
            gate,
            log1p_r,
            w=lanes.w[:, hour],
            deviation=lanes.deviation[:, hour],
            threshold=np.full(streams, run_length),
            effect=np.full(streams, least),
            limits=gate_limits,
            one_way=np.full(streams, one_way(lanes.signal)),
        )
        if not held.all():
            old, old_r = before
            gate = type(gate)(
                recent=np.where(held[:, None], gate.recent, old.recent),
                page=np.where(held[:, None], gate.page, old.page),
                stretch=np.where(held[:, None], gate.stretch, old.stretch),
                raised=np.where(held, gate.raised, old.raised),
            )
            log1p_r = np.where(held[:, None, None], log1p_r, old_r)
        raised[:, hour] = (gate.raised != 0) & (before[0].raised == 0)
    return Alarms(raised)


def _expected(shares: Floats, reference_h: int) -> Floats:
    """Return the shares that each hour is held against: in the reference, those of other weeks."""
    hours: Ints = np.arange(shares.shape[1])
    season = season_of(hours[:reference_h], 1.0)
    expected = np.empty_like(shares)
    for stream in range(len(shares)):
        for label in range(shares.shape[-1]):
            known = shares[stream, :reference_h, label]
            inside = held_out_levels(known, hours[:reference_h], season)
            levels = np.array(_baseline(known, np.ones(reference_h), 0.0).levels)
            expected[stream, :, label] = np.concatenate(
                [inside, levels[hours[reference_h:] % season]]
            )
    shared: Floats = expected / expected.sum(axis=-1, keepdims=True)
    return shared


def _baseline(values: Floats, tweets: Floats, least: float) -> Baseline:
    return fit_baseline(
        values, tweets, np.arange(len(values)), hours_a_window=1.0, least_scale=least
    )


def _lanes(name: str, values: Floats, years: Years, reference_h: int) -> Lanes:
    """Return distances as the judge computes them."""
    signal = SignalKey.named(name).signal
    streams, hours = values.shape
    by_volume = signal is Signal.VOLUME
    seen = years.seen[:, reference_h:] | by_volume
    z, deviation = np.zeros((2, streams, hours - reference_h))
    memory, gain, surprise = np.zeros((3, streams))
    for stream in range(streams):
        tweets = np.ones(hours) if by_volume else years.tweets[stream]
        baseline = _baseline(
            values[stream, :reference_h],
            tweets[:reference_h],
            LEAST_SCALE[signal],
        )
        levels = np.array(baseline.levels)[np.arange(reference_h, hours) % len(baseline.levels)]
        deviation[stream] = values[stream, reference_h:] - levels
        fewer = np.maximum(1.0, baseline.typical_tweets / np.maximum(1.0, tweets[reference_h:]))
        scale = baseline.scale * np.sqrt(fewer)
        if by_volume:
            scale = np.maximum(scale, 1 / np.sqrt(np.expm1(levels) + 1))
        z[stream] = deviation[stream] / scale
        memory[stream], gain[stream] = baseline.memory, baseline.gain
        surprise[stream] = baseline.surprise
    w, announced = np.zeros_like(z), np.zeros(streams)
    for hour in range(w.shape[1]):
        left, following = surprise_of(z[:, hour], announced, memory, gain)
        w[:, hour] = np.clip(left / surprise, -CLIP, CLIP)
        announced = np.where(seen[:, hour], following, announced * memory)
    return Lanes(signal, w, deviation, seen)
