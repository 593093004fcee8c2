# SPDX-License-Identifier: GPL-2.0-only
"""The full screen in tmux: keys in, the picture out."""
from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

from harness import (ENV, HERE, PATIENCE, TOP, Case, Target, Tmux,
                     wait_for)
from picture import to_svg

CAPTURE_COLORS = True


class Screen(Case):
    def start(self, *args: str, **kw) -> tuple[Tmux, Target]:
        target = self.target()
        screen = self.tmux("-i", *args, target.name, **kw)
        screen.expect(r"^dom0#")
        return screen, target

    def command(self, screen: Tmux, key: str) -> None:
        screen.keys("C-t")
        screen.type(key)

    def run_in_dom0(self, screen: Tmux, line: str) -> None:
        screen.type(line)
        screen.keys("Enter")


class Panes(Screen):
    def test_output_goes_to_its_pane(self) -> None:
        screen, _ = self.start()
        rows = screen.rows()
        hv = rows.index(next(r for r in rows if r.startswith(" hypervisor")))
        dom0 = rows.index(next(r for r in rows if r.startswith(" domain 0")))
        text = [i for i, r in enumerate(rows) if r == "Xen version 4.17-hv"]
        self.assertTrue(hv < text[0] < dom0)
        self.assertNotIn("(XEN)", screen.screen())

    def test_keys_reach_domain_0(self) -> None:
        screen, target = self.start()
        self.run_in_dom0(screen, "echo hello there")
        screen.expect(r"^hello there$")
        screen.keys("BSpace", "x")
        wait_for(lambda: target.machine.got.endswith(b"\x7fx"))
        screen.keys("Up")
        wait_for(lambda: target.machine.got.endswith(b"x\033[A"))

    def test_domains_get_panes_with_unread_marks(self) -> None:
        screen, _ = self.start()
        self.run_in_dom0(screen, "d1")
        screen.expect(r"4 domain 1\* .*5 domain 2\*")
        self.command(screen, "4")
        screen.expect(r"^hello from domain 1$")
        screen.gone(r"4 domain 1\*")

    def test_hypervisor_inside_a_line(self) -> None:
        screen, _ = self.start()
        self.run_in_dom0(screen, "split")
        screen.expect(r"^an interruption$")
        screen.expect(r"^half a line and its end$")

    def test_status_line(self) -> None:
        screen, target = self.start()
        screen.expect(re.escape(target.name) +
                      r".*in \d+/s out \d+/s.*input: domain 0.*H bad 0")

    def test_tty_status_has_the_speed(self) -> None:
        line = self.pty()
        screen = self.tmux("-i", "-b", "57600", line.name)
        screen.expect(r"57600 8n1")

    def test_packets_are_decoded(self) -> None:
        screen, target = self.start()
        target.machine.send_high(b"$T05thread:p1.1;core:1;#00")
        screen.expect(r"<- \[bad checksum\] T05thread.*stopped: trap \(5\), "
                      r"thread p1.1, CPU 1")
        target.machine.stub.reply("T05thread:p1.1;core:1;")
        screen.expect(r"H bad 1 ")
        screen.expect(r"target stopped: signal 5, CPU 1, thread p1.1")

    def test_bytes_of_the_debugger_stay_off_the_console(self) -> None:
        screen, target = self.start()
        target.machine.send(b"con\xa4\xcf\xcb\xa3\xb9\xe1sole\r\n")
        screen.expect(r"console$")
        screen.expect(r"<- OK")

    def test_8bit_line(self) -> None:
        target = self.target()
        screen = self.tmux("-i", "-8", target.name)
        screen.expect(r"^dom0#")
        target.machine.send("gr\u00fc\u00df\r\n".encode())
        screen.expect("gr\u00fc\u00df")
        self.assertNotIn("gdb packets", screen.screen())

    def test_wide_text_of_a_shared_line(self) -> None:
        screen, _ = self.start()
        self.run_in_dom0(screen, "wide")
        screen.expect("gr\u00fc\u00df \u4f60\u597d")

    def test_evil_output_is_harmless(self) -> None:
        screen, _ = self.start()
        self.run_in_dom0(screen, "evil")
        screen.expect(r"^safe$")
        self.assertNotIn("title", screen("display", "-p", "#{pane_title}"))

    def test_colors_of_the_target(self) -> None:
        screen, _ = self.start()
        self.run_in_dom0(screen, "color")
        screen.expect("red and green")
        picture = screen.screen(CAPTURE_COLORS)
        self.assertRegex(picture, r"\033\[[0-9;]*31m\S*red")
        self.assertRegex(picture, r"\033\[[0-9;]*32mgreen")

    def test_columns_zoom_and_next(self) -> None:
        screen, _ = self.start()
        self.command(screen, "c")
        screen.expect(r"^ hypervisor .* domain 0")
        self.command(screen, "c")
        self.command(screen, "z")
        screen.gone(r"^ hypervisor")
        self.command(screen, "z")
        screen.expect(r"^ hypervisor")
        screen.keys("F9")
        screen.expect(r"^ gdb packets")

    def test_resize(self) -> None:
        screen, _ = self.start()
        for width, height in ((60, 20), (140, 50), (30, 8), (8, 4), (2, 2),
                              (100, 30)):
            screen.resize(width, height)
            time.sleep(0.1)
        screen.expect(r"^dom0#")
        self.assertEqual(len(screen.rows()), 30)
        wait_for(lambda: "input: domain 0" in screen.rows()[-1])

    def test_mouse(self) -> None:
        screen, _ = self.start()
        self.run_in_dom0(screen, "lines 200")
        screen.expect("line number 199")
        # Reports as this kind of terminal sends them: button, column, row.
        screen.raw(b"\033[M" + bytes([32 + 64, 33 + 5, 33 + 25]))
        screen.expect(r"^ domain 0 .*PAUSED")
        screen.raw(b"\033[M" + bytes([32 + 65, 33 + 5, 33 + 25]))
        screen.gone(r"PAUSED")
        screen.raw(b"\033[M" + bytes([32, 33 + 30, 33 + 0]))
        screen.expect(r"^ gdb packets")

    def test_full_screen_program(self) -> None:
        screen, target = self.start()
        self.run_in_dom0(screen, "vi")
        screen.expect(r"^FULL SCREEN EDITOR")
        screen.expect(r"^    column five")
        screen.expect(r"domain 0 \[full screen\]")
        target.machine.leave_editor()
        screen.gone(r"FULL SCREEN")
        screen.expect(r"^dom0# vi")

    def test_local_echo(self) -> None:
        screen, target = self.start("-e")
        target.machine.owner = "nobody"
        target.machine.dom0 = lambda byte: None
        screen.type("invisible")
        screen.expect(r"dom0# invisible")


class Keys(Screen):
    def test_palette_is_the_hypervisors_own(self) -> None:
        screen, target = self.start()
        screen.keys("F2")
        screen.expect(r"q  dump domain \(and guest debug\) info")
        wait_for(lambda: "key h" in target.machine.log)
        screen.type("dom")
        screen.gone(r"^   r  dump run queues")
        screen.keys("Enter")
        wait_for(lambda: "key q" in target.machine.log)
        screen.expect(r"^General information for domain 0")
        wait_for(lambda: target.machine.owner == "dom0")

    def test_last_used_is_first(self) -> None:
        screen, target = self.start()
        for text in ("run q", ""):
            screen.keys("F2")
            screen.expect(r"^   r  dump run queues")
            screen.type(text)
            screen.expect(f"debug keys > {text}".rstrip())
            screen.keys("Enter")
            wait_for(lambda: target.machine.log.count("key r") ==
                     (1 if text else 2))

    def test_dangerous_keys_ask(self) -> None:
        screen, target = self.start()
        screen.keys("F2")
        screen.expect(r"R  reboot machine !")
        screen.type("reboot")
        screen.expect(r"> reboot")
        screen.keys("Enter")
        screen.expect(r"Press 'R' .* \(y/n\)")
        screen.type("n")
        screen.expect("not pressed")
        screen.keys("F2")
        screen.type("reboot")
        screen.expect(r"> reboot")
        screen.keys("Enter")
        screen.expect(r"\(y/n\)")
        screen.type("y")
        wait_for(lambda: "key R" in target.machine.log)
        self.assertEqual(target.machine.log.count("key R"), 1)

    def test_switch_input(self) -> None:
        screen, target = self.start()
        self.command(screen, "a")
        screen.expect(r"input: hypervisor")
        self.assertEqual(target.machine.owner, "xen")
        self.command(screen, "a")
        screen.expect(r"input: domain 0")

    def test_break_in(self) -> None:
        screen, target = self.start()
        screen.keys("F5")
        screen.expect(r"target stopped: signal 2, CPU 1, thread 1")
        self.assertEqual(target.machine.stub.interrupts, 1)
        self.assertFalse(target.machine.stub.running)
        self.command(screen, "r")
        wait_for(lambda: target.machine.stub.running)

    def test_break_in_falls_back_to_the_key(self) -> None:
        screen, target = self.start()
        target.machine.stub.feed = lambda data: None
        screen.keys("F5")
        screen.expect(r"target stopped: signal 5")
        self.assertIn("key D", target.machine.log)
        wait_for(lambda: target.machine.owner == "dom0")

    def test_break_without_a_way(self) -> None:
        screen, _ = self.start()
        screen.keys("F6")
        screen.expect(r"carries no BREAK; use --telnet")

    def test_break_by_a_key(self) -> None:
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)
        screen = self.tmux("-i", "--telnet",
                           f"localhost:{server.getsockname()[1]}")
        conn, _ = server.accept()
        self.addCleanup(conn.close)
        conn.sendall(b"ready\r\n")
        screen.expect(r"^ready")
        screen.keys("F6")
        got = b""
        conn.settimeout(PATIENCE)
        while b"\xff\xf3" not in got:
            data = conn.recv(100)
            self.assertTrue(data, got)
            got += data

    def test_prefix_twice_is_the_key_itself(self) -> None:
        screen, target = self.start()
        screen.keys("C-t", "C-t")
        wait_for(lambda: b"\x14" in target.machine.got)

    def test_other_prefix(self) -> None:
        screen, target = self.start("--prefix-key", "o")
        screen.keys("C-t")
        wait_for(lambda: b"\x14" in target.machine.got)
        screen.keys("C-o", "?")
        screen.expect(r"Commands: CTRL-o")

    def test_program_on_the_line(self) -> None:
        target = self.target()
        screen = self.tmux("-i", "-8", target.name)
        screen.expect(r"^dom0#")
        self.command(screen, "!")
        screen.type("printf 'echo from a program\\r'; sleep 100")
        screen.keys("Enter")
        wait_for(lambda: "dom0 echo from a program" in target.machine.log)
        screen.type("x")
        screen.expect(r"a program has the line")
        self.command(screen, "!")
        screen.expect(r"the program on the line ended with status 128")
        self.run_in_dom0(screen, "echo mine again")
        screen.expect(r"^mine again$")

    def test_help(self) -> None:
        screen, _ = self.start()
        screen.keys("F1")
        screen.expect(r"k   F2  debug keys of the hypervisor")
        screen.expect(r"D   F5  break in")
        screen.expect(r"TAB F9  next pane")
        screen.type("x")
        screen.gone(r"F5  break in to")

    def test_leave_restores_the_terminal(self) -> None:
        for how in ("C-]", "C-b", "F10"):
            screen, _ = self.start()
            screen.keys(how)
            screen.expect(r"ended with 0")
            self.assertEqual(screen("display", "-p", "#{alternate_on}"),
                             "0\n")

    def test_kill_9_restores_the_screen(self) -> None:
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV):
            screen, _ = self.start()
            pane = screen("display", "-p", "#{pane_pid}").strip()
            child = subprocess.run(["pgrep", "-P", pane], check=True,
                                   capture_output=True, text=True).stdout
            os.kill(int(child.split()[0]), number)
            # What the shell says meanwhile may go with the screen.
            wait_for(lambda s=screen:
                     s("display", "-p", "#{alternate_on}") == "0\n" and
                     s("display", "-p", "#{mouse_any_flag}") == "0\n")


class History(Screen):
    def test_scrollback(self) -> None:
        screen, _ = self.start()
        self.run_in_dom0(screen, "lines 500")
        screen.expect("line number 499")
        for _ in range(3):
            screen.keys("PageUp")
        screen.expect(r"PAUSED, \d+ lines below")
        screen.gone("line number 499")
        self.command(screen, ".")
        screen.expect("line number 499")

    def test_scrollback_is_bounded(self) -> None:
        screen, _ = self.start("--scrollback", "200")
        self.run_in_dom0(screen, "lines 1000")
        screen.expect("line number 999")
        for _ in range(40):
            screen.keys("PageUp")
        screen.expect(r"^line number 80[0-9]$")

    def test_search(self) -> None:
        screen, _ = self.start()
        self.run_in_dom0(screen, "lines 500")
        screen.expect("line number 499")
        screen.keys("F3")
        screen.type("number 1[23]7$")
        screen.keys("Enter")
        screen.expect(r"^line number 137$")
        picture = screen.screen(CAPTURE_COLORS)
        self.assertRegex(picture, r"line \033\[[0-9;]*7m.*number 137")
        self.command(screen, "n")
        screen.expect(r"^line number 127$")
        self.command(screen, "n")
        screen.expect(r"no older 'number")
        self.command(screen, "N")
        screen.expect(r"'number.*in line")

    def test_bad_search(self) -> None:
        screen, _ = self.start()
        screen.keys("F3")
        screen.type("(")
        screen.keys("Enter")
        screen.expect(r"'\(': missing closing parenthesis")

    def test_pause(self) -> None:
        screen, target = self.start()
        screen.keys("F4")
        screen.expect("PAUSED")
        target.machine.console("news\n")
        screen.expect(r"PAUSED, [1-9]\d* lines below")
        self.assertNotIn("news", screen.screen())
        screen.keys("F4")
        screen.expect("news")

    def test_save(self) -> None:
        screen, _ = self.start()
        self.run_in_dom0(screen, "lines 50")
        screen.expect("line number 49")
        self.command(screen, "s")
        screen.type(f"{self.tmp}/saved")
        screen.keys("Enter")
        screen.expect(r"\d+ lines saved")
        text = (self.tmp / "saved").read_text()
        self.assertIn("Z line number 0\n", text)
        self.assertIn("Z line number 49\n", text)

    def test_send_text_file(self) -> None:
        screen, target = self.start("--line-delay", "5")
        text = self.tmp / "text"
        text.write_text("echo first\necho second\n")
        self.command(screen, "u")
        screen.type(str(text))
        screen.keys("Enter")
        screen.expect(r"file sent: 23 bytes")
        screen.expect(r"^second$")
        self.assertEqual(target.machine.log,
                         ["dom0 echo first", "dom0 echo second"])

    def test_save_where_one_cannot(self) -> None:
        screen, _ = self.start()
        self.command(screen, "s")
        screen.type("/none/x")
        screen.keys("Enter")
        screen.expect(r"cannot write /none/x: No such file")

    def test_clear(self) -> None:
        screen, _ = self.start()
        self.run_in_dom0(screen, "echo remember")
        screen.expect("^remember$")
        self.command(screen, "l")
        screen.gone("^remember$")

    def test_timestamps(self) -> None:
        screen, _ = self.start()
        self.run_in_dom0(screen, "echo stamped")
        screen.expect("^stamped$")
        screen.keys("F8")
        screen.expect(r"^\d\d:\d\d:\d\d\.\d{3} stamped$")
        screen.keys("F8")
        screen.expect(r"^ +\+\d+\.\d{3} stamped$")
        screen.keys("F8")
        screen.expect(r"^ +\d+\.\d{3} stamped$")
        screen.keys("F8")
        screen.expect(r"^\d\d:\d\d:\d\d\.\d{3} {16}stamped$")
        screen.keys("F8")
        screen.expect(r"^stamped$")

    def test_both_clocks(self) -> None:
        target = self.target()
        screen = self.tmux("-i", "--timestamps=target", target.name)
        screen.expect(r"dom0#$")
        target.machine.say("[   12.345678] by its own clock")
        screen.expect(r"^\d\d:\d\d:\d\d\.\d{3}      12.345678 "
                      r"by its own clock$")
        target.machine.say("[2026-01-31 12:00:00.123] another form")
        screen.expect(r"2026-01-31 12:00:00.123 another form$")

    def test_waits_for_the_target(self) -> None:
        path = f"unix:{self.tmp}/late"
        screen = self.tmux("-i", "-r", path)
        screen.expect(r"waiting for it")
        self.target(path)
        screen.expect(r"^dom0#")

    def test_hex_view(self) -> None:
        screen, target = self.start()
        target.machine.console("HEX me\n")
        screen.keys("F7")
        screen.expect(r"[0-9a-f]{8}  ([0-9a-f]{2} )+.*")
        screen.expect(r"48 45 58 20 6d 65")


class Rules(Screen):
    def test_color_rules(self) -> None:
        screen, _ = self.start("-c", "apple|pear=bold green")
        self.run_in_dom0(screen, "echo a pear")
        screen.expect(r"^a pear$")
        self.assertRegex(screen.screen(CAPTURE_COLORS),
                         r"1m\033\[32m(\033\[49m)?[^\033]*\na pear\n")
        self.run_in_dom0(screen, "echo WARNING now")
        screen.expect(r"^WARNING now$")
        self.assertRegex(screen.screen(CAPTURE_COLORS),
                         r"\033\[33m(\033\[49m)?[^\033]*\nWARNING now\n")

    def test_crash_freezes_a_copy(self) -> None:
        screen, target = self.start()
        target.machine.key("C")
        screen.expect(r"trigger panic: Panic on CPU 0:")
        screen.expect(r"\d frozen: panic \d\d:")
        self.assertIn("TRIGGERS", screen.screen())
        self.command(screen, "4")
        screen.expect(r"^ frozen: panic")
        screen.expect(r"^\(XEN\) RIP: .*panic_here")

    def test_oops_of_a_guest(self) -> None:
        screen, _ = self.start()
        self.run_in_dom0(screen, "oops")
        screen.expect(r"trigger (bug|oops): ")
        screen.expect(r"frozen: ")

    def test_trigger_runs_a_command_and_presses_keys(self) -> None:
        config = self.tmp / "config"
        config.write_text(f"[trigger mine]\nmatch = ^disaster (.*)\n"
                          f"command = echo \"$MINITERM_TRIGGER: "
                          f"$MINITERM_LINE\" > {self.tmp}/ran\n"
                          f"keys = dq\n")
        screen, target = self.start("-C", str(config))
        self.run_in_dom0(screen, "echo disaster strikes")
        wait_for(lambda: (self.tmp / "ran").exists() and
                 (self.tmp / "ran").read_text() == "mine: disaster strikes\n")
        wait_for(lambda: target.machine.log[-2:] == ["key d", "key q"])

    def test_silence(self) -> None:
        config = self.tmp / "config"
        config.write_text(f"[trigger silence]\ncommand = touch "
                          f"{self.tmp}/quiet\n")
        screen, target = self.start("-C", str(config), "--silence", "1")
        screen.expect(r"--- silence for \d+ s ---")
        screen.expect(r"\| SILENT")
        wait_for(lambda: (self.tmp / "quiet").exists())
        target.machine.console("awake\n")
        screen.expect(r"--- \d+ s of silence ended ---")

    def test_reconnect(self) -> None:
        screen, target = self.start()
        target.drop()
        screen.expect(r"--- .*closed by the other side; trying again ---")
        screen.expect(r"--- connected again ---")
        wait_for(lambda: target.connections == 2)

    def test_no_reconnect(self) -> None:
        screen, target = self.start("--no-reconnect")
        target.drop()
        screen.expect(r"closed by the other side")
        screen.expect(r"ended with 3")

    def test_log_by_pane(self) -> None:
        log = self.tmp / "log"
        screen, _ = self.start("--log", str(log))
        self.run_in_dom0(screen, "d1")
        screen.expect("domain 2")
        wait_for(lambda: "(d2) and domain 2" in log.read_text())
        self.assertRegex(log.read_text(), r"Z \(XEN\) Xen version 4.17")
        screen.expect(r"\| log")


class Symbols(Screen):
    SOURCE = """
    int other(int x) { return x * 3; }
    int panic_here(int x)
    {
        return other(x) + 1;
    }
    int main(void) { return panic_here(2); }
    """

    def elf(self, name: str = "xen-syms", source_name: str = "hv.c",
            text: int = 0xffff82d040200000, *words: str) -> str:
        source, out = self.tmp / source_name, self.tmp / name
        source.write_text(self.SOURCE)
        subprocess.run(["gcc", "-g", "-O0", "-nostdlib", "-static",
                        "-fno-pie", "-no-pie", "-fcf-protection=none",
                        "-mcmodel=kernel", f"-Wl,-Ttext={text:#x}", *words,
                        "-e", "main", "-o", str(out), str(source)],
                       check=True, cwd=self.tmp)
        return str(out)

    def test_addresses_are_explained(self) -> None:
        log = self.tmp / "log"
        elf = self.elf()
        screen, target = self.start("-s", elf, "--log", str(log), width=120)
        target.machine.say("RIP:    e008:[<ffff82d040200016>] somewhere")
        screen.expect(r"RIP: .*; panic_here\+0x\w+ hv\.c:[45]")
        self.assertRegex(log.read_text(), r"; panic_here\+0x")
        self.command(screen, "i")
        screen.gone(r"; panic_here")
        self.command(screen, "o")
        screen.expect(r"hv\.c:[45]")

    def build_id(self, elf: str) -> str:
        notes = subprocess.run(["readelf", "-n", elf], check=True, text=True,
                               capture_output=True).stdout
        return re.search(r"Build ID: ([0-9a-f]+)", notes)[1]

    def test_directory_by_build_id(self) -> None:
        elf = Path(self.elf())
        builds = self.tmp / "builds"
        builds.mkdir()
        subprocess.run(["cp", "/bin/true", str(builds / "another")],
                       check=True)
        elf.rename(builds / "the one")
        screen, target = self.start("-s", str(builds), width=120)
        number = self.build_id(str(builds / "the one"))
        target.machine.say(f"build-id: {number}")
        target.machine.say("RIP:    e008:[<ffff82d040200016>] somewhere")
        screen.expect(r"RIP: .*; panic_here\+0x\w+ hv\.c:[45]")
        self.assertNotIn("no symbols of the build", screen.screen())

    def test_symbols_of_another_build(self) -> None:
        elf = self.elf()
        screen, target = self.start("-s", elf, width=120)
        target.machine.say(f"build-id: {self.build_id(elf)}")
        target.machine.say("one")
        screen.expect(r"^one$")
        self.assertNotIn("no symbols of the build", screen.screen())
        target.machine.say("build-id: 0123456789abcdef0123456789abcdef01234567")
        screen.expect(r"no symbols of the build that runs \(0123456789ab")

    def test_hypervisor_and_kernel_at_once(self) -> None:
        """A kernel's addresses, its form of them, and its own words kept."""
        xen = self.elf()
        linux = self.elf("vmlinux", "core.c", 0xffffffff81000000,
                         "-Dpanic_here=do_fault", "-Dother=lookup")
        screen, target = self.start("-s", xen, "-s", linux, width=140)
        target.machine.say("RIP: 0010:do_fault+0x16/0x20 ffffffff81000016")
        screen.expect(r"do_fault\+0x16/0x20 ffffffff81000016 *; "
                      r"do_fault\+0x\w+ core\.c:[45]")
        target.machine.say("(XEN) from [<ffff82d040200016>] and "
                           "0xffffffff81000004")
        screen.expect(r"; panic_here\+0x\w+ hv\.c:[45]; "
                      r"lookup\+0x4 core\.c:2")
        target.machine.say("no code: ffffffff91000016 00000000 0xffff82d0")
        screen.expect(r"no code: ffffffff91000016 00000000 0xffff82d0$")

    def test_without_debug_information(self) -> None:
        elf = self.elf()
        subprocess.run(["strip", "-g", elf], check=True)
        screen, target = self.start("-s", elf, width=120)
        target.machine.say("RIP:    e008:[<ffff82d040200016>] somewhere")
        screen.expect(r"somewhere *; panic_here\+0x\w+$")

    def test_bad_symbol_file(self) -> None:
        whole = Path(self.elf())
        bad = {"no symbol table": ("stripped", "cut"),
               "not a valid ELF file": ("text", "empty", "junk", "folder/x"),
               "no such file": ("none",)}
        stripped = self.tmp / "stripped"
        subprocess.run(["strip", "-o", str(stripped), str(whole)], check=True)
        data = whole.read_bytes()
        (self.tmp / "cut").write_bytes(data[:len(data) // 2])
        (self.tmp / "junk").write_bytes(data[:4] + bytes(range(256)) * 9)
        (self.tmp / "text").write_text("ffff82d040200000 T main\n")
        (self.tmp / "empty").touch()
        (self.tmp / "folder").mkdir()
        (self.tmp / "folder" / "x").touch()
        for why, names in bad.items():
            for name in names:
                out = self.run_program("-s", str(self.tmp / name), "--expect",
                                       "x", "a:1")
                text = out.stderr.decode()
                self.assertEqual(out.returncode, 2, name)
                self.assertIn(f"symbols from {self.tmp / name}: {why}",
                              text.replace("No s", "no s"))
                self.assertIn("give an ELF file with symbols", text)
                self.assertEqual(text.count("\n"), 1, text)


class Replay(Screen):
    def record(self) -> str:
        file = self.tmp / "record"
        screen, target = self.start("--record", str(file))
        self.run_in_dom0(screen, "d1")
        screen.expect("domain 2")
        target.machine.stub.reply("T05thread:1;core:0;")
        screen.expect("target stopped")
        target.machine.key("C")
        screen.expect("frozen: panic")
        screen.keys("C-]")
        screen.expect("ended with 0")
        return str(file)

    def test_same_screen(self) -> None:
        file = self.record()
        screen = self.tmux("--replay", file, "--speed", "0")
        screen.expect(r"end of the replay: \d+ records, 0 other")
        screen.expect(r"4 domain 1\*")
        screen.expect(r"frozen: panic")
        screen.expect(r"stopped: trap \(5\), thread 1, CPU 0")
        screen.expect(r"^dom0# d1")
        screen.keys("F3")
        screen.type("dom0")
        screen.keys("Enter")
        screen.expect(r"'dom0' in line")
        screen.keys("F2")
        screen.expect("waiting for|type to filter")
        screen.keys("C-c")
        screen.keys("F8")
        stamp = re.search(r"T(\d\d:\d\d:\d\d\.\d{3})", open(file).read())[1]
        screen.expect(r"^\d\d" + re.escape(stamp[2:6]))

    def test_pause_and_speed(self) -> None:
        file = self.tmp / "slow"
        file.write_text("".join(
            f"2026-01-31T12:{i // 60:02}:{i % 60:02}.000000Z "
            f"L< second {i}\\r\\n\n" for i in range(3600)))

        def latest() -> int:
            return max(map(int, re.findall(r"second (\d+)", screen.screen())))

        screen = self.tmux("--replay", str(file), "--speed", "20")
        screen.expect("second 3$")
        self.command(screen, " ")
        screen.expect("PAUSED")
        seen = latest()
        time.sleep(0.3)
        self.assertEqual(latest(), seen)
        self.command(screen, " ")
        wait_for(lambda: latest() > seen + 3)

    def test_damaged_record(self) -> None:
        file = self.tmp / "bad"
        file.write_text("2026-01-31T12:00:00.000000Z L< good\\r\\n\njunk\n"
                        "2026-01-31T12:00:00.000000Z L< bad \\q\n")
        screen = self.tmux("--replay", str(file))
        screen.expect(r"end of the replay: 1 records, 2 other")
        screen.expect("^good$")

    def test_not_a_record(self) -> None:
        out = self.run_program("--replay", str(HERE / "run"))
        self.assertEqual(out.returncode, 3)
        self.assertIn(b"is no file of --record", out.stderr)


class Picture(Symbols):
    """The picture in docs/terminal.md, from a session like a real one."""

    test_addresses_are_explained = None
    test_bad_symbol_file = None
    test_hypervisor_and_kernel_at_once = None
    test_without_debug_information = None
    WIDTH = 104

    def session(self) -> tuple[Tmux, Target]:
        """Both channels at work: a shell, a debug key, a gdb."""
        elf = self.elf()
        screen, target = self.start("-g", "0", "-s", elf, width=self.WIDTH,
                                    height=40)
        port = screen.expect(r"gdb :(\d+) free")[1]
        subprocess.run(["gdb", "-nx", "-q", "-batch", "-ex",
                        "set architecture i386:x86-64", "-ex",
                        f"target remote localhost:{port}", "-ex",
                        "x/2xg 0xffff82d040200000", "-ex", "detach"],
                       env=ENV, capture_output=True, check=False,
                       timeout=PATIENCE)
        screen.keys("F2")
        screen.expect(r"d  dump registers")
        screen.keys("d", "Enter")
        wait_for(lambda: target.machine.log[-1:] == ["key d"])
        target.machine.say("RIP:    e008:[<ffff82d040200016>]")
        target.machine.say("WARNING: clock source is unstable")
        wait_for(lambda: target.machine.owner == "dom0")
        screen.expect(r"; panic_here\+0x")
        self.run_in_dom0(screen, "d1")
        screen.expect("5 domain 2")
        self.run_in_dom0(screen, "echo the console goes on")
        screen.expect("^the console goes on")
        return screen, target

    def shoot(self, screen: Tmux) -> str:
        return to_svg(screen("capture-pane", "-p", "-e", "-N"), self.WIDTH)

    def pictures(self) -> dict[str, str]:
        screen, _ = self.session()
        screen.expect(r"input: domain 0")
        whole = self.shoot(screen)
        screen.keys("F2")
        screen.expect("debug keys >")
        screen.type("dump")
        screen.expect("> dump")
        screen.gone("trap to pdb")
        return {"miniterm.svg": whole, "miniterm-keys.svg":
                self.shoot(screen)}

    def test_pictures(self) -> None:
        made = self.pictures()
        for name, texts in (
                ("miniterm.svg", ("hypervisor", "gdb packets", "domain 1*",
                                  "panic_here+0x", "read 8 bytes at",
                                  "input: domain 0")),
                ("miniterm-keys.svg", ("debug keys &gt; dump",
                                       "dump registers"))):
            in_docs = (TOP / "docs" / name).read_text()
            for text in texts:
                self.assertIn(text, made[name])
                self.assertIn(text, in_docs)
