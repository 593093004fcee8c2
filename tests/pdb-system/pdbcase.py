# SPDX-License-Identifier: GPL-2.0-only
"""What the debugger's system tests share: machines, a line's ends, checks.

HV and HV_SYMS name the image and its symbols (default: dist/boot), NSPLITD the
splitter.
"""
from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from collections import deque
from pathlib import Path
from typing import Any

import dom0
from cases import Context, check
from machine import PATIENCE, TOP, Config, Machine

SHELL = r"dom0:\S*# "
WAITS = r"waits for gdb\.\r"
NO_KASLR = "modules=none nokaslr"

# What Linux says when its clock, its CPUs or its patience have suffered.
COMPLAINTS = (r"rcu: INFO.*stall|soft lockup|hard LOCKUP|blocked for more than|"
              r"clocksource.*unstable|BUG:|Oops:|WARNING:|went backwards")


def found(pattern: str, text: str) -> re.Match[str]:
    match = re.search(pattern, text, re.M)
    check(match is not None, f"no /{pattern}/ in:\n{text}")
    assert match is not None
    return match


def build_demo(directory: Path, source: str = "demo") -> Path:
    """A process to be debugged, with symbols."""
    program = directory / source
    subprocess.run(["gcc", "-g", "-O1", "-static", "-no-pie", "-o",
                    str(program), f"tests/pdb-system/{source}.c"],
                   check=True, cwd=TOP)
    return program


def with_files(directory: Path, *programs: Path) -> Path:
    """The initramfs with more files: archives may follow one another."""
    initrd = directory / "initramfs"
    data = dom0.INITRD.read_bytes()
    for program in programs:
        data += subprocess.run(
            ["cpio", "-o", "-H", "newc", "--quiet"], cwd=program.parent,
            input=program.name.encode() + b"\n", stdout=subprocess.PIPE,
            check=True).stdout
    initrd.write_bytes(data)
    return initrd


def machine_on(ctx: Context, option: str, smp: str = Config().smp,
               initrd: Path | None = None, words: str = "",
               **more: Any) -> tuple[Machine, str]:
    """A machine whose second line is the debugger's, and that line's name.

    words: for domain 0's kernel.
    """
    path = ctx.directory / "gdb.sock"
    config = dom0.config(
        f"com2=115200,8n1 {option}", f"{NO_KASLR} {words}", smp=smp,
        serial=("test", f"unix:{path},server=on,wait=off"),
        initrd=initrd or dom0.INITRD, **more)
    return Machine(config, ctx.directory), str(path)


def booted(machine: Machine) -> None:
    dom0.wait_ready(machine)
    machine.expect(SHELL)


def shell_answers(machine: Machine, word: str) -> None:
    machine.send(f"echo {word[:2]}''{word[2:]}\n")
    machine.expect(rf"^{word}", fatal=dom0.TROUBLE)


def healthy(machine: Machine, word: str) -> None:
    """Domain 0 answers, and its kernel has found nothing to complain of."""
    shell_answers(machine, word)
    machine.send("echo DM''ESG; "
                 f"dmesg | grep -E '{COMPLAINTS}'; echo CHECK''ED\n")
    said = machine.expect(r"(?s)^DMESG\r+\n(.*?)^CHECKED")[1].decode()
    # (the console may say other things just then)
    check(not re.search(COMPLAINTS, said), f"domain 0 complains: {said}")


def address_of(machine: Machine, symbol: str) -> int:
    machine.send(f"grep ' {symbol}$' /proc/kallsyms\n")
    return int(machine.expect(rf"([0-9a-f]{{16}}) \w {symbol}\r")[1], 16)


def uptime(machine: Machine) -> float:
    machine.send("echo UP''TIME $(cut -d' ' -f1 /proc/uptime)\n")
    return float(machine.expect(r"UPTIME (\d+\.\d+)")[1])


def to_hypervisor(machine: Machine) -> None:
    machine.send("\x01\x01\x01")
    machine.expect(r"Serial input -> Xen")


def to_domain0(machine: Machine) -> None:
    machine.send("\x01\x01\x01")
    machine.expect(r"Serial input -> DOM0")


class Wire:
    """A gdb that only we are: packets by hand, for what gdb never does."""

    ACKNOWLEDGEMENT = b"+"

    def __init__(self, path: str) -> None:
        self.end = socket.socket(socket.AF_UNIX)
        self.end.connect(path)
        self.end.settimeout(20 * PATIENCE)
        self.data = b""
        self.told: list[str] = []
        self.past: deque[str] = deque(maxlen=12)

    def close(self) -> None:
        self.end.close()

    def send(self, body: str) -> None:
        self.past.append(f"> {body}")
        total = sum(body.encode()) & 255
        self.end.sendall(f"${body}#{total:02x}".encode())

    def reply(self) -> str:
        while True:
            match = re.search(rb"\$([^#]*)#..", self.data)
            if match:
                self.data = self.data[match.end():]
                self.end.sendall(self.ACKNOWLEDGEMENT)
                said = match[1].decode()
                self.past.append(f"< {said}")
                return said
            self.data += self.end.recv(4096)

    def stop(self) -> str:
        """Why the machine has stopped; what it says meanwhile is kept."""
        while (said := self.reply())[:1] == "O" and said != "OK":
            self.told.append(bytes.fromhex(plain(said[1:])).decode())
        return said

    def ask(self, body: str) -> str:
        self.send(body)
        return self.stop()

    def hello(self) -> None:
        """What gdb says first; it stops the machine."""
        self.ask("qSupported:multiprocess+;swbreak+;hwbreak+;"
                 "vContSupported+")
        self.ask("?")


def notification(wire: Wire) -> str:
    """Non-stop mode: the next stop that it is told of."""
    while not (match := re.search(rb"%Stop:([^#]*)#..", wire.data)):
        wire.data += wire.end.recv(4096)
    wire.data = wire.data[match.end():]
    return match[1].decode()


class Qemu(Wire):
    """QEMU's own stub (-gdb), which can keep one CPU from running at all.

    The machine stands still from connecting until run_only() or leave(): while
    it runs, any character stops it, an acknowledgement too.
    """

    ACKNOWLEDGEMENT = b""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._tell("?", "T.*")

    def _tell(self, body: str, answer: str) -> None:
        """A packet, and its answer behind whatever else QEMU has to say."""
        self.send(body)
        while not re.fullmatch(answer, self.reply()):
            pass

    def run_only(self, cpu: int) -> None:
        self.send(f"vCont;c:{cpu + 1}")

    def leave(self) -> None:
        """All CPUs run."""
        self.end.sendall(b"\x03")
        self._tell("D", "OK")
        self.close()


def plain(said: str) -> str:
    """A reply without its run-length encoding."""
    return re.sub(r"(.)\*(.)", lambda run: run[1] * (ord(run[2]) - 28), said)


def stopped_at(said: str) -> tuple[str, int]:
    """Thread and rip in a stop reply."""
    thread, rip = found(r"thread:(p?[\w.]+);.*\b10:(\w{16});",
                        plain(said)).groups()
    return thread, int.from_bytes(bytes.fromhex(rip), "little")


class Splitter:
    """nsplitd on a line; its ports and what the console port says."""

    def __init__(self, line: str) -> None:
        program = os.environ.get("NSPLITD") or TOP / "dist/usr/bin/nsplitd"
        self.process = subprocess.Popen(
            [str(program), "-p", "0", f"unix:{line}"], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        assert self.process.stdout is not None
        said = ""
        while "ports:" not in said:
            text = self.process.stdout.readline()
            check(bool(text), f"nsplitd did not start: {said}")
            said += text
        ports = found(r"console (\d+) gdb (\d+)", said)
        self.gdb = f"localhost:{ports[2]}"
        self.console = socket.create_connection(("localhost", int(ports[1])))
        self.console.settimeout(1)
        self.text = b""

    def __enter__(self) -> Splitter:
        return self

    def __exit__(self, *_: object) -> None:
        self.console.close()
        self.process.terminate()
        self.process.wait()

    def send(self, text: str) -> None:
        self.console.sendall(text.encode())

    def forget(self) -> None:
        """What has been said so far, by a machine that stands still."""
        try:
            while self.console.recv(65536):
                pass
        except TimeoutError:
            pass
        self.text = b""

    def expect(self, pattern: str, deadline: float = 240) -> str:
        """Everything up to the pattern, which is taken off."""
        end = time.monotonic() + deadline * PATIENCE
        while True:
            match = re.search(pattern.encode(), self.text, re.M)
            if match:
                said, self.text = (self.text[:match.end()],
                                   self.text[match.end():])
                return said.decode(errors="replace")
            check(time.monotonic() < end, f"no /{pattern}/ in {self.text!r}")
            try:
                data = self.console.recv(65536)
                check(bool(data), "nsplitd left")
                self.text += data
            except TimeoutError:
                pass
