"""The indicators: one ``i<nn>_<name>.sql`` each, how they are read, and how their values come about.

Belongs here: what is asked of the warehouse (the ``.sql`` files and ``mandates.yaml``), and the machine that answers it for the
days and units that changed. Does not belong here: norms and targets, which are data (datasets ``norms`` and ``targets``); what the
command prints (:mod:`pipelines.cli_indicators`). How an indicator is written: docs/indicators.md.
"""
