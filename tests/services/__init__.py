"""Tests with programs that make does not install: Debian's packages, as the Makefile names them for ``make test-services``.

They fail where a program is missing: nobody is to believe that they ran. ``make test`` passes this folder over.
"""
