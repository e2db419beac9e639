"""What the metrics say, as Prometheus' own parser reads them."""

from __future__ import annotations

from typing import Self

from prometheus_client.parser import text_string_to_metric_families

from ssbtek_gateway import metrics

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(text: bytes) -> Samples:
    """The value of each line, by name and labels, as Prometheus' own parser reads them."""
    families = text_string_to_metric_families(text.decode())
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def value(text: bytes, name: str, **labels: str) -> float:
    return samples(text)[name, frozenset(labels.items())]


class Change:
    """What is counted within the block, and nothing else."""

    def __enter__(self) -> Self:
        self._before = samples(metrics.exposition())
        return self

    def __exit__(self, *_: object) -> None:
        self._after = samples(metrics.exposition())

    def of(self, name: str) -> dict[tuple[str, ...], float]:
        """By label values, in the order of the labels' names."""
        changed = {
            tuple(value for _, value in sorted(labels)): number - self._before.get((found, labels), 0)
            for (found, labels), number in self._after.items()
            if found == name
        }
        return {labels: number for labels, number in changed.items() if number}
