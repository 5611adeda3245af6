"""Runs MiniStack until standard input closes."""

import sys

import lifetime

# Before the long import.
lifetime.watch()
sys.argv = ["ministack"]
sys.dont_write_bytecode = True

from ministack import app  # noqa: E402

import local_cloudformation  # noqa: E402

app.app = local_cloudformation.attributed(app.app)
app.main()
