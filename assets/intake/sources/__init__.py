"""Sources: what is pulled from a sender's database, API or folder becomes a delivery like any other.

Here: taking what is new, in bounded memory and time, and writing it down with its watermark in one transaction. Not here:
declarations
(``schemas.sources``), reading what was delivered (``assets.intake.reader``), when it is pulled (``pipelines``).
"""
