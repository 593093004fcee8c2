// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine in an array; see fake.h.
 */
#include <stdlib.h>
#include <string.h>

#include "fake.h"

/* Where (space, addr) is in the arrays; null if nowhere.  *len is clipped. */
static uint8_t *locate(struct fake *f, const struct pdb_space *as,
                       uint64_t addr, uint32_t *len)
{
    uint64_t pid = (uint64_t)as->thread.pid, off = addr - FAKE_BASE;

    if (as->kind == PDB_SPACE_PHYS) {
        pid = addr >> 20;
        off = addr & 0xfffff;
        if (addr < 1 << 20) { /* top-level tables: of use to nobody */
            pid = addr >> 12;
            off = addr & 0xfff;
        }
    } else if (as->kind == PDB_SPACE_CR3) {
        pid = as->cr3 >> 12;
    }
    if (pid < 1 || pid > FAKE_INFERIORS || !f->exists[pid] ||
        off >= FAKE_SIZE || f->fail)
        return NULL;
    if (*len > FAKE_SIZE - off)
        *len = FAKE_SIZE - (uint32_t)off;
    return &f->mem[pid][off];
}

static int read_mem(void *ctx, const struct pdb_space *as, uint64_t addr,
                    void *buf, uint32_t len)
{
    uint8_t *at = locate(ctx, as, addr, &len);

    if (!at)
        return -PDB_EFAULT;
    memcpy(buf, at, len);
    return (int)len;
}

static int write_mem(void *ctx, const struct pdb_space *as, uint64_t addr,
                     const void *buf, uint32_t len)
{
    struct fake *f = ctx;
    uint8_t *at = locate(f, as, addr, &len);

    if (!at)
        return -PDB_EFAULT;
    if (!f->read_only)
        memcpy(at, buf, len);
    return (int)len;
}

static int translate(void *ctx, const struct pdb_space *as, uint64_t addr,
                     uint64_t *maddr)
{
    struct fake *f = ctx;
    uint32_t len = 1;
    uint8_t *at = locate(f, as, addr, &len);
    uint64_t off;

    if (!at)
        return -PDB_EFAULT;
    off = (uint64_t)(at - f->mem[0]);
    *maddr = off / FAKE_SIZE << 20 | off % FAKE_SIZE;
    return 0;
}

static int walk(void *ctx, const struct pdb_space *as, uint64_t addr,
                struct pdb_out *o)
{
    uint64_t maddr;

    if (translate(ctx, as, addr, &maddr) < 0)
        return -PDB_EFAULT;
    pdb_printf(o, "maddr 0x%lx\n", (unsigned long)maddr);
    return 0;
}

static const char *reason(void *ctx)
{
    struct fake *f = ctx;

    return f->why;
}

static struct pdb_regs *regs_of(struct fake *f, struct pdb_tid t)
{
    if (t.pid < 1 || t.pid > FAKE_INFERIORS || !f->exists[t.pid] ||
        t.tid < 1 || t.tid > FAKE_THREADS)
        return NULL;
    return &f->regs[t.pid][t.tid];
}

static int get_regs(void *ctx, struct pdb_tid t, struct pdb_regs *r)
{
    struct pdb_regs *from = regs_of(ctx, t);

    if (!from)
        return -PDB_ESRCH;
    *r = *from;
    return 0;
}

static int set_regs(void *ctx, struct pdb_tid t, const struct pdb_regs *r)
{
    struct fake *f = ctx;
    struct pdb_regs *to = regs_of(f, t);

    if (!to)
        return -PDB_ESRCH;
    if (r->known & f->fixed)
        return -PDB_EPERM;
    for (int i = 0; i < PDB_NR_REGS; i++)
        if (r->known & PDB_REG_BIT(i))
            to->v[i] = r->v[i];
    return 0;
}

static int get_fpu(void *ctx, struct pdb_tid t, uint8_t *fxsave)
{
    struct fake *f = ctx;

    (void)t;
    memcpy(fxsave, f->fpu, PDB_FPU_SIZE);
    return f->no_fpu ? -PDB_ESRCH : 0;
}

static int set_fpu(void *ctx, struct pdb_tid t, const uint8_t *fxsave)
{
    struct fake *f = ctx;

    (void)t;
    memcpy(f->fpu, fxsave, PDB_FPU_SIZE);
    return 0;
}

static int32_t next_inferior(void *ctx, int32_t pid)
{
    struct fake *f = ctx;

    while (++pid <= FAKE_INFERIORS)
        if (f->exists[pid])
            return pid;
    return 0;
}

/* Two CPUs, but each domain has one vCPU. */
static int32_t next_thread(void *ctx, int32_t pid, int32_t tid)
{
    struct fake *f = ctx;
    int32_t nr = pid == PDB_PID_HYPERVISOR ? FAKE_THREADS : 1;

    if (pid < 1 || pid > FAKE_INFERIORS || !f->exists[pid] || tid >= nr)
        return 0;
    return tid + 1;
}

static int thread_info(void *ctx, struct pdb_tid t, struct pdb_thread_info *i)
{
    (void)ctx;
    i->name = t.pid == PDB_PID_HYPERVISOR ? "CPU" : "d<v>";
    i->state = "busy & \"idle\"";
    i->core = t.tid - 1;
    return 0;
}

static bool is_down(void *ctx, struct pdb_tid t)
{
    struct fake *f = ctx;

    return f->down[t.pid][t.tid];
}

static int inferior_info(void *ctx, int32_t pid, struct pdb_inferior_info *i)
{
    (void)ctx;
    i->name = "fake";
    i->exec_file = "/boot/*xen#syms";
    i->slide = pid == PDB_PID_HYPERVISOR ? 0x200000 : 0;
    i->text_seg = pid == PDB_PID_HYPERVISOR ? 0 : 0x1000000;
    return 0;
}

static int attach(void *ctx, int32_t pid)
{
    struct fake *f = ctx;

    (void)pid;
    f->nr_attaches++;
    return f->refuse_attach ? -PDB_EPERM : 0;
}

static void detach(void *ctx, int32_t pid)
{
    struct fake *f = ctx;

    f->nr_detaches += pid != PDB_PID_HYPERVISOR;
}

static void resume(void *ctx, const struct pdb_plan *plan)
{
    struct fake *f = ctx;

    pdb_plan_copy(&f->plan, plan);
    f->nr_resumes++;
}

static void interrupt(void *ctx)
{
    struct fake *f = ctx;

    f->nr_interrupts++;
}

static void reboot(void *ctx)
{
    struct fake *f = ctx;

    f->nr_reboots++;
}

static int hw_insert(void *ctx, const struct pdb_hw *hw)
{
    struct fake *f = ctx;

    if (hw->len <= PDB_MAX_HW ? hw->len == 0 || hw->len > 8 ||
                                    hw->addr % hw->len
                              : hw->len > PDB_MAX_WATCH)
        abort(); /* the core promised */
    for (int i = 0; i < 4; i++) {
        if (f->hw_used[i])
            continue;
        f->hw[i] = *hw;
        f->hw_used[i] = true;
        return 0;
    }
    return -PDB_ENOSPC;
}

static int hw_remove(void *ctx, const struct pdb_hw *hw)
{
    struct fake *f = ctx;

    for (int i = 0; i < 4; i++) {
        if (!f->hw_used[i] || f->hw[i].addr != hw->addr ||
            f->hw[i].type != hw->type || f->hw[i].len != hw->len ||
            f->hw[i].pid != hw->pid)
            continue;
        f->hw_used[i] = false;
        return 0;
    }
    abort(); /* never inserted */
}

static int catch_syscalls(void *ctx, int32_t pid, bool on)
{
    struct fake *f = ctx;

    (void)pid;
    f->catching = on;
    return 0;
}

static void print(void *ctx, const char *text, uint32_t len)
{
    struct fake *f = ctx;

    if (len > sizeof(f->printed) - 1 - f->nr_printed)
        len = (uint32_t)sizeof(f->printed) - 1 - f->nr_printed;
    memcpy(f->printed + f->nr_printed, text, len);
    f->nr_printed += len;
    f->printed[f->nr_printed] = '\0';
}

static int row(void *ctx, uint64_t *cursor, struct pdb_out *o)
{
    (void)ctx;
    if (*cursor == 300)
        return 0;
    pdb_column(o, "frame", "%lu", (unsigned long)*cursor);
    pdb_column(o, "owner", "%s", *cursor % 50 ? "a<b" : "####$$$$****}}}}");
    ++*cursor;
    return 1;
}

static const struct pdb_table tables[] = {
    { "frames", "All frames", row },
    { NULL, NULL, NULL },
};

static int cmd_once(struct pdb *p, void *ctx, const char *args,
                    struct pdb_out *o)
{
    struct fake *f = ctx;

    (void)p;
    f->nr_commands++;
    pdb_printf(o, "once <%s>\n", args);
    return 0;
}

static int cmd_fails(struct pdb *p, void *ctx, const char *args,
                     struct pdb_out *o)
{
    (void)p;
    (void)ctx;
    (void)o;
    return *args ? -PDB_EINVAL : -PDB_EBUSY;
}

static int cmd_long(struct pdb *p, void *ctx, const char *args,
                    struct pdb_out *o)
{
    (void)p;
    (void)ctx;
    (void)args;
    for (int i = 0; i < 2000; i++)
        pdb_printf(o, "line %04d\n", i);
    return 0;
}

static const struct pdb_command commands[] = {
    { "once", "[X]", "counts", cmd_once, false },
    { "once more", "", "longer name", cmd_long, true },
    { "fails", "[X]", "always", cmd_fails, false },
    { NULL, NULL, NULL, NULL, false },
};

const struct pdb_ops fake_ops = {
    .read_mem = read_mem,
    .write_mem = write_mem,
    .translate = translate,
    .walk = walk,
    .reason = reason,
    .get_regs = get_regs,
    .set_regs = set_regs,
    .get_fpu = get_fpu,
    .set_fpu = set_fpu,
    .next_inferior = next_inferior,
    .next_thread = next_thread,
    .thread_info = thread_info,
    .is_down = is_down,
    .inferior_info = inferior_info,
    .attach = attach,
    .detach = detach,
    .resume = resume,
    .interrupt = interrupt,
    .reboot = reboot,
    .hw_insert = hw_insert,
    .hw_remove = hw_remove,
    .catch_syscalls = catch_syscalls,
    .print = print,
    .tables = tables,
    .commands = commands,
};

void fake_init(struct fake *f, unsigned int flags)
{
    memset(f, 0, sizeof(*f));
    f->exists[1] = f->exists[2] = true;
    for (int pid = 1; pid <= FAKE_INFERIORS; pid++) {
        for (uint32_t i = 0; i < FAKE_SIZE; i++)
            f->mem[pid][i] = (uint8_t)(i * 7 + (uint32_t)pid);
        for (int tid = 1; tid <= FAKE_THREADS; tid++) {
            struct pdb_regs *r = &f->regs[pid][tid];

            for (uint64_t i = 0; i < PDB_NR_REGS; i++)
                r->v[i] = 0x1111111111111111ull * (uint64_t)tid + i;
            r->v[PDB_RIP] = FAKE_BASE + 0x100;
            r->v[PDB_CR3] = FAKE_CR3(pid);
            r->known = (PDB_REG_BIT(PDB_NR_REGS) - 1) &
                       ~PDB_REG_BIT(PDB_ERROR);
        }
    }
    pdb_init(&f->pdb, &fake_ops, f, flags);
}

void fake_push(struct fake *f, const char *bytes, uint32_t len)
{
    while (len--)
        pdb_rx(&f->pdb, (uint8_t)*bytes++);
}

const char *fake_pull(struct fake *f)
{
    uint32_t n;

    f->nr_out = 0;
    /* Odd sizes: a frame must survive being pulled in any pieces. */
    while (f->nr_out + 8 < sizeof(f->out) &&
           (n = pdb_tx(&f->pdb, f->out + f->nr_out, 7)))
        f->nr_out += n;
    f->out[f->nr_out] = '\0';
    return f->out;
}

void fake_packet_len(struct fake *f, const char *body, uint32_t len)
{
    uint8_t sum = 0;
    char end[8];

    for (uint32_t i = 0; i < len; i++)
        sum = (uint8_t)(sum + (uint8_t)body[i]);
    fake_push(f, "$", 1);
    fake_push(f, body, len);
    snprintf(end, sizeof(end), "#%02x", sum);
    fake_push(f, end, 3);
}

void fake_packet(struct fake *f, const char *body)
{
    fake_packet_len(f, body, (uint32_t)strlen(body));
}

/* Expands one frame's body from *s, up to its '#'; checks its sum. */
static void expand(const char *s, const char **rest, char *to, size_t room)
{
    uint8_t sum = 0;
    char want[3];
    size_t n = 0;

    for (; *s && *s != '#'; s++) {
        sum = (uint8_t)(sum + (uint8_t)*s);
        if (*s == '*' && n) {
            int count = *++s - 29;

            sum = (uint8_t)(sum + (uint8_t)*s);
            if (count < 3 || strchr("#$+-", *s) || (uint8_t)*s > 126)
                abort(); /* a count character that the rules forbid */
            while (count-- && n < room - 1) {
                to[n] = to[n - 1];
                n++;
            }
        } else if (n < room - 1) {
            to[n++] = *s;
        }
    }
    to[n] = '\0';
    snprintf(want, sizeof(want), "%02x", sum);
    if (*s != '#' || strncmp(s + 1, want, 2))
        abort(); /* a frame that is not whole */
    *rest = s + 3;
}

const char *fake_body(const char *text, const char **rest)
{
    static char body[65536];
    const char *none;

    while (*text && *text != '$' && *text != '%')
        text++;
    if (!*text)
        return "(none)";
    expand(text + 1, rest ? rest : &none, body, sizeof(body));
    return body;
}

const char *fake_ask(struct fake *f, const char *body)
{
    const char *reply;

    fake_packet(f, body);
    reply = fake_body(fake_pull(f), NULL);
    fake_push(f, "+", 1);
    return reply;
}

void fake_attach(struct fake *f)
{
    fake_packet(f, "qSupported:multiprocess+;swbreak+;hwbreak+;error-message+");
    fake_stop(f, PDB_WHY_BREAK_IN, 1, 1);
    fake_pull(f);
    fake_push(f, "+", 1);
    f->nr_resumes = 0;
}

enum pdb_verdict fake_stop(struct fake *f, enum pdb_why why, int pid, int tid)
{
    struct pdb_stop s = { .why = why, .thread = { pid, tid } };

    return pdb_event(&f->pdb, &s);
}

enum pdb_verdict fake_int3(struct fake *f, int pid, int tid, uint64_t rip)
{
    if (f->mem[pid][rip - FAKE_BASE] != 0xcc)
        return PDB_PASS;
    f->regs[pid][tid].v[PDB_RIP] = rip + 1;
    return fake_stop(f, PDB_WHY_SOFT, pid, tid);
}

void fake_monitor(struct fake *f, const char *line)
{
    char packet[128] = "qRcmd,";

    for (size_t at = strlen(packet); *line && at + 2 < sizeof(packet); at += 2)
        snprintf(packet + at, 3, "%02x", (unsigned char)*line++);
    fake_ask(f, packet);
    fake_pull(f);
    fake_push(f, "+", 1);
}
