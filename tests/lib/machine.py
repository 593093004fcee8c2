# SPDX-License-Identifier: GPL-2.0-only
"""A machine for tests: QEMU with its serial lines and its monitor in our hands.

A Config says what the machine is; a Machine runs it, collects what its serial
lines say (also in log files), types at them, and speaks QMP. Deadlines find
hangs, they measure nothing: they are long, and TEST_PATIENCE multiplies them.
QEMU always runs under timeout(1), without reboot unless asked for, and is gone
when the `with` block ends.
"""
from __future__ import annotations

import dataclasses
import json
import os
import re
import shlex
import socket
import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Callable

TOP = Path(__file__).resolve().parents[2]
PATIENCE = float(os.environ.get("TEST_PATIENCE", "1"))
DEADLINE = 240.0          # seconds that one expected thing may take
LIFETIME = 900            # seconds after which timeout(1) ends any QEMU
TAIL_LINES = 40


class MachineError(Exception):
    """What was expected did not come; the message has the console's tail."""


@dataclasses.dataclass(frozen=True)
class Disk:
    """A raw image on a controller: "ahci", "virtio" or "nvme"."""
    path: Path
    kind: str = "virtio"


@dataclasses.dataclass(frozen=True)
class Module:
    """A multiboot module and its command line."""
    path: Path
    args: str = ""


@dataclasses.dataclass(frozen=True)
class Config:
    """What machine to run.

    serial: one entry a port: "test" (the Machine reads and types), "card" (the
    same, but the port is on a PCI card), "none", or a character device of
    QEMU's ("pty", "unix:/path,server=on,wait=off", ...).
    pace: bytes a second that are read from each port, 0: as many as come. The
    machine feels it: a hundred bytes or two are between it and us.
    boot: "kernel" (QEMU's own multiboot loader), or an ISO image's path.
    """
    hypervisor: Path | None = None
    hv_args: str = ""
    modules: tuple[Module, ...] = ()
    iso: Path | None = None
    uefi: bool = False
    machine: str = "pc"
    cpu: str = "max"
    mem_mib: int = 1024
    smp: str = os.environ.get("SMP") or "1"
    disks: tuple[Disk, ...] = ()
    nics: tuple[str, ...] = ()
    serial: tuple[str, ...] = ("test",)
    pace: int = 0
    allow_reset: bool = False
    reset_log: bool = False
    lifetime: int = LIFETIME
    extra: tuple[str, ...] = ()


def comma(text: str | Path) -> str:
    """A comma inside a QEMU list value is written twice."""
    return str(text).replace(",", ",,")


def disk_arguments(disks: tuple[Disk, ...]) -> list[str]:
    args: list[str] = []
    if any(disk.kind == "ahci" for disk in disks):
        args += ["-device", "ahci,id=ahci0"]
    port = 0
    for number, disk in enumerate(disks):
        drive = f"disk{number}"
        args += ["-drive", f"file={comma(disk.path)},format=raw,if=none,"
                 f"id={drive},cache=unsafe"]
        if disk.kind == "ahci":
            args += ["-device", f"ide-hd,drive={drive},bus=ahci0.{port}"]
            port += 1
        elif disk.kind == "virtio":
            args += ["-device", f"virtio-blk-pci,drive={drive}"]
        elif disk.kind == "nvme":
            args += ["-device", f"nvme,drive={drive},serial=test{number}"]
        else:
            raise ValueError(f"no disk kind {disk.kind!r}")
    return args


def boot_arguments(config: Config) -> list[str]:
    args: list[str] = []
    if config.uefi:
        args += ["-bios", "/usr/share/ovmf/OVMF.fd"]
    if config.iso:
        return args + ["-cdrom", str(config.iso), "-boot", "d"]
    if config.hypervisor:
        args += ["-kernel", str(config.hypervisor),
                 "-append", config.hv_args]
    if config.modules:
        args += ["-initrd", ",".join(
            f"{comma(module.path)} {comma(module.args)}".rstrip()
            for module in config.modules)]
    return args


def qemu_arguments(config: Config) -> list[str]:
    """Everything but the serial lines and the monitor."""
    # reserve=off: a machine may be larger than the host's free memory as
    # long as it does not touch all of it.
    args = shlex.split(os.environ.get("QEMU", "qemu-system-x86_64"))
    args += ["-machine", f"{config.machine},memory-backend=ram",
             "-object", f"memory-backend-ram,id=ram,"
             f"size={config.mem_mib}M,reserve=off",
             "-accel", "tcg", "-cpu", config.cpu, "-m", str(config.mem_mib),
             "-smp", config.smp, "-nodefaults", "-display", "none",
             "-vga", "std"]
    if not config.allow_reset:
        args += ["-no-reboot"]
    args += boot_arguments(config) + disk_arguments(config.disks)
    for number, nic in enumerate(config.nics):
        # the Nth card is on a network of its own, 10.0.(2+N).0/24
        model = {"virtio": "virtio-net-pci"}.get(nic, nic)
        # (-nic would give a virtio card no MSI-X vectors)
        args += ["-netdev", f"user,id=net{number},net=10.0.{number + 2}.0/24",
                 "-device", f"{model},netdev=net{number},"
                 f"mac=52:54:00:00:00:{number:02x}"]
    return args + list(config.extra)


class Line:
    """One end of a byte stream that a thread reads into a growing buffer."""

    def __init__(self, end: socket.socket, log: Path | None,
                 on_data: Callable[[], None], pace: int = 0) -> None:
        self.end = end
        self._pace = pace
        self._new_pace = threading.Event()
        self.data = bytearray()
        self.seen = 0             # how far expect() has got
        self.closed = False
        self._log = log.open("wb") if log else None
        self._on_data = on_data
        self._thread = threading.Thread(target=self._read, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def set_pace(self, pace: int) -> None:
        """At once: who sleeps for the sake of another pace wakes up."""
        self._pace = pace
        self._new_pace.set()

    def _read(self) -> None:
        started, got = time.monotonic(), 0
        while True:
            try:
                chunk = self.end.recv(64 if self._pace else 65536)
            except OSError:
                chunk = b""
            if self._pace:
                # a line that was idle does not make up for it
                got += len(chunk)
                due = started + got / self._pace
                late = time.monotonic() - due
                if late > 0.1:
                    started += late
                if self._new_pace.wait(max(0, -late)):
                    self._new_pace.clear()
                    started, got = time.monotonic(), 0
            if chunk and self._log:
                self._log.write(chunk)
                self._log.flush()
            self.data += chunk
            self.closed = not chunk
            self._on_data()
            if not chunk:
                break

    def close(self) -> None:
        try:
            self.end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        if self._thread.is_alive():
            self._thread.join(10)
        self.end.close()
        if self._log:
            self._log.close()


class Machine:
    """A running QEMU; use it in a `with` statement."""

    def __init__(self, config: Config, logs: Path) -> None:
        self.config = config
        self.logs = logs
        self.events: list[dict[str, Any]] = []
        self._news = threading.Condition()
        self._lines: list[Line | None] = []
        self._answers: list[dict[str, Any]] = []
        self._qmp_read = 0

    # ------------------------------------------------ start and stop

    def __enter__(self) -> Machine:
        self.logs.mkdir(parents=True, exist_ok=True)
        args = qemu_arguments(self.config)
        theirs: list[socket.socket] = []
        for number, kind in enumerate(self.config.serial):
            line = None
            if kind in ("test", "card"):
                line, other = self._line(self.logs / f"com{number + 1}.log",
                                         self._wake, self.config.pace)
                theirs.append(other)
                args += ["-chardev", f"socket,id=com{number},fd="
                         f"{other.fileno()}"]
                args += (["-serial", f"chardev:com{number}"] if kind == "test"
                         else ["-device", f"pci-serial,chardev=com{number}"])
            else:
                args += ["-serial", kind]
            self._lines.append(line)
        self._qmp, other = self._line(None, self._qmp_data)
        theirs.append(other)
        args += ["-chardev", f"socket,id=qmp,fd={other.fileno()}",
                 "-mon", "chardev=qmp,mode=control"]
        if self.config.reset_log:
            args += ["-d", "cpu_reset", "-D", str(self.logs / "qemu.log")]
        (self.logs / "command").write_text(shlex.join(args) + "\n")
        self._errors = (self.logs / "qemu.err").open("wb")
        self.process = subprocess.Popen(
            ["timeout", "--foreground", "-k", "5",
             str(int(self.config.lifetime * PATIENCE))] + args,
            stdin=subprocess.DEVNULL, stdout=self._errors,
            stderr=self._errors, pass_fds=[end.fileno() for end in theirs])
        for end in theirs:
            end.close()
        for line in [*self._lines, self._qmp]:
            if line:
                line.start()
        self.qmp("qmp_capabilities")
        return self

    def __exit__(self, kind: type[BaseException] | None,
                 error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.process.terminate()
        self.process.wait()
        for line in [*self._lines, self._qmp]:
            if line:
                line.close()
        self._errors.close()

    @staticmethod
    def _line(log: Path | None, on_data: Callable[[], None],
              pace: int = 0) -> tuple[Line, socket.socket]:
        ours, theirs = socket.socketpair()
        if pace:
            # one byte a message: some hundred of them
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        return Line(ours, log, on_data, pace), theirs

    def pace(self, bytes_a_second: int, com: int = 1) -> None:
        """From now on the port is a line of that speed; 0: no limit."""
        self.line(com).set_pace(bytes_a_second)

    def _wake(self) -> None:
        with self._news:
            self._news.notify_all()

    # ------------------------------------------------ the serial lines

    def line(self, com: int = 1) -> Line:
        found = self._lines[com - 1]
        if found is None:
            raise ValueError(f"com{com} is not read by the test")
        return found

    def output(self, com: int = 1) -> str:
        """All that the port has said so far."""
        return bytes(self.line(com).data).decode(errors="replace")

    def send(self, text: str | bytes, com: int = 1) -> None:
        raw = text.encode() if isinstance(text, str) else text
        self.line(com).end.sendall(raw)

    def expect(self, pattern: str, com: int = 1, deadline: float = DEADLINE,
               fatal: str = "") -> re.Match[bytes]:
        """Waits until the port says `pattern` after what was expected before.

        Gives up at once when the machine leaves, or says `fatal` first.
        """
        line = self.line(com)
        wanted = re.compile(pattern.encode(), re.M)
        bad = re.compile(fatal.encode(), re.M) if fatal else None
        end = time.monotonic() + deadline * PATIENCE
        with self._news:
            while True:
                data = bytes(line.data)
                match = wanted.search(data, line.seen)
                wrong = bad.search(data, line.seen) if bad else None
                if match and not (wrong and wrong.start() < match.start()):
                    line.seen = match.end()
                    return match
                if wrong:
                    raise self._failure(f"wanted /{pattern}/, but it said "
                                        f"/{wrong[0].decode()!r}/", com)
                if line.closed:
                    raise self._failure(f"wanted /{pattern}/, but the machine "
                                        f"left{self._why()}", com)
                left = end - time.monotonic()
                if left <= 0:
                    break
                self._news.wait(min(left, 1))
        raise self._failure(f"no /{pattern}/ in {deadline * PATIENCE:.0f} s"
                            + self._standing(com), com)

    def _failure(self, what: str, com: int) -> MachineError:
        said = self.output(com) if self._lines[com - 1] else ""
        tail = said.replace("\r", "").splitlines()[-TAIL_LINES:]
        errors = (self.logs / "qemu.err").read_text(errors="replace").strip()
        text = what + "".join("\n    | " + line for line in tail)
        return MachineError(text + (f"\n    QEMU: {errors}" if errors else ""))

    def _standing(self, com: int) -> str:
        """Of a machine that says nothing: where its CPUs are, three times in
        a second, and whether its console still answers a debug key."""
        try:
            places = ["; ".join(self._places()) for _ in range(3)
                      if not time.sleep(0.3)]
            line = self.line(com)
            before = len(line.data)
            self.send("\x01\x01\x01r", com)
            time.sleep(5)
            answer = bytes(line.data[before:]).decode(errors="replace")
        except (MachineError, OSError, ValueError) as gone:
            return f"; {gone}"
        said = re.findall(r"^\(XEN\).*", answer, re.M)
        return "".join(f"\n    {row}" for row in places + (
            said or ["the console does not answer"]))

    def _places(self) -> list[str]:
        """Each CPU's instruction, and whether it sleeps there."""
        text = self.monitor("info registers -a")
        return [f"CPU{number} {rip} CPL={cpl}{' HLT' * int(hlt)}"
                for number, (rip, cpl, hlt) in enumerate(re.findall(
                    r"RIP=(\w+).*?CPL=(\d).*?HLT=(\d)", text, re.S))]

    def _why(self) -> str:
        reason = self.shutdown_reason()
        return f" ({reason})" if reason else ""

    # ------------------------------------------------ the end of the machine

    def shutdown_reason(self) -> str:
        """QMP's reason ("guest-reset", "guest-shutdown", ...), or nothing."""
        for event in self.events:
            if event["event"] == "SHUTDOWN":
                return str(event["data"]["reason"])
        return ""

    def wait_exit(self, reason: str, deadline: float = DEADLINE) -> None:
        """Waits until the machine leaves by itself for that reason."""
        try:
            self.process.wait(deadline * PATIENCE)
        except subprocess.TimeoutExpired:
            raise self._failure(f"the machine did not end by {reason}",
                                1) from None
        self._qmp._thread.join(10)
        if self.shutdown_reason() != reason:
            raise self._failure(f"the machine ended by "
                                f"{self.shutdown_reason()!r}, not by "
                                f"{reason!r}", 1)

    def triple_faults(self) -> int:
        """How often a CPU gave up; needs reset_log in the Config."""
        log = (self.logs / "qemu.log").read_text(errors="replace")
        return log.count("Triple fault")

    # ------------------------------------------------ the monitor

    def _qmp_data(self) -> None:
        while True:
            end = self._qmp.data.find(b"\n", self._qmp_read)
            if end < 0:
                break
            message = json.loads(self._qmp.data[self._qmp_read:end])
            self._qmp_read = end + 1
            if "event" in message:
                self.events.append(message)
            elif "QMP" not in message:
                self._answers.append(message)
        self._wake()

    def qmp(self, command: str, **arguments: Any) -> Any:
        """One QMP command; its answer, or MachineError."""
        self._answers.clear()
        request: dict[str, Any] = {"execute": command}
        if arguments:
            request["arguments"] = arguments
        self._qmp.end.sendall(json.dumps(request).encode() + b"\n")
        end = time.monotonic() + DEADLINE * PATIENCE
        with self._news:
            while not self._answers:
                if self._qmp.closed or time.monotonic() > end:
                    errors = (self.logs / "qemu.err").read_text()
                    raise MachineError(f"QEMU does not answer {command}: "
                                       f"{errors}")
                self._news.wait(1)
        answer = self._answers.pop(0)
        if "error" in answer:
            raise MachineError(f"{command}: {answer['error']['desc']}")
        return answer["return"]

    def monitor(self, line: str) -> str:
        """A line for QEMU's human monitor, such as "nmi"."""
        return str(self.qmp("human-monitor-command", **{"command-line": line}))

    def halted(self) -> bool:
        """Whether every CPU stands in HLT with interrupts off."""
        text = self.monitor("info registers -a")
        halts = re.findall(r"HLT=(\d)", text)
        flags = re.findall(r"RFL=([0-9a-f]+)", text)
        return bool(halts) and all(h == "1" for h in halts) and not any(
            int(f, 16) & 0x200 for f in flags)

    def screen(self) -> str:
        """The VGA text screen, 25 lines of 80 characters."""
        dump = self.monitor("xp /4000xb 0xb8000")
        cells = [int(word, 16) for line in dump.splitlines()
                 for word in line.split(":", 1)[-1].split()]
        text = "".join(chr(c) if 32 <= c < 127 else " " for c in cells[::2])
        return "\n".join(text[i:i + 80].rstrip()
                         for i in range(0, len(text), 80))
