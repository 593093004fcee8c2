# SPDX-License-Identifier: GPL-2.0-only
"""A stub that takes no time: it gives the answers of a recorded session.

What gdb, the relay and the host make of the same characters without a stub's
own work is the most that a stub can reach on this host.
"""
from __future__ import annotations

import ast
import re
import socket
import threading
from collections import defaultdict, deque
from pathlib import Path

PACKET = re.compile(rb"\$([^#]*)#..", re.S)
NO_ACK = b"QStartNoAckMode"

Answers = dict[bytes, list[bytes]]


def read_trace(trace: Path) -> Answers:
    """What each packet was answered, in turn; of gdb-measure --trace."""
    answers: Answers = defaultdict(list)
    rest = {"tx": b"", "rx": b""}
    asked = None
    for line in trace.read_text(encoding="ascii").splitlines():
        way, _, text = line.partition(" ")
        if way not in rest:
            continue
        rest[way] += ast.literal_eval(text)
        while match := PACKET.search(rest[way]):
            rest[way] = rest[way][match.end():]
            if way == "tx":
                asked = match[1]
            elif asked is not None:
                answers[asked].append(match[0])
                asked = None
    return answers


class CannedStub:
    """Serves one gdb after the other on a Unix socket; each from the start.

    The last answer to a packet is also that to further ones.
    """

    def __init__(self, path: Path, answers: Answers) -> None:
        self._answers = answers
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(1)
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            peer, _ = self._listener.accept()
            with peer:
                self._serve(peer)

    def _serve(self, peer: socket.socket) -> None:
        left = {packet: deque(said) for packet, said in self._answers.items()}
        ack, got = b"+", b""
        while data := peer.recv(4096):
            got += data
            while match := PACKET.search(got):
                got = got[match.end():]
                said = left.get(match[1], deque([b"$#00"]))
                answer = said.popleft() if len(said) > 1 else said[0]
                if match[1].startswith(b"vCont;") and ack:
                    peer.sendall(ack)    # long before the stop
                    peer.sendall(answer)
                else:
                    peer.sendall(ack + answer)
                if match[1] == NO_ACK:
                    ack = b""
