# SPDX-License-Identifier: BSD-3-Clause
"""A program in a terminal of a chosen size: a pseudo terminal, with pyte for what stands on its screen.

    with Terminal([program, 'top'], columns=80, lines=24) as terminal:
        terminal.wait('PATTERN')
        terminal.press('Down', 'Enter')
"""
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time

import pyte

WAIT_S = 20.0
KEYS = {"Enter": "\r", "Escape": "\x1b", "Up": "\x1b[A", "Down": "\x1b[B", "Right": "\x1b[C", "Left": "\x1b[D",
        "Home": "\x1b[1~", "End": "\x1b[4~", "PageUp": "\x1b[5~", "PageDown": "\x1b[6~", "Backspace": "\x7f",
        "Space": " "}


class Terminal:
    def __init__(self, words, columns=80, lines=24, utf8=True, **environment):
        self.emulated = pyte.Screen(columns, lines)
        self.stream = pyte.ByteStream(self.emulated)
        if not utf8:
            self.stream.select_other_charset("@")
        self.sent = b""  # all that the program wrote
        self.master, slave = pty.openpty()
        self._set_size(columns, lines)
        environment = {"TERM": "linux", "LC_ALL": "C.UTF-8" if utf8 else "C", "NO_COLOR": "", **environment}
        self.process = subprocess.Popen([*map(str, words)], stdin=slave, stdout=slave, stderr=slave,
                                        env=dict(os.environ, **environment), start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)

    def _set_size(self, columns, lines):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def _take(self, limit_s):
        """Shows what the program writes within a moment: whether it wrote; None when it has closed the terminal."""
        if not select.select([self.master], [], [], limit_s)[0]:
            return False
        try:
            data = os.read(self.master, 1 << 16)
        except OSError:  # how Linux says that nobody has it open any more
            return None
        self.sent += data
        self.stream.feed(data)
        return True if data else None

    def screen(self):
        return "\n".join(line.rstrip() for line in self.emulated.display)

    def looks(self):
        """(text, colour of text, colour of ground, bold, reverse) of every character that is no blank."""
        return [(cell.data, cell.fg, cell.bg, cell.bold, cell.reverse)
                for line in self.emulated.buffer.values() for cell in line.values()
                if cell.data.strip() or cell.bg != "default"]

    def press(self, *keys):
        """Names of keys, as above, or characters."""
        for key in keys:
            os.write(self.master, KEYS.get(key, key).encode())
            # An escape that is followed at once by something else is the begin of another key.
            if key == "Escape":
                time.sleep(0.1)

    def type(self, text):
        os.write(self.master, text.encode())

    def resize(self, columns, lines):
        self.emulated.resize(lines, columns)
        self._set_size(columns, lines)
        os.kill(self.process.pid, signal.SIGWINCH)

    def wait(self, wanted, limit_s=WAIT_S):
        """The first screen that holds the text, or for which the function answers with true, once it is whole: the
        program writes nothing more for a moment."""
        end = time.monotonic() + limit_s
        wrote = True
        while True:
            screen = self.screen()
            there = wanted in screen if isinstance(wanted, str) else wanted(screen)
            if there and not wrote:
                return screen
            assert wrote is not None and time.monotonic() < end, \
                f"waited in vain for {wanted!r}; the screen is:\n{screen}"
            wrote = self._take(0.03)

    def gone(self, text):
        return self.wait(lambda screen: text not in screen)

    def exit_status(self):
        """Waits for the program's end, and shows what it says before."""
        end = time.monotonic() + WAIT_S
        while self._take(0.05) is not None and time.monotonic() < end:
            pass
        return self.process.wait(timeout=max(0.1, end - time.monotonic()))
