"""Clusters of records under must-not-links: a union-find that refuses.

Belongs here: uniting, and when it is refused. Does not belong here: which pairs are to be united, and in which order
(:mod:`.joining` sorts them). It works on the few records that a rule or a person speaks about, never on all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class Cluster:
    """What is known of the records of a cluster. ``oldest``: place in the registration and number of the keyed record that
    was registered first. ``enemies``: records that a person has said are somebody else."""

    members: set[int]
    oldest: tuple[int, int] | None = None
    lists: set[int] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    enemies: set[int] = field(default_factory=set)

    def parted_by_people(self, other: Cluster) -> bool:
        """A person has said that some record here and some record there are not the same."""
        return not self.members.isdisjoint(other.enemies)

    def parted(self, other: Cluster) -> bool:
        """No machine may unite the two: parted by people, in one list (two entries of a list are two people), or with IDs
        that differ in more than one digit. An ID that both have outweighs the last: others were joined by a person."""
        if self.parted_by_people(other) or not self.lists.isdisjoint(other.lists):
            return True
        return self.ids.isdisjoint(other.ids) and not all(_near(a, b) for a in self.ids for b in other.ids)


class Clusters:
    """The clusters of all records given, at first one each."""

    def __init__(self, clusters: Iterable[tuple[int, Cluster]]) -> None:
        self._clusters = dict(clusters)
        self._at = {node: node for node in self._clusters}

    def find(self, node: int) -> int:
        """The node that stands for the node's cluster."""
        path = []
        while (up := self._at[node]) != node:
            path.append(node)
            node = up
        for passed in path:
            self._at[passed] = node
        return node

    def of(self, node: int) -> Cluster:
        """The cluster in which the node is."""
        return self._clusters[self.find(node)]

    def unite(self, one: int, other: int) -> None:
        """Without any question."""
        one, other = sorted((self.find(one), self.find(other)))
        if one != other:
            gone = self._clusters.pop(other)
            stays = self._clusters[one]
            stays.members |= gone.members
            stays.oldest = min(filter(None, (stays.oldest, gone.oldest)), default=None)
            stays.lists |= gone.lists
            stays.ids |= gone.ids
            stays.enemies |= gone.enemies
            self._at[other] = one

    def items(self) -> Iterable[tuple[int, Cluster]]:
        """Each cluster with the node that stands for it."""
        return self._clusters.items()


def _near(one: str, other: str) -> bool:
    return sum(a != b for a, b in zip(one, other, strict=True)) <= 1


def components(edges: Iterable[tuple[int, int]]) -> list[set[int]]:
    """The connected components of a graph, by their smallest node."""
    found = Clusters({node: Cluster({node}) for edge in edges for node in edge}.items())
    for one, other in edges:
        found.unite(one, other)
    return [cluster.members for _, cluster in sorted(found.items())]
