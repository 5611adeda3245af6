"""Runs MiniStack until standard input closes."""

import sys

import lifetime

# Before the long import.
lifetime.watch()
sys.argv = ["ministack"]
sys.dont_write_bytecode = True

from ministack import app  # noqa: E402

import local_apigateway  # noqa: E402, F401  (it changes MiniStack as it is imported)
import local_cloudformation  # noqa: E402, F401
import local_lambda  # noqa: E402, F401
from local_authority import answering  # noqa: E402
from local_front import attributed  # noqa: E402

app.app = attributed(answering(app.app))
app.main()
