/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pdb: a debugger that speaks gdb's remote serial protocol, without I/O.
 *
 * The core is a struct that its caller owns.  Characters from gdb go in by
 * pdb_rx(), characters for gdb come out of pdb_tx(), stops of the machine go
 * in by pdb_event(), seconds by pdb_tick(); what the core wants of the machine
 * it asks through struct pdb_ops (target.h).  It takes no lock and keeps no
 * pointer into the caller: calls on one struct must not overlap.
 *
 * The loop of a caller whose machine has just stopped:
 *
 *     if (pdb_event(p, &stop) == PDB_HOLD)
 *         while (pdb_holding(p)) {
 *             while (a character has come) pdb_rx(p, c);
 *             while ((n = pdb_tx(p, buf, sizeof(buf)))) send buf;
 *             about once a second: pdb_tick(p);
 *         }
 *     send what pdb_tx() still has; carry out the last plan from resume()
 *
 * While the machine runs, characters still go to pdb_rx() (a ^C or a gdb that
 * connects makes the core call interrupt()), and pdb_tx() is asked after it.
 */
#ifndef PDB_H
#define PDB_H

#include "target.h"

/*
 * Characters of one packet's body, as PacketSize tells gdb, which takes no
 * more.  On a shared line the console has to wait for a packet's end, and a
 * third of a second at 115200 baud is enough.
 */
#define PDB_PACKET 16384
#define PDB_PACKET_SHARED 4096
#define PDB_TEXT 2000 /* text of one O packet: twice that in hex */
#define PDB_TEXT_WHOLE ((PDB_PACKET - 2) / 2) /* without acknowledgements */
#define PDB_NR_BPS 96
#define PDB_NR_SITES 96
#define PDB_CODE 8192 /* bytes of agent expressions, all breakpoints' */
#define PDB_NR_STOPS 128 /* stops waiting to be told: a thread each */
#define PDB_CONSOLE 1024
#define PDB_NR_TSV 16 /* trace state variables of agent expressions */
#define PDB_NR_SYSCALLS 512
#define PDB_NR_ATTACHED 64 /* inferiors that gdb holds at once */
#define PDB_NOTE 128

/* Flags of pdb_init(). */
#define PDB_SEVEN_BIT 0x1u /* shared line: no top bit either way; no X, x */
#define PDB_NO_ACK 0x2u    /* the link never loses: offer QStartNoAckMode */
#define PDB_SSE 0x4u       /* describe XMM registers (longer attach) */
#define PDB_FOLLOW 0x8u    /* new domains are attached as they appear */
#define PDB_ALL_STOP 0x10u /* the target has no non-stop mode */

/* What pdb_event() answers. */
enum pdb_verdict {
    PDB_HOLD, /* stay stopped and serve gdb while pdb_holding() */
    PDB_GO,   /* resume() has been called: go on */
    PDB_PASS, /* as PDB_GO, but it is not the debugger's: the guest gets it. In
                 PDB_ALONE resume() has not been called */
    PDB_LATER, /* as PDB_GO, but .thread is to stay where it is, meets the same
                  again when it goes on, and gdb hears of it then. If the step
                  that gdb waits for needs it before, set .waited */
};

enum pdb_state {
    PDB_ALONE,   /* machine runs, no gdb */
    PDB_WAITING, /* machine stopped, no gdb yet */
    PDB_STOPPED, /* machine stopped, gdb is served */
    PDB_RUNNING, /* machine runs, gdb waits for a stop (or is non-stop) */
};

/* Framing, acknowledgements and the one reply in flight; see link.c. */
struct pdb_link {
    uint8_t rx[PDB_PACKET + 1]; /* body of the packet being received */
    uint32_t rx_len;
    uint8_t rx_state, rx_sum, rx_want;
    bool rx_spoilt; /* the body did not fit rx, or its sum is wrong */
    bool rx_quiet;  /* no character since the last tick */
    bool held;      /* rx holds a whole packet that waits its turn */
    char wire[PDB_PACKET + 8]; /* framed reply, kept until acknowledged */
    uint32_t tx_len, tx_pos;
    char acks[4]; /* + and - to be sent before the next frame */
    uint32_t nr_acks;
    bool unacked;  /* gdb owes a + for wire; in no-ack mode, a packet */
    bool noise;    /* something else came since wire was filled */
    bool lossy;    /* the line has damaged or lost something */
    bool no_ack, no_ack_next;
    uint8_t resends, ticks;
    uint32_t last_sum, last_len; /* of the last packet: repeats are known by */
    uint32_t bad, repeats;       /* counts, for `monitor link` */
};

/* An int3 in memory, known by machine address; shared by breakpoints. */
struct pdb_site {
    uint64_t maddr;
    uint16_t users; /* 0: free entry; maddr says where it was */
    uint8_t old;    /* the byte under the int3 */
    bool lifted;    /* taken out for a step over it */
    int32_t pid;    /* whose memory: its end frees the site */
};

struct pdb_bp {
    bool used;
    enum pdb_bp_type type;
    int32_t pid;
    uint64_t cr3;  /* 0: every address space of the inferior */
    uint64_t addr;
    uint32_t len;
    int16_t site;  /* index for PDB_BP_SOFT, else -1 */
    bool lifted;   /* PDB_BP_EXEC: its register is free, for a step */
    uint16_t cond, cond_len; /* lists of expressions in code[], see break.c */
    uint16_t cmds, cmds_len;
    uint64_t value; /* data watch: a sum of what was there at the last look */
    uint64_t hits, passes; /* reported; found false */
};

struct pdb_breaks {
    struct pdb_bp bp[PDB_NR_BPS];
    struct pdb_site site[PDB_NR_SITES];
    uint8_t code[PDB_CODE];
    uint32_t code_len;
    uint64_t tsv[PDB_NR_TSV];
    uint64_t removed;    /* where the last code breakpoint was taken out */
    struct pdb_tid over; /* the thread that steps over a breakpoint */
    int16_t over_site;   /* the site lifted for it, -1 none */
    int16_t over_bp;     /* one of those lifted for it, -1 none */
    bool over_guard;     /* nothing is lifted: it may touch what is watched */
};

struct pdb {
    const struct pdb_ops *ops;
    void *ctx;
    unsigned int flags;
    enum pdb_state state;
    struct pdb_link link;
    struct pdb_out reply; /* writes into link.wire while a packet is served */

    /* What this gdb asked for. */
    bool multiprocess, error_text, swbreak, hwbreak, non_stop, thread_events;
    bool console_on, extended, short_addresses;
    bool sse; /* PDB_SSE, as it was when this gdb came */
    struct pdb_tid general, cont; /* of Hg and Hc */
    struct pdb_tid listed; /* where qsThreadInfo goes on */
    uint32_t brief_lists;  /* thread lists that gdb will fetch unasked */
    uint32_t brief_ticks;  /* since that was set */
    bool brief;            /* the list being sent is such a one: ids alone */
    int32_t attached[PDB_NR_ATTACHED];
    uint32_t nr_attached;
    int32_t untold[PDB_NR_ATTACHED]; /* 0 or an inferior: see regs.c */
    struct pdb_space context; /* of `monitor context`; kind THREAD by default */
    struct {
        bool on, all;
        int32_t pid;
        uint32_t set[PDB_NR_SYSCALLS / 32];
    } catching;

    /* Stops to be told, oldest first; see stop.c. */
    struct pdb_stop stops[PDB_NR_STOPS];
    uint32_t nr_stops;
    char note[PDB_NOTE];
    bool stepping_off; /* gdb has one thread step off a breakpoint */
    bool owed;      /* all-stop: gdb waits for a stop reply */
    bool notified;  /* non-stop: a %Stop is out, vStopped not yet done */
    bool announced; /* it has not even been answered by the first vStopped */
    uint32_t notice_ticks, notice_wait; /* since then; until it goes again */
    bool bringing_in; /* interrupt() called, its event not yet here */
    bool early_break; /* ^C came while it stood, and no list since */
    struct pdb_stop last;
    struct pdb_plan plan; /* what gdb last asked of the machine */
    struct pdb_breaks brk;

    const struct pdb_command *command; /* whose output is being sent */
    char line[256];                    /* the typed line it runs on */
    const char *args;                  /* in line[], behind its name */
    uint64_t told;                     /* characters of its output sent */
    bool all_told;                     /* only the final OK is missing */
    char text[PDB_TEXT_WHOLE];         /* scratch for that output */
    char console[PDB_CONSOLE];         /* text for O packets */
    uint32_t nr_console, console_lost;
    char why[PDB_NOTE]; /* the last failure in words, for `monitor why` */
    bool busy;          /* inside a target operation: see pdb_fault() */
};

/*
 * Starts with no gdb and the machine running.  ops and ctx must outlive p.
 * flags: PDB_SEVEN_BIT and so on.
 */
void pdb_init(struct pdb *p, const struct pdb_ops *ops, void *ctx,
              unsigned int flags);

/* One character from gdb, whatever it is. */
void pdb_rx(struct pdb *p, uint8_t byte);

/* Takes up to max characters for gdb; returns how many, 0 when none wait. */
uint32_t pdb_tx(struct pdb *p, void *buf, uint32_t max);

/*
 * The machine, or a thread of it, stopped or something happened to it.  All
 * threads must be stopped when this is called, except in non-stop mode, where
 * .thread must be.  For births and deaths (PDB_WHY_NEW and the like) nothing
 * need be stopped: PDB_HOLD then means that everything is to stop now, PDB_GO
 * that gdb does not care (resume() is not called).  Strings are copied.
 */
enum pdb_verdict pdb_event(struct pdb *p, const struct pdb_stop *s);

/*
 * About a second has passed.  Unacknowledged replies are sent again, and after
 * PDB_DEAD_TICKS of silence gdb counts as gone: breakpoints are removed and
 * the machine goes on.
 */
#define PDB_RESEND_TICKS 2
#define PDB_DEAD_TICKS 20
#define PDB_NOTICE_TICKS 3 /* a %Stop is repeated first */
#define PDB_NOTICE_DEAD_TICKS 96 /* and goes unanswered for so long at last */
#define PDB_BRIEF_TICKS 2  /* gdb has its own lists of threads by then */
void pdb_tick(struct pdb *p);

/*
 * The same, where no operation may be called, as the machine runs: if nothing
 * is to be sent, and nothing ends, the second is counted.  False: it is not, a
 * stop and pdb_tick() are due.
 */
bool pdb_tick_in_passing(struct pdb *p);

/* True while gdb owes an answer for which pdb_tick() is to be called, even if
 * the machine runs. */
bool pdb_awaits(const struct pdb *p);

/* Non-stop: gdb may not have heard yet that this thread has stopped. What it
 * says of all of them (vCont;c:p1.-1) is not for that one. */
bool pdb_untold(const struct pdb *p, struct pdb_tid t);

/* True while the machine is to stay stopped (all-stop). */
bool pdb_holding(const struct pdb *p);

/* True while non-stop mode lets the machine run under gdb's eyes. */
bool pdb_non_stop(const struct pdb *p);

/* All-stop: gdb waits, and no thread is left that it has let run. */
bool pdb_nothing_runs(struct pdb *p);

bool pdb_tid_equal(struct pdb_tid a, struct pdb_tid b);

/* gdb holds this inferior. */
bool pdb_attached(const struct pdb *p, int32_t pid);

/*
 * Making a plan: an empty one, and an action behind the others (there must be
 * room).  A copy takes what is in use; both must not be the same.
 */
void pdb_plan_init(struct pdb_plan *plan);
void pdb_plan_add(struct pdb_plan *plan, struct pdb_tid who, enum pdb_do what);
void pdb_plan_copy(struct pdb_plan *to, const struct pdb_plan *from);

/* The action that holds for t, or null: none names it. */
const struct pdb_action *pdb_plan_action(const struct pdb_plan *plan,
                                         struct pdb_tid t);

/*
 * What thread t is to do under a plan given to resume().  A thread of an
 * inferior that gdb has not attached runs whenever something may run.
 */
enum pdb_do pdb_plan_find(const struct pdb *p, const struct pdb_plan *plan,
                          struct pdb_tid t);

/*
 * Stop serving: breakpoints come out of memory, gdb is told nothing, the
 * machine is to run.  For a line that hung up and for `reboot`.
 */
void pdb_drop(struct pdb *p);

/*
 * Console text, copied to gdb as O packets while it waits for a stop, if the
 * user typed `monitor console on`; otherwise ignored.
 */
void pdb_console(struct pdb *p, const char *text, uint32_t len);

/*
 * A fault was taken inside the core or an operation and caught: whoever caught
 * it unwinds out of pdb_rx() or pdb_tx() and calls this, which answers the
 * packet with an error and makes the struct sound again.
 */
void pdb_fault(struct pdb *p, const char *what);

/*
 * For commands and tables of the target: the thread and the address space
 * that the user has selected (`thread`, `monitor context`).
 */
struct pdb_tid pdb_current(struct pdb *p);
struct pdb_space pdb_current_space(struct pdb *p);

/* Reads a number: decimal, or hexadecimal after 0x.  False if it is none. */
bool pdb_parse_number(const char **s, uint64_t *v);

#endif /* PDB_H */
