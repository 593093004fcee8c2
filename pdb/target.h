/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What pdb asks of the machine that it debugs.
 *
 * The core calls these operations from inside pdb_rx(), pdb_tx(), pdb_event()
 * and pdb_tick() only, never from anywhere else and never two at once.  All
 * return 0 (or a count where said) or -errno with the values of the Xen ABI,
 * which are those of Linux: -EFAULT not mapped, -ESRCH no such thread or
 * inferior, -ENOSPC no free debug register, -EBUSY, -EINVAL, -EPERM,
 * -EOPNOTSUPP.  None may fault: a bad address is an answer, not an accident.
 * An operation that is a null pointer counts as -EOPNOTSUPP, except those
 * marked "needed".
 */
#ifndef PDB_TARGET_H
#define PDB_TARGET_H

#include <stddef.h>
#include <stdint.h>

#include "out.h"

struct pdb;

/* Errno values, so that a freestanding core needs no <errno.h>. */
enum {
    PDB_EPERM = 1,
    PDB_ENOENT = 2,
    PDB_ESRCH = 3,
    PDB_EIO = 5,
    PDB_E2BIG = 7,
    PDB_ENOMEM = 12,
    PDB_EFAULT = 14,
    PDB_EBUSY = 16,
    PDB_EINVAL = 22,
    PDB_ENOSPC = 28,
    PDB_ENOSYS = 38,
    PDB_EOPNOTSUPP = 95,
};

/*
 * gdb's view: an inferior `pid` holds threads `tid`, both counted from 1.
 * Inferior 1 is the hypervisor and its thread n + 1 is CPU n; inferior N + 2
 * is domain N and its thread v + 1 is vCPU v.  In a selector -1 means all and
 * 0 means any one.
 */
struct pdb_tid {
    int32_t pid, tid;
};

#define PDB_PID_HYPERVISOR 1
#define PDB_PID_DOMAIN(domid) ((int32_t)(domid) + 2)

/* Which memory an address is an address of. */
enum pdb_space_kind {
    PDB_SPACE_THREAD, /* what .thread has mapped now, with its current CR3 */
    PDB_SPACE_CR3,    /* the page tables at .cr3, of the inferior .thread.pid */
    PDB_SPACE_PHYS,   /* machine memory; .thread only says who asks */
};

struct pdb_space {
    enum pdb_space_kind kind;
    struct pdb_tid thread;
    uint64_t cr3; /* machine address of the top table, flag bits ignored */
};

/* Registers in .v[], 64 bits each whatever the width that gdb shows. */
enum pdb_reg {
    PDB_RAX, PDB_RBX, PDB_RCX, PDB_RDX, PDB_RSI, PDB_RDI, PDB_RBP, PDB_RSP,
    PDB_R8, PDB_R9, PDB_R10, PDB_R11, PDB_R12, PDB_R13, PDB_R14, PDB_R15,
    PDB_RIP, PDB_EFLAGS, PDB_CS, PDB_SS, PDB_DS, PDB_ES, PDB_FS, PDB_GS,
    PDB_FS_BASE, PDB_GS_BASE, PDB_ORIG_RAX,
    PDB_CR0, PDB_CR2, PDB_CR3, PDB_CR4, PDB_EFER, PDB_K_GS_BASE,
    PDB_TRAPNO, PDB_ERROR,
    PDB_NR_REGS
};

struct pdb_regs {
    uint64_t v[PDB_NR_REGS];
    uint64_t known; /* bit n: v[n] means something; else "<unavailable>" */
};

#define PDB_REG_BIT(r) (1ull << (r))

/* x87 and SSE state as FXSAVE64 lays it out (Intel SDM vol. 1, 10.5.1). */
#define PDB_FPU_SIZE 512

/* Breakpoint kinds: the digits of gdb's Z packets. */
enum pdb_bp_type {
    PDB_BP_SOFT,   /* int3; planted by the core through write_mem */
    PDB_BP_EXEC,   /* debug register, execution */
    PDB_BP_WRITE,  /* debug register, writes */
    PDB_BP_READ,   /* reads: set a read/write debug register */
    PDB_BP_ACCESS, /* debug register, reads and writes */
};

/* What a data watch covers is compared by a sum: FNV-1a, 64 bits. */
#define PDB_SUM_START 14695981039346656037ull

static inline uint64_t pdb_sum(uint64_t sum, const uint8_t *bytes, int n)
{
    for (int i = 0; i < n; i++)
        sum = (sum ^ bytes[i]) * 1099511628211ull;
    return sum;
}

#define PDB_MAX_HW 32u /* bytes that four debug registers can watch */
#define PDB_MAX_WATCH 0x100000u

/*
 * A debug-register request; len 1, 2, 4 or 8 and addr a multiple of it.  A data
 * watch that four registers cannot hold comes whole: any addr, len from
 * PDB_MAX_HW + 1 to PDB_MAX_WATCH.
 */
struct pdb_hw {
    enum pdb_bp_type type;
    int32_t pid;  /* the inferior whose code or accesses count */
    uint64_t cr3; /* only while this CR3 is loaded; 0: always */
    uint64_t addr;
    uint32_t len;
};

/* What a thread is to do when the machine goes on. */
enum pdb_do {
    PDB_DO_STAY, /* stays stopped */
    PDB_DO_CONT,
    PDB_DO_STEP, /* one instruction, then pdb_event(PDB_WHY_STEP) */
    PDB_DO_HALT, /* non-stop: stop it, then pdb_event(PDB_WHY_HALTED) */
};

struct pdb_action {
    struct pdb_tid who; /* selector */
    enum pdb_do what;
    int signal;           /* C and S packets: gdb's signal number, else 0 */
    uint64_t start, end;  /* range stepping (core only); empty if equal */
};

/*
 * A plan is a list searched from the front: the first action whose selector
 * matches holds.  A thread that none matches stays as it is, except under
 * `alone`: then every thread but those named must be kept from running until
 * the next event, because a breakpoint is lifted for that one step.  Behind the
 * first `nr` nothing is set: pdb_plan_copy() (pdb.h) leaves it out.
 */
#define PDB_MAX_ACTIONS 16

struct pdb_plan {
    struct pdb_action act[PDB_MAX_ACTIONS];
    uint32_t nr;
    bool alone;
};

/* Why pdb_event() is called. */
enum pdb_why {
    PDB_WHY_STEP,        /* #DB with DR6.BS: the step that was asked for */
    PDB_WHY_SOFT,        /* #BP: rip is behind an int3, whoever planted it */
    PDB_WHY_EXEC,        /* debug register, execution; rip is at it */
    PDB_WHY_WATCH,       /* debug register, data; .addr is its DRn */
    PDB_WHY_GUARD,       /* rip is at an instruction that would touch a watched
                            page, beginning at .addr: one step of it alone,
                            which may end in PDB_WHY_WATCH with an .addr in a
                            watch.  .stepped: it has touched it */
    PDB_WHY_BREAK_IN,    /* ^C, BREAK, key, NMI, or what interrupt() asked */
    PDB_WHY_FAULT,       /* panic, BUG, fault: .signal says which */
    PDB_WHY_HALTED,      /* non-stop: the halt that was asked for */
    PDB_WHY_SYSCALL,     /* .number; stopped at its entry */
    PDB_WHY_SYSRET,      /* .number; stopped at its return */
    PDB_WHY_NOTE,        /* `monitor break-on`: .text names the event */
    PDB_WHY_NEW,         /* an inferior appeared: .thread.pid */
    PDB_WHY_GONE,        /* an inferior ended: .thread.pid, .number, .signal */
    PDB_WHY_NEW_THREAD,  /* .thread exists now */
    PDB_WHY_GONE_THREAD, /* .thread exists no more; .number its code */
};

struct pdb_stop {
    enum pdb_why why;
    struct pdb_tid thread;
    uint64_t addr;
    uint64_t number;
    bool stepped;     /* with EXEC, WATCH: DR6.BS was set too; see GUARD */
    struct pdb_tid stepper; /* whose step has ended here, if what it ran went
                               on in another thread, .thread; tid 0: no */
    bool unheard;     /* gdb believes that it stands still, but it runs for a
                         step's sake: nothing of it is reported */
    bool waited;      /* PDB_LATER has been tried long enough */
    int signal;       /* gdb's numbers: 2 INT, 4 ILL, 5 TRAP, 6 ABRT, 8 FPE,
                         10 BUS, 11 SEGV; 0 picks what suits .why */
    const char *text; /* for the user, or null; copied before return */
};

/* Names and places, filled by the target; strings live until the next call. */
struct pdb_thread_info {
    const char *name;  /* "CPU0", "d1v0" */
    const char *state; /* "running on CPU2, 64-bit PV", "blocked" */
    int32_t core;      /* physical CPU, -1 when on none */
};

struct pdb_inferior_info {
    const char *name;      /* "hypervisor", "Domain-0" */
    const char *exec_file; /* what `symbol-file` should load, or null */
    int64_t slide;         /* how far text and data moved from link addresses */
    uint64_t text_seg;     /* if not 0: where the first segment really is */
};

/* One `info os` table; see pdb_column(). */
struct pdb_table {
    const char *type;  /* the word behind `info os` */
    const char *title; /* one line for the list of tables */
    /*
     * Writes one row's columns and moves *cursor (0 at first) on.  Returns 1,
     * or 0 when there is no further row.  Every row names the same columns.
     */
    int (*row)(void *ctx, uint64_t *cursor, struct pdb_out *o);
};

/*
 * One `monitor` command.  The longest name that matches the typed line's first
 * words wins.  Output is text with '\n'; negative return shows an error.
 */
struct pdb_command {
    const char *name;
    const char *args; /* for help, "" when none */
    const char *help; /* one line */
    int (*run)(struct pdb *p, void *ctx, const char *args, struct pdb_out *o);
    bool again; /* may be run anew for each piece of output, and changes things
                   the first time alone; the others' output is cut at PDB_TEXT
                   characters, without acknowledgements at PDB_TEXT_WHOLE */
};

struct pdb_ops {
    /*
     * Memory.  Return the count moved, 1..len: short where the mapping ends;
     * -EFAULT if not even the first byte.  write_mem goes past read-only
     * mappings (breakpoints live in text).  Both needed.
     */
    int (*read_mem)(void *ctx, const struct pdb_space *as, uint64_t addr,
                    void *buf, uint32_t len);
    int (*write_mem)(void *ctx, const struct pdb_space *as, uint64_t addr,
                     const void *buf, uint32_t len);
    /* The machine address behind addr.  Needed. */
    int (*translate)(void *ctx, const struct pdb_space *as, uint64_t addr,
                     uint64_t *maddr);
    /* `monitor pt`: the page walk of addr, a line a level. */
    int (*walk)(void *ctx, const struct pdb_space *as, uint64_t addr,
                struct pdb_out *o);
    /* Why the last operation failed, in words; may return null. */
    const char *(*reason)(void *ctx);

    /* Registers of a stopped thread.  set_regs looks at .known,
     * and sets all of these or none. get needed. */
    int (*get_regs)(void *ctx, struct pdb_tid t, struct pdb_regs *r);
    int (*set_regs)(void *ctx, struct pdb_tid t, const struct pdb_regs *r);
    int (*get_fpu)(void *ctx, struct pdb_tid t, uint8_t *fxsave);
    int (*set_fpu)(void *ctx, struct pdb_tid t, const uint8_t *fxsave);

    /* The smallest id above the given one, 0 when there is none.  Needed. */
    int32_t (*next_inferior)(void *ctx, int32_t pid);
    int32_t (*next_thread)(void *ctx, int32_t pid, int32_t tid);
    int (*thread_info)(void *ctx, struct pdb_tid t, struct pdb_thread_info *i);
    /* True if t runs only once another thread has brought it up; may be
     * null. */
    bool (*is_down)(void *ctx, struct pdb_tid t);
    int (*inferior_info)(void *ctx, int32_t pid, struct pdb_inferior_info *i);

    /* gdb takes up a domain, and leaves an inferior, the hypervisor too.  A
     * refused attach is reported. */
    int (*attach)(void *ctx, int32_t pid);
    void (*detach)(void *ctx, int32_t pid);

    /*
     * Run control.  resume() notes what shall happen once the caller's loop
     * ends; interrupt() asks for a stop that ends in pdb_event() and must be
     * harmless when one is under way.  Both needed.
     */
    void (*resume)(void *ctx, const struct pdb_plan *plan);
    void (*interrupt)(void *ctx);
    void (*reboot)(void *ctx);

    /* Debug registers; an identical request comes once.  -ENOSPC when full.
     * The target may serve any data watch as it serves a large one. */
    int (*hw_insert)(void *ctx, const struct pdb_hw *hw);
    int (*hw_remove)(void *ctx, const struct pdb_hw *hw);
    /* Report system calls (hypercalls for inferior 1) as events, or cease. */
    int (*catch_syscalls)(void *ctx, int32_t pid, bool on);

    /* A session ends or begins: what commands of the target's have set for the
       one before (break-on, say) is no longer wanted. */
    void (*reset)(void *ctx);

    /* What breakpoint commands (dprintf) print. */
    void (*print)(void *ctx, const char *text, uint32_t len);

    const struct pdb_table *tables; /* ends with a null type */
    const struct pdb_command *commands; /* ends with a null name */
};

#endif /* PDB_TARGET_H */
