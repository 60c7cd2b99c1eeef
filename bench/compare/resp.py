# SPDX-License-Identifier: BSD-3-Clause
"""A RESP2 client of a page, for the few questions the benchmark asks a server."""

import socket


class ReplyError(Exception):
    """The server answered with an error."""


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.file = self.socket.makefile("rb")

    def call(self, *arguments):
        parts = [a if isinstance(a, bytes) else str(a).encode() for a in arguments]
        request = b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)
        self.socket.sendall(request)
        return self._reply()

    def _reply(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise OSError("the server closed the connection")
        mark, rest = line[:1], line[1:-2]
        if mark == b"+":
            return rest
        if mark == b"-":
            raise ReplyError(rest.decode(errors="replace"))
        if mark == b":":
            return int(rest)
        if mark == b"$":
            if int(rest) < 0:
                return None
            return self.file.read(int(rest) + 2)[:-2]
        if mark == b"*":
            return None if int(rest) < 0 else [self._reply() for _ in range(int(rest))]
        raise ReplyError(f"unexpected reply {line!r}")

    def info(self, section):
        text = self.call("INFO", section).decode()
        return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)

    def close(self):
        self.file.close()
        self.socket.close()
