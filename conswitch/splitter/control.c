/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The control port: a command a line, for people and scripts.  An answer is
 * any number of "key: value" lines and then "ok" or "error: why".
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

static void say(struct splitter *s, struct client *c, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void say(struct splitter *s, struct client *c, const char *fmt, ...)
{
    char text[4400];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    client_text(s, c, text);
    client_text(s, c, "\n");
}

static void say_number(struct splitter *s, struct client *c, const char *key,
                       uint64_t value)
{
    say(s, c, "%s: %" PRIu64, key, value);
}

static const char *cmd_status(struct splitter *s, struct client *c,
                              const char *args)
{
    struct splitter_status st;

    (void)args;
    splitter_get_status(s, &st);
    say(s, c, "source: %s", s->cfg.source ? s->cfg.source : "(program)");
    if (splitter_pty_name(s))
        say(s, c, "pty: %s", splitter_pty_name(s));
    say(s, c, "line: %s",
        st.line_up    ? "up"
        : s->released ? "released"
                      : "down");
    say(s, c, "gdb: %s", st.gdb_attached ? "attached" : "none");
    say(s, c, "target: %s",
        st.target_stopped            ? "stopped"
        : s->rsp.stats.to_target > 0 ? "running"
                                     : "unknown");
    say(s, c, "raw: %s", st.raw_active ? "active" : "none");
    say_number(s, c, "consoles", st.nr_console);
    say_number(s, c, "line-received", st.line_rx);
    say_number(s, c, "line-sent", st.line_tx);
    say_number(s, c, "console-received", st.console_rx);
    say_number(s, c, "console-sent", st.console_tx);
    say_number(s, c, "gdb-received", st.gdb_rx);
    say_number(s, c, "gdb-sent", st.gdb_tx);
    say_number(s, c, "packets-to-target", s->rsp.stats.to_target);
    say_number(s, c, "packets-to-gdb", s->rsp.stats.to_gdb);
    say_number(s, c, "near-side", st.near_side);
    say_number(s, c, "noise", st.noise);
    say_number(s, c, "bad-packets", st.bad_checksums);
    say_number(s, c, "retries", st.retries);
    say_number(s, c, "duplicates", st.duplicates);
    say_number(s, c, "given-up", s->rsp.stats.given_up);
    say_number(s, c, "unclaimed", s->rsp.stats.unclaimed);
    say_number(s, c, "lost", st.lost);
    say_number(s, c, "reconnects", st.reconnects);
    return NULL;
}

static const char *role_of(const struct client *c)
{
    static const char *const names[] = { "spy", "gdb", "raw", "control" };

    return c->writer ? "writer" : c->refused ? "refused" : names[c->port];
}

static const char *cmd_who(struct splitter *s, struct client *c,
                           const char *args)
{
    (void)args;
    for (unsigned int i = 0; i < s->nr_clients; i++) {
        const struct client *o = s->clients[i];

        if (!o->dead)
            say(s, c,
                "client: %u %s %s seconds=%" PRIu64 " in=%" PRIu64
                " out=%" PRIu64 " lost=%" PRIu64 "%s%s",
                o->id, role_of(o), o->peer, (s->wall - o->since) / 1000, o->rx,
                o->tx, o->lost, o->slow ? " slow" : "", o == c ? " you" : "");
    }
    return NULL;
}

static struct client *by_number(struct splitter *s, const char *args)
{
    char *end;
    unsigned long id = strtoul(args, &end, 10);

    if (end == args || *end || id > UINT32_MAX)
        return NULL;
    return client_by_id(s, (unsigned int)id);
}

static const char *cmd_writer(struct splitter *s, struct client *c,
                              const char *args)
{
    struct client *o = by_number(s, args);

    (void)c;
    if (!o || o->port != SPLITTER_CONSOLE)
        return "want the number of a console client; see `who`";
    client_make_writer(s, o);
    return NULL;
}

static const char *cmd_kick(struct splitter *s, struct client *c,
                            const char *args)
{
    struct client *o = by_number(s, args);

    (void)c;
    if (!o)
        return "want the number of a client; see `who`";
    client_close(s, o, "by command");
    return NULL;
}

static const char *cmd_break(struct splitter *s, struct client *c,
                             const char *args)
{
    (void)c;
    (void)args;
    line_send_break(s);
    return NULL;
}

static const char *cmd_interrupt(struct splitter *s, struct client *c,
                                 const char *args)
{
    (void)c;
    (void)args;
    splitter_interrupt(s);
    return NULL;
}

/* Text for the console: \n, \r, \t, \e, \\ and \xHH are understood. */
static const char *cmd_send(struct splitter *s, struct client *c,
                            const char *args)
{
    static const char from[] = "nrte\\", to[] = "\n\r\t\033\\";
    uint8_t out[COMMAND_MAX];
    unsigned int value;
    size_t nr = 0;

    (void)c;
    for (; *args; args++) {
        const char *at;

        if (*args != '\\') {
            out[nr++] = (uint8_t)*args;
        } else if (args[1] == 'x' && sscanf(args + 2, "%2x", &value) == 1 &&
                   args[3]) {
            out[nr++] = (uint8_t)value;
            args += 3;
        } else if (args[1] && (at = strchr(from, args[1]))) {
            out[nr++] = (uint8_t)to[at - from];
            args++;
        } else {
            return "after \\ comes n, r, t, e, \\ or xHH";
        }
    }
    return line_type(s, out, nr) == nr ? NULL : "the line does not take it";
}

static const char *cmd_replay(struct splitter *s, struct client *c,
                              const char *args)
{
    unsigned long lines = *args ? strtoul(args, NULL, 10) : 25;
    uint8_t *tail = malloc(HISTORY_SIZE);
    size_t nr;

    if (!tail)
        return "out of memory";
    if (lines > HISTORY_SIZE)
        lines = HISTORY_SIZE;
    nr = history_tail(&s->history, (unsigned int)lines, tail);
    client_send(s, c, tail, nr);
    if (nr && tail[nr - 1] != '\n')
        client_text(s, c, "\n");
    free(tail);
    return NULL;
}

static const char *cmd_rotate(struct splitter *s, struct client *c,
                              const char *args)
{
    int rc = log_rotate(&s->log);

    (void)c;
    (void)args;
    if (s->log.fd < 0)
        return "there is no log";
    return rc ? strerror(rc) : NULL;
}

static const char *cmd_release(struct splitter *s, struct client *c,
                               const char *args)
{
    (void)c;
    (void)args;
    line_release(s, true);
    return NULL;
}

static const char *cmd_acquire(struct splitter *s, struct client *c,
                               const char *args)
{
    (void)c;
    (void)args;
    line_release(s, false);
    return NULL;
}

/* The original's only command: everybody out, the line opened anew. */
static const char *cmd_reset(struct splitter *s, struct client *c,
                             const char *args)
{
    (void)args;
    for (unsigned int i = 0; i < s->nr_clients; i++)
        if (s->clients[i] != c)
            client_close(s, s->clients[i], "reset");
    if (s->cfg.once)
        s->end = true;
    line_reopen(s);
    return NULL;
}

struct answer {
    struct splitter *s;
    struct client *c;
};

/* What is offered to gdb, a line a file. */
static void say_symbols(void *ctx, const char *path,
                        const struct elf_facts *facts)
{
    const struct answer *to = ctx;
    char id[2 * BUILD_ID_MAX + 1];

    build_id_text(&facts->id, id);
    say(to->s, to->c, "build-id: %s%s%s %s", id, facts->code ? " code" : "",
        facts->debug ? " debug" : "", path);
}

static const char *cmd_symbols(struct splitter *s, struct client *c,
                               const char *args)
{
    struct answer to = { s, c };

    (void)args;
    if (!s->symbols.path[0])
        return "nothing is offered; start with --symbols FILE or DIRECTORY";
    symbols_each(&s->symbols, say_symbols, &to);
    return NULL;
}

const char *const splitter_gdb_settings[] = {
    "set pagination off",
    "set remotetimeout 10",
    "set trust-readonly-sections on",
    "mem 0 0xffffffffffffffff rw cache",
    "set dcache line-size 1024",
    NULL,
};

/* A script for gdb: settings, symbols by build-id from this port, attach. */
static const char *cmd_gdbinit(struct splitter *s, struct client *c,
                               const char *args)
{
    bool near = s->symbols.path[0] && !s->cfg.transparent;

    (void)args;
    if (s->port_number[SPLITTER_GDB] < 0)
        return "there is no gdb port";
    for (size_t i = 0; splitter_gdb_settings[i]; i++)
        say(s, c, "%s", splitter_gdb_settings[i]);
    if (near && s->port_number[SPLITTER_CONTROL] >= 0) {
        say(s, c, "set debuginfod urls http://localhost:%d",
            s->port_number[SPLITTER_CONTROL]);
        say(s, c, "set debuginfod enabled on");
    }
    say(s, c, "target remote localhost:%d", s->port_number[SPLITTER_GDB]);
    return NULL;
}

static const char *cmd_quit(struct splitter *s, struct client *c,
                            const char *args)
{
    (void)args;
    client_text(s, c, "ok\n");
    client_close(s, c, "quit");
    return NULL;
}

static const char *cmd_shutdown(struct splitter *s, struct client *c,
                                const char *args)
{
    (void)c;
    (void)args;
    s->end = true;
    return NULL;
}

static const char *cmd_help(struct splitter *s, struct client *c,
                            const char *args);

static const struct {
    const char *name, *args, *help;
    const char *(*fn)(struct splitter *, struct client *, const char *);
} commands[] = {
    { "help", "", "this list", cmd_help },
    { "status", "", "the line, who is there, counters", cmd_status },
    { "who", "", "one line a client, with its number", cmd_who },
    { "writer", "N", "console client N types, the others look on", cmd_writer },
    { "kick", "N", "disconnect client N", cmd_kick },
    { "send", "TEXT", "type TEXT on the console (\\n \\r \\xHH)", cmd_send },
    { "break", "", "send a BREAK (0x83 where there is none)", cmd_break },
    { "interrupt", "", "send 0x83, gdb's ^C", cmd_interrupt },
    { "replay", "[LINES]", "the last lines of the console", cmd_replay },
    { "rotate", "", "begin a new log file", cmd_rotate },
    { "release", "", "close the line, for another program", cmd_release },
    { "acquire", "", "open it again", cmd_acquire },
    { "gdbinit", "", "commands for gdb to attach here", cmd_gdbinit },
    { "symbols", "", "the files offered to gdb, by build-id", cmd_symbols },
    { "reset", "", "drop all other clients and reopen the line", cmd_reset },
    { "quit", "", "end this connection", cmd_quit },
    { "shutdown", "", "end the splitter", cmd_shutdown },
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const char *cmd_help(struct splitter *s, struct client *c,
                            const char *args)
{
    (void)args;
    for (size_t i = 0; i < NR_COMMANDS; i++)
        say(s, c, "%-9s %-8s %s", commands[i].name, commands[i].args,
            commands[i].help);
    return NULL;
}

/* A single r is the original's reset. */
static bool is_command(const char *line, size_t len, const char *name)
{
    return (strlen(name) == len && memcmp(line, name, len) == 0) ||
           (len == 1 && *line == 'r' && strcmp(name, "reset") == 0);
}

static void run(struct splitter *s, struct client *c, const char *line)
{
    size_t len = strcspn(line, " ");
    const char *args = line + len + (line[len] == ' ');
    const char *why;

    if (len == 0)
        return;
    if (!c->known && http_request(c, line))
        return;
    for (size_t i = 0; i < NR_COMMANDS; i++) {
        if (!is_command(line, len, commands[i].name))
            continue;
        c->known = true;
        why = commands[i].fn(s, c, args);
        if (why)
            say(s, c, "error: %s", why);
        else
            client_text(s, c, "ok\n");
        return;
    }
    say(s, c, "error: no such command, try `help`");
    /* not one of ours at all: a browser, a port scanner */
    if (!c->known)
        client_close(s, c, "does not speak our language");
}

void control_input(struct splitter *s, struct client *c)
{
    char line[COMMAND_MAX];
    const uint8_t *data, *end;
    size_t len;

    splitter_debug(s, "control", bytes_data(&c->in), c->in.len);
    /* the original acts on the byte, without a line end */
    if (s->cfg.once && c->in.len == 1 && *bytes_data(&c->in) == 'r')
        (void)bytes_add_text(&c->in, "\n");
    while (!c->closing && !c->dead && c->in.len) {
        if (c->http) {
            http_input(s, c);
            return;
        }
        data = bytes_data(&c->in);
        end = memchr(data, '\n', c->in.len);
        if (!end && c->in.len < sizeof(line))
            return;
        len = end ? (size_t)(end - data) : c->in.len;
        if (len >= sizeof(line)) {
            say(s, c, "error: a command has at most %u characters",
                COMMAND_MAX - 1);
            client_close(s, c, "line too long");
            return;
        }
        memcpy(line, data, len);
        if (len && line[len - 1] == '\r')
            len--;
        line[len] = '\0';
        bytes_drop(&c->in, (size_t)(end - data) + 1);
        run(s, c, line);
    }
}
