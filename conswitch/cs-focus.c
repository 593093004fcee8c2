/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conswitch: who gets what is typed.
 *
 * Invariants: nr_owners >= 1, owners[0] is the hypervisor, current is below
 * nr_owners, no owner is listed twice.
 */
#include "conswitch.h"

#include <string.h>

void cs_focus_init(struct cs_focus *f)
{
    memset(f, 0, sizeof(*f));
    f->code = 'a' - '`';
    f->auto_switch = true;
    f->nr_owners = 1;
    f->owners[0] = CS_OWNER_HV;
}

int cs_focus_option(struct cs_focus *f, const char *text, size_t len)
{
    char c;

    if (len < 1 || len > 2 || (len == 2 && text[1] != 'x'))
        return CS_EINVAL;
    c = text[0];
    if (c >= 'A' && c <= 'Z')
        c = (char)(c - 'A' + 'a');
    if (c < '`' || c > 'z')
        return CS_EINVAL;
    f->code = (uint8_t)(c - '`');
    f->auto_switch = len == 1;
    return 0;
}

/* Index of an owner, or nr_owners. */
static unsigned int find_owner(const struct cs_focus *f, uint16_t owner)
{
    unsigned int i = 0;

    while (i < f->nr_owners && f->owners[i] != owner)
        i++;
    return i;
}

int cs_focus_add(struct cs_focus *f, uint16_t domid)
{
    if (domid == CS_OWNER_HV)
        return CS_EINVAL;
    if (find_owner(f, domid) < f->nr_owners)
        return CS_EEXIST;
    if (f->nr_owners == CS_MAX_OWNERS)
        return CS_ENOSPC;
    f->owners[f->nr_owners++] = domid;
    return 0;
}

int cs_focus_remove(struct cs_focus *f, uint16_t domid)
{
    unsigned int i = find_owner(f, domid);

    if (i == 0)
        return CS_EINVAL;
    if (i == f->nr_owners)
        return CS_ENOENT;
    if (f->current == i)
        f->current = 0;
    else if (f->current > i)
        f->current--;
    f->nr_owners--;
    for (; i < f->nr_owners; i++)
        f->owners[i] = f->owners[i + 1];
    return 0;
}

int cs_focus_set(struct cs_focus *f, uint16_t owner)
{
    unsigned int i = find_owner(f, owner);

    if (i == f->nr_owners)
        return CS_ENOENT;
    f->current = (uint8_t)i;
    return 0;
}

uint16_t cs_focus_owner(const struct cs_focus *f)
{
    return f->owners[f->current];
}

uint16_t cs_focus_next(const struct cs_focus *f)
{
    return f->owners[(f->current + 1u) % f->nr_owners];
}

bool cs_focus_dom0_started(struct cs_focus *f)
{
    uint16_t before = cs_focus_owner(f);

    (void)cs_focus_add(f, 0);
    if (f->auto_switch)
        (void)cs_focus_set(f, 0);
    return cs_focus_owner(f) != before;
}

/* A line under construction; `at` may pass `size`, nothing is written then. */
struct text {
    char *buf;
    size_t size, at;
};

static void put_char(struct text *t, char c)
{
    if (t->at < t->size)
        t->buf[t->at] = c;
    t->at++;
}

static void put_string(struct text *t, const char *s)
{
    while (*s)
        put_char(t, *s++);
}

static void put_owner(struct text *t, uint16_t owner)
{
    char digits[5];
    unsigned int nr = 0, value = owner;

    if (owner == CS_OWNER_HV) {
        put_string(t, "Xen");
        return;
    }
    put_string(t, "DOM");
    do
        digits[nr++] = (char)('0' + value % 10);
    while ((value /= 10) != 0);
    while (nr)
        put_char(t, digits[--nr]);
}

static const char lead[] = "*** Serial input -> ";

size_t cs_focus_message(const struct cs_focus *f, char *buf, size_t size)
{
    struct text t = { buf, size, 0 };

    if (!f->code)
        return 0;
    put_string(&t, lead);
    put_owner(&t, cs_focus_owner(f));
    put_string(&t, " (type 'CTRL-");
    put_char(&t, (char)('`' + f->code));
    put_string(&t, "' three times to switch input to ");
    put_owner(&t, cs_focus_next(f));
    put_string(&t, ").\n");
    put_char(&t, '\0');
    return t.at <= size ? t.at - 1 : 0;
}

static bool starts_with(const char *s, size_t len, const char *word)
{
    size_t n = strlen(word);

    return len >= n && memcmp(s, word, n) == 0;
}

/* "Xen" or "DOM<n>", followed by a space. */
static bool parse_owner(const char *s, size_t len, uint16_t *owner)
{
    uint32_t value = 0;
    size_t i = 3;

    if (starts_with(s, len, "Xen ")) {
        *owner = CS_OWNER_HV;
        return true;
    }
    if (!starts_with(s, len, "DOM"))
        return false;
    for (; i < len && s[i] >= '0' && s[i] <= '9'; i++) {
        value = value * 10 + (uint32_t)(s[i] - '0');
        if (value >= CS_OWNER_HV)
            return false;
    }
    if (i == 3 || i == len || s[i] != ' ')
        return false;
    *owner = (uint16_t)value;
    return true;
}

bool cs_focus_parse(const char *line, size_t len, uint16_t *owner)
{
    const size_t skip = sizeof(lead) - 1;

    for (size_t i = 0; i + skip < len; i++)
        if (starts_with(line + i, len - i, lead))
            return parse_owner(line + i + skip, len - i - skip, owner);
    return false;
}
