"""Exports: what a view shows at one publish, as files for other programs and people.

Here: views at a publish (:mod:`.known`), rows as Arrow in bounded memory (:mod:`.stream`), files that are whole or absent
(:mod:`.folder`), what they mean (:mod:`.describe`), and the open-data set with small counts of people hidden (:mod:`.open_data`,
:mod:`.small_cells`). Not here: who may read which view (:mod:`schemas.roles` and the server), workbooks for senders (returns).
"""
