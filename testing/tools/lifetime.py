"""Ends this process when standard input closes, so that an emulator never outlives the test that started it, however that ends.

An emulator starts processes of its own (Lambda functions): all of them are one process group, which is killed as a whole.
"""

import os
import signal
import threading


def _end_with_standard_input():
    while os.read(0, 1024):
        pass
    os.killpg(0, signal.SIGKILL)


def watch():
    os.setpgid(0, 0)
    threading.Thread(target=_end_with_standard_input, daemon=True).start()
