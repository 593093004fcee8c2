# SPDX-License-Identifier: GPL-2.0-only
"""Machines that are up in a second or two: domain 0 is tests/guest/echo.c."""
from __future__ import annotations

import functools
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import dom0
from machine import TOP, Config, Machine, Module

LISTENING = r"echo: listening"
RAM = 256                   # MiB


@functools.cache
def kernel() -> Path:
    """The tiny kernel, built if it is not there."""
    subprocess.run(["make", "-s", "-C", TOP / "tests" / "guest",
                    "build/echo.elf"], check=True)
    return TOP / "tests" / "guest" / "build" / "echo.elf"


def config(hv_args: str, words: str = "", **more: Any) -> Config:
    """hv_args name the console as well; words: see tests/guest/echo.c."""
    return replace(Config(hypervisor=dom0.HV, cpu=dom0.cpu("max"),
                          hv_args=f"dom0_mem=64M {hv_args}", mem_mib=RAM,
                          modules=(Module(kernel(), words),)), **more)


def to_hypervisor(machine: Machine, com: int = 1) -> None:
    machine.send("\x01\x01\x01", com)
    machine.expect(r"Serial input -> Xen", com)
