"""From records and decisions to clusters, links and the work list for people.

Belongs here: the order of the rules, and the laws that no weight overrules. Does not belong here: candidate pairs, levels,
weights, the registry of ids.

1. A person's word comes first: a pair said to be two people never comes into one cluster, a pair said to be one always.
2. Two records of one list are two people, unless a person says otherwise.
3. Records with one ID are one person if their names agree; an old card names the one entity that has it beside its ID.
   Where name or birth contradict, nothing is linked, and people are asked.
4. Keyed records whose IDs differ in one digit are one person only if full name, day of birth and sex agree; in more than
   one digit never.
5. A record without a valid ID goes to its best entity if that is above the threshold and clear of the second best.

Nothing depends on the order of rows: both frames are sorted first, and what could be decided either way goes to people.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from assets.core.linkage import candidates
from assets.core.linkage.clusters import Cluster, Clusters, components
from assets.core.linkage.keys import for_blocking
from assets.core.linkage.model import LEVELS, Model, explain, person, score

RECORDS: dict[str, pl.DataType | type[pl.DataType]] = {
    "record": pl.Int64, "keyed": pl.Boolean, "registered": pl.Int64, "name": pl.String, "born": pl.Date,
    "sex": pl.String, "personal_id": pl.String, "id_card": pl.String, "commune": pl.String, "agency": pl.String,
    "lists": pl.List(pl.Int64),
}  # fmt: skip
"""A record: a number of its own; whether a valid 12-digit ID is its key; its place in the order of registration (small =
older); the person; ``lists``: the submissions, each a complete list, in which it stands."""
DECISIONS = {"left": pl.Int64, "right": pl.Int64, "same": pl.Boolean}
"""The last word of people on a pair of records."""
MOST_ASKED = 3
"""So many pairs of one record are put before people, the likeliest."""

_SCORED = {"left": pl.Int64, "right": pl.Int64, "weight": pl.Float64, **dict.fromkeys(LEVELS, pl.String)}
_RULES = ("same_id", "old_card", "model")
_SLIPS_OF_BIRTH = ("exact", "swapped", "one_digit", "missing")


@dataclass(frozen=True)
class Linked:
    """The outcome; each frame is sorted by its first columns.

    ``members``: record, root of keyed records that were joined with others; the root is the one registered first; other, rule,
    weight, fields of the pair that brought the record in, as for links (null for a root that no pair names).
    ``links``: record (not keyed), root (its entity), other (the keyed record that it matched), rule (same_id, old_card,
    model:<version>, decision), weight, fields (JSON: level and weight per field; null for a decision).
    ``queue``: left, right, weight, fields, why: pairs for people. ``unmatched``: record, neither keyed nor linked.
    """

    members: pl.DataFrame
    links: pl.DataFrame
    queue: pl.DataFrame
    unmatched: pl.DataFrame


def link(records: pl.DataFrame, decisions: pl.DataFrame | None = None, model: Model | None = None) -> Linked:
    """Link ``records`` (:data:`RECORDS`) under ``decisions`` (:data:`DECISIONS`; pairs of unknown records are ignored).

    Raises :class:`ValueError` where the frame is not of that shape, without saying any value of it.
    """
    model = model or person()
    records = _checked(records)
    said = _said(decisions, records["record"])
    blocked = for_blocking(records)
    found = looked_at(blocked)
    scored = score(found.scored(), records, model) if found.scored().height else pl.DataFrame(schema=_SCORED)
    both = ["left", "right"]
    keyed = _Keyed(
        records,
        said,
        found.agreed,
        scored.join(found.one_id, on=both, how="semi"),
        scored.join(found.near, on=both, how="semi"),
        model,
    )
    return _doubtful(records, blocked, said, keyed, scored.join(found.doubtful, on=both, how="semi"), model)


@dataclass(frozen=True)
class Pairs:
    """left < right. ``agreed``: keyed, one ID, one name, so that no model needs to be asked. To be scored: ``one_id``: keyed,
    one ID, other names; ``near``: keyed, IDs that may be one mistyped; ``doubtful``: one of the two is not keyed."""

    agreed: pl.DataFrame
    one_id: pl.DataFrame
    near: pl.DataFrame
    doubtful: pl.DataFrame

    def scored(self) -> pl.DataFrame:
        """All that the model is asked about."""
        return pl.concat([self.doubtful, self.near, self.one_id])


def looked_at(blocked: pl.DataFrame) -> Pairs:
    """The pairs of records from :func:`~assets.core.linkage.keys.for_blocking` that are looked at at all."""
    same_id = candidates.same_id(blocked)
    agreed = _plainly_agreed(same_id, blocked)
    one_id = same_id.join(agreed, on=["left", "right"], how="anti")
    return Pairs(agreed, one_id, candidates.mistyped(blocked), candidates.doubtful(blocked))


def _checked(records: pl.DataFrame) -> pl.DataFrame:
    if missing := [name for name in RECORDS if name not in records.columns]:
        raise ValueError(f"records lack the columns {', '.join(missing)}")
    records = records.select(pl.col(name).cast(dtype) for name, dtype in RECORDS.items()).sort("record")
    if records["record"].has_nulls() or records["record"].is_duplicated().any():
        raise ValueError("records need a number each of their own")
    if records["keyed"].has_nulls() or records["registered"].has_nulls():
        raise ValueError("of each record it must be said whether it is keyed, and when it was registered")
    if not records.filter("keyed")["personal_id"].str.contains("^[0-9]{12}$").fill_null(False).all():
        raise ValueError("a keyed record needs the twelve digits that are its key")
    return records.with_columns(pl.col("lists").fill_null(pl.lit([], pl.List(pl.Int64))))


def _said(decisions: pl.DataFrame | None, known: pl.Series) -> pl.DataFrame:
    """left < right, same; one row a pair. Should there be two words on a pair, the careful one counts."""
    if decisions is None or decisions.is_empty():
        return pl.DataFrame(schema=DECISIONS)
    pairs = decisions.select(
        left=pl.min_horizontal("left", "right").cast(pl.Int64),
        right=pl.max_horizontal("left", "right").cast(pl.Int64),
        same=pl.col("same"),
    ).filter(pl.col("left") != pl.col("right"), *(pl.col(c).is_in(known.implode()) for c in ("left", "right")))
    return pairs.group_by("left", "right").agg(pl.col("same").min()).sort("left", "right")


def _plainly_agreed(pairs: pl.DataFrame, blocked: pl.DataFrame) -> pl.DataFrame:
    """Of pairs with one ID those whose names agree at first sight, so that no model needs to be asked."""
    if pairs.is_empty():
        return pairs
    sides = blocked.select("record", "bag", "year")
    beside = pairs.join(sides, left_on="left", right_on="record").join(
        sides, left_on="right", right_on="record", suffix="_right"
    )
    # the ID says the year of birth of both, so only a day that cannot come from the other by one slip contradicts
    birth = pl.any_horizontal(
        pl.col("year") == pl.col("year_right"), pl.col("year").is_null(), pl.col("year_right").is_null()
    )
    return beside.filter(pl.col("bag") == pl.col("bag_right"), birth).select("left", "right")


# --- keyed records --------------------------------------------------------------------------------------------------


class _Keyed:
    """The clusters of keyed records (and of records that people joined with them), and what is left to people.

    ``entity``: record, root of the keyed records that were joined with others; any other one is an entity of its own.
    ``by_word``: of the records that are not keyed and that people joined: record, group (the smallest of those joined), root
    (null where no keyed record is among them).
    """

    def __init__(
        self, records: pl.DataFrame, said: pl.DataFrame, agreed: pl.DataFrame, one_id: pl.DataFrame, near: pl.DataFrame,
        model: Model,
    ) -> None:  # fmt: skip
        self._records = records
        self.queue: list[pl.DataFrame] = []
        joined = near.filter(
            pl.col("id") == "one_digit", *(pl.col(field) == "exact" for field in ("name", "birth", "sex"))
        )
        agrees = _agrees("same_id")
        grounds = [
            said.filter("same").select(
                "left", "right", _nothing("weight", pl.Float64), _nothing("fields", pl.String), rule=pl.lit("decision")
            ),
            agreed.select(
                "left", "right", _nothing("weight", pl.Float64), _nothing("fields", pl.String), rule=pl.lit("same_id")
            ),
            one_id.filter(agrees).select("left", "right", "weight", fields=explain(model), rule=pl.lit("same_id")),
            joined.select("left", "right", "weight", fields=explain(model), rule=pl.lit(f"model:{model.name}")),
        ]
        self._grounds = pl.concat(g.select("left", "right", "rule", "weight", "fields") for g in grounds)
        self._nodes = self._plain_groups(said, agreed, one_id)
        # either both records of a pair are in a plain group, or none is
        across = agreed.join(self._nodes, left_on="left", right_on="record", how="anti")
        self._clusters = self._odd_ones(said, across, one_id, joined)
        contradicting = self._unite(said.filter("same"), by_word=True)
        refused = self._unite(pl.concat([across, one_id.filter(agrees).select("left", "right")]))
        mistyped = self._unite_mistyped(joined)
        self._settle()
        self._ask(contradicting, None, "decisions")
        self._ask(refused, one_id, "same_list")
        self._ask(mistyped, near, "must_not_link")
        self.queue.append(one_id.filter(~agrees).with_columns(why=_contradiction("same_id")))
        unlike = near.join(joined, on=["left", "right"], how="anti").filter(
            pl.col("id").is_in(["one_digit", "transposed"]), pl.col("weight") >= model.clerical
        )
        self.queue.append(unlike.with_columns(why=pl.concat_str(pl.lit("id_"), pl.col("id"))))

    def _plain_groups(self, said: pl.DataFrame, agreed: pl.DataFrame, one_id: pl.DataFrame) -> pl.DataFrame:
        """record, node of keyed records that are one node at once: those of one ID where all of them agree, no list holds
        two of them and no person has spoken about any. So clusters are built for the odd ones only."""
        sharing = _sharing_a_list(agreed, self._records)
        odd = pl.concat([frame[side] for frame in (said, one_id, sharing) for side in ("left", "right")]).unique()
        several = pl.concat([agreed["left"], agreed["right"]]).unique().alias("record").to_frame()
        held = self._records.select("record", "personal_id", "registered").join(several, on="record", how="semi")
        suspect = self._records.filter("keyed", pl.col("record").is_in(odd.implode()))["personal_id"]
        return (
            held.filter(~pl.col("personal_id").is_in(suspect.implode()))
            .sort("registered", "record")
            .select("record", node=pl.col("record").first().over("personal_id"))
        )

    def _edges(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """left, right and their nodes, those of the oldest records first: what comes later displaces nothing."""
        if pairs.is_empty():
            return pl.DataFrame(schema=dict.fromkeys(("left", "right", "node", "node_right"), pl.Int64))
        age = self._records.select("record", "registered")
        beside = pairs.select("left", "right")
        for side, suffix in (("left", ""), ("right", "_right")):
            beside = (
                beside.join(self._nodes.rename({"node": f"node{suffix}"}), left_on=side, right_on="record", how="left")
                .with_columns(pl.col(f"node{suffix}").fill_null(pl.col(side)))
                .join(age.rename({"registered": f"age{suffix}"}), left_on=side, right_on="record")
            )
        oldest = (pl.max_horizontal("age", "age_right"), pl.min_horizontal("age", "age_right"))
        return beside.sort(*oldest, "left", "right").select("left", "right", "node", "node_right")

    def _odd_ones(self, said: pl.DataFrame, *pairs: pl.DataFrame) -> Clusters:
        """Clusters of the nodes that a rule or a person speaks about."""
        ends = [frame[side] for frame in (said, *pairs) for side in ("left", "right")]
        spoken = pl.concat(ends).unique().alias("record").to_frame()
        nodes = spoken.join(self._nodes, on="record", how="left")
        with_them = self._nodes.join(nodes.drop_nulls().select("node").unique(), on="node", how="semi")
        alone = nodes.filter(pl.col("node").is_null()).select("record", node="record")
        rows = pl.concat([with_them, alone]).join(self._records, on="record")
        apart = said.filter(~pl.col("same"))
        enemies = pl.concat([apart.select("left", "right"), apart.select(left="right", right="left")])
        against = dict(enemies.group_by("left").agg("right").iter_rows())
        columns = ("node", "record", "registered", "lists", "keyed", "personal_id")
        made: dict[int, Cluster] = {}
        for node, record, registered, lists, keyed, digits in rows.select(*columns).iter_rows():
            cluster = made.setdefault(node, Cluster(set()))
            cluster.members.add(record)
            cluster.lists.update(lists)
            cluster.enemies.update(against.get(record, ()))
            if keyed:
                cluster.ids.add(digits)
                cluster.oldest = min(cluster.oldest or (registered, record), (registered, record))
        return Clusters(made.items())

    def _unite(self, pairs: pl.DataFrame, *, by_word: bool = False) -> list[tuple[int, int]]:
        """Unite pairs, the oldest first; those whose clusters may not come together."""
        refused = []
        for left, right, one, other in self._edges(pairs).iter_rows():
            if self._clusters.find(one) == self._clusters.find(other):
                continue
            here, there = self._clusters.of(one), self._clusters.of(other)
            if here.parted_by_people(there) or (not by_word and here.parted(there)):
                refused.append((left, right))
            else:
                self._clusters.unite(one, other)
        return refused

    def _unite_mistyped(self, joined: pl.DataFrame) -> list[tuple[int, int]]:
        """Unite records whose IDs differ in one digit and that agree in all else. If the records that hang together so
        may not all be one person, nobody can say which of them are: none is united."""
        clusters = self._clusters
        edges = self._edges(joined).rows()
        for component in components([(clusters.find(one), clusters.find(other)) for _, _, one, other in edges]):
            nodes = sorted(component)
            every = [(clusters.of(one), clusters.of(other)) for at, one in enumerate(nodes) for other in nodes[:at]]
            if not any(here.parted(there) for here, there in every):
                for node in nodes[1:]:
                    clusters.unite(nodes[0], node)
        return [(left, right) for left, right, one, other in edges if clusters.find(one) != clusters.find(other)]

    def _ask(self, pairs: list[tuple[int, int]], scored: pl.DataFrame | None, why: str) -> None:
        """Put pairs before people, with their scores where they have any."""
        if not pairs:
            return
        scored = scored if scored is not None else pl.DataFrame(schema=_SCORED)
        beside = pl.DataFrame(pairs, {"left": pl.Int64, "right": pl.Int64}, orient="row").join(
            scored, on=["left", "right"], how="left"
        )
        self.queue.append(
            beside.with_columns(*(pl.col(field).fill_null("missing") for field in LEVELS), why=pl.lit(why))
        )

    def _settle(self) -> None:
        """Name each cluster after its oldest keyed record."""
        found = [
            (record, min(cluster.members), cluster.oldest and cluster.oldest[1])
            for _, cluster in self._clusters.items()
            for record in cluster.members
        ]
        odd = pl.DataFrame(found, {"record": pl.Int64, "group": pl.Int64, "root": pl.Int64}, orient="row")
        with_key = odd.join(self._records.select("record", "keyed"), on="record")
        plain = self._nodes.join(odd, on="record", how="anti").select("record", root="node")
        self.entity = pl.concat([plain, with_key.filter("keyed").select("record", "root")])
        loose = with_key.filter(~pl.col("keyed"))
        self.by_word = loose.select("record", group=pl.col("record").min().over("group"), root="root")

    def members(self) -> pl.DataFrame:
        """Keyed records in clusters of more than one."""
        found = self.entity.filter(pl.len().over("root") > 1).sort("record")
        told = pl.concat(
            [
                self._grounds.rename({"left": "record", "right": "other"}),
                self._grounds.rename({"right": "record", "left": "other"}).select(
                    "record", "other", "rule", "weight", "fields"
                ),
            ]
        )
        within = (
            told.join(found, on="record")
            .join(found.rename({"record": "other", "root": "root_other"}), on="other")
            .filter(pl.col("root") == pl.col("root_other"))
        )
        best = within.sort(
            "record", "rule", pl.col("weight").fill_null(0), "other", descending=[False, False, True, False]
        )
        first = best.unique("record", keep="first").select("record", "other", "rule", "weight", "fields")
        return found.join(first, on="record", how="left").sort("record")


def _nothing(name: str, dtype: type[pl.DataType]) -> pl.Expr:
    return pl.lit(None, dtype).alias(name)


def _with_root(frame: pl.DataFrame, record: str, entity: pl.DataFrame) -> pl.DataFrame:
    """``root``: the entity of the keyed record in column ``record``."""
    joined = frame.join(entity, left_on=record, right_on="record", how="left", maintain_order="left")
    return joined.with_columns(pl.col("root").fill_null(pl.col(record)))


# --- records that are not keyed -------------------------------------------------------------------------------------


def _doubtful(
    records: pl.DataFrame, blocked: pl.DataFrame, said: pl.DataFrame, keyed: _Keyed, scored: pl.DataFrame, model: Model
) -> Linked:
    """Link what is not keyed, and put together the outcome. A group is a record, or the records that people joined."""
    loose = records.filter(~pl.col("keyed")).select("record")
    groups = loose.join(keyed.by_word, on="record", how="left").with_columns(
        pl.col("group").fill_null(pl.col("record"))
    )
    told = groups.filter(pl.col("root").is_not_null())
    open_ = groups.filter(pl.col("root").is_null()).select("record", "group")
    pairs = _oriented(scored, open_, keyed.entity)
    if said.height:
        pairs = pairs.join(_parted(said, groups, keyed.entity), on=["group", "root"], how="anti")
    best = _best(_flagged(pairs, blocked, keyed.entity), _in_one_list(pairs, records, groups, keyed.entity))
    chosen = _uncontested(_chosen(best, model), records, open_, said, model)
    by_word = _by_word(told, said, keyed.entity)
    by_rule = (
        open_.join(chosen, on="group")
        .with_columns(matched=pl.col("record") == pl.col("record_matched"))
        .select(
            "record",
            "root",
            other="keyed",
            rule=pl.when("matched")
            .then(pl.col("rule").cast(pl.String).replace("model", f"model:{model.name}"))
            .otherwise(pl.lit("decision")),
            weight=pl.when("matched").then("weight"),
            fields=pl.when("matched").then(explain(model)),
        )
    )
    links = pl.concat([by_word, by_rule]).sort("record")
    asked = _explained([*keyed.queue, _asked(best, chosen, model)], model)
    # a pair on which people have spoken is asked again only where their words contradict each other, and one that came into
    # one cluster by way of others is settled
    open_pairs = asked.join(said, on=["left", "right"], how="anti").join(
        _joined_anyway(asked, keyed.entity), on=["left", "right"], how="anti"
    )
    contradicting = asked.filter(pl.col("why") == "decisions")
    return Linked(
        keyed.members(),
        links,
        pl.concat([_few(open_pairs), contradicting]).sort("left", "right"),
        loose.join(links, on="record", how="anti").sort("record"),
    )


def _oriented(scored: pl.DataFrame, open_: pl.DataFrame, entity: pl.DataFrame) -> pl.DataFrame:
    """Scored pairs as record (not keyed), keyed, with group and root."""
    return (
        pl.concat(
            [scored.with_columns(record="left", keyed="right"), scored.with_columns(record="right", keyed="left")]
        )
        .join(open_, on="record")
        .pipe(_with_root, "keyed", entity)
    )


def _joined_anyway(pairs: pl.DataFrame, entity: pl.DataFrame) -> pl.DataFrame:
    beside = pairs.join(entity, left_on="left", right_on="record").join(
        entity, left_on="right", right_on="record", suffix="_right"
    )
    return beside.filter(pl.col("root") == pl.col("root_right")).select("left", "right")


def _parted(said: pl.DataFrame, groups: pl.DataFrame, entity: pl.DataFrame) -> pl.DataFrame:
    """group, root that people have said are not the same: their word on one record speaks for all joined with it."""
    apart = said.filter(~pl.col("same"))
    both = pl.concat([apart.select(record="left", keyed="right"), apart.select(record="right", keyed="left")])
    told = groups.filter(pl.col("root").is_not_null()).select("record", "root")
    placed = _with_root(both.join(groups.select("record", "group"), on="record"), "keyed", pl.concat([entity, told]))
    return placed.select("group", "root").unique()


def _in_one_list(
    pairs: pl.DataFrame, records: pl.DataFrame, groups: pl.DataFrame, entity: pl.DataFrame
) -> pl.DataFrame:
    """group, root of the pairs of which some list holds both, so that they are two people."""
    lists = _lists(records)
    told = groups.filter(pl.col("root").is_not_null()).select("record", "root")
    roots = pairs.select("root").unique()
    members = pl.concat([entity, told, roots.select(record="root", root="root")]).join(roots, on="root", how="semi")
    entities = members.join(lists, on="record").select("root", "list")
    asking = groups.join(pairs.select("group").unique(), on="group", how="semi").join(lists, on="record")
    return (
        pairs.select("group", "root")
        .unique()
        .join(asking.select("group", "list"), on="group")
        .join(entities, on=["root", "list"], how="semi")
        .select("group", "root")
        .unique()
    )


def _lists(records: pl.DataFrame) -> pl.DataFrame:
    return records.select("record", list="lists").explode("list").drop_nulls("list")


def _sharing_a_list(pairs: pl.DataFrame, records: pl.DataFrame) -> pl.DataFrame:
    """Those of the pairs whose records stand in one list."""
    involved = pl.concat([pairs["left"], pairs["right"]]).unique().alias("record").to_frame()
    lists = _lists(records.join(involved, on="record", how="semi"))
    return (
        pairs.select("left", "right")
        .join(lists, left_on="left", right_on="record")
        .join(lists, left_on=["right", "list"], right_on=["record", "list"], how="semi")
        .select("left", "right")
        .unique()
    )


def _agrees(rule: str) -> pl.Expr:
    """Name and birth do not contradict an ID or card that is the same. Of the name a whole syllable at either end may be
    another one only under one ID and one day of birth."""
    name = ~pl.col("name").is_in(["other", "other_syllable", "missing"])
    if rule == "old_card":
        return name & pl.col("birth").is_in(_SLIPS_OF_BIRTH)
    one_syllable = (pl.col("name") == "other_syllable") & (pl.col("birth") == "exact")
    return (name | one_syllable) & (pl.col("birth") != "other")


def _contradiction(rule: str) -> pl.Expr:
    """Why people are asked about a pair with one ID or card that does not agree."""
    birth = pl.col("birth") != "other" if rule == "same_id" else pl.col("birth").is_in(_SLIPS_OF_BIRTH)
    return pl.when(birth).then(pl.lit("name_differs")).otherwise(pl.lit("birth_differs"))


def _flagged(pairs: pl.DataFrame, blocked: pl.DataFrame, entity: pl.DataFrame) -> pl.DataFrame:
    """``rule`` of each pair and ``why`` it contradicts. An old card counts if exactly one entity has it."""
    cards = blocked.filter("keyed").select("record", "card").drop_nulls().pipe(_with_root, "record", entity)
    single = cards.group_by("card").agg(pl.col("root").n_unique()).filter(pl.col("root") == 1)["card"]
    own = blocked.filter(~pl.col("keyed")).select("record", "card")
    rule = (
        pl.when(pl.col("id") == "exact")
        .then(pl.lit("same_id"))
        .when((pl.col("card") == "exact") & pl.col("card_no").is_in(single.implode()))
        .then(pl.lit("old_card"))
        .otherwise(pl.lit("model"))
    )
    contradiction = pl.coalesce(
        pl.when((pl.col("rule") == one) & ~_agrees(one)).then(_contradiction(one)) for one in ("same_id", "old_card")
    )
    return (
        pairs.join(own.rename({"card": "card_no"}), on="record", how="left")
        .with_columns(rule=rule.cast(pl.Enum(_RULES)))
        .with_columns(why=contradiction)
        .drop("card_no")
    )


def _best(pairs: pl.DataFrame, parted: pl.DataFrame) -> pl.DataFrame:
    """The pair that says most about each group and entity. ``sure``: 0 where ID or card say that they are one, 1 where
    these are contradicted, 2 where only the weight speaks. ``held``: some list holds both."""
    sure = pl.when(pl.col("rule") == "model").then(2).when(pl.col("why").is_null()).then(0).otherwise(1)
    return (
        pairs.with_columns(sure=sure)
        .sort("group", "root", "sure", "rule", -pl.col("weight"), "keyed", "record")
        .unique(["group", "root"], keep="first", maintain_order=True)
        .join(parted.with_columns(held=True), on=["group", "root"], how="left")
        .with_columns(pl.col("held").fill_null(False))
    )


def _chosen(best: pl.DataFrame, model: Model) -> pl.DataFrame:
    """The one entity of each group that is clear: the only one by ID or card, else the best by weight if it is above the
    threshold and the second best is a margin behind; none where an ID or card is contradicted."""
    ranked = (
        best.filter(~pl.col("held"))
        .sort("group", "sure", -pl.col("weight"), "root")
        .with_columns(
            certain=(pl.col("sure") == 0).sum().over("group"),
            contradicted=(pl.col("sure") == 1).any().over("group"),
            second=pl.col("weight").shift(-1).over("group"),
        )
        .unique("group", keep="first", maintain_order=True)
    )
    clear = (pl.col("weight") >= model.link) & _behind(pl.col("second").fill_null(-999.0), pl.col("weight"), model)
    return ranked.filter(
        ~pl.col("contradicted"),
        pl.when(pl.col("certain") > 0).then(pl.col("certain") == 1).otherwise(clear),
    ).rename({"record": "record_matched"})


def _behind(weight: pl.Expr, best: pl.Expr, model: Model) -> pl.Expr:
    """A margin behind, in hundredths: differences of floats must not decide."""
    return ((best - weight) * 100).round() >= round(model.margin * 100)


def _uncontested(
    chosen: pl.DataFrame, records: pl.DataFrame, open_: pl.DataFrame, said: pl.DataFrame, model: Model
) -> pl.DataFrame:
    """Without those that another group disputes: two entries of a list, or two records that people hold apart, are not
    both one person. A group stays if every rival is clearly worse."""
    own = chosen.select("group", "root", "rule", "weight")
    placed = own.join(open_, on="group")
    in_lists = placed.join(_lists(records), on="record")
    rivals = in_lists.join(in_lists, on=["root", "list"], suffix="_rival")
    apart = said.filter(~pl.col("same"))
    told = pl.concat([apart.select(record="left", rival="right"), apart.select(record="right", rival="left")])
    held_apart = placed.join(told, on="record").join(
        placed.rename({"record": "rival"}), on=["rival", "root"], suffix="_rival"
    )
    columns = ("group", "rule", "weight", "group_rival", "rule_rival", "weight_rival")
    both = pl.concat([rivals.select(*columns), held_apart.select(*columns)]).filter(
        pl.col("group") != pl.col("group_rival")
    )
    by_weight = (pl.col("rule_rival") == "model") & _behind(pl.col("weight_rival"), pl.col("weight"), model)
    worse = (
        pl.when(pl.col("rule") == pl.col("rule_rival"))
        .then(by_weight)
        .otherwise(pl.col("rule_rival").to_physical() > pl.col("rule").to_physical())
    )
    return chosen.join(both.filter(~worse), on="group", how="anti")


def _by_word(told: pl.DataFrame, said: pl.DataFrame, entity: pl.DataFrame) -> pl.DataFrame:
    """Links of records that people have joined with a keyed one, beside that one, or beside the root if through others."""
    same = said.filter("same")
    both = pl.concat([same.select(record="left", keyed="right"), same.select(record="right", keyed="left")])
    direct = _with_root(both, "keyed", entity).group_by("record", "root").agg(other=pl.col("keyed").min())
    return told.join(direct, on=["record", "root"], how="left").select(
        "record",
        "root",
        other=pl.coalesce("other", "root"),
        rule=pl.lit("decision"),
        weight=pl.lit(None, pl.Float64),
        fields=pl.lit(None, pl.String),
    )


# --- the work list --------------------------------------------------------------------------------------------------


def _asked(best: pl.DataFrame, chosen: pl.DataFrame, model: Model) -> pl.DataFrame:
    """Of the groups without an entity, the pairs that a person should look at."""
    above = (pl.col("sure") < 2) | (pl.col("weight") >= model.link)
    why = (
        pl.when("held")
        .then(pl.lit("same_list"))
        .when(pl.col("why").is_not_null())
        .then("why")
        .when(above)
        .then(pl.lit("not_clear"))
        .otherwise(pl.lit("unsure"))
    )
    return (
        best.join(chosen, on="group", how="anti")
        .filter(above | (~pl.col("held") & (pl.col("weight") >= model.clerical)))
        .select(
            left=pl.min_horizontal("record", "keyed"),
            right=pl.max_horizontal("record", "keyed"),
            weight="weight",
            **{field: pl.col(field) for field in LEVELS},
            why=why,
        )
    )


def _explained(scored: list[pl.DataFrame], model: Model) -> pl.DataFrame:
    columns = [*_SCORED, "why"]
    together = pl.concat([frame.select(columns) for frame in scored])
    return together.select("left", "right", "weight", fields=explain(model), why="why")


def _few(queue: pl.DataFrame) -> pl.DataFrame:
    """The likeliest pairs of each record; those that only the weight speaks for come last."""
    ranked = queue.sort(pl.col("why") == "unsure", -pl.col("weight"), "left", "right", nulls_last=True)
    return ranked.filter(*(pl.int_range(pl.len()).over(side) < MOST_ASKED for side in ("left", "right")))
