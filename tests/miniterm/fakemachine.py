#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A machine on a serial line, for tests of terminals.

It behaves as the hypervisor does on a shared line: CTRL-a three times moves
the input between hypervisor and domain 0, `h` lists debug keys, "(XEN) " and
"(dN) " mark lines, and a small debugger answers on the channel of bytes with
the top bit set.  Run it by hand to try a terminal:

    fakemachine.py tcp:4000 | unix:/tmp/com1 | fd:N
"""
from __future__ import annotations

import os
import select
import socket
import sys
import time

KEYS = [
    ("a", "dump timer queues"), ("d", "dump registers"),
    ("h", "show this message"), ("q", "dump domain (and guest debug) info"),
    ("r", "dump run queues"), ("C", "trigger a crashdump"),
    ("R", "reboot machine"), ("D", "trap to pdb"),
]

OOPS = [
    "----[ Xen-4.17  x86_64  debug=y ]----",
    "CPU:    0",
    "RIP:    e008:[<ffff82d040200010>] panic_here+0x10/0x20",
    "Xen call trace:",
    "   [<ffff82d040200010>] R panic_here+0x10/0x20",
    "",
    "****************************************",
    "Panic on CPU 0:",
    "FATAL PAGE FAULT",
    "****************************************",
]


class Stub:
    """A debugger of a few packets, enough for gdb to attach and look."""

    def __init__(self, send) -> None:
        self.send = send
        self.buf = b""
        self.running = True
        self.no_ack = False
        self.packets: list[str] = []
        self.interrupts = 0

    def reply(self, text: str) -> None:
        total = sum(text.encode()) & 0xff
        self.send(f"${text}#{total:02x}".encode())

    def feed(self, data: bytes) -> None:
        for byte in data:
            if not self.buf:
                if byte == 3:
                    self.interrupts += 1
                    self.stop(2)
                elif byte == ord("$"):
                    self.buf = b"$"
                continue
            self.buf += bytes([byte])
            if len(self.buf) >= 4 and self.buf[-3:-2] == b"#":
                packet, self.buf = self.buf[1:-3].decode("latin1"), b""
                if not self.no_ack:
                    self.send(b"+")
                self.packets.append(packet)
                self.answer(packet)

    def stop(self, signal: int) -> None:
        self.running = False
        self.reply(f"T{signal:02x}thread:1;core:1;")

    def answer(self, packet: str) -> None:
        if packet == "?":
            self.stop(5)
        elif packet.startswith("qSupported"):
            self.reply("PacketSize=400;QStartNoAckMode+")
        elif packet == "QStartNoAckMode":
            self.reply("OK")
            self.no_ack = True
        elif packet == "g":
            rip = (0xffff82d040200010).to_bytes(8, "little").hex()
            self.reply("00" * 128 + rip + "00" * 28)
        elif packet.startswith("m"):
            length = int(packet.split(",")[1], 16)
            self.reply("90" * min(length, 512))
        elif packet == "qfThreadInfo":
            self.reply("m1")
        elif packet == "qsThreadInfo":
            self.reply("l")
        elif packet == "qC":
            self.reply("QC1")
        elif packet[0] in "HDkT" or packet.startswith("qSymbol"):
            self.reply("OK")
        elif packet[0] in "cs" or packet.startswith("vCont;c"):
            self.running = True
        else:
            self.reply("")


class Machine:
    """The machine behind one descriptor."""

    def __init__(self, fd: int, banner: bool = True,
                 owner: str = "dom0") -> None:
        self.fd = fd
        self.owner = owner
        self.switches = 0
        self.line = b""
        self.log: list[str] = []
        self.got = b""
        self.stub = Stub(self.send_high)
        self.utf8 = True
        if banner:
            self.say("Xen version 4.17-hv")
            self.say_owner()
            self.prompt()

    def send(self, data: bytes) -> None:
        while data:
            try:
                n = os.write(self.fd, data)
            except BlockingIOError:
                select.select([], [self.fd], [])
                continue
            data = data[n:]

    def send_high(self, data: bytes) -> None:
        self.send(bytes(b | 0x80 for b in data))

    def console(self, text: str) -> None:
        out = b""
        for byte in text.replace("\n", "\r\n").encode():
            out += bytes([byte]) if byte < 0x80 else b"\\x%02x" % byte
        self.send(out)

    def say(self, text: str) -> None:
        self.console(f"(XEN) {text}\n")

    def say_owner(self) -> None:
        where = {"xen": ("Xen", "DOM0"), "dom0": ("DOM0", "Xen")}[self.owner]
        self.say(f"*** Serial input -> {where[0]} (type 'CTRL-a' three times "
                 f"to switch input to {where[1]}).")

    def prompt(self) -> None:
        self.console("dom0# ")

    def byte(self, byte: int) -> None:
        if byte & 0x80:
            self.stub.feed(bytes([byte & 0x7f]))
            return
        if byte == 1:
            self.switches += 1
            if self.switches == 3:
                self.switches = 0
                self.owner = "xen" if self.owner == "dom0" else "dom0"
                self.say_owner()
            return
        self.switches = 0
        if self.owner == "xen":
            self.key(chr(byte))
        else:
            self.dom0(byte)

    def key(self, key: str) -> None:
        self.log.append(f"key {key}")
        if key == "h":
            self.say("'h' pressed -> showing installed handlers")
            for k, text in KEYS:
                self.say(f" key '{k}' (ascii '{ord(k):02x}') => {text}")
        elif key == "q":
            self.say("'q' pressed -> dumping domain info (now=0x1)")
            self.say("General information for domain 0:")
        elif key == "C":
            for text in OOPS:
                self.say(text)
        elif key == "D":
            self.stub.stop(5)
        elif key in "adrR":
            self.say(f"'{key}' pressed")

    def dom0(self, byte: int) -> None:
        char = bytes([byte])
        self.got += char
        if char == b"\r":
            self.console("\n")
            self.command(self.line.decode("latin1"))
            self.line = b""
        elif char == b"\x7f":
            if self.line:
                self.line = self.line[:-1]
                self.console("\b \b")
        else:
            self.line += char
            self.send(char)

    def command(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        self.log.append(f"dom0 {line}")
        if word == "echo":
            self.console(rest + "\n")
        elif word == "d1":
            self.console("(d1) hello from domain 1\n(d2) and domain 2\n")
        elif word == "color":
            self.console("\033[1;31mred\033[0m and \033[32mgreen\033[0m\n")
        elif word == "wide":
            self.console("gr\u00fc\u00df \u4f60\u597d\n")
        elif word == "lines":
            for i in range(int(rest)):
                self.console(f"line number {i}\n")
        elif word == "vi":
            self.send(b"\033[?1049h\033[2J\033[1;1HFULL SCREEN EDITOR"
                      b"\033[3;5Hcolumn five\033[?25h")
            return
        elif word == "oops":
            self.console("BUG: unable to handle page fault for address: 8\n"
                         "Oops: 0000 [#1] SMP\n")
        elif word == "split":
            # The hypervisor speaks in the middle of domain 0's line.
            self.send(b"half a line (XEN) an interruption\r\nand its end\r\n")
        elif word == "evil":
            self.send(b"\033]0;title\007\033[31m\033Pq\033\\safe\033[0m\r\n")
        self.prompt()

    def leave_editor(self) -> None:
        self.send(b"\033[?1049l")
        self.prompt()

    def serve(self, idle=None) -> None:
        """Until the other side is gone; @idle runs about every 50 ms."""
        while True:
            ready, _, _ = select.select([self.fd], [], [], 0.05)
            if ready:
                try:
                    data = os.read(self.fd, 4096)
                except OSError:
                    return
                if not data:
                    return
                for byte in data:
                    self.byte(byte)
            if idle and idle(self):
                return


def listen(spec: str) -> socket.socket:
    """A listening socket for tcp:PORT or unix:PATH."""
    kind, _, rest = spec.partition(":")
    if kind == "unix":
        server = socket.socket(socket.AF_UNIX)
        if os.path.exists(rest):
            os.unlink(rest)
        server.bind(rest)
    else:
        server = socket.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", int(rest or 0)))
    server.listen(4)
    return server


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    if sys.argv[1].startswith("fd:"):
        Machine(int(sys.argv[1][3:])).serve()
        return 0
    server = listen(sys.argv[1])
    while True:
        conn, _ = server.accept()
        conn.setblocking(False)
        Machine(conn.fileno()).serve()
        conn.close()
        time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(main())
