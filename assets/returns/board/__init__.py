"""The board: what everyone may see of the whole, as a static site that needs no server and asks nobody for anything.

Belongs here: reading the figures of one publish (:mod:`.read`), drawing (:mod:`.pictures`), putting pages together and writing what
changed (:mod:`.site`). Does not belong here: computing any figure: all of them are those of ``mart_v1`` and the ledger.
"""
