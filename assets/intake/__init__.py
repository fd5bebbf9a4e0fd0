"""Deliveries become submissions: archive the bytes, find the tables in them, match their headers."""
