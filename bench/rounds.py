"""Measuring several contestants in turns, so that whatever else the machine does meets them all."""

from collections.abc import Callable, Mapping
from statistics import median

Contestant = Callable[[], int]


def medians(contestants: Mapping[str, Contestant], rounds: int) -> dict[str, float]:
    """Each contestant does its work once a round and returns what it cost; the order turns."""
    costs: dict[str, list[int]] = {name: [] for name in contestants}
    names = list(contestants)
    for number in range(rounds):
        for place in range(len(names)):
            name = names[(number + place) % len(names)]
            costs[name].append(contestants[name]())
    return {name: median(each) for name, each in costs.items()}


def percentile(values: list[float], part: float) -> float:
    """The value that `part` (0 to 1) of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]
