"""Tests of the linkage of persons. The small worlds are made in the tests; nothing of the benchmark's figures."""
