# SPDX-License-Identifier: GPL-2.0-only
# For gdb on a slow line to the hypervisor: gdb -x pdb.gdb xen-syms
# What gdb 13 would fetch again at every stop although it cannot have changed,
# or more of it than it looks at.
set trust-readonly-sections on
set stack-cache off
# Replies may wait for a console line to end.
set remotetimeout 20
# Several inferiors, the hypervisor and domains, go on together.
set schedule-multiple on
# `monitor` goes by the thread that gdb has last asked something of, which may
# be another one than the selected one (after `info threads`, say). A read of
# its stack is asked of the selected one; one that failed would be what
# `monitor why` then tells of.
define hook-monitor
  python
try:
    gdb.selected_inferior().read_memory(
        int(gdb.parse_and_eval("(unsigned long)$sp")), 1)
except gdb.error:
    pass
  end
end
