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

from ministack.app import main  # noqa: E402  (the watch stands before the long import)

main()
