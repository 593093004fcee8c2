/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the core's own files share; nobody outside pdb/ includes this.
 */
#ifndef PDB_INT_H
#define PDB_INT_H

#include "pdb.h"

/* parse.c: a cursor over a packet's body; each reader moves it on success. */
struct pdb_in {
    const uint8_t *p, *end;
};

int pdb_nibble(uint8_t c); /* -1: not a hex digit */
bool in_end(const struct pdb_in *in);
bool in_char(struct pdb_in *in, char c);
bool in_word(struct pdb_in *in, const char *word);
/* 1 to 16 hex digits. */
bool in_hex(struct pdb_in *in, uint64_t *v);
bool in_u32(struct pdb_in *in, uint32_t *v);
/* A hex number, then the character c. */
bool in_hex_char(struct pdb_in *in, uint64_t *v, char c);
/* len bytes as hex digit pairs. */
bool in_bytes(struct pdb_in *in, void *buf, uint32_t len);
/* A thread id: tid, pPID, pPID.tid; -1 stands for all. */
bool in_tid(struct pdb_in *in, struct pdb_tid *t);
/* Undoes the } escapes of binary data in place: the decoded length. */
uint32_t in_unescape(const struct pdb_in *in, uint8_t *buf, uint32_t max);

/* link.c */
void link_reset(struct pdb *p);
void link_rx(struct pdb *p, uint8_t byte);
void link_tick(struct pdb *p);
/* The next one only counts; nothing is to be sent or ends by it. */
bool link_tick_counts(const struct pdb *p);
/* Starts a reply: p->reply then writes into the frame. */
void link_begin(struct pdb *p);
/* Frames and sends what p->reply holds; lead is '$' or, unacknowledged, '%'. */
void link_send(struct pdb *p, char lead);
/* True when nothing is in flight, so that a frame may be begun. */
bool link_idle(const struct pdb *p);

/* packet.c: serves the packet in link.rx; leaves a reply in flight or none. */
void packet_serve(struct pdb *p);
/* Replies; each returns true, "there is a reply". */
bool reply_ok(struct pdb *p);
bool reply_error(struct pdb *p, int err, const char *what);
bool reply_put(struct pdb *p, const char *text);
/* Notes the words for a failure: what the target says, or what errno means. */
void note_failure(struct pdb *p, int err, const char *what);
/* A new gdb: forget what the old one wanted, its breakpoints too. */
void session_reset(struct pdb *p);
/* The last gdb left: let everything run. */
void session_end(struct pdb *p);

typedef bool packet_fn(struct pdb *p, struct pdb_in *in);

/* thread.c */
packet_fn packet_H, packet_T, query_c, query_f_threads, query_s_threads;
packet_fn query_extra, query_attached, attach_pid, detach_pid, kill_pid;
bool tid_matches(struct pdb_tid selector, struct pdb_tid t);
bool pid_attach(struct pdb *p, int32_t pid);
void pid_forget(struct pdb *p, int32_t pid);
bool thread_exists(struct pdb *p, struct pdb_tid t);
/* The next thread of an attached inferior behind t; {0, 0} starts. */
bool thread_next(struct pdb *p, struct pdb_tid *t);
/* Some thread that fits the selector; false if there is none. */
bool thread_pick(struct pdb *p, struct pdb_tid selector, struct pdb_tid *t);
void put_tid(struct pdb *p, struct pdb_out *o, struct pdb_tid t);
/* gdb will fetch n lists of threads unasked; it has not, and is idle. */
void threads_brief(struct pdb *p, uint32_t n);
void threads_tick(struct pdb *p);
/* Before a list's first piece; then the list. */
void threads_begin(struct pdb *p);
void put_threads_xml(struct pdb *p, struct pdb_out *o);

/* regs.c */
packet_fn packet_g, packet_G, packet_p, packet_P;
/* The T reply's "nn:value;" pairs of rip and, unless pc_only, rbp and rsp. */
void put_expedited(struct pdb *p, struct pdb_tid t, bool pc_only);
void put_target_xml(struct pdb *p, struct pdb_out *o);
/* An inferior that appears by itself; gdb asks for its target.xml after all. */
void regs_untold(struct pdb *p, int32_t pid);
void regs_told(struct pdb *p, int32_t pid);
int get_regs(struct pdb *p, struct pdb_tid t, struct pdb_regs *r);
/* The value that gdb's register number nr has, cut to 64 bits. */
int reg_by_number(struct pdb *p, struct pdb_tid t, uint32_t nr, uint64_t *v);
int set_reg(struct pdb *p, struct pdb_tid t, enum pdb_reg r, uint64_t v);

/* mem.c */
packet_fn packet_m, packet_M, packet_x, packet_X, query_crc, query_search;
/* Like the operation, but with planted int3s hidden from the reader. */
int mem_read(struct pdb *p, const struct pdb_space *as, uint64_t addr,
             void *buf, uint32_t len);
/* Like the operation; under a planted int3 the hidden byte changes. */
int mem_write(struct pdb *p, const struct pdb_space *as, uint64_t addr,
              const void *buf, uint32_t len);
struct pdb_space space_of(struct pdb_tid t);
bool in_address(const struct pdb *p, struct pdb_in *in, uint64_t *addr,
                char c);

/* break.c */
packet_fn packet_Z, packet_z;
void breaks_init(struct pdb *p);
void breaks_remove(struct pdb *p, int32_t pid); /* -1: all */
void breaks_gone(struct pdb *p, int32_t pid);   /* its memory is no more */
/* Sets or clears the debug registers of a Z1 to Z4 breakpoint. */
int bp_set_hw(struct pdb *p, const struct pdb_bp *bp, bool on);
/* A sum of the bytes that a data watch covers, as thread t sees them. */
uint64_t bp_look(struct pdb *p, const struct pdb_bp *bp, struct pdb_tid t);

/* site.c */
/* Shows bytes as they are without int3s; addr..addr+len lies in one page. */
void sites_hide(struct pdb *p, const struct pdb_space *as, uint64_t addr,
                uint8_t *buf, uint32_t len);
/* One byte written on a site: it goes under the int3, if that is there. */
int site_write(struct pdb *p, int site, uint8_t byte);
/* The site at a machine address, or -1. */
int site_find(const struct pdb *p, uint64_t maddr);
/* Takes a site into use, planting it if need be: its index or -errno. */
int site_get(struct pdb *p, const struct pdb_space *as, uint64_t addr);
/* The last user's leaving restores the byte, if there still is memory. */
void site_put(struct pdb *p, int site, bool memory);
/* Takes the int3 out for a step, and puts it back. */
void site_lift(struct pdb *p, int site);
void site_plant(struct pdb *p, int site);
/* agent.c: evaluates code[at..at+len) for thread t; -errno if it cannot. */
int agent_eval(struct pdb *p, struct pdb_tid t, uint32_t at, uint32_t len,
               uint64_t *value);
/* agent-printf.c: args[0] goes with the first directive. */
void agent_printf(struct pdb *p, struct pdb_tid t, const char *fmt,
                  uint32_t len, const uint64_t *args, uint32_t nr);

/* hit.c: what a stop means once breakpoints are looked at. */
enum hit {
    HIT_REPORT, /* tell gdb */
    HIT_QUIET,  /* go on by resume_plan() */
    HIT_OVER,   /* go on by a step over p->brk.over_site or .over_bp */
    HIT_ALIEN,  /* not ours */
};
enum hit hit_judge(struct pdb *p, struct pdb_stop *s);
/* An int3 of ours that is out of memory by now: rip has been put back to it. */
bool hit_is_late(struct pdb *p, const struct pdb_stop *s);
/* Puts back what was lifted for a step, if any. */
void hit_settle(struct pdb *p);

/* run.c */
packet_fn packet_c, packet_s, packet_C, packet_S, packet_vCont, query_vCont;
packet_fn packet_vCtrlC;
/* Goes on with what gdb last asked, after a stop of t that it need not see. */
void run_plan(struct pdb *p, struct pdb_tid t);
/* One step of p->brk.over, everything else kept still. */
void run_over(struct pdb *p);
void run_all(struct pdb *p);
/* Everything goes on except t. */
void run_others(struct pdb *p, struct pdb_tid t);
/* Non-stop: t, which may be running, is to stay. */
void run_not(struct pdb *p, struct pdb_tid t);
void run_interrupt(struct pdb *p);

/* stop.c */
packet_fn packet_question, packet_vStopped;
void stop_queue(struct pdb *p, const struct pdb_stop *s);
void stop_forget(struct pdb *p, int32_t pid); /* -1: all */
/* A notification that gdb does not answer may have been lost. */
void stop_tick(struct pdb *p);
bool stop_tick_counts(const struct pdb *p); /* as link_tick_counts() */
/* Writes the reply that tells of *s. */
void put_stop(struct pdb *p, const struct pdb_stop *s);
/* Sends what is due, if the link is idle: a stop, output, a notification. */
void stop_advance(struct pdb *p);

/* query.c */
packet_fn packet_q, packet_Q;
/* xfer.c */
packet_fn query_xfer;
/* monitor.c */
packet_fn query_rcmd;
/* Sends the next piece of a command's output, or its OK. */
void monitor_advance(struct pdb *p);
/* The command's next piece of text, its last: what went wrong inside it. */
void monitor_fault(struct pdb *p, const char *what);

#endif /* PDB_INT_H */
