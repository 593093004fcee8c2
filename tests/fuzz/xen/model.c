// SPDX-License-Identifier: GPL-2.0-only
/*
 * What each `monitor` command is to answer, from its description in
 * docs/pdb.md and `monitor help`, with the C library's parsers: written apart
 * from xen/debug, whose answers are compared with these.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define MAX_WORDS 200
#define MAX_KINDS 16
#define MAX_FIELDS 8
#define NR_EVENTS 16
#define FIRST_RESERVED 0x7ff0u /* public/xen.h: DOMID_FIRST_RESERVED */

static struct kind {
    char name[32];
    char field[MAX_FIELDS][16];
    unsigned int nr;
} kinds[MAX_KINDS];
static unsigned int nr_kinds;
static char listing[4096]; /* of the events there are */

static const struct {
    uint64_t number;
    const char *name;
} hypercalls[] = {
#define HYPERCALL(number, name, nargs, flags) { number, #name },
#include <hv/hypercalls.def>
#undef HYPERCALL
};
#define NR_HYPERCALLS (sizeof(hypercalls) / sizeof(hypercalls[0]))

static struct event {
    const struct kind *kind;
    unsigned int nr, field[MAX_FIELDS];
    uint64_t value[MAX_FIELDS];
} events[NR_EVENTS];

static int scope; /* domain, or -1 */
static const char *context = "thread";
static uint64_t cr3;
static bool console, follow, sse, short_addresses;

void model_learn(const char *says)
{
    const char *line = strchr(says, '\n');
    int used;

    snprintf(listing, sizeof(listing), "%s", says);
    for (; line && line[1]; line = strchr(line + 1, '\n')) {
        struct kind *k = &kinds[nr_kinds++];
        const char *s = line + 1;

        if (nr_kinds > MAX_KINDS || sscanf(s, "  %31s%n", k->name, &used) != 1)
            die("break-on has a strange list");
        for (s += used; sscanf(s, " [%15s N]%n", k->field[k->nr], &used) == 1;
             s += used)
            if (++k->nr == MAX_FIELDS)
                die("break-on has too many fields");
    }
    if (nr_kinds < 9)
        die("break-on has lost events");
    scope = -1;
}

__attribute__((format(printf, 2, 3)))
static void say(struct expected *e, const char *format, ...)
{
    size_t at = strlen(e->text);
    va_list ap;

    va_start(ap, format);
    vsnprintf(e->text + at, sizeof(e->text) - at, format, ap);
    va_end(ap);
}

static void refuses(struct expected *e, const char *name)
{
    e->answer = REFUSES;
    sprintf(e->text, "%s: ", name);
}

static void usage(struct expected *e, const char *name)
{
    e->answer = BEGINS;
    sprintf(e->text, "usage: monitor %s", name);
}

/* All of s is a number: decimal, or hexadecimal behind 0x. */
static bool number(const char *s, uint64_t *value)
{
    bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
    char *end;

    s += hex ? 2 : 0;
    if (hex ? !isxdigit((unsigned char)*s) : !isdigit((unsigned char)*s))
        return false;
    if (hex && (s[1] == 'x' || s[1] == 'X'))
        return false; /* strtoull() takes a second 0x */
    errno = 0;
    *value = strtoull(s, &end, hex ? 16 : 10);
    return *end == '\0' && errno == 0;
}

/* --- break-on --- */

static void list_events(struct expected *e)
{
    for (unsigned int i = 0; i < NR_EVENTS; i++) {
        const struct event *v = &events[i];

        if (!v->kind)
            continue;
        say(e, "%u: %s", i + 1, v->kind->name);
        for (unsigned int f = 0; f < v->nr; f++)
            say(e, " %s 0x%lx", v->kind->field[v->field[f]], v->value[f]);
        say(e, ", 0 stops\n");
    }
}

static bool is_call(const struct event *v, const char *field, const char *word,
                    uint64_t *value)
{
    for (size_t i = 0; i < NR_HYPERCALLS; i++)
        if (strcmp(v->kind->name, "hypercall") == 0 &&
            strcmp(field, "number") == 0 &&
            strcmp(word, hypercalls[i].name) == 0) {
            *value = hypercalls[i].number;
            return true;
        }
    return false;
}

static bool take_field(struct event *v, const char *name, const char *word)
{
    const struct kind *k = v->kind;
    unsigned int f = 0;

    while (f < k->nr && strcmp(k->field[f], name) != 0)
        f++;
    for (unsigned int i = 0; i < v->nr; i++)
        if (v->field[i] == f)
            return false;
    if (f == k->nr || !word || v->nr == MAX_FIELDS ||
        (!number(word, &v->value[v->nr]) &&
         !is_call(v, name, word, &v->value[v->nr])))
        return false;
    v->field[v->nr++] = f;
    return true;
}

static bool can_listen(const struct kind *k)
{
    switch (machine_hooks) {
    case HOOKS_NO_EVENT: return strcmp(k->name, "event") != 0;
    case HOOKS_NO_SHUTDOWN:
        return strcmp(k->name, "domain-crash") != 0 &&
               strcmp(k->name, "domain-shutdown") != 0;
    default: return true;
    }
}

static bool take_event(char **word)
{
    struct event v = { .kind = NULL };
    unsigned int i;

    for (i = 0; i < nr_kinds; i++)
        if (strcmp(kinds[i].name, word[0]) == 0)
            v.kind = &kinds[i];
    if (!v.kind)
        return false;
    for (word++; *word; word += 2)
        if (!take_field(&v, word[0], word[1]))
            return false;
    for (i = 0; i < NR_EVENTS && events[i].kind; i++)
        ;
    if (i == NR_EVENTS || !can_listen(v.kind))
        return false;
    events[i] = v;
    return true;
}

static bool drop_events(char **word)
{
    uint64_t n;

    if (!word[0]) {
        memset(events, 0, sizeof(events));
        return true;
    }
    if (word[1] || !number(word[0], &n) || n < 1 || n > NR_EVENTS ||
        !events[n - 1].kind)
        return false;
    events[n - 1].kind = NULL;
    return true;
}

static void break_on(struct expected *e, char **word)
{
    if (!word[0]) {
        list_events(e);
        say(e, "%s", listing);
    } else if (strcmp(word[0], "off") == 0 ? drop_events(word + 1)
                                           : take_event(word)) {
        list_events(e);
    } else {
        refuses(e, "break-on");
    }
}

/* --- the others; args: all behind the command's blanks --- */

static void scope_is(struct expected *e, const char *args)
{
    uint64_t id;

    if (machine_non_stop) {
        refuses(e, "scope");
        return;
    }
    if (strcmp(args, "all") == 0) {
        scope = -1;
    } else if (strncmp(args, "domain ", 7) == 0 && number(args + 7, &id) &&
               id < FIRST_RESERVED) {
        if (!machine_holds(id)) {
            refuses(e, "scope");
            return;
        }
        scope = (int)id;
    } else if (*args) {
        usage(e, "scope");
        return;
    }
    if (scope < 0)
        say(e, "what stands still: everything\n");
    else
        say(e, "what stands still: domain %d\n", scope);
}

static void look_at(struct expected *e, const char *name, const char *args)
{
    uint64_t addr;

    if (!number(args, &addr)) {
        usage(e, name);
    } else if (addr < MACHINE_BASE ||
               addr >= MACHINE_BASE + MACHINE_FRAMES * 0x1000) {
        refuses(e, name);
    } else if (strcmp(name, "pt") == 0) {
        say(e, "walk to %lx\n", addr - MACHINE_BASE);
    } else {
        e->answer = BEGINS;
        say(e, "%lx: machine address %lx, frame %lx\n  ", addr,
            addr - MACHINE_BASE, (addr - MACHINE_BASE) >> 12);
    }
}

static void context_is(struct expected *e, const char *args)
{
    uint64_t table;

    if (strcmp(args, "thread") == 0 || strcmp(args, "phys") == 0) {
        context = *args == 't' ? "thread" : "phys";
    } else if (strncmp(args, "cr3 ", 4) == 0 && number(args + 4, &table) &&
               table) {
        if (table % 0x1000) {
            say(e, "context: 0x%lx is not where a page begins\n", table);
        } else if (table >= MACHINE_FRAMES * 0x1000) {
            refuses(e, "context");
            return;
        } else {
            context = "cr3";
            cr3 = table;
        }
        args = "";
    } else if (*args) {
        usage(e, "context");
        return;
    }
    say(e, "memory is that of: %s", context);
    if (strcmp(context, "cr3") == 0)
        say(e, " 0x%lx", cr3);
    say(e, "\n");
    if (*args || strcmp(context, "thread") != 0)
        say(e, "type 'maintenance flush dcache' if gdb shows old data\n");
}

static void press(struct expected *e, const char *name, unsigned char key)
{
    if (!machine_has_key(key) || key == 'C') {
        refuses(e, name);
        return;
    }
    e->pressed = key;
    for (unsigned int n = machine_says(key); n; n--)
        say(e, "(XEN) something was said\n");
}

static void key(struct expected *e, const char *args)
{
    size_t n = strlen(args);

    if (n == 0) {
        for (int k = '!'; k < 127; k++)
            if (machine_has_key((unsigned char)k))
                say(e, "%c  a key\n", k);
    } else if (n == 1 || (n == 2 && args[1] == '!')) {
        press(e, "key", (unsigned char)args[0]);
    } else {
        usage(e, "key");
    }
}

/* False: it is none of these. */
static bool named_key(struct expected *e, const char *name, const char *args)
{
    static const char *const names[] = {
        "domains q", "evtchn e", "grants g", "memory m", "irqs i", "timers a",
        "vcpus r", "dom0-registers 0", "cpus d", "nodes u", "frames o",
        "ioapics z", "devices Q", "nmis n", "nmi N", "clocks t", "tsc s",
        "idle c", "counters p", "counters-reset P", "latency l",
        "latency-reset L", "locks k", "events E", "ring w", "version ?",
        "all-keys *", "more-messages +", "fewer-messages -", "keys-at-once A",
        "keys h", "restart B", "crash C", "break-in D",
    };
    size_t n = strlen(name);

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strncmp(names[i], name, n) != 0 || names[i][n] != ' ')
            continue;
        if (*args && strcmp(args, "!") != 0)
            usage(e, name);
        else
            press(e, name, (unsigned char)names[i][n + 1]);
        return true;
    }
    return false;
}

static bool is_on(struct expected *e, const char *name, const char *args,
                  bool *flag)
{
    if (*args && strcmp(args, "on") != 0 && strcmp(args, "off") != 0) {
        usage(e, name);
        return false;
    }
    if (*args)
        *flag = strcmp(args, "on") == 0;
    return true;
}

static void a_switch(struct expected *e, const char *name, const char *args)
{
    bool was = sse;

    if (strcmp(name, "console") == 0) {
        if (is_on(e, name, args, &console))
            say(e, "the console's text, to gdb too: %s\n",
                console ? "on" : "off");
    } else if (strcmp(name, "follow") == 0) {
        if (is_on(e, name, args, &follow))
            say(e, "new domains are attached: %s\n", follow ? "yes" : "no");
    } else if (strcmp(name, "short-addresses") == 0) {
        if (is_on(e, name, args, &short_addresses))
            say(e, "addresses may have 48 bits only: %s\n",
                short_addresses ? "yes" : "no");
    } else if (is_on(e, name, args, &sse)) {
        say(e, "XMM registers are described: %s\n", sse ? "yes" : "no");
        if (sse != was)
            say(e, "gdb learns of it when it connects again\n");
    }
}

static bool is_one_of(const char *name, const char *const *names)
{
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

static void answer(struct expected *e, const char *name, const char *args,
                   char **word)
{
    static const char *const mine[] = { "break-on", "scope", "whatis", "key",
                                        NULL };
    static const char *const alone[] = { "help", "breakpoints", "link", "why",
                                         "dmesg", "regs", "reboot", NULL };
    static const char *const switches[] = { "console", "follow", "sse",
                                            "short-addresses", NULL };

    e->mine = is_one_of(name, mine);
    if (strcmp(name, "break-on") == 0) {
        break_on(e, word);
    } else if (strcmp(name, "scope") == 0) {
        scope_is(e, args);
    } else if (strcmp(name, "whatis") == 0 || strcmp(name, "pt") == 0) {
        look_at(e, name, args);
    } else if (strcmp(name, "context") == 0) {
        context_is(e, args);
    } else if (strcmp(name, "key") == 0) {
        key(e, args);
    } else if (is_one_of(name, switches)) {
        a_switch(e, name, args);
    } else if (is_one_of(name, alone)) {
        e->answer = BEGINS;
        e->reboots = !*args && strcmp(name, "reboot") == 0;
        if (*args)
            usage(e, name);
        else
            e->mine = strcmp(name, "dmesg") == 0 || *name == 'r';
    } else {
        e->mine = named_key(e, name, args);
        if (!e->mine)
            say(e, "unknown command; 'monitor help' lists what there is\n");
    }
}

void model_answer(const char *line, struct expected *e)
{
    char text[MAX_LINE + 1], *word[MAX_WORDS + 2] = { NULL };
    const char *args = line;
    unsigned int n = 0;

    *e = (struct expected){ .answer = SAYS };
    snprintf(text, sizeof(text), "%s", line);
    for (char *w = strtok(text, " "); w && n < MAX_WORDS; w = strtok(NULL, " "))
        word[n++] = w;
    args += strspn(args, " ");
    args += strcspn(args, " ");
    args += strspn(args, " ");
    answer(e, n ? word[0] : "", args, word + 1);
}
