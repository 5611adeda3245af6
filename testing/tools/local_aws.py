"""Runs MiniStack until standard input closes."""

import sys

import lifetime

# Before the long import.
lifetime.watch()
sys.argv = ["ministack"]

from ministack.app import main  # noqa: E402

main()
