# SPDX-License-Identifier: GPL-2.0-only
"""What is written about miniterm is so; the programs build by themselves."""
from __future__ import annotations

import importlib
import re
import shutil
import subprocess

from harness import PROGRAM, TOP, Case


class Docs(Case):
    def options(self) -> list[str]:
        text = self.run_program("--help").stdout.decode()
        return re.findall(r"^  .{0,4}(--[a-z0-9-]+)", text, re.M)

    def test_every_option_is_in_the_manual(self) -> None:
        manual = (TOP / "docs/man/miniterm.1").read_text()
        manual = manual.replace("\\-", "-")
        options = self.options()
        self.assertGreater(len(options), 40)
        for option in options:
            self.assertRegex(manual, re.escape(option) + r"\b", option)

    def test_every_command_is_in_the_manual(self) -> None:
        source = (TOP / "miniterm/screen-keys.c").read_text()
        table = source[source.index("command_table[] = {"):]
        manual = (TOP / "docs/man/miniterm.1").read_text()
        keys = re.findall(r"^    \{ '(.)', (\d+), ", table, re.M)
        self.assertGreater(len(keys), 20)
        rows = re.search(r"(?s)\.TS.*?\.TE", manual)[0]
        for key, fkey in keys:
            if key in " .nN":
                continue
            self.assertRegex(rows, rf"(?m)^([^|\n]* )?{re.escape(key)}[ |]")
            if fkey != "0":
                self.assertIn(f"|F{fkey}|", rows)

    def test_manual_formats_without_warnings(self) -> None:
        out = subprocess.run(["groff", "-t", "-man", "-Tutf8", "-ww", "-z",
                              str(TOP / "docs/man/miniterm.1")],
                             capture_output=True, text=True, check=False)
        self.assertEqual(out.stderr, "")

    def test_every_yes_has_its_test(self) -> None:
        text = (TOP / "docs/terminal.md").read_text()
        table = text[text.index("## Compared"):text.index("## How fast")]
        yes = 0
        for row in table.splitlines():
            cells = [c.strip() for c in row.strip("|").split("|")]
            if len(cells) != 6 or cells[4] != "Y":
                continue
            yes += 1
            name = re.fullmatch(r"`(\w+)\.(\w+)\.(\w+)`", cells[5])
            self.assertTrue(name, row)
            module = importlib.import_module(name[1])
            self.assertTrue(callable(getattr(getattr(module, name[2]),
                                             name[3])), row)
        self.assertGreater(yes, 30)

    def test_completion(self) -> None:
        script = TOP / "miniterm/miniterm.bash-completion"

        def complete(*words: str) -> list[str]:
            quoted = " ".join(f"'{w}'" for w in (PROGRAM, *words))
            out = subprocess.run(
                ["bash", "-c", f"source {script}; COMP_WORDS=({quoted}); "
                 f"COMP_CWORD={len(words)}; _miniterm; "
                 "printf '%s\\n' \"${COMPREPLY[@]}\""],
                capture_output=True, text=True, check=True)
            return out.stdout.split()

        for option in self.options():
            self.assertIn(option, complete(option))
        self.assertIn("--gdb-port", complete("--gd"))
        self.assertEqual(complete("-b", "1152"), ["115200"])
        self.assertEqual(complete("--flow", "=", "ha"), ["hard"])
        self.assertIn("pty", complete("pt"))


class Alone(Case):
    """From the directories that a program needs, nothing else beside them."""

    NEEDED = {
        "conswitch": (["conswitch"], ["bin/nsplitd", "share/man/man8/nsplitd.8",
                                      "share/bash-completion/completions/"
                                      "nsplitd"]),
        "miniterm": (["miniterm", "conswitch"],
                     ["bin/miniterm", "share/man/man1/miniterm.1",
                      "share/bash-completion/completions/miniterm"]),
        "tools/xencons": (["tools/xencons", "conswitch", "miniterm"],
                          ["bin/xencons", "bin/console_client.py",
                           "share/man/man1/xencons.1",
                           "share/man/man1/console_client.py.1",
                           "share/bash-completion/completions/xencons"]),
    }

    def test_builds_alone(self) -> None:
        for part, (directories, files) in self.NEEDED.items():
            tree, root = self.tmp / part, self.tmp / "root" / part
            for directory in [*directories, "docs/man"]:
                shutil.copytree(TOP / directory, tree / directory,
                                ignore=shutil.ignore_patterns("build"))
            subprocess.run(["make", "-s", "-j2", "-C", str(tree / part),
                            "install", f"DESTDIR={root}", "CFLAGS=-O0"],
                           check=True, capture_output=True)
            for name in files:
                self.assertTrue((root / "usr" / name).exists(), name)
            for program in (root / "usr/bin").iterdir():
                out = subprocess.run([str(program), "--help"], check=True,
                                     capture_output=True, text=True).stdout
                self.assertIn("Examples:", out)
