/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A sentence about each packet of GDB's remote protocol.  Names and forms:
 * GDB manual, appendix "GDB Remote Serial Protocol", sections "Packets",
 * "Stop Reply Packets" and "General Query Packets".
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rsp.h"
#include "util.h"

/* Text being built; what does not fit is left out. */
struct text {
    char *at;
    size_t left;
};

__attribute__((format(printf, 2, 3)))
static void add(struct text *t, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(t->at, t->left, fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    if ((size_t)n >= t->left)
        n = t->left ? (int)t->left - 1 : 0;
    t->at += n;
    t->left -= (size_t)n;
}

static void add_bytes(struct text *t, const char *data, size_t len)
{
    for (size_t i = 0; i < len && t->left > 5; i++) {
        unsigned char c = (unsigned char)data[i];

        if (c >= 0x20 && c < 0x7f)
            add(t, "%c", c);
        else
            add(t, "\\x%02x", c);
    }
}

/* Text in hex digits, as in qRcmd and O packets. */
static void add_hex_text(struct text *t, const char *hex, size_t len)
{
    char pair[3] = "";

    for (size_t i = 0; i + 1 < len; i += 2) {
        char c;

        memcpy(pair, hex + i, 2);
        c = (char)strtoul(pair, NULL, 16);
        add_bytes(t, &c, 1);
    }
}

/* Known commands by prefix; the longest fitting one comes first. */
static const struct { const char *prefix, *text; } commands[] = {
    { "qSupported", "what do you support?" },
    { "qXfer:", "transfer of an object" },
    { "qfThreadInfo", "list the threads" },
    { "qsThreadInfo", "list more threads" },
    { "qThreadExtraInfo", "describe a thread" },
    { "qAttached", "attached or started?" },
    { "qOffsets", "where is it loaded?" },
    { "qSymbol", "symbols on offer" },
    { "qTStatus", "tracing?" },
    { "qCRC:", "checksum of memory" },
    { "qSearch:", "search memory" },
    { "qC", "current thread?" },
    { "QStartNoAckMode", "no more acknowledgements" },
    { "QNonStop", "non-stop mode" },
    { "QThreadEvents", "report threads that come and go" },
    { "QPassSignals", "signals to pass on" },
    { "QProgramSignals", "signals to deliver" },
    { "QCatchSyscalls", "catch system calls" },
    { "vMustReplyEmpty", "what do you say to the unknown?" },
    { "vCont?", "which ways to resume?" },
    { "vCtrlC", "interrupt" },
    { "vKill", "kill" },
    { "vAttach", "attach" },
    { "vFile:", "file access" },
    { "?", "why stopped?" },
    { "g", "read registers" },
    { "G", "write registers" },
    { "p", "read a register" },
    { "P", "write a register" },
    { "T", "is the thread alive?" },
    { "H", "choose a thread" },
    { "D", "detach" },
    { "k", "kill" },
    { "!", "extended mode" },
};

static const char *const point_kinds[] = {
    "software breakpoint", "hardware breakpoint", "write watchpoint",
    "read watchpoint", "access watchpoint",
};

/* m, M, x, X: "addr,len[:data]". */
static void describe_memory(struct rsp_context *ctx, struct text *t,
                            const char *p)
{
    bool write = p[0] == 'M' || p[0] == 'X';
    char *end;
    unsigned long len;

    ctx->address = strtoull(p + 1, &end, 16);
    if (*end != ',')
        return;
    len = strtoul(end + 1, NULL, 16);
    add(t, "%s %lu bytes at %llx", write ? "write" : "read", len,
        (unsigned long long)ctx->address);
}

/*
 * c, s and vCont: actions by their letters, threads as they stand in the
 * packet.
 */
static void describe_resume(struct text *t, const char *p)
{
    static const char letters[] = "cCsStr";
    static const char *const words[] = { "continue", "continue", "step",
                                         "step", "stop", "step through" };
    const char *action = strncmp(p, "vCont;", 6) ? p : p + 6;

    while (*action) {
        const char *which = strchr(letters, *action);
        size_t len = strcspn(action, ";");

        if (which)
            add(t, "%s", words[which - letters]);
        if (which && len > 1) {
            add(t, " ");
            add_bytes(t, action + 1, len - 1);
        }
        action += len;
        if (*action == ';') {
            add(t, "; ");
            action++;
        }
    }
}

/*
 * Commands with arguments that are worth showing. False: the table of names
 * serves.
 */
static bool describe_special(struct rsp_context *ctx, struct text *t,
                             const char *p)
{
    char *end;

    if (strchr("mMxX", p[0])) {
        describe_memory(ctx, t, p);
    } else if ((p[0] == 'Z' || p[0] == 'z') && p[1] >= '0' && p[1] <= '4') {
        add(t, "%s %s at %llx", p[0] == 'Z' ? "set" : "remove",
            point_kinds[p[1] - '0'],
            p[2] ? strtoull(p + 3, &end, 16) : 0ULL);
    } else if (strchr("cCsS", p[0]) || !strncmp(p, "vCont;", 6)) {
        describe_resume(t, p);
    } else if (!strncmp(p, "qRcmd,", 6)) {
        add(t, "monitor ");
        add_hex_text(t, p + 6, strlen(p + 6));
    } else if (!strncmp(p, "qXfer:", 6)) {
        add(t, "transfer ");
        add_bytes(t, p + 6, strcspn(p + 6, ":"));
    } else {
        return false;
    }
    return true;
}

/* The command is remembered: what a reply means depends on it. */
static void describe_command(struct rsp_context *ctx, struct text *t,
                             const char *p)
{
    snprintf(ctx->command, sizeof(ctx->command), "%.31s", p);
    if (!*p || describe_special(ctx, t, p))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        if (!strncmp(p, commands[i].prefix, strlen(commands[i].prefix))) {
            add(t, "%s", commands[i].text);
            return;
        }
}

/* The value of "key:value;" in a stop reply. */
static void stop_field(const char *p, const char *key, char *out, size_t size)
{
    size_t n = strlen(key);

    *out = '\0';
    while (*p) {
        size_t len = strcspn(p, ";");

        if (len > n && !strncmp(p, key, n) && p[n] == ':')
            snprintf(out, size, "%.*s", (int)(len - n - 1), p + n + 1);
        p += len;
        p += *p == ';';
    }
}

/* T and S packets. Nothing behind the two digits is required. */
static bool parse_stop(const char *p, unsigned *sig, char thread[32],
                       char core[16])
{
    char number[3] = "";

    if ((p[0] != 'T' && p[0] != 'S') || !p[1] || !p[2] ||
        !strchr("0123456789abcdef", p[1] | 0x20) ||
        !strchr("0123456789abcdef", p[2] | 0x20))
        return false;
    memcpy(number, p + 1, 2);
    *sig = (unsigned)strtoul(number, NULL, 16);
    stop_field(p + 3, "thread", thread, 32);
    stop_field(p + 3, "core", core, 16);
    return true;
}

static const char *signal_name(unsigned sig)
{
    static const struct { unsigned number; const char *name; } names[] = {
        { 2, "interrupt" }, { 4, "illegal instruction" }, { 5, "trap" },
        { 6, "abort" }, { 8, "arithmetic" }, { 10, "bus error" },
        { 11, "segmentation fault" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (names[i].number == sig)
            return names[i].name;
    return "signal";
}

/*
 * From the most specific form to the least; a reply that fits none is shown
 * without a sentence.
 */
static void describe_reply(const struct rsp_context *ctx, struct text *t,
                           const char *p, size_t len)
{
    char thread[32], core[16];
    unsigned sig;

    if (!len)
        add(t, "not supported");
    else if (parse_stop(p, &sig, thread, core))
        add(t, "stopped: %s (%u)%s%s%s%s", signal_name(sig), sig,
            *thread ? ", thread " : "", thread, *core ? ", CPU " : "", core);
    else if (!strcmp(p, "OK"))
        add(t, "done");
    else if (p[0] == 'E' && p[1] == '.')
        add(t, "error: %s", p + 2);
    else if (p[0] == 'E' && len == 3)
        add(t, "error %s", p + 1);
    else if (p[0] == 'O' && len > 1 && p[1] != 'K') {
        add(t, "says ");
        add_hex_text(t, p + 1, len - 1);
    } else if ((p[0] == 'W' || p[0] == 'X') && len <= 3)
        add(t, "ended, status %s", p + 1);
    else if (strchr("gpmx", ctx->command[0]) && ctx->command[0])
        add(t, "%zu bytes", len / 2);
}

void rsp_describe(struct rsp_context *ctx, const struct rsp_event *ev,
                  char *out, size_t size)
{
    static const char *const kinds[] = { "", "+ ack", "- again, please",
                                         "^C interrupt", "noise " };
    struct text t = { out, size };
    char copy[RSP_KEEP + 1];
    const char *p = copy;

    *out = '\0';
    memcpy(copy, ev->data, ev->len);
    copy[ev->len] = '\0';
    add(&t, "%s ", ev->to_target ? "->" : "<-");
    if (ev->kind != RSP_PACKET) {
        add(&t, "%s", kinds[ev->kind]);
        if (ev->kind == RSP_NOISE)
            add_bytes(&t, copy, ev->len);
        return;
    }
    if (ev->bad_checksum)
        add(&t, "[bad checksum] ");
    add_bytes(&t, p, ev->len < 48 ? ev->len : 44);
    if (ev->len >= 48)
        add(&t, "...");
    add(&t, "  | ");
    if (ev->notification)
        add(&t, "notification");
    else if (ev->to_target)
        describe_command(ctx, &t, p);
    else
        describe_reply(ctx, &t, p, ev->full_len);
}

/* A packet with a bad checksum stops nothing. */
bool rsp_stop_reply(const struct rsp_event *ev, unsigned *signal,
                    char thread[32], char core[16])
{
    char copy[RSP_KEEP + 1];

    if (ev->kind != RSP_PACKET || ev->to_target || ev->bad_checksum)
        return false;
    memcpy(copy, ev->data, ev->len);
    copy[ev->len] = '\0';
    return parse_stop(copy, signal, thread, core);
}
