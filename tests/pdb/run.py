#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Real gdb against pdb's core: run.py BUILD-DIRECTORY [TEST...]

The host program serves traced processes through the very files that the
hypervisor compiles in, so steps, breakpoints and watchpoints are real.
"""
import os
import re
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable

from rig import Host, Mi, Relay, Session

# Figures that must not be exceeded, in characters on the wire both ways.
MAX_ATTACH = 3200
MAX_STEP = 110
MAX_HIT = 185
MAX_IDLE_MIB = 170_000

BUILD = ""


def attach_and_look() -> None:
    with Host(BUILD, "-c", "2") as h:
        s = Session(h, ["info threads", "info registers rip cr3 orig_rax",
                        "break tick", "continue", "backtrace", "print $st0",
                        "print $error"])
    s.has(r"Thread 1\.1 \(CPU0 stopped\)", r"Thread 1\.2 \(CPU1 stopped\)",
          r"cr3 +0x1000", r"Breakpoint 1, tick \(\)",
          r"#1 .* leaf \(x=", r"#2 .* middle", r"#3 .* work \(n=",
          r"#4 .* main", r"\$1 = 0", r"\$2 = <unavailable>")


def threads_and_their_cpus() -> None:
    """After each stop, although the list that gdb fetches then has ids alone"""
    with Host(BUILD, "-c", "2") as h, Mi(h) as g:
        for _ in range(2):
            text = g.ask("-thread-info")
            for cpu in (0, 1):
                m = re.search(rf'details="CPU{cpu} stopped",.*?core="(\d+)"',
                              text)
                assert m and m[1] == str(cpu), text
            g.stops("stepi")
        g.ask("set remote threads-packet off")
        g.stops("stepi")
        assert "(CPU1 stopped)" in g.ask("info threads")


def nothing_is_out_of_the_map() -> None:
    with Host(BUILD, "-c", "2") as h:
        s = Session(h, ["info mem", "x/x 0xfffffffffffffff8", "monitor why",
                        "x/2xb 0x7fffffffffffffff", "monitor context phys",
                        "x/2xb 0x1000020000000", "monitor context thread",
                        "set debug remote 1", "break tick", "continue",
                        "hbreak leaf", "continue", "continue"])
    s.has(r"0x0{16} 0xf{16} rw",
          r"Cannot access", r"nothing mapped there", r"Cannot access",
          r"0x1000020000000:\s+0x", r"Breakpoint 1, tick",
          r"Breakpoint 2, leaf", r"\$Z0,\w+,1#", r"\$Z1,\w+,1#")
    s.lacks("memory-map:read")  # it was asked for when gdb attached, and once


def steps_and_finishes() -> None:
    with Host(BUILD) as h:
        s = Session(h, ["tbreak work", "continue", "next", "next", "step",
                        "step", "finish", "stepi", "nexti", "until",
                        "advance show", "print it->name", "up", "info line"])
    s.has(r"Temporary breakpoint 1, work", r"middle\(\(int\)n\)",
          r"middle \(x=", r"leaf \(x=",
          r"Value returned is", r"^show \(it=", r'"thing"', r"work \(n=")
    s.lacks(r"Error|Cannot|cannot")


def range_step_is_quick() -> None:
    with Host(BUILD) as h:
        r = Relay(h.target)
        s = Session(h, ["tbreak long_loop", "continue", "next", "next",
                        "next", "next", "info symbol $pc"], target=r.address)
    s.has(r"Temporary breakpoint 1, long_loop")
    # thousands of instructions were stepped over, in a handful of packets
    assert r.total() < 20000, r.total()


def watches() -> None:
    with Host(BUILD) as h:
        s = Session(h, ["watch watched", "continue", "continue", "delete",
                        "rwatch counter", "continue", "delete",
                        "awatch small_values[1]", "continue", "delete",
                        "hbreak leaf", "continue", "watch pattern[0]@32",
                        "watch watched"])
    s.has(r"Hardware watchpoint 1: watched", r"Old value = (\d+)",
          r"New value = (\d+)", r"Old value", r"Hardware read watchpoint 2",
          r"Value = ", r"Hardware access \(read/write\) watchpoint 3",
          r"[Vv]alue = ", r"Hardware assisted breakpoint 4",
          r"Breakpoint 4, leaf")


def watch_needs_registers() -> None:
    with Host(BUILD) as h:
        s = Session(h, ["watch pattern[0]", "watch pattern[100]",
                        "watch pattern[200]", "watch pattern[300]",
                        "watch pattern[400]", "continue"])
    s.has(r"Could not insert hardware watchpoint")


def conditions() -> None:
    with Host(BUILD) as h:
        r = Relay(h.target)
        s = Session(h, ["print counter", "break tick if counter % 1000 == 7",
                        "continue", "print counter % 1000",
                        "monitor breakpoints"], target=r.address)
        assert r.total() < 8000, r.total()
    s.has(r"Breakpoint 1, tick", r"\$2 = 7")


def false_condition_costs_nothing() -> None:
    with Host(BUILD, fast=True) as h:
        r = Relay(h.target)
        s = Session(h, ["break tick if counter == 18446744073709551615",
                        "python import threading, time",
                        "python r0 = 0",
                        "python threading.Timer(2, lambda: gdb.post_event("
                        "lambda: gdb.execute('interrupt'))).start()",
                        "continue", "monitor breakpoints"], target=r.address,
                    before=["set breakpoint always-inserted on"])
        assert r.total() < 6000, r.total()
    s.has(r"SIGINT", r"int3 +inferior 1 0x\w+: 0 hits, \d{3,} passed by")


def prints_without_stopping() -> None:
    with Host(BUILD) as h:
        s = Session(h, ["monitor console on",
                        'dprintf tick, "n=%lu\\n", counter',
                        # the first touch() may come before any tick()
                        "break touch if v > 0", "continue", "continue"],
                    before=["set dprintf-style agent"])
    s.has(r"Dprintf 1 at", r"^n=\d+$", r"Breakpoint 2, touch")
    assert "n=" in h.output


def catches_system_calls() -> None:
    with Host(BUILD) as h:
        s = Session(h, ["catch syscall getppid", "continue", "continue",
                        "delete", "catch syscall", "continue"])
    s.has(r"\(call to syscall getppid\)", r"\(returned from syscall getppid\)",
          r"\(call to syscall")


def memory() -> None:
    with Host(BUILD) as h:
        s = Session(h, ["set var small_values[3] = 0x12345678",
                        "print/x small_values[3]",
                        "print $_siginfo", "compare-sections .text",
                        "find /b 0x10000000, +0x1000, 0x99, 0x99, 0x99, 0x99,"
                        " 0x98", "x/4gx 0x20000000+4096",
                        "x/x 0x2000", "monitor why", "set var $rax = 0x55",
                        "print/x $rax", "monitor pt 0x20000000",
                        "break tick", "continue", "x/i tick",
                        "monitor context phys", "maintenance flush dcache",
                        "x/2xb 0x1000020000000", "monitor context thread"])
    s.has(r"\$1 = 0x12345678", r"\.text.*matched", r"Pattern not found",
          r"0x20001000:\s+0x0{16}\s+0x0{16}", r"Cannot access memory",
          r"nothing mapped there", r"0x55", r"one level: 0x1000020000000",
          r"Breakpoint", r"tick>?:\s+(?!int3)", r"memory is that of: phys",
          r"0x1000020000000:\s+0x")


def tables_and_commands() -> None:
    with Host(BUILD, "-d", "1") as h:
        s = Session(h, ["info os", "info os domains", "info os frames",
                        "monitor help", "monitor long listing",
                        "monitor nonsense", "monitor fault", "info threads",
                        "monitor destroy 7", "monitor destroy x",
                        "monitor link"])
    s.has(r"domains +Domains of the machine", r"<a & 'b' #\$\*\}>",
          r"^499 +domain ####", r"destroy DOMAIN: end a domain",
          r"^line 0 of", r"^line 999 of", r"'monitor help' lists",
          r"^monitor: a fault was caught inside the debugger$",
          r"Thread 1\.1", r"no such thing", r"usage: monitor destroy DOMAIN",
          r"8 bits, no acknowledgements")


def two_inferiors() -> None:
    with Host(BUILD, "-d", "2") as h:
        s = Session(h, [
            "stepi", "add-inferior", "inferior 2", "file " + h.guest,
            "attach 3",
            "info inferiors", "thread", "break tick thread 2.1", "continue",
            "print $_inferior", "print counter", "delete",
            "set schedule-multiple on", "break leaf thread 1.1", "continue",
            "print $_inferior", "delete", "inferior 2", "detach",
            "inferior 1", "stepi", "info inferiors"], extended=True)
    s.has(r"1 +process 1", r"\* 2 +process 3", r'Thread 2\.1 hit Breakpoint',
          r"\$1 = 2", r"Thread 1\.1 hit Breakpoint", r"\$3 = 1",
          r"Inferior 2 \(process 3\) detached", r"\* 1 +process 1")


def domains_come_and_go() -> None:
    with Host(BUILD) as h:
        s = Session(h, ["monitor follow on", "monitor spawn", "continue",
                        "info threads", "inferior 2", "file " + h.guest,
                        "output/x $cs", "output $cr3",
                        # both run it, and either may be the first
                        "break tick if $_inferior == 2",
                        "continue", "stepi", "delete",
                        # it asks for the description after all
                        "unset tdesc filename", "output/x $cr3", "inferior 1",
                        "monitor destroy 0", "continue",
                        "info inferiors"], extended=True,
                    before=["set schedule-multiple on",
                            "set architecture i386:x86-64"])
    assert "too long" not in s.text, s.text
    s.has(r"domain 0 is inferior 2", r"Thread 2\.1 \(d0v0",
          r"Thread 2\.1 hit Breakpoint [\d.]+, tick", r"0x2000\D",
          r"Inferior 2 \(process 2\) exited", r"1 +process 1")


def one_cpu_at_a_time() -> None:
    with Host(BUILD, "-c", "2") as h:
        s = Session(h, ["set scheduler-locking on", "thread 2",
                        "print turns[1]", "print counter",
                        "break spin", "continue", "continue", "continue",
                        "print counter", "thread 1", "stepi", "stepi",
                        "delete", "set scheduler-locking off", "tbreak tick",
                        "continue"])
    s.has(r"Breakpoint 1, spin \(cpu=", r"Breakpoint 1, spin",
          r"Temporary breakpoint 2, tick")
    before, after = s.numbers(r"\$[23] = (\d+)")
    assert before == after, "CPU0 ran although it was locked"


def non_stop() -> None:
    with Host(BUILD, "-c", "2") as h, Mi(h, "set non-stop on") as g:
        # one thread is stopped to be looked at, the other goes on
        assert "(running)" in g.ask("info threads")
        g.ask("x/gx &counter")
        g.stops("-exec-interrupt --thread 2")
        g.ask("-thread-select 2")
        g.stops("stepi")
        g.ask("break tick thread 1")
        assert "tick" in g.stops("-exec-continue --thread 1")
        g.ask("delete")
        g.ask("-exec-continue --thread 1")
        text = g.ask("info threads")
        assert text.count("(running)") == 1, text
        g.stops("-exec-interrupt --all")
        text = g.ask("info threads")
        assert "(running)" not in text, text
        g.ask("detach")


def lost_notification() -> None:
    with Host(BUILD, "-c", "2", "-a") as h:
        r = Relay(h.target, lose=rb"%Stop:.*?#..")
        with Mi(h, "set non-stop on", target=r.address) as g:
            assert "*stopped" in g.stops("-exec-interrupt --thread 2")
            assert not r.lose
            assert "(running)" not in g.ask("info threads")
            g.ask("detach")


def over_a_shared_line() -> None:
    """Seven bits, acknowledgements, a pseudo-terminal in place of a UART."""
    with Host(BUILD, "-7", "-a", "-t") as h:
        s = Session(h, ["set var pattern[9] = 0xee", "print pattern[9]",
                        "break touch", "continue", "continue", "stepi",
                        "finish", "find /b &pattern, +256, 0xfe, 0xff",
                        "compare-sections .text", "monitor link", "detach"])
    s.has(r"\$1 = 238", r"Breakpoint 1, touch", r"Breakpoint 1, touch",
          r"pattern\+254>", r"matched", r"shared line, 7 bits, with ack",
          r"detached")


def over_a_bad_line() -> None:
    """One chunk in fifteen has a character changed, both ways."""
    with Host(BUILD, "-7", "-a") as h:
        r = Relay(h.target, damage_every=15)
        s = Session(h, ["break touch", "continue", "stepi", "stepi", "bt",
                        "x/64gx $sp", "delete", "detach"], target=r.address,
                    before=["set remotetimeout 1"])
        assert r.top_bits == 0
    s.has(r"Breakpoint 1, touch", r"#0 .*work", r"#1 .*main", r"^0x7ff",
          r"detached")


def attach_again_and_again() -> None:
    with Host(BUILD) as h:
        first = Session(h, ["break tick", "continue", "print counter"])
        time.sleep(0.2)
        second = Session(h, ["print counter", "x/i tick", "kill"],
                         extended=True)
        time.sleep(0.2)
        third = Session(h, ["print counter", "print/x *(char *)0x401665",
                            "detach"])
    one, two, three = (s.numbers(r"\$1 = (\d+)")[0]
                       for s in (first, second, third))
    assert one < two < three, "the machine did not go on in between"
    first.has("Breakpoint 1, tick")
    second.lacks("int3")


def gdb_that_vanishes() -> None:
    with Host(BUILD) as h:
        argv = ["gdb", "-nx", "-batch", "-ex", "file " + h.guest, "-ex",
                "target remote " + h.target, "-ex", "break tick", "-ex",
                "continue", "-ex", "print counter", "-ex",
                "shell sleep 30"]
        with subprocess.Popen(argv, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL,
                              start_new_session=True) as p:
            time.sleep(1.5)
            os.killpg(p.pid, signal.SIGKILL)
        time.sleep(0.3)
        s = Session(h, ["print counter", "x/i tick",
                        "python import time; time.sleep(0.1)", "detach"])
        time.sleep(0.2)
        t = Session(h, ["print counter"])
    s.lacks("int3")
    assert s.numbers(r"\$1 = (\d+)") < t.numbers(r"\$1 = (\d+)")


def breaks_in() -> None:
    with Host(BUILD, "-c", "2") as h:
        timer = ("python import threading; threading.Timer(0.5, lambda: "
                 "gdb.post_event(lambda: gdb.execute('interrupt'))).start()")
        s = Session(h, [timer, "continue", timer, "continue", "bt 1"])
    s.has(r"SIGINT", r"SIGINT", r"#0 ")


def no_break_in_is_lost() -> None:
    """^C comes at any moment of steps, and of hits that gdb passes by."""
    turns: list[str] = []
    for command in ("stepi 1000000", "continue"):
        for turn in range(10):
            turns += ["python threading.Timer(%f, lambda: os.kill(os.getpid()"
                      ", 2)).start()" % (0.1 + turn * 0.003), command]
        turns += ["break tick", "ignore 1 1000000",
                  "break spin", "ignore 2 1000000"]
    with Host(BUILD, "-c", "2", fast=True) as h:
        r = Relay(h.target, delay=0.002)
        s = Session(h, ["python import os, threading", *turns],
                    target=r.address)
    # each came to an end: at once where gdb had not begun yet
    stops, quits = (s.text.count(word) for word in ("signal SIGINT", "Quit"))
    assert stops + quits == 20 and stops > 0, s.text


def two_thousand_stops() -> None:
    with Host(BUILD) as h:
        s = Session(h, ["break tick", "continue", "print counter",
                        "ignore 1 1999", "continue", "print counter"])
    a, b = s.numbers(r"\$[12] = (\d+)")
    assert b - a == 2000, (a, b)


def more_registers() -> None:
    with Host(BUILD, "-s", "-e") as h:
        s = Session(h, ["print $xmm0", "print $mxcsr", "set var $xmm1[0] = 5",
                        "print $xmm1"], symbols=False)
    s.has(r"\$1 = \{", r"\$2 = 8064", r"\$3 = \{5,")


def figures() -> None:
    """What an attach, a step, a hit and a read cost, counted on the wire."""
    with Host(BUILD, fast=True) as h:
        r = Relay(h.target)
        Session(h, ["shell true"], target=r.address, symbols=False)
        attach = r.total()
    with Host(BUILD, fast=True) as h:
        step = cost(h, "stepi {n}")
    with Host(BUILD, fast=True) as h:
        hit = cost(h, "continue", "break tick", "continue", "ignore 1 {m}")
    with Host(BUILD, fast=True) as h:
        r = Relay(h.target)
        Session(h, ["dump binary memory /dev/null 0x20000000 0x20100000"],
                target=r.address, symbols=False)
        idle = r.total() - attach
    print(f"  attach {attach}, step {step:.1f}, hit {hit:.1f}, "
          f"1 MiB of idle RAM {idle}")
    assert attach <= MAX_ATTACH
    assert step <= MAX_STEP
    assert hit <= MAX_HIT
    assert idle <= MAX_IDLE_MIB


def cost(h: Host, command: str, *before: str) -> float:
    """Characters a turn: two runs that differ by a hundred turns."""
    totals = []
    for n in (100, 200):
        r = Relay(h.target)
        # gdb reads text from its file, as docs/pdb.md tells everybody to set
        Session(h, [c.format(n=n, m=n - 1) for c in (*before, command)],
                target=r.address, symbols=h.guest + "-bare",
                before=["set trust-readonly-sections on"])
        totals.append(r.total())
    return (totals[1] - totals[0]) / 100


TESTS: list[Callable[[], None]] = [
    attach_and_look, threads_and_their_cpus, nothing_is_out_of_the_map,
    steps_and_finishes, range_step_is_quick, watches, watch_needs_registers, conditions, false_condition_costs_nothing,
    prints_without_stopping, catches_system_calls, memory, tables_and_commands,
    two_inferiors, domains_come_and_go, one_cpu_at_a_time, non_stop,
    lost_notification,
    over_a_shared_line, over_a_bad_line, attach_again_and_again,
    gdb_that_vanishes, breaks_in, no_break_in_is_lost, two_thousand_stops,
    more_registers, figures,
]


def main() -> int:
    global BUILD
    BUILD = sys.argv[1]
    names = sys.argv[2:]
    failed = passed = 0
    for test in TESTS:
        if names and test.__name__ not in names:
            continue
        try:
            test()
            passed += 1
        except Exception:
            failed += 1
            print(f"FAIL {test.__name__}\n{traceback.format_exc()}")
    print(f"{passed} passed, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
