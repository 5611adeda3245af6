"""Runs MiniStack until standard input closes, so that it never outlives the test that started it, however that ends.

MiniStack starts processes of its own (Lambda functions): all of them are one process group, which is killed as a whole.
"""

import os
import signal
import sys
import threading


def end_with_standard_input():
    while os.read(0, 1024):
        pass
    os.killpg(0, signal.SIGKILL)


os.setpgid(0, 0)
threading.Thread(target=end_with_standard_input, daemon=True).start()
sys.argv = ["ministack"]
sys.dont_write_bytecode = True

from ministack import app  # noqa: E402  (the watch stands before the long import)

import local_apigateway  # noqa: E402, F401  (it changes MiniStack as it is imported)
import local_cloudformation  # noqa: E402, F401
import local_lambda  # noqa: E402, F401
from local_front import attributed  # noqa: E402

app.app = attributed(app.app)
app.main()
