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
# Addresses in packets are four characters shorter, of which a breakpoint hit
# has two. gdb then leaves the sign out of those that are not canonical, too.
define short-addresses
  monitor short-addresses on
  set remoteaddresssize 48
end
document short-addresses
Send only 48 bits of addresses, for a slow line. Say it after connecting; 'set
remoteaddresssize 0' ends it, and must come before connecting again. Meanwhile
an address that is not canonical is read as the one that its lower bits make.
end
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
# gcore: gdb 13 ends with an internal error without the XMM registers, which pdb
# describes only if it is asked to; and it takes all memory between the first
# frame and the last for the stack, the latter in the guest of a hypercall.
python
class CoreFileCheck(gdb.Command):
    """Whether gcore can work: what its hook asks."""

    def invoke(self, args, from_tty):
        if not gdb.selected_inferior().pid:
            return
        if gdb.parse_and_eval("$xmm0").type.code == gdb.TYPE_CODE_VOID:
            raise gdb.GdbError("a core file takes the XMM registers: 'monitor "
                               "sse on', 'disconnect', and connect again")
        if self.longest_way(gdb.newest_frame()) > 1 << 20:
            raise gdb.GdbError("the backtrace leads from one stack to another, "
                               "and gdb would save all that lies between: 'set "
                               "backtrace limit N' first")

    def longest_way(self, frame):
        """From the first frame's stack to that of any other."""
        first, ways = int(frame.read_register("rsp")), [0]
        while frame:
            ways.append(abs(int(frame.read_register("rsp")) - first))
            frame = frame.older()
        return max(ways)


CoreFileCheck("check-core-file", gdb.COMMAND_OBSCURE)
end
define hook-generate-core-file
  check-core-file
end
