/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registers as gdb numbers them, and the description that tells it so.
 *
 * One table gives name, number (its place), width and home of each register;
 * target.xml, g, G, p and P are all derived from it.  The feature names, and
 * the registers that each must hold, are gdb's (GDB manual, "i386 Features");
 * pdb.system is our own.
 */
#include <string.h>

#include "int.h"

/* Offsets into FXSAVE64 (Intel SDM vol. 1, table 10-2). */
#define FPU_AT 0x1000
#define FPU(off) (FPU_AT | (off))
#define FPU_TAG 4
#define FPU_ST 32
#define FPU_MXCSR 24
#define FPU_XMM 160

struct reg_def {
    const char *name;
    uint16_t home;    /* enum pdb_reg, or FPU(offset) */
    uint8_t bits;     /* as gdb shows it */
    uint8_t used;     /* bytes of an FPU register that exist in FXSAVE */
    const char *type; /* gdb's, where the width alone does not say it */
};

struct feature {
    const char *name;
    const struct reg_def *regs;
    uint32_t nr;
};

static const struct reg_def core[] = {
    { "rax", PDB_RAX, 64, 8, NULL },
    { "rbx", PDB_RBX, 64, 8, NULL },
    { "rcx", PDB_RCX, 64, 8, NULL },
    { "rdx", PDB_RDX, 64, 8, NULL },
    { "rsi", PDB_RSI, 64, 8, NULL },
    { "rdi", PDB_RDI, 64, 8, NULL },
    { "rbp", PDB_RBP, 64, 8, "data_ptr" },
    { "rsp", PDB_RSP, 64, 8, "data_ptr" },
    { "r8", PDB_R8, 64, 8, NULL },
    { "r9", PDB_R9, 64, 8, NULL },
    { "r10", PDB_R10, 64, 8, NULL },
    { "r11", PDB_R11, 64, 8, NULL },
    { "r12", PDB_R12, 64, 8, NULL },
    { "r13", PDB_R13, 64, 8, NULL },
    { "r14", PDB_R14, 64, 8, NULL },
    { "r15", PDB_R15, 64, 8, NULL },
    { "rip", PDB_RIP, 64, 8, "code_ptr" },
    { "eflags", PDB_EFLAGS, 32, 4, NULL },
    { "cs", PDB_CS, 32, 4, NULL },
    { "ss", PDB_SS, 32, 4, NULL },
    { "ds", PDB_DS, 32, 4, NULL },
    { "es", PDB_ES, 32, 4, NULL },
    { "fs", PDB_FS, 32, 4, NULL },
    { "gs", PDB_GS, 32, 4, NULL },
    { "st0", FPU(FPU_ST), 80, 10, "i387_ext" },
    { "st1", FPU(FPU_ST + 16), 80, 10, "i387_ext" },
    { "st2", FPU(FPU_ST + 32), 80, 10, "i387_ext" },
    { "st3", FPU(FPU_ST + 48), 80, 10, "i387_ext" },
    { "st4", FPU(FPU_ST + 64), 80, 10, "i387_ext" },
    { "st5", FPU(FPU_ST + 80), 80, 10, "i387_ext" },
    { "st6", FPU(FPU_ST + 96), 80, 10, "i387_ext" },
    { "st7", FPU(FPU_ST + 112), 80, 10, "i387_ext" },
    { "fctrl", FPU(0), 32, 2, NULL },
    { "fstat", FPU(2), 32, 2, NULL },
    { "ftag", FPU(FPU_TAG), 32, 2, NULL },
    { "fiseg", FPU(12), 32, 2, NULL },
    { "fioff", FPU(8), 32, 4, NULL },
    { "foseg", FPU(20), 32, 2, NULL },
    { "fooff", FPU(16), 32, 4, NULL },
    { "fop", FPU(6), 32, 2, NULL },
};

static const struct reg_def segments[] = {
    { "fs_base", PDB_FS_BASE, 64, 8, NULL },
    { "gs_base", PDB_GS_BASE, 64, 8, NULL },
};

/* Without this one gdb offers no `catch syscall`. */
static const struct reg_def linux_regs[] = {
    { "orig_rax", PDB_ORIG_RAX, 64, 8, NULL },
};

static const struct reg_def system_regs[] = {
    { "cr0", PDB_CR0, 64, 8, NULL },
    { "cr2", PDB_CR2, 64, 8, NULL },
    { "cr3", PDB_CR3, 64, 8, NULL },
    { "cr4", PDB_CR4, 64, 8, NULL },
    { "efer", PDB_EFER, 64, 8, NULL },
    { "k_gs_base", PDB_K_GS_BASE, 64, 8, NULL },
    { "trapno", PDB_TRAPNO, 64, 8, NULL },
    { "error", PDB_ERROR, 64, 8, NULL },
};

/* gdb has no 128-bit type: "v" is a vector of two quadwords (below). */
#define XMM(n) { "xmm" #n, FPU(FPU_XMM + 16 * (n)), 128, 16, "v" }
static const struct reg_def sse[] = {
    XMM(0), XMM(1), XMM(2), XMM(3), XMM(4), XMM(5), XMM(6), XMM(7),
    XMM(8), XMM(9), XMM(10), XMM(11), XMM(12), XMM(13), XMM(14), XMM(15),
    { "mxcsr", FPU(FPU_MXCSR), 32, 4, NULL },
};

#define NR(a) (sizeof(a) / sizeof((a)[0]))

static const struct feature features[] = {
    { "org.gnu.gdb.i386.core", core, NR(core) },
    { "org.gnu.gdb.i386.segments", segments, NR(segments) },
    { "org.gnu.gdb.i386.linux", linux_regs, NR(linux_regs) },
    { "pdb.system", system_regs, NR(system_regs) },
    { "org.gnu.gdb.i386.sse", sse, NR(sse) }, /* last: may be left off */
};

static uint32_t nr_features(const struct pdb *p)
{
    return p->sse ? NR(features) : NR(features) - 1;
}

static const struct reg_def *find_reg(const struct pdb *p, uint32_t nr)
{
    uint32_t f;

    for (f = 0; f < nr_features(p); f++) {
        if (nr < features[f].nr)
            return &features[f].regs[nr];
        nr -= features[f].nr;
    }
    return NULL;
}

static void replace_untold(struct pdb *p, int32_t old, int32_t new)
{
    uint32_t i;

    for (i = 0; i < PDB_NR_ATTACHED && p->untold[i] != old; i++)
        ;
    if (i < PDB_NR_ATTACHED)
        p->untold[i] = new;
}

void regs_untold(struct pdb *p, int32_t pid)
{
    regs_told(p, pid);
    replace_untold(p, 0, pid);
}

void regs_told(struct pdb *p, int32_t pid)
{
    if (pid > 0)
        replace_untold(p, pid, 0);
}

static bool is_untold(const struct pdb *p, int32_t pid)
{
    uint32_t i;

    for (i = 0; i < PDB_NR_ATTACHED && p->untold[i] != pid; i++)
        ;
    return i < PDB_NR_ATTACHED;
}

/*
 * gdb (13) does not ask for the target.xml of an inferior that appears by
 * itself, and takes its registers for those that every x86-64 has: these are
 * the first feature's, in its order, and more follow that are none of ours.
 */
static const struct reg_def *find_known(const struct pdb *p, int32_t pid,
                                        uint32_t nr)
{
    return is_untold(p, pid) && nr >= NR(core) ? NULL : find_reg(p, nr);
}

static void put_reg_xml(struct pdb_out *o, const struct reg_def *r)
{
    pdb_printf(o, "<reg name=\"%s\"", r->name);
    if (r->bits != 64)
        pdb_printf(o, " bitsize=\"%u\"", r->bits);
    if (r->type)
        pdb_printf(o, " type=\"%s\"", r->type);
    pdb_puts(o, "/>");
}

static void put_feature_xml(struct pdb_out *o, const struct feature *f)
{
    uint32_t i;

    pdb_printf(o, "<feature name=\"%s\">", f->name);
    if (f->regs == sse)
        pdb_puts(o, "<vector id=\"v\" type=\"uint64\" count=\"2\"/>");
    for (i = 0; i < f->nr; i++)
        put_reg_xml(o, &f->regs[i]);
    pdb_puts(o, "</feature>");
}

/*
 * The width of most registers is declared once, as the attribute's default:
 * it saves a fifth of what an attach costs on a serial line.
 */
void put_target_xml(struct pdb *p, struct pdb_out *o)
{
    uint32_t f;

    pdb_puts(o, "<!DOCTYPE t [<!ATTLIST reg bitsize CDATA \"64\">]>");
    pdb_puts(o, "<target><architecture>i386:x86-64</architecture>");
    for (f = 0; f < nr_features(p); f++)
        put_feature_xml(o, &features[f]);
    pdb_puts(o, "</target>");
}

int get_regs(struct pdb *p, struct pdb_tid t, struct pdb_regs *r)
{
    r->known = 0;
    return p->ops->get_regs(p->ctx, t, r);
}

/* A thread's whole state while one packet is served. */
struct state {
    struct pdb_regs regs;
    uint8_t fpu[PDB_FPU_SIZE];
    bool has_fpu, fpu_set;
    uint64_t set; /* as regs.known: what gdb has given */
};

static int get_state(struct pdb *p, struct pdb_tid t, struct state *s)
{
    int err = get_regs(p, t, &s->regs);

    s->has_fpu = err >= 0 && p->ops->get_fpu &&
                 p->ops->get_fpu(p->ctx, t, s->fpu) >= 0;
    s->fpu_set = false;
    s->set = 0;
    return err;
}

/* The two tag bits of physical register n (Intel SDM vol. 1, 8.1.7). */
static unsigned int full_tag(const uint8_t *fpu, unsigned int n)
{
    unsigned int top = (fpu[3] >> 3) & 7;
    const uint8_t *st = fpu + FPU_ST + 16 * ((n - top) & 7);
    unsigned int exponent = (st[8] | (unsigned int)st[9] << 8) & 0x7fff;
    uint64_t mantissa;

    if (!(fpu[FPU_TAG] >> n & 1))
        return 3;
    memcpy(&mantissa, st, sizeof(mantissa));
    if (exponent == 0 && mantissa == 0)
        return 1;
    return exponent == 0 || exponent == 0x7fff || !(mantissa >> 63) ? 2 : 0;
}

static void tags_expand(const uint8_t *fpu, uint8_t *to)
{
    unsigned int n, tags = 0;

    for (n = 0; n < 8; n++)
        tags |= full_tag(fpu, n) << (2 * n);
    to[0] = (uint8_t)tags;
    to[1] = (uint8_t)(tags >> 8);
}

static void tags_shrink(uint8_t *fpu, const uint8_t *from)
{
    unsigned int n, tags = from[0] | (unsigned int)from[1] << 8;

    fpu[FPU_TAG] = 0;
    for (n = 0; n < 8; n++)
        if ((tags >> (2 * n) & 3) != 3)
            fpu[FPU_TAG] |= (uint8_t)(1u << n);
}

/* The register's bytes; false if its value is not known. */
static bool read_reg(const struct state *s, const struct reg_def *r,
                     uint8_t *bytes)
{
    memset(bytes, 0, 16);
    if (!(r->home & FPU_AT)) {
        memcpy(bytes, &s->regs.v[r->home], 8);
        return s->regs.known & PDB_REG_BIT(r->home);
    }
    if (r->home == FPU(FPU_TAG))
        tags_expand(s->fpu, bytes);
    else
        memcpy(bytes, s->fpu + (r->home & ~FPU_AT), r->used);
    return s->has_fpu;
}

/* Notes the register as set; put_state() carries it out. */
static void write_reg(struct state *s, const struct reg_def *r,
                      const uint8_t *bytes)
{
    uint64_t v = 0;

    if (!(r->home & FPU_AT)) {
        memcpy(&v, bytes, r->used);
        s->regs.v[r->home] = v;
        s->set |= PDB_REG_BIT(r->home);
        return;
    }
    s->fpu_set = true;
    if (r->home == FPU(FPU_TAG))
        tags_shrink(s->fpu, bytes);
    else
        memcpy(s->fpu + (r->home & ~FPU_AT), bytes, r->used);
}

static void put_reg(struct pdb_out *o, const struct state *s,
                    const struct reg_def *r)
{
    uint8_t bytes[16];
    uint32_t len = r->bits / 8u;

    if (read_reg(s, r, bytes))
        pdb_put_hex(o, bytes, len);
    else
        for (; len; len--)
            pdb_puts(o, "xx");
}

/* Carries out what write_reg() gathered. */
static bool put_state(struct pdb *p, struct pdb_tid t, struct state *s)
{
    bool unknown = !s->regs.known; /* all: the target says why */
    int err = 0;

    s->regs.known = s->set;
    if (s->set || unknown)
        err = p->ops->set_regs ? p->ops->set_regs(p->ctx, t, &s->regs) :
                                 -PDB_EOPNOTSUPP;
    if (err >= 0 && s->fpu_set)
        err = p->ops->set_fpu ? p->ops->set_fpu(p->ctx, t, s->fpu) :
                                -PDB_EOPNOTSUPP;
    return err < 0 ? reply_error(p, err, "registers") : reply_ok(p);
}

/* All registers, in the table's order. */
bool packet_g(struct pdb *p, struct pdb_in *in)
{
    const struct reg_def *r;
    struct pdb_tid t;
    struct state s;
    uint32_t nr;
    int err;

    (void)in;
    if (!thread_pick(p, p->general, &t))
        return reply_error(p, -PDB_ESRCH, NULL);
    err = get_state(p, t, &s);
    if (err < 0)
        return reply_error(p, err, "registers");
    for (nr = 0; (r = find_known(p, t.pid, nr)); nr++)
        put_reg(&p->reply, &s, r);
    return true;
}

/* G has all registers: those that gdb means to change. */
static bool is_change(const struct state *s, const struct reg_def *r,
                      const uint8_t *bytes)
{
    uint8_t was[16];

    return read_reg(s, r, was) && memcmp(was, bytes, r->used) != 0;
}

/* One register's digits; x's mean "leave it". all: it is one of all. */
static bool in_reg(struct pdb_in *in, struct state *s, const struct reg_def *r,
                   bool all)
{
    uint8_t bytes[16];

    if (!in_end(in) && *in->p == 'x') {
        if (in->end - in->p < r->bits / 4)
            return false;
        in->p += r->bits / 4;
        return true;
    }
    if (!in_bytes(in, bytes, r->bits / 8u))
        return false;
    if (!all || is_change(s, r, bytes))
        write_reg(s, r, bytes);
    return true;
}

/* Fewer digits than there are registers: the rest stays as it is. */
bool packet_G(struct pdb *p, struct pdb_in *in)
{
    const struct reg_def *r;
    struct pdb_tid t;
    struct state s;
    uint32_t nr;
    int err;

    if (!thread_pick(p, p->general, &t))
        return reply_error(p, -PDB_ESRCH, NULL);
    err = get_state(p, t, &s);
    if (err < 0)
        return reply_error(p, err, "registers");
    for (nr = 0; (r = find_known(p, t.pid, nr)) && !in_end(in); nr++)
        if (!in_reg(in, &s, r, true))
            return reply_error(p, -PDB_EINVAL, "G");
    return put_state(p, t, &s);
}

bool packet_p(struct pdb *p, struct pdb_in *in)
{
    const struct reg_def *r;
    struct pdb_tid t;
    struct state s;
    uint32_t nr;
    int err;

    if (!in_u32(in, &nr) || !in_end(in) || !find_reg(p, nr))
        return reply_error(p, -PDB_EINVAL, "no such register");
    if (!thread_pick(p, p->general, &t))
        return reply_error(p, -PDB_ESRCH, NULL);
    r = find_known(p, t.pid, nr);
    if (!r) { /* not to be had */
        pdb_puts(&p->reply, "xx");
        return true;
    }
    err = get_state(p, t, &s);
    if (err < 0)
        return reply_error(p, err, "registers");
    put_reg(&p->reply, &s, r);
    return true;
}

bool packet_P(struct pdb *p, struct pdb_in *in)
{
    const struct reg_def *r;
    struct pdb_tid t;
    struct state s;
    uint32_t nr;
    int err;

    if (!in_u32(in, &nr) || !in_char(in, '='))
        return reply_error(p, -PDB_EINVAL, "P");
    if (!thread_pick(p, p->general, &t))
        return reply_error(p, -PDB_ESRCH, NULL);
    r = find_known(p, t.pid, nr);
    if (!r)
        return reply_error(p, -PDB_EINVAL, "no such register");
    err = get_state(p, t, &s);
    if (err < 0)
        return reply_error(p, err, "registers");
    if (!in_reg(in, &s, r, false) || !in_end(in))
        return reply_error(p, -PDB_EINVAL, "P");
    if (s.fpu_set && !s.has_fpu)
        return reply_error(p, -PDB_EPERM, "the FPU registers are not known");
    return put_state(p, t, &s);
}

/*
 * gdb asks for rbp at a stop only where it is a frame pointer: then it points
 * a little above rsp.  Code that uses it for something else is most of what
 * there is to step through, and need not pay for it.
 */
#define FRAME_SPAN 0x4000u

static bool is_frame_pointer(const struct pdb_regs *r)
{
    return r->v[PDB_RBP] - r->v[PDB_RSP] <= FRAME_SPAN;
}

void put_expedited(struct pdb *p, struct pdb_tid t, bool pc_only)
{
    static const uint8_t numbers[] = { PDB_RBP, PDB_RSP, PDB_RIP };
    struct pdb_regs r;
    uint32_t i;

    /* Non-stop: it asks when it has been told of the first stop. */
    if ((p->non_stop && is_untold(p, t.pid)) || get_regs(p, t, &r) < 0)
        return;
    for (i = pc_only ? 2 : is_frame_pointer(&r) ? 0 : 1; i < sizeof(numbers);
         i++) {
        if (!(r.known & PDB_REG_BIT(numbers[i])))
            continue;
        pdb_printf(&p->reply, "%x:", (unsigned int)numbers[i]);
        pdb_put_hex(&p->reply, &r.v[numbers[i]], 8);
        pdb_putc(&p->reply, ';');
    }
}

int reg_by_number(struct pdb *p, struct pdb_tid t, uint32_t nr, uint64_t *v)
{
    const struct reg_def *r = find_reg(p, nr);
    uint8_t bytes[16];
    struct state s;

    if (!r)
        return -PDB_EINVAL;
    if (get_state(p, t, &s) < 0 || !read_reg(&s, r, bytes))
        return -PDB_ESRCH;
    *v = 0;
    memcpy(v, bytes, r->bits < 64 ? r->bits / 8u : 8);
    return 0;
}

int set_reg(struct pdb *p, struct pdb_tid t, enum pdb_reg r, uint64_t v)
{
    struct pdb_regs regs;

    if (!p->ops->set_regs)
        return -PDB_EOPNOTSUPP;
    memset(&regs, 0, sizeof(regs));
    regs.known = PDB_REG_BIT(r);
    regs.v[r] = v;
    return p->ops->set_regs(p->ctx, t, &regs);
}
