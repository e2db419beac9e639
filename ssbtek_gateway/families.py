"""The kinds of metric: counted in plain lists, merged over processes, and shown as prometheus-client's families."""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from bisect import bisect_left
from functools import reduce
from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from prometheus_client.metrics_core import Metric

    Labels = tuple[str, ...]
    Cells = Mapping[Labels, list[float]]


class Family(ABC):
    """One metric. Each set of label values has a list of numbers, whose meaning is the kind's own."""

    def __init__(self, name: str, text: str, *labels: str) -> None:
        self.name, self.text, self.labels = name, text, labels

    @abstractmethod
    def read(self) -> Cells:
        """The numbers of this process, now."""

    @abstractmethod
    def merged(self, several: Iterable[list[float]]) -> list[float]:
        """One list of those that several processes have for the same labels."""

    @abstractmethod
    def shown(self, cells: Cells) -> Metric:
        """As prometheus-client writes it."""


class _Counted(Family):
    def __init__(self, name: str, text: str, *labels: str) -> None:
        super().__init__(name, text, *labels)
        self._cells: dict[Labels, list[float]] = {}

    def read(self) -> Cells:
        # `copy` is one step, whatever other threads count meanwhile.
        return {labels: list(cells) for labels, cells in self._cells.copy().items()}

    def merged(self, several: Iterable[list[float]]) -> list[float]:
        return [sum(cells) for cells in zip(*several, strict=True)]


class Counter(_Counted):
    """How often. The name gets `_total` where it is shown."""

    def inc(self, *labels: str) -> None:
        if labels in self._cells:
            self._cells[labels][0] += 1
        else:
            self._cells[labels] = [1]

    def start(self, known: Iterable[Labels]) -> None:
        """Show `known` from the start, as 0: what first appears as 1 is no increase to Prometheus."""
        for labels in known:
            self._cells.setdefault(labels, [0])

    def shown(self, cells: Cells) -> Metric:
        return _filled(CounterMetricFamily(self.name, self.text, labels=self.labels), cells)


class Histogram(_Counted):
    """How much or how long. A list is the count up to each bound and not the one before, above all, and the sum."""

    def __init__(self, name: str, text: str, bounds: tuple[float, ...], *labels: str) -> None:
        super().__init__(name, text, *labels)
        self._bounds = bounds

    def observe(self, value: float, *labels: str) -> None:
        if labels not in self._cells:
            self._cells[labels] = [0] * (len(self._bounds) + 2)
        cells = self._cells[labels]
        cells[bisect_left(self._bounds, value)] += 1
        cells[-1] += value

    def shown(self, cells: Cells) -> Metric:
        family = HistogramMetricFamily(self.name, self.text, labels=self.labels)
        names = [*(str(float(bound)) for bound in self._bounds), "+Inf"]
        for labels, (*counts, total) in sorted(cells.items()):
            family.add_metric(labels, list(zip(names, accumulate(counts), strict=True)), total)
        return family


class Gauge(Family):
    """What is so now: read when it is asked for. Of several processes `merge` makes one number."""

    def __init__(
        self, name: str, text: str, *labels: str, merge: Callable[[float, float], float] = operator.add
    ) -> None:
        super().__init__(name, text, *labels)
        self._merge = merge
        self._reads: dict[Labels, Callable[[], float]] = {}

    def watch(self, read: Callable[[], float], *labels: str) -> None:
        self._reads[labels] = read

    def read(self) -> Cells:
        return {labels: [read()] for labels, read in self._reads.copy().items()}

    def merged(self, several: Iterable[list[float]]) -> list[float]:
        return [reduce(self._merge, (value for (value,) in several))]

    def shown(self, cells: Cells) -> Metric:
        return _filled(GaugeMetricFamily(self.name, self.text, labels=self.labels), cells)


def _filled(family: CounterMetricFamily | GaugeMetricFamily, cells: Cells) -> Metric:
    for labels, (value,) in sorted(cells.items()):
        family.add_metric(labels, value)
    return family
