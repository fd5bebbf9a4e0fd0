"""Reminders to senders before and after the day, and alerts to operators: what is said to whom, once, and how it goes out.

Here: the plan of a day (``plan``), contacts, texts, channels, sending. Not here: what is expected (``assets.marts.due``), when
it runs (``pipelines``).
"""
