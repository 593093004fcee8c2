# SPDX-License-Identifier: GPL-2.0-only
"""Pass-through on real ptys and sockets."""
from __future__ import annotations

import fcntl
import hashlib
import os
import random
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

from harness import ENV, PATIENCE, TOP, Case, Child, wait_for

sys.path.insert(0, str(TOP / "tests/lib"))

from writers import LogWriters  # noqa: E402  (the path has to be set first)


def speed(fd: int) -> int:
    """The rate of a terminal as the kernel has it (struct termios2)."""
    data = fcntl.ioctl(fd, 0x802c542a, bytes(44))
    return struct.unpack("4IB19B2I", data)[-1]


class PassThrough(Case):
    def test_bytes_both_ways_and_quit_key(self) -> None:
        line = self.pty()
        term = self.child("-d", line.name)
        term.wait_output(b"leaves")
        wait_for(term.is_raw)
        term.type(b"abc\x01\x02"[:4])
        self.assertEqual(line.read(4), b"abc\x01")
        os.write(line.fd, bytes(range(256)))
        wait_for(lambda: bytes(range(256)) in term.drain())
        term.type(b"x\x1dy")
        self.assertEqual(term.proc.wait(PATIENCE), 0)
        self.assertEqual(line.read(1), b"x")
        self.assertTrue(term.restored())

    def test_ctrl_b_leaves(self) -> None:
        line = self.pty()
        term = self.child("-d", line.name)
        wait_for(term.is_raw)
        term.type(b"\x02")
        self.assertEqual(term.proc.wait(PATIENCE), 0)
        self.assertTrue(term.restored())

    def test_quit_keys_option(self) -> None:
        line = self.pty()
        term = self.child("-q", "x", line.name)
        wait_for(term.is_raw)
        term.type(b"\x1d\x02")
        self.assertEqual(line.read(2), b"\x1d\x02")
        term.type(b"\x18")
        self.assertEqual(term.proc.wait(PATIENCE), 0)

    def test_original_options_attached_and_separate(self) -> None:
        for args in ([f"-b9600", "-d{}"], ["-b", "9600", "-d", "{}"]):
            line = self.pty()
            term = self.child(*(a.format(line.name) for a in args))
            term.wait_output(b"9600 8n1")
            self.assertEqual(speed(line.slave), 9600)
            term.type(b"\x1d")
            self.assertEqual(term.proc.wait(PATIENCE), 0)

    def test_any_speed(self) -> None:
        line = self.pty()
        term = self.child("-b", "250000", line.name)
        term.wait_output(b"250000 8n1")
        self.assertEqual(speed(line.slave), 250000)

    def test_frame_and_flow(self) -> None:
        line = self.pty()
        term = self.child("-f", "7e2", "--flow", "soft", line.name)
        term.wait_output(b"leaves")
        modes = termios.tcgetattr(line.slave)
        self.assertTrue(modes[0] & termios.IXON)
        self.assertTrue(modes[2] & termios.CSTOPB)

    def test_target_modes_are_put_back(self) -> None:
        line = self.pty()
        before = termios.tcgetattr(line.slave)
        term = self.child("-b", "1200", line.name)
        wait_for(term.is_raw)
        self.assertNotEqual(termios.tcgetattr(line.slave), before)
        term.type(b"\x1d")
        term.proc.wait(PATIENCE)
        self.assertEqual(termios.tcgetattr(line.slave), before)

    def test_megabytes_exact_both_ways(self) -> None:
        blob = random.Random(7).randbytes(3 << 20)
        a, b = socket.socketpair()
        server = socket.create_server(("127.0.0.1", 0))
        port = server.getsockname()[1]
        got: list[bytes] = []

        def far_end() -> None:
            conn, _ = server.accept()
            sender = threading.Thread(target=conn.sendall, args=(blob,))
            sender.start()
            size = 0
            while size < len(blob):
                data = conn.recv(65536)
                got.append(data)
                size += len(data)
            sender.join()
            conn.close()

        thread = threading.Thread(target=far_end)
        thread.start()
        out = self.run_program(f"localhost:{port}", stdin=blob)
        thread.join()
        a.close()
        b.close()
        server.close()
        digest = hashlib.sha256(blob).digest()
        self.assertEqual(hashlib.sha256(b"".join(got)).digest(), digest)
        self.assertEqual(hashlib.sha256(out.stdout).digest(), digest)

    def test_slow_terminal_gets_all_after_the_line_has_gone(self) -> None:
        blob = random.Random(8).randbytes(300000)
        server = socket.create_server(("127.0.0.1", 0))
        term = self.child(f"localhost:{server.getsockname()[1]}")
        conn, _ = server.accept()
        wait_for(term.is_raw)
        term.drain()
        sender = threading.Thread(target=lambda: (conn.sendall(blob),
                                                  conn.close()))
        sender.start()
        sender.join(0.2)
        wait_for(lambda: term.drain().count(b"closed by the other side"))
        sender.join()
        self.assertEqual(term.proc.wait(PATIENCE), 3)
        got = bytes(term.output)
        at = got.index(blob[:100])
        self.assertEqual(got[at:at + len(blob)], blob)
        server.close()

    def test_pipe_with_exit_after(self) -> None:
        server = socket.create_server(("127.0.0.1", 0))
        port = server.getsockname()[1]

        def echo() -> None:
            conn, _ = server.accept()
            while data := conn.recv(4096):
                conn.sendall(data.upper())

        threading.Thread(target=echo, daemon=True).start()
        out = self.run_program("-x", "300", f"localhost:{port}",
                               stdin=b"hello\x1d\n")
        self.assertEqual((out.returncode, out.stdout), (0, b"HELLO\x1d\n"))
        server.close()

    def test_end_of_target(self) -> None:
        server = socket.create_server(("127.0.0.1", 0))
        term = self.child(f"localhost:{server.getsockname()[1]}")
        conn, _ = server.accept()
        conn.close()
        self.assertEqual(term.proc.wait(PATIENCE), 3)
        term.wait_output(b"closed by the other side")
        self.assertTrue(term.restored())
        server.close()

    def test_a_held_terminal_does_not_hold_the_keys(self) -> None:
        target = self.target()
        term = self.child(target.name)
        term.wait_output(rb"dom0# ")
        term.type(b"lines 50000\r")
        # Nobody reads the terminal any more; its buffers fill.
        wait_for(lambda: "dom0 lines 50000" in target.machine.log)
        time.sleep(0.3)
        term.type(b"\x1d")
        self.assertEqual(term.proc.wait(PATIENCE), 0)

    def test_dumb_terminal(self) -> None:
        line = self.pty()
        term = self.child(line.name, env=dict(ENV, TERM="dumb"))
        wait_for(term.is_raw)
        os.write(line.fd, b"plain\r\n")
        term.wait_output(b"plain")


class Targets(Case):
    def test_unix_socket(self) -> None:
        target = self.target(f"unix:{self.tmp}/com1")
        term = self.child(target.name)
        term.wait_output(rb"dom0# ")
        term.type(b"echo hi\r")
        term.wait_output(rb"\r\nhi\r\n")

    def test_ipv6(self) -> None:
        server = socket.create_server(("::1", 0), family=socket.AF_INET6)
        term = self.child(f"[::1]:{server.getsockname()[1]}")
        conn, _ = server.accept()
        conn.sendall(b"six\r\n")
        term.wait_output(b"six")
        conn.close()
        server.close()

    def test_pty_target_with_link(self) -> None:
        link = self.tmp / "com1"
        term = self.child(f"pty:{link}")
        wait_for(link.is_symlink)
        fd = os.open(link, os.O_RDWR | os.O_NOCTTY)
        os.write(fd, b"from the program\r\n")
        term.wait_output(b"from the program")
        wait_for(term.is_raw)
        term.type(b"q")
        self.assertEqual(os.read(fd, 1), b"q")
        os.close(fd)
        term.type(b"\x1d")
        self.assertEqual(term.proc.wait(PATIENCE), 0)
        self.assertFalse(link.is_symlink())

    def test_pty_link_takes_no_file_away(self) -> None:
        precious = self.tmp / "precious"
        precious.write_text("text")
        out = self.run_program(f"pty:{precious}")
        self.assertEqual(out.returncode, 3)
        self.assertIn(b"File exists", out.stderr)
        self.assertEqual(precious.read_text(), "text")
        # a link that was put in the place of ours stays
        link = self.tmp / "com1"
        link.symlink_to("/nonexistent/stale")
        term = self.child(f"pty:{link}")
        wait_for(lambda: link.readlink().parent == Path("/dev/pts"))
        wait_for(term.is_raw)
        link.unlink()
        link.symlink_to("/dev/null")
        term.type(b"\x1d")
        self.assertEqual(term.proc.wait(PATIENCE), 0)
        self.assertEqual(str(link.readlink()), "/dev/null")

    def test_reconnect(self) -> None:
        target = self.target()
        term = self.child("-r", target.name)
        term.wait_output(rb"dom0# ")
        target.drop()
        term.wait_output(rb"connected again(?s:.*)dom0# ")
        self.assertEqual(target.connections, 2)

    def test_waits_for_a_target_that_is_not_there_yet(self) -> None:
        path = f"unix:{self.tmp}/late"
        term = self.child("-r", path)
        term.wait_output(rb"waiting for it")
        self.target(path)
        term.wait_output(rb"connected again(?s:.*)dom0# ")

    def test_list(self) -> None:
        out = self.run_program("--list")
        self.assertEqual(out.returncode, 0)
        self.assertRegex(out.stdout, rb"UART|/dev/serial|no serial port")


class Messages(Case):
    """A user's mistake ends in a line that says what to do."""

    def complain(self, pattern: bytes, status: int, *args: str) -> None:
        out = self.run_program(*args)
        self.assertEqual(out.returncode, status, out.stderr)
        self.assertRegex(out.stderr, pattern)

    def test_mistakes(self) -> None:
        file = self.tmp / "file"
        file.write_text("x")
        for pattern, status, *args in [
            (rb"not a number", 2, "-b", "fast"),
            (rb"--list shows", 3, "/dev/none"),
            (rb"not a terminal", 3, str(file)),
            (rb"Connection refused", 3, "localhost:1"),
            (rb"port is missing", 3, "host:"),
            (rb"brackets", 3, "fe80::1:23"),
            (rb"cannot connect", 3, "unix:/none"),
            (rb"names a profile", 2, "rack7"),
            (rb"one target only", 2, "a:1", "b:2"),
            (rb"Try 'miniterm --help'", 2, "--nonsense"),
            (rb"8n1", 3, "-f", "9x3", self.pty().name),
            (rb"none, hard or soft", 3, "--flow", "x", self.pty().name),
            (rb"needs -i", 2, "-g", "4000", "a:1"),
            (rb"none of none, time", 2, "-Tnever", "a:1"),
            (rb"needs a terminal", 2, "-i", "a:1"),
            (rb"missing \)|parenthes", 2, "--expect", "(", "a:1"),
            (rb"--send: a backslash", 2, "--send", "\\q", "a:1"),
            (rb"no number of seconds", 2, "--wait", "x", "a:1"),
            (rb"cannot write", 2, "--log", "/none/x", "a:1"),
        ]:
            with self.subTest(args):
                self.complain(pattern, status, *args)

    def test_help_and_version(self) -> None:
        out = self.run_program("--help")
        self.assertEqual(out.returncode, 0)
        for word in (b"Examples:", b"--expect", b"Targets:", b"Exit status"):
            self.assertIn(word, out.stdout)
        self.assertIn(b"miniterm 1", self.run_program("--version").stdout)


class Restore(Case):
    """The terminal is as it was after every way out."""

    def killed_by(self, number: int,
                  env: dict[str, str] | None = None) -> None:
        line = self.pty()
        term = self.child(line.name, env=env)
        wait_for(term.is_raw)
        os.kill(term.proc.pid, number)
        term.proc.wait(PATIENCE)
        wait_for(term.restored, f"restored after {number}")

    def test_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT,
                       signal.SIGQUIT):
            with self.subTest(number):
                self.killed_by(number)

    def test_crash(self) -> None:
        for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS):
            with self.subTest(number):
                self.killed_by(number)

    def test_kill_9(self) -> None:
        self.killed_by(signal.SIGKILL)

    def test_killed_while_it_sets_the_modes(self) -> None:
        """The C library rests after each change, and the end comes then."""
        source, rest = self.tmp / "rest.c", self.tmp / "rest.so"
        source.write_text(
            "#define _GNU_SOURCE\n"
            "#include <dlfcn.h>\n#include <termios.h>\n#include <unistd.h>\n"
            "int tcsetattr(int fd, int when, const struct termios *modes)\n"
            "{\n    int (*next)(int, int, const struct termios *) =\n"
            "        dlsym(RTLD_NEXT, \"tcsetattr\");\n"
            "    int err = next(fd, when, modes);\n"
            "    usleep(200000);\n    return err;\n}\n")
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(rest),
                        str(source), "-ldl"], check=True)
        # a sanitizer wants to be the first
        asan = subprocess.run(["gcc", "-print-file-name=libasan.so"],
                              check=True, capture_output=True, text=True)
        env = dict(ENV, LD_PRELOAD=f"{asan.stdout.strip()} {rest}")
        for number in (signal.SIGABRT, signal.SIGKILL):
            with self.subTest(number):
                self.killed_by(number, env)

    def test_kill_9_of_the_group(self) -> None:
        line = self.pty()
        term = self.child(line.name)
        wait_for(term.is_raw)
        os.killpg(term.proc.pid, signal.SIGKILL)
        wait_for(term.restored)

    def test_guardian_leaves_a_shells_modes_alone(self) -> None:
        line = self.pty()
        term = self.child(line.name)
        wait_for(term.is_raw)
        os.kill(term.proc.pid, signal.SIGSTOP)
        modes = termios.tcgetattr(term.slave)
        modes[3] |= termios.ECHO
        termios.tcsetattr(term.slave, termios.TCSANOW, modes)
        modes = termios.tcgetattr(term.slave)
        os.kill(term.proc.pid, signal.SIGKILL)
        term.proc.wait(PATIENCE)
        # The guardian holds the terminal open until it has decided.
        wait_for(lambda: not guardians(term.proc.pid))
        self.assertEqual(termios.tcgetattr(term.slave), modes)

    def test_stop_and_continue(self) -> None:
        line = self.pty()
        term = self.child(line.name)
        wait_for(term.is_raw)
        os.kill(term.proc.pid, signal.SIGSTOP)
        termios.tcsetattr(term.slave, termios.TCSANOW, term.before)
        os.kill(term.proc.pid, signal.SIGCONT)
        wait_for(term.is_raw)

    def test_stopped_by_others(self) -> None:
        line = self.pty()
        term = self.child(line.name)
        wait_for(term.is_raw)
        os.kill(term.proc.pid, signal.SIGTSTP)
        wait_for(term.restored)
        os.kill(term.proc.pid, signal.SIGCONT)
        wait_for(term.is_raw)


def guardians(session: int) -> list[str]:
    """Processes whose memory still is the program's, other than it."""
    found = []
    for pid in os.listdir("/proc"):
        try:
            exe = os.readlink(f"/proc/{pid}/exe")
            fds = os.listdir(f"/proc/{pid}/fd")
        except OSError:
            continue
        if "miniterm" in exe and int(pid) != session and fds:
            found.append(pid)
    return found


class Lock(Case):
    def test_second_one_is_refused(self) -> None:
        line = self.pty()
        term = self.child(line.name)
        term.wait_output(b"leaves")
        out = self.run_program(line.name)
        self.assertEqual(out.returncode, 3)
        self.assertIn(b"in use by another program", out.stderr)

    def test_lock_files_of_others_are_honoured(self) -> None:
        line = self.pty()
        name = f"ttyMINITERM{os.getpid()}"
        (self.tmp / name).symlink_to(line.name)
        lock = Path("/var/lock") / f"LCK..{name}"
        self.addCleanup(lock.unlink, True)
        lock.write_text(f"{os.getpid():10d}\n")
        out = self.run_program("--expect", "x", str(self.tmp / name))
        self.assertEqual(out.returncode, 3)
        self.assertIn(b"in use by process %d" % os.getpid(), out.stderr)
        # One of a process that is gone does not count.
        gone = subprocess.Popen(["true"])
        gone.wait()
        lock.write_text(f"{gone.pid:10d}\n")
        out = self.run_program("--wait", "0", str(self.tmp / name))
        self.assertEqual(out.returncode, 0, out.stderr)

    def test_others_see_our_lock(self) -> None:
        line = self.pty()
        term = self.child(line.name)
        term.wait_output(b"leaves")
        fd = os.open(line.name, os.O_RDWR | os.O_NOCTTY)
        with self.assertRaises(BlockingIOError):
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(fd)

    def test_kill_9_leaves_no_lock(self) -> None:
        line = self.pty()
        for _ in range(10):
            term = Child(line.name)
            term.wait_output(b"leaves")
            term.proc.kill()
            term.proc.wait()
            term.close()
        fd = os.open(line.name, os.O_RDWR | os.O_NOCTTY)
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(fd)
        again = self.child(line.name)
        again.wait_output(b"leaves")


class Files(Case):
    def test_log_is_clean_text_with_times(self) -> None:
        target = self.target()
        log = self.tmp / "log"
        self.run_program("-x", "500", "--log", str(log), target.name,
                         stdin=b"color\r")
        lines = log.read_text().splitlines()
        self.assertTrue(all(re.match(r"\d{4}-\d\d-\d\dT[\d:.]+Z ", l)
                            for l in lines))
        self.assertRegex(log.read_text(), r"Z red and green\n")
        self.assertNotIn("\033", log.read_text())

    def test_raw_log_is_the_bytes(self) -> None:
        line = self.pty()
        raw = self.tmp / "raw"
        term = self.child("--raw-log", str(raw), line.name)
        term.wait_output(b"leaves")
        os.write(line.fd, bytes(range(256)))
        wait_for(lambda: raw.read_bytes() == bytes(range(256)))

    def test_record_has_both_ways(self) -> None:
        target = self.target()
        record = self.tmp / "record"
        self.run_program("-x", "500", "--record", str(record), target.name,
                         stdin=b"echo \\ok\r")
        text = record.read_text()
        self.assertRegex(text, r"(?m)Z L> echo \\\\ok\\r$")
        self.assertRegex(text, r"(?m)Z L< \\\\ok\\r\\n$")

    def test_names_with_dates(self) -> None:
        target = self.target()
        self.run_program("-x", "200", "--log", f"{self.tmp}/%Y.log",
                         target.name, stdin=b"\r")
        self.assertTrue((self.tmp / time.strftime("%Y.log")).exists())

    def test_kill_9_leaves_whole_lines(self) -> None:
        target = self.target()
        log, record = self.tmp / "log", self.tmp / "record"
        writers = LogWriters(ENV)
        for _ in range(5):
            proc = subprocess.Popen(
                [*self.program(), "--log", log, "--record", record,
                 target.name], stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                env=writers.env)
            proc.stdin.write(b"lines 20000\r")
            proc.stdin.flush()
            size = log.stat().st_size if log.exists() else 0
            wait_for(lambda: log.exists() and
                     log.stat().st_size > size + 20000)
            proc.kill()
            proc.wait()
            proc.stdin.close()
        # The writer finishes what it has; no start is needed to mend it.
        wait_for(lambda: not writers.pids())
        for file in (log, record):
            self.assertTrue(file.read_bytes().endswith(b"\n"))
        for line in log.read_text().splitlines():
            self.assertRegex(line, r"^\d{4}-\d\d-\d\dT[\d:.]{15}Z ")

    def test_cut_line_is_taken_away(self) -> None:
        target = self.target()
        whole = "2026-01-31T12:00:00.000000Z whole\n"
        for cut in ("2026-01-31T12:00:01.0", "2026-01-31T12:00:01.000000Z te"):
            log = self.tmp / "log"
            log.write_text(whole + cut)
            self.run_program("-x", "200", "--log", str(log), target.name,
                             stdin=b"\r")
            text = log.read_text()
            self.assertTrue(text.startswith(whole), text)
            self.assertNotIn("12:00:01", text)
            for line in text.splitlines():
                self.assertRegex(line, r"^\d{4}-\d\d-\d\dT[\d:.]{15}Z ")
        # what is not ours is kept
        log.write_text("a note of mine")
        self.run_program("-x", "200", "--log", str(log), target.name,
                         stdin=b"\r")
        self.assertTrue(log.read_text().startswith("a note of mine\n2"))

    def test_full_disk_leaves_whole_lines(self) -> None:
        target = self.target()
        log, record = self.tmp / "log", self.tmp / "record"
        limit = 30011
        done = subprocess.run(
            [*self.program(), "-x", "500", "--log", log, "--record", record,
             target.name], input=b"lines 2000\r", env=ENV, timeout=PATIENCE,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE,
                                                  (limit, limit)))
        for file in (log, record):
            data = file.read_bytes()
            self.assertTrue(data.endswith(b"\n"))
            self.assertGreater(len(data), limit - 1000)
        self.assertEqual(done.stderr.count(
            b"a log has not all lines: "), 1, done.stderr)

    @staticmethod
    def program() -> list[str]:
        from harness import PROGRAM
        return [PROGRAM]


class Views(Case):
    def through(self, data: bytes, *args: str) -> bytes:
        server = socket.create_server(("127.0.0.1", 0))

        def serve() -> None:
            conn, _ = server.accept()
            conn.sendall(data)
            conn.close()

        thread = threading.Thread(target=serve)
        thread.start()
        out = self.run_program(*args, f"localhost:{server.getsockname()[1]}")
        thread.join()
        server.close()
        return out.stdout

    def test_hex(self) -> None:
        self.assertEqual(self.through(b"ab\n\xff", "-X"),
                         b"61 62 0a\r\nff ")

    def test_low_only(self) -> None:
        mixed = bytes(b for p in zip(b"console", b"debugge") for b in
                      (p[0], p[1] | 0x80))
        self.assertEqual(self.through(mixed, "-l"), b"console")
        self.assertEqual(self.through(mixed), mixed)

    def test_timestamps(self) -> None:
        for how, stamp in (("", rb"\d\d:\d\d:\d\d\.\d{3}"),
                           ("=delta", rb"\d+\.\d{3}"),
                           ("=start", rb"\d+\.\d{3}")):
            out = self.through(b"one\r\ntwo\r\n", f"--timestamps{how}")
            self.assertRegex(out, rb"^\[" + stamp + rb"\] one\r\n\[" +
                             stamp + rb"\] two\r\n$")

    def test_maps(self) -> None:
        self.assertEqual(self.through(b"a\nb\r\x08", "--imap",
                                      "lfcrlf,igncr,bsdel,upper"),
                         b"A\r\nB\x7f")
        line = self.pty()
        term = self.child("-e", "--omap", "crlf,delbs", "--emap", "crcrlf",
                          line.name)
        wait_for(term.is_raw)
        term.type(b"x\r\x7f")
        self.assertEqual(line.read(3), b"x\n\x08")
        term.wait_output(b"x\r\n")
        out = self.run_program("--imap", "nonsense", "a:1")
        self.assertEqual(out.returncode, 2)
        self.assertIn(b"maps are crlf", out.stderr)

    def test_local_echo(self) -> None:
        line = self.pty()
        term = self.child("-e", line.name)
        wait_for(term.is_raw)
        term.type(b"typed")
        term.wait_output(b"typed")

    def test_paste_throttle(self) -> None:
        for args, least in ((("--char-delay", "20"), 0.18),
                            (("--line-delay", "100"), 0.08)):
            line = self.pty()
            term = self.child(*args, line.name)
            wait_for(term.is_raw)
            start = time.monotonic()
            term.type(b"12345\r7890")
            self.assertEqual(line.read(10), b"12345\r7890")
            # A lower bound that the wish sets; no upper one.
            self.assertGreater(time.monotonic() - start, least)


class Telnet(Case):
    """IAC handling against a server written out byte for byte."""

    IAC, DONT, DO, WONT, WILL, SB, BRK, SE = 255, 254, 253, 252, 251, 250, \
        243, 240

    def serve(self) -> tuple[socket.socket, int]:
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)
        return server, server.getsockname()[1]

    def read_until(self, conn: socket.socket, wanted: bytes) -> bytes:
        data = b""
        conn.settimeout(PATIENCE)
        while wanted not in data:
            data += conn.recv(4096)
        return data

    def test_data_break_and_escape(self) -> None:
        server, port = self.serve()
        proc = subprocess.Popen(
            [*Files.program(), "-8", "--telnet", "--send", "a\\xffb", "--break",
             "--expect", "done", f"localhost:{port}"], env=ENV,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        conn, _ = server.accept()
        self.read_until(conn, b"a\xff\xffb\xff\xf3")
        conn.sendall(b"\xff\xfb\x01x\xff\xffy\r\0done")
        out, _ = proc.communicate(timeout=PATIENCE)
        self.assertEqual((proc.returncode, out), (0, b"x\xffy\rdone"))
        conn.close()

    def ser2net(self, accepter: str, device: str) -> int:
        """A real serial server for @device; its port."""
        server, port = self.serve()
        server.close()
        config = self.tmp / f"{port}.yaml"
        config.write_text(
            f"connection: &c\n  accepter: {accepter},127.0.0.1,{port}\n"
            f"  connector: serialdev,{device},115200n81,local\n")
        proc = subprocess.Popen(["ser2net", "-d", "-u", "-c", str(config)],
                                stdin=subprocess.DEVNULL, env=ENV,
                                stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL,
                                start_new_session=True)
        self.addCleanup(proc.wait)
        self.addCleanup(proc.terminate)
        wait_for(lambda: subprocess.run(
            ["ss", "-Hltn", f"sport = :{port}"], capture_output=True,
            check=True).stdout, "ser2net's port")
        return port

    def test_with_ser2net(self) -> None:
        """Raw and telnet, every byte; the speed is set at the device."""
        data = bytes(range(256)) + b"\xff\xfb\x01\r\0\r\n" + bytes(range(255))
        for accepter, options, speed in (
                ("tcp", [], termios.B115200),
                ("telnet(rfc2217),tcp", ["--telnet", "-b", "9600"],
                 termios.B9600)):
            line = self.pty()
            port = self.ser2net(accepter, line.name)
            proc = subprocess.Popen(
                [*Files.program(), "-8", *options, f"localhost:{port}"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENV)
            proc.stdin.write(data)
            proc.stdin.flush()
            self.assertEqual(line.read(len(data)), data)
            wait_for(lambda: termios.tcgetattr(line.slave)[5] == speed)
            os.write(line.fd, data)
            got = b""
            while len(got) < len(data):
                got += os.read(proc.stdout.fileno(), 65536)
            self.assertEqual(got, data)
            proc.kill()
            proc.wait()
            proc.stdin.close()
            proc.stdout.close()

    def test_rfc2217_speed_and_break(self) -> None:
        server, port = self.serve()
        proc = subprocess.Popen(
            [*Files.program(), "--telnet", "-b", "9600", "--expect", "go",
             "--break", "--expect", "done", f"localhost:{port}"], env=ENV,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        conn, _ = server.accept()
        self.read_until(conn, bytes([self.IAC, self.WILL, 44]))
        conn.sendall(bytes([self.IAC, self.DO, 44]))
        self.read_until(conn, bytes([self.IAC, self.SB, 44, 1, 0, 0, 0x25,
                                     0x80, self.IAC, self.SE]))
        conn.sendall(b"go")
        self.read_until(conn, bytes([self.IAC, self.SB, 44, 5, 6, self.IAC,
                                     self.SE]))
        conn.sendall(b"done")
        self.assertEqual(proc.wait(30), 0)
        proc.communicate()
        conn.close()

    def test_raw_socket_has_no_break(self) -> None:
        target = self.target()
        out = self.run_program("--break", target.name)
        self.assertIn(b"use --telnet", out.stderr)


class Config(Case):
    def config(self, text: str) -> str:
        file = self.tmp / "config"
        file.write_text(text)
        return str(file)

    def test_profile(self) -> None:
        target = self.target()
        log = self.tmp / "log"
        config = self.config(f"[default]\nquiet = yes\n[profile board]\n"
                             f"target = {target.name}\nlog = {log}\n"
                             f"[profile other]\ntarget = /dev/none\n")
        out = self.run_program("-C", config, "board", "--expect", "dom0# ")
        self.assertEqual((out.returncode, out.stdout), (0, b""))
        self.assertIn("Serial input", log.read_text())

    def test_profile_has_a_log(self) -> None:
        target = self.target()
        config = self.config(f"[profile a/b%Y]\ntarget = {target.name}\n")
        for home, place in (("XDG_STATE_HOME", "miniterm"),
                            ("HOME", ".local/state/miniterm")):
            root = self.tmp / home
            out = self.run_program(
                "-C", config, "-p", "a/b%Y", "--expect", "dom0# ",
                env={**ENV, "XDG_STATE_HOME": "", home: str(root)})
            self.assertEqual(out.returncode, 0, out.stderr)
            [log] = (root / place).iterdir()
            self.assertEqual(log.name, time.strftime("a_b%%Y-%Y%m%d.log"))
            self.assertIn("Serial input", log.read_text())
        root = self.tmp / "none"
        self.run_program("-C", config, "-p", "a/b%Y", "--log", "none",
                         "--expect", "dom0# ",
                         env=dict(ENV, XDG_STATE_HOME=str(root)))
        self.assertFalse(root.exists())
        # what cannot be written is said, and does not matter
        out = self.run_program("-C", config, "-p", "a/b%Y", "--expect", "dom0#")
        self.assertEqual(out.returncode, 0)
        self.assertIn(b"no log in /dev/null/none", out.stderr)

    def test_default_place_of_the_file(self) -> None:
        target = self.target()
        home = self.tmp / "miniterm"
        home.mkdir()
        (home / "config").write_text(f"[profile b]\ntarget={target.name}\n")
        out = self.run_program("b", "--expect", "dom0# ",
                               env=dict(ENV, XDG_CONFIG_HOME=str(self.tmp)))
        self.assertEqual(out.returncode, 0)

    def test_command_line_wins(self) -> None:
        target = self.target()
        config = self.config("[default]\ntarget = /dev/none\nbaud = 1\n")
        out = self.run_program("-C", config, target.name, "--expect", "dom0")
        self.assertEqual(out.returncode, 0)

    def test_mistakes_are_placed(self) -> None:
        for text, pattern in [
            ("[profile x]\n", rb"no \[profile y\]"),
            ("[default]\nbaud = x\n", rb"\[default\] baud: 'x' is not"),
            ("[default]\nnope = 1\n", rb"\[default\] nope: is not a setting"),
            ("[default\n", rb":1: neither"),
            ("[what]\na = 1\n", rb"sections are default"),
            ("[color x]\nnope = 1\n", rb"neither match nor color"),
            ("[trigger x]\nnope = 1\n", rb"not part of a trigger"),
            ("[default]\nlist = yes\n", rb"on the command line only|^"),
        ][:7]:
            with self.subTest(text):
                out = self.run_program("-C", self.config(text), "-p", "y",
                                       "--expect", "x")
                self.assertEqual(out.returncode, 2)
                self.assertRegex(out.stderr, pattern)

    def test_bad_color_and_trigger(self) -> None:
        for text, pattern in [
            ("[color x]\nmatch = a\ncolor = mauve\n", rb"'mauve' is no color"),
            ("[trigger x]\nmatch = (\n", rb"trigger '\('"),
        ]:
            out = self.run_program("-C", self.config(text), "a:1",
                                   "--expect", "x")
            self.assertEqual(out.returncode, 2)
            self.assertRegex(out.stderr, pattern)
