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
