/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading packets.  A reader that fails leaves the cursor anywhere: the
 * packet is refused then.  None looks behind the end.
 */
#include "int.h"

int pdb_nibble(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool in_end(const struct pdb_in *in)
{
    return in->p == in->end;
}

bool in_char(struct pdb_in *in, char c)
{
    if (in_end(in) || *in->p != (uint8_t)c)
        return false;
    in->p++;
    return true;
}

bool in_word(struct pdb_in *in, const char *word)
{
    const uint8_t *p = in->p;

    for (; *word; word++, p++)
        if (p == in->end || *p != (uint8_t)*word)
            return false;
    in->p = p;
    return true;
}

bool in_hex(struct pdb_in *in, uint64_t *v)
{
    unsigned int nr = 0;
    int d;

    *v = 0;
    for (; !in_end(in) && (d = pdb_nibble(*in->p)) >= 0; in->p++) {
        if (*v >> 60)
            return false;
        *v = *v << 4 | (uint64_t)d;
        nr++;
    }
    return nr > 0;
}

bool in_u32(struct pdb_in *in, uint32_t *v)
{
    uint64_t wide;

    if (!in_hex(in, &wide) || wide > UINT32_MAX)
        return false;
    *v = (uint32_t)wide;
    return true;
}

bool in_hex_char(struct pdb_in *in, uint64_t *v, char c)
{
    return in_hex(in, v) && in_char(in, c);
}

bool in_bytes(struct pdb_in *in, void *buf, uint32_t len)
{
    uint8_t *to = buf;
    int hi, lo;

    if ((uint64_t)(in->end - in->p) < 2ull * len)
        return false;
    for (; len; len--, in->p += 2) {
        hi = pdb_nibble(in->p[0]);
        lo = pdb_nibble(in->p[1]);
        if (hi < 0 || lo < 0)
            return false;
        *to++ = (uint8_t)(hi << 4 | lo);
    }
    return true;
}

static bool in_id(struct pdb_in *in, int32_t *id)
{
    uint64_t v;

    if (in_word(in, "-1")) {
        *id = -1;
        return true;
    }
    if (!in_hex(in, &v) || v > INT32_MAX)
        return false;
    *id = (int32_t)v;
    return true;
}

bool in_tid(struct pdb_in *in, struct pdb_tid *t)
{
    if (!in_char(in, 'p')) {
        if (!in_id(in, &t->tid))
            return false;
        /* Without multiprocess ids there is only the hypervisor to name. */
        t->pid = t->tid > 0 ? PDB_PID_HYPERVISOR : t->tid;
        return true;
    }
    t->tid = -1;
    if (!in_id(in, &t->pid))
        return false;
    return !in_char(in, '.') || in_id(in, &t->tid);
}

uint32_t in_unescape(const struct pdb_in *in, uint8_t *buf, uint32_t max)
{
    const uint8_t *from = in->p;
    uint32_t len = 0;

    while (from != in->end && len < max) {
        uint8_t c = *from++;

        if (c == '}' && from != in->end)
            c = *from++ ^ 0x20;
        buf[len++] = c;
    }
    return len;
}

bool pdb_parse_number(const char **s, uint64_t *v)
{
    const char *c = *s;
    unsigned int base = 10, nr = 0;
    int d;

    if (c[0] == '0' && (c[1] == 'x' || c[1] == 'X')) {
        base = 16;
        c += 2;
    }
    for (*v = 0; (d = pdb_nibble((uint8_t)*c)) >= 0; c++, nr++) {
        if ((unsigned int)d >= base ||
            *v > (UINT64_MAX - (unsigned int)d) / base)
            return false;
        *v = *v * base + (unsigned int)d;
    }
    *s = c;
    return nr > 0;
}
