// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzes the words behind `monitor`: `fuzz-monitor LINES [SEED]`, built with
 * ASan and UBSan.
 *
 * Each line goes to the real core as gdb sends it, and from there to the real
 * commands of xen/debug (and the core's own), which get a copy in a block that
 * ends with the line, so that ASan sees who looks behind it.  What comes back
 * is compared with the model's answer: what is accepted is told back the same,
 * whatever the model does not take is refused in words, and nothing else has
 * happened.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static char line[MAX_LINE + 512]; /* of the case at hand, for die() */
static uint32_t line_len;
static char heard[65536]; /* what `monitor` prints */
static char *copy;        /* what the command may read */

static struct {
    unsigned int calls;
    int err;
} run;

void die(const char *what)
{
    printf("fuzz-monitor: %s\nthe line: \"", what);
    for (uint32_t i = 0; i < line_len; i++)
        printf(line[i] < ' ' || line[i] > '~' ? "\\x%02x" : "%c",
               (unsigned char)line[i]);
    printf("\"\nit said: %s\n", heard);
    fflush(stdout);
    abort();
}

static int recorded(struct pdb *p, void *ctx, const char *args,
                    struct pdb_out *o)
{
    const struct pdb_command *c = pdb_commands;

    while (strcmp(c->name, p->command->name) != 0)
        c++;
    if (args != copy)
        die("a command is run on something else than its line");
    run.calls++;
    run.err = c->run(p, ctx, args, o);
    return run.err;
}

/* As xen/debug's table, but each call is seen. */
static const struct pdb_command *recorded_commands(void)
{
    static struct pdb_command table[64];
    unsigned int n = 0;

    for (const struct pdb_command *c = pdb_commands; c->name; c++, n++) {
        if (n == 63)
            die("too many commands");
        table[n] = *c;
        table[n].run = recorded;
    }
    return table;
}

static void push(const char *s, size_t n)
{
    while (n--)
        pdb_rx(machine_core, (uint8_t)*s++);
}

static void push_packet(const char *body, size_t n)
{
    char end[4];
    uint8_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum = (uint8_t)(sum + (uint8_t)body[i]);
    sprintf(end, "#%02x", sum);
    push("$", 1);
    push(body, n);
    push(end, 3);
}

/* The next reply without its frame and its runs; it is acknowledged. */
static const char *pull(void)
{
    static char wire[PDB_PACKET + 16], body[65536];
    uint32_t n = 0, len = 0, got;
    const char *s = wire;

    while ((got = pdb_tx(machine_core, wire + n, sizeof(wire) - 1 - n)))
        n += got;
    wire[n] = '\0';
    while (*s == '+')
        s++;
    if (*s != '$' || wire[n - 3] != '#')
        die("no reply, or no frame");
    for (s++; s < wire + n - 3; s++) {
        if (*s != '*') {
            body[len++] = *s;
            continue;
        }
        for (int more = *++s - 29; more; more--, len++)
            body[len] = body[len - 1];
    }
    body[len] = '\0';
    push("+", 1);
    return body;
}

static void hear(const char *hex)
{
    size_t n = strlen(heard);
    unsigned int byte;

    for (; hex[0] && hex[1] && n < sizeof(heard) - 1; hex += 2, n++) {
        if (sscanf(hex, "%2x", &byte) != 1)
            die("not hexadecimal");
        heard[n] = (char)byte;
    }
    heard[n] = '\0';
}

/* All that is printed, and the reply behind it: OK, or an error. */
static const char *listen(void)
{
    const char *reply;

    heard[0] = '\0';
    while ((reply = pull())[0] == 'O' && strcmp(reply, "OK") != 0)
        hear(reply + 1);
    return reply;
}

static void type(const char *text, uint32_t n)
{
    static char body[2 * sizeof(line) + 16];
    uint32_t len = (uint32_t)sprintf(body, "qRcmd,");

    for (uint32_t i = 0; i < n; i++)
        len += (uint32_t)sprintf(body + len, "%02x", (uint8_t)text[i]);
    push_packet(body, len);
    free(copy);
    copy = NULL;
    if (machine_core->command) {
        copy = strdup(machine_core->args);
        machine_core->args = copy;
    }
}

/* As a terminal would show it: control characters are blanks, none outside. */
static bool plain(char *to, const char *from, uint32_t n)
{
    uint32_t len = 0;

    if (n >= sizeof(machine_core->line))
        return false;
    for (uint32_t i = 0; i < n; i++)
        if ((unsigned char)from[i] > ' ' || len)
            to[len++] = (unsigned char)from[i] < ' ' ? ' ' : from[i];
    while (len && to[len - 1] == ' ')
        len--;
    to[len] = '\0';
    return true;
}

static void compare(const struct expected *e)
{
    size_t n = strlen(e->text), all = strlen(heard);

    switch (e->answer) {
    case SAYS:
        if (strcmp(heard, e->text) != 0)
            die(e->text);
        break;
    case BEGINS:
        if (strncmp(heard, e->text, n) != 0)
            die(e->text);
        break;
    case REFUSES:
        if (strncmp(heard, e->text, n) != 0 || all < n + 3 ||
            strchr(heard, '\n') != heard + all - 1)
            die("an error without words, or none");
        break;
    }
    if (e->mine && run.calls && (run.err < 0) != (e->answer == REFUSES) &&
        strncmp(heard, "usage: ", 7) != 0)
        die("words and error do not agree");
    if (machine_pressed != (e->pressed != 0) ||
        (e->pressed && machine_key != e->pressed))
        die("not that key, and once");
    if (machine_reboots != e->reboots)
        die("a reboot, or none");
}

static void try_line(void)
{
    static struct expected e;
    char seen[sizeof(machine_core->line)];
    const char *reply;

    machine_pressed = machine_reboots = run.calls = 0;
    if (!plain(seen, line, line_len)) {
        type(line, line_len);
        reply = listen();
        if (strncmp(reply, "E.monitor: line too long", 24) != 0 || heard[0] ||
            run.calls)
            die(reply);
        return;
    }
    model_answer(seen, &e);
    type(line, line_len);
    reply = listen();
    if (strcmp(reply, "OK") != 0)
        die(reply);
    compare(&e);
}

static void type_known(const char *text)
{
    line_len = (uint32_t)sprintf(line, "%s", text);
    try_line();
}

static void connect(void)
{
    static const char hello[] = "qSupported:multiprocess+;error-message+";
    struct pdb_stop stop = { .why = PDB_WHY_BREAK_IN, .thread = { 1, 1 } };

    machine_ops.commands = recorded_commands();
    pdb_init(machine_core, &machine_ops, machine_core, 0);
    push_packet(hello, strlen(hello));
    pdb_event(machine_core, &stop);
    if (!strstr(pull(), "PacketSize"))
        die("no gdb is served");
    type("break-on", 8);
    listen();
    model_learn(heard);
}

/* Nobody has left a place behind that is listened at. */
static void all_off(void)
{
    type_known("break-on off");
    if (machine_hook_users)
        die("a hook stays");
}

/* More of them than there is room for. */
static void crowd(void)
{
    machine_hooks = HOOKS_GOOD;
    for (unsigned int n = 0; n < 40; n++) {
        line_len = make_long_event(line);
        try_line();
    }
    type_known("break-on");
}

int main(int argc, char **argv)
{
    uint64_t lines = argc > 1 ? strtoull(argv[1], NULL, 0) : 100000;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 88172645463325252;

    rnd_seed(seed);
    connect();
    for (uint64_t n = 0; n < lines; n++) {
        line_len = make_line(line);
        machine_non_stop = !rnd(20);
        machine_hooks = rnd(10) ? HOOKS_GOOD : (int)rnd(3);
        try_line();
        if (n % 8 == 0)
            type_known("break-on"); /* all that is set, refused ones not */
        if (n % 500 == 499)
            all_off();
        if (n % 5000 == 4999)
            crowd();
    }
    all_off();
    printf("%lu lines, seed %lu\n", lines, seed);
    printf("1 passed, 0 failed\n");
    return 0;
}
