// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzes pdb's core: `fuzz-pdb PACKETS [SEED]`, built with ASan and UBSan.
 *
 * Each packet is picked from a list of real ones, damaged at random (bytes
 * changed, cut, doubled, joined, made huge, bad sums, raw noise) and pushed
 * in, between stops of every kind.  After each one the promises are checked:
 * the core answers or asks again, frames are whole, seven-bit lines stay so,
 * and a fresh gdb can always take over, after which no int3 is left behind.
 *
 * Built with -DLIBFUZZER -fsanitize=fuzzer the same body is a libFuzzer target.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"

static const char *const seeds[] = {
    "?", "!", "g", "p10", "P10=0001010000000000", "m10000,40", "M10010,2:cccc",
    "x10000,40", "X10000,4:a}\x03}]b", "c", "s", "C05", "S05;10100", "Z0,10100,1",
    "Z0,10200,1;X3,220027", "Z0,10300,1;X3,220127X5,2600001027",
    "Z0,10200,1;cmds:1,X11,222a2200220034010006" "6e3d25640a0027",
    "Z0,10400,1;X16,21000a2c0003220109022d000a220027210000",
    "Z1,10100,1", "Z2,10303,6", "Z3,10300,8", "Z4,10310,20", "z0,10100,1",
    "z0,10200,1", "z1,10100,1", "z2,10303,6", "z3,10300,8", "z4,10310,20",
    "Hgp1.1", "Hgp0.0", "Hc-1", "Hgp2.1", "Hg2", "Tp1.2", "qC", "D", "D;1",
    "D;2", "k", "R00", "vAttach;2", "vAttach;3", "vKill;2", "vRun;",
    "vCont?", "vCont;c", "vCont;s:p1.1;c:p1.-1", "vCont;r10100,10110:p1.2;c",
    "vCont;t:p1.-1", "vCont;c:p1.2", "vCtrlC", "vStopped", "vMustReplyEmpty",
    "qSupported:multiprocess+;swbreak+;hwbreak+;error-message+",
    "qXfer:features:read:target.xml:0,ffb", "qXfer:threads:read::0,40",
    "qXfer:osdata:read:frames:100,fff", "qXfer:osdata:read::0,fff",
    "qXfer:memory-map:read::0,ffb", "qXfer:exec-file:read:1:0,ff",
    "qfThreadInfo", "qsThreadInfo", "qThreadExtraInfo,p1.1", "qAttached:1",
    "qOffsets", "qCRC:10000,400", "qSearch:memory:10000;400;a}\x03",
    "qSymbol::", "QNonStop:1", "QNonStop:0", "QThreadEvents:1",
    "QCatchSyscalls:1;27", "QCatchSyscalls:0", "QStartNoAckMode",
    "qRcmd,68656c70", "qRcmd,6f6e6365206d6f7265",
    "qRcmd,636f6e746578742063723320307832303030",
    "qRcmd,636f6e746578742070687973", "qRcmd,636f6e7465787420746872656164",
    "qRcmd,627265616b706f696e7473", "qRcmd,70742030783130303030",
    "qRcmd,636f6e736f6c65206f6e", "qRcmd,666f6c6c6f77206f6e",
};
#define NR_SEEDS (sizeof(seeds) / sizeof(seeds[0]))

static uint64_t state;

static uint32_t rnd(uint32_t below)
{
    state ^= state << 13; /* xorshift64 */
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 11) % below;
}

static void die(const char *what)
{
    printf("fuzz-pdb: %s\n", what);
    fflush(stdout); /* abort() does not */
    abort();
}

/* Pulls all, checks frames and bits, and acknowledges most of the time. */
static bool drain(struct fake *f)
{
    const char *text = fake_pull(f), *rest;
    bool any = *text != '\0';

    if (f->nr_out + 16 >= sizeof(f->out))
        die("endless output");
    for (uint32_t i = 0; f->pdb.flags & PDB_SEVEN_BIT && i < f->nr_out; i++)
        if (f->out[i] & 0x80)
            die("top bit set on a shared line");
    while (*text == '+' || *text == '-')
        text++;
    while ((*text == '$' || *text == '%') && !memchr(f->out, 0, f->nr_out)) {
        fake_body(text, &rest);
        text = rest;
    }
    if (rnd(8))
        fake_push(f, "+", 1);
    return any;
}

static uint32_t damage(char *b, uint32_t len, uint32_t room)
{
    for (uint32_t n = rnd(4); n; n--) {
        uint32_t at = len ? rnd(len) : 0, k;

        switch (rnd(7)) {
        case 0: b[at] = (char)rnd(256); break;
        case 1: len = at; break;
        case 2:
            b[at] = "0123456789abcdef,;:.-*}#$"[rnd(25)];
            break;
        case 3: /* double a part */
            k = len - at < room - len ? len - at : 0;
            memmove(b + len, b + at, k);
            len += k;
            break;
        case 4: /* join another packet */
            k = (uint32_t)strlen(seeds[at = rnd(NR_SEEDS)]);
            if (k < room - len) {
                memcpy(b + len, seeds[at], k);
                len += k;
            }
            break;
        case 5: /* a long number */
            if (room - len > 20 && len) {
                memmove(b + at + 17, b + at, len - at);
                memcpy(b + at, "fffffffffffffffff", 17);
                len += 17;
            }
            break;
        default: b[at] ^= (char)(1 << rnd(8)); break;
        }
    }
    return len;
}

static void one_event(struct fake *f)
{
    static const uint64_t places[] = { 0x10100, 0x10200, 0x10300, 0x10400 };
    struct pdb_stop s = { .why = (enum pdb_why)rnd(PDB_WHY_GONE_THREAD + 1) };
    uint32_t pid = 1 + rnd(FAKE_INFERIORS), tid = 1 + rnd(FAKE_THREADS);

    s.thread = (struct pdb_tid){ (int32_t)pid, (int32_t)tid };
    s.addr = 0x10300 + rnd(0x20);
    s.number = rnd(600);
    s.signal = (int)rnd(16);
    s.stepped = rnd(2);
    s.text = rnd(4) ? NULL : "a note with # and \xff";
    if (s.why == PDB_WHY_NEW)
        f->exists[pid] = true;
    if (s.why == PDB_WHY_GONE && pid != 1)
        f->exists[pid] = false;
    else if (s.why == PDB_WHY_GONE)
        return;
    if (s.why == PDB_WHY_SOFT || s.why == PDB_WHY_EXEC)
        f->regs[pid][tid].v[PDB_RIP] =
            places[rnd(4)] + (s.why == PDB_WHY_SOFT);
    pdb_event(&f->pdb, &s);
}

/* Serves the stop that the core asked for, as a machine would. */
static void answer_interrupt(struct fake *f)
{
    struct pdb_stop s = { .why = PDB_WHY_BREAK_IN, .thread = { 1, 1 } };

    if (f->pdb.bringing_in && !pdb_holding(&f->pdb))
        pdb_event(&f->pdb, &s);
}

/* Whatever happened before: a gdb that connects is served. */
static void must_recover(struct fake *f)
{
    uint32_t i;

    f->fail = 0;
    f->read_only = f->refuse_attach = false;
    fake_push(f, "+", 1);
    fake_packet(f, "qSupported:multiprocess+");
    fake_pull(f); /* a reply that was still under way goes first */
    answer_interrupt(f);
    for (i = 0; i < 8 && !strstr(fake_pull(f), "PacketSize"); i++) {
        fake_push(f, "+", 1);
        fake_packet(f, "qSupported:multiprocess+");
        answer_interrupt(f);
    }
    if (i == 8)
        die("a new gdb is not served");
    for (i = 0; i < PDB_NR_SITES; i++)
        if (f->pdb.brk.site[i].users)
            die("an int3 is left behind");
    for (i = 0; i < 4; i++)
        if (f->hw_used[i])
            die("a debug register is left behind");
    if (f->pdb.brk.code_len)
        die("bytecode is left behind");
}

static void one_packet(struct fake *f)
{
    static char body[3 * PDB_PACKET];
    const char *seed = seeds[rnd(NR_SEEDS)];
    uint32_t len = (uint32_t)strlen(seed), sent = 0;

    memcpy(body, seed, len);
    len = damage(body, len, 512);
    if (!rnd(500)) { /* huge */
        memset(body + len, "0a*}"[rnd(4)], sizeof(body) - len);
        len = (uint32_t)sizeof(body);
    }
    if (rnd(10)) {
        fake_packet_len(f, body, len);
        sent = 1;
    } else {
        fake_push(f, "$", rnd(2));
        fake_push(f, body, len);
        fake_push(f, "#00", rnd(4));
    }
    answer_interrupt(f);
    if (!drain(f) && sent && pdb_holding(&f->pdb) && !f->pdb.link.no_ack &&
        !f->pdb.link.held && !memchr(body, '$', len) && !memchr(body, '#', len))
        die("a good packet got no answer");
}

/* Random operations, some of them a printf with a random format. */
static uint32_t random_code(uint8_t *code, uint32_t len)
{
    static const char chars[] = "%%%%-0+ #.123hlzjtdiuxXocsp%ab";
    uint32_t at = 0, n;

    while (at < len) {
        if (rnd(12)) {
            code[at++] = (uint8_t)(rnd(10) ? rnd(0x36) : rnd(256));
            continue;
        }
        n = 1 + rnd(12);
        code[at++] = 0x34;
        code[at++] = (uint8_t)rnd(4);
        code[at++] = 0;
        code[at++] = (uint8_t)n;
        while (--n)
            code[at++] = (uint8_t)chars[rnd(sizeof(chars) - 1)];
        code[at++] = 0;
    }
    code[at++] = 0x27;
    return at;
}

/* A breakpoint with random bytecode, which is then run into. */
static void run_bytecode(struct fake *f)
{
    char z[512];
    uint8_t code[128];
    uint32_t len = random_code(code, 4 + rnd(60)), at, i;

    at = (uint32_t)snprintf(z, sizeof(z), "Z0,10200,1;%sX%x,",
                            rnd(2) ? "" : "cmds:0,", len + 13);
    /* something on the stack to begin with: an address and two numbers */
    at += (uint32_t)snprintf(z + at, sizeof(z) - at, "%s",
                             "240001000023fff02209260010");
    for (i = 0; i < len; i++)
        at += (uint32_t)snprintf(z + at, sizeof(z) - at, "%02x", code[i]);
    fake_packet(f, z);
    answer_interrupt(f);
    drain(f);
    fake_push(f, "+", 1);
    fake_packet(f, "vCont;c");
    answer_interrupt(f);
    drain(f);
    f->regs[1][1].v[PDB_RIP] = 0x10201;
    if (!pdb_holding(&f->pdb)) {
        struct pdb_stop s = { .why = PDB_WHY_SOFT, .thread = { 1, 1 } };

        pdb_event(&f->pdb, &s);
    }
}

static void mishaps(struct fake *f)
{
    if (!rnd(3))
        one_event(f);
    if (!rnd(20))
        fake_push(f, "\x03", 1);
    if (!rnd(20))
        pdb_tick(&f->pdb);
    if (!rnd(50))
        f->fail = rnd(2) ? -PDB_EFAULT : 0;
    if (!rnd(50))
        f->read_only = !rnd(3);
    if (!rnd(200))
        pdb_drop(&f->pdb);
    if (!rnd(100))
        pdb_console(&f->pdb, "console\xff text\n", rnd(16));
    if (!rnd(1000)) {
        f->pdb.busy = true;
        pdb_fault(&f->pdb, "fuzz");
    }
    drain(f);
}

static const unsigned int flag_sets[] = {
    0, PDB_SEVEN_BIT, PDB_NO_ACK, PDB_SSE | PDB_FOLLOW,
    PDB_SEVEN_BIT | PDB_FOLLOW,
    PDB_ALL_STOP, PDB_ALL_STOP | PDB_SEVEN_BIT,
};
#define NR_FLAG_SETS (sizeof(flag_sets) / sizeof(flag_sets[0]))

static void run(uint64_t packets, uint64_t seed)
{
    static struct fake f;

    state = seed;
    for (uint64_t n = 0; n < packets; n++) {
        if (n % 2000 == 0)
            fake_init(&f, flag_sets[rnd(NR_FLAG_SETS)]);
        one_packet(&f);
        mishaps(&f);
        if (n % 8 == 0)
            run_bytecode(&f);
        if (n % 100 == 99)
            must_recover(&f);
        f.nr_printed = 0;
    }
}

#ifdef LIBFUZZER
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fake f;

    if (!size)
        return 0;
    state = 88172645463325252ull + data[0];
    fake_init(&f, flag_sets[data[0] % NR_FLAG_SETS]);
    for (size_t i = 1; i < size; i++) {
        pdb_rx(&f.pdb, data[i]);
        answer_interrupt(&f);
        if (data[i] == '#')
            mishaps(&f);
    }
    must_recover(&f);
    return 0;
}
#else
int main(int argc, char **argv)
{
    uint64_t packets = argc > 1 ? strtoull(argv[1], NULL, 0) : 100000;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 88172645463325252;

    run(packets, seed ? seed : 1);
    printf("%lu packets, seed %lu\n", packets, seed);
    printf("1 passed, 0 failed\n");
    return 0;
}
#endif
