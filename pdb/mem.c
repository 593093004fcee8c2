/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory: m M x X, qCRC and qSearch.
 *
 * All of them work through mem_read() and mem_write(), page by page, so that
 * no int3 of ours is ever seen and a write under one does not remove it.
 */
#include <string.h>

#include "int.h"

#define PAGE 4096u
#define CHUNK 512u
#define MAX_PATTERN 256u
#define MAX_SCAN (1ull << 30) /* bytes one packet may make us read */

struct pdb_space space_of(struct pdb_tid t)
{
    struct pdb_space as = { PDB_SPACE_THREAD, t, 0 };

    return as;
}

static uint32_t to_page_end(uint64_t addr, uint32_t len)
{
    uint32_t room = PAGE - (uint32_t)(addr % PAGE);

    return len < room ? len : room;
}

int mem_read(struct pdb *p, const struct pdb_space *as, uint64_t addr,
             void *buf, uint32_t len)
{
    uint8_t *to = buf;
    uint32_t done = 0, n;
    int got;

    while (done < len) {
        n = to_page_end(addr + done, len - done);
        got = p->ops->read_mem(p->ctx, as, addr + done, to + done, n);
        if (got <= 0)
            return done ? (int)done : got ? got : -PDB_EFAULT;
        if ((uint32_t)got < n)
            n = (uint32_t)got;
        sites_hide(p, as, addr + done, to + done, n);
        done += n;
        if ((addr + done) % PAGE && done < len)
            break;
    }
    return (int)done;
}

/* One byte on a site goes to what the int3 hides, the rest to memory. */
static int write_run(struct pdb *p, const struct pdb_space *as, uint64_t addr,
                     const uint8_t *from, uint32_t len)
{
    uint64_t maddr;
    uint32_t n;
    int site;

    if (p->ops->translate(p->ctx, as, addr, &maddr) < 0)
        return p->ops->write_mem(p->ctx, as, addr, from, len);
    site = site_find(p, maddr);
    if (site >= 0)
        return site_write(p, site, from[0]);
    for (n = 1; n < len && site_find(p, maddr + n) < 0; n++)
        ;
    return p->ops->write_mem(p->ctx, as, addr, from, n);
}

int mem_write(struct pdb *p, const struct pdb_space *as, uint64_t addr,
              const void *buf, uint32_t len)
{
    const uint8_t *from = buf;
    uint32_t done = 0;
    int got;

    while (done < len) {
        got = write_run(p, as, addr + done, from + done,
                        to_page_end(addr + done, len - done));
        if (got <= 0)
            return done ? (int)done : got ? got : -PDB_EFAULT;
        done += (uint32_t)got;
    }
    return (int)done;
}

static bool fault_reply(struct pdb *p, int err, uint64_t addr)
{
    char where[40];
    struct pdb_out o;

    pdb_out_init(&o, where, sizeof(where) - 1, 0);
    pdb_printf(&o, "0x%lx", (unsigned long)addr);
    where[o.len] = '\0';
    return reply_error(p, err, where);
}

/*
 * After "set remoteaddresssize 48" gdb leaves out the bits behind the first 48
 * (manual, "Remote Configuration"); in a virtual address they repeat bit 47
 * (AMD vol. 2, 5.3.1, canonical form).
 */
bool in_address(const struct pdb *p, struct pdb_in *in, uint64_t *addr, char c)
{
    if (!in_hex_char(in, addr, c))
        return false;
    if (p->short_addresses && p->context.kind != PDB_SPACE_PHYS &&
        *addr >> 47 == 1)
        *addr |= ~0ull << 48;
    return true;
}

static bool in_range(const struct pdb *p, struct pdb_in *in, uint64_t *addr,
                     uint64_t *len)
{
    return in_address(p, in, addr, ',') && in_hex(in, len);
}

/* The thread whose memory is meant; its absence is an error. */
static bool current_space(struct pdb *p, struct pdb_space *as)
{
    struct pdb_tid t;

    if (!thread_pick(p, p->general, &t))
        return false;
    *as = p->context;
    as->thread = t;
    return true;
}

/* Reads what m or x names into link.rx, whose packet has been read by now. */
static int read_asked(struct pdb *p, struct pdb_in *in, uint32_t max,
                      uint64_t *addr)
{
    struct pdb_space as;
    uint64_t len;

    if (!in_range(p, in, addr, &len) || !in_end(in))
        return -PDB_EINVAL;
    if (!current_space(p, &as))
        return -PDB_ESRCH;
    if (len > max)
        len = max;
    return len ? mem_read(p, &as, *addr, p->link.rx, (uint32_t)len) : 0;
}

bool packet_m(struct pdb *p, struct pdb_in *in)
{
    uint64_t addr = 0;
    int got = read_asked(p, in, PDB_PACKET / 2, &addr);

    if (got < 0)
        return fault_reply(p, got, addr);
    pdb_put_hex(&p->reply, p->link.rx, (uint32_t)got);
    return true;
}

static void put_binary(struct pdb_out *o, const uint8_t *data, uint32_t len)
{
    for (; len; len--, data++) {
        if (strchr("#$}*", *data) && *data) {
            pdb_putc(o, '}');
            pdb_putc(o, (char)(*data ^ 0x20));
        } else {
            pdb_putc(o, (char)*data);
        }
    }
}

/* Half a packet, so that a reply of nothing but escapes still fits. */
bool packet_x(struct pdb *p, struct pdb_in *in)
{
    uint64_t addr = 0;
    int got;

    if (p->flags & PDB_SEVEN_BIT)
        return true;
    got = read_asked(p, in, PDB_PACKET / 2 - 1, &addr);
    if (got < 0)
        return fault_reply(p, got, addr);
    pdb_putc(&p->reply, 'b');
    put_binary(&p->reply, p->link.rx, (uint32_t)got);
    return true;
}

static bool write_asked(struct pdb *p, uint64_t addr, const uint8_t *data,
                        uint32_t len)
{
    struct pdb_space as;
    int got;

    if (!current_space(p, &as))
        return reply_error(p, -PDB_ESRCH, NULL);
    got = len ? mem_write(p, &as, addr, data, len) : 0;
    if (got < 0)
        return fault_reply(p, got, addr);
    if ((uint32_t)got < len)
        return fault_reply(p, -PDB_EFAULT, addr + (uint32_t)got);
    return reply_ok(p);
}

/* The decoded bytes overwrite the packet from its front, behind the cursor. */
bool packet_M(struct pdb *p, struct pdb_in *in)
{
    uint64_t addr, len;

    if (!in_range(p, in, &addr, &len) || !in_char(in, ':') ||
        len > PDB_PACKET / 2 || !in_bytes(in, p->link.rx, (uint32_t)len) ||
        !in_end(in))
        return reply_error(p, -PDB_EINVAL, "M");
    return write_asked(p, addr, p->link.rx, (uint32_t)len);
}

bool packet_X(struct pdb *p, struct pdb_in *in)
{
    uint64_t addr, len;

    if (p->flags & PDB_SEVEN_BIT)
        return true; /* the empty reply makes gdb use M */
    if (!in_range(p, in, &addr, &len) || !in_char(in, ':'))
        return reply_error(p, -PDB_EINVAL, "X");
    if (in_unescape(in, p->link.rx, PDB_PACKET) != len)
        return reply_error(p, -PDB_EINVAL, "X");
    return write_asked(p, addr, p->link.rx, (uint32_t)len);
}

/* The CRC-32 of gdb's compare-sections: polynomial 04c11db7, high bit first. */
static uint32_t crc32(uint32_t crc, const uint8_t *data, uint32_t len)
{
    unsigned int bit;

    for (; len; len--, data++) {
        crc ^= (uint32_t)*data << 24;
        for (bit = 0; bit < 8; bit++)
            crc = crc & 0x80000000u ? crc << 1 ^ 0x04c11db7u : crc << 1;
    }
    return crc;
}

bool query_crc(struct pdb *p, struct pdb_in *in)
{
    uint64_t addr, len;
    uint32_t crc = 0xffffffffu, n;
    struct pdb_space as;
    int got;

    if (!in_range(p, in, &addr, &len) || !in_end(in))
        return reply_error(p, -PDB_EINVAL, "qCRC");
    if (len > MAX_SCAN)
        return reply_error(p, -PDB_E2BIG, "qCRC of more than 1 GiB");
    if (!current_space(p, &as))
        return reply_error(p, -PDB_ESRCH, NULL);
    for (; len; len -= n, addr += n) {
        n = len < CHUNK ? (uint32_t)len : CHUNK;
        got = mem_read(p, &as, addr, p->link.rx, n);
        if (got < (int)n)
            return fault_reply(p, got < 0 ? got : -PDB_EFAULT,
                               addr + (got > 0 ? (uint32_t)got : 0));
        crc = crc32(crc, p->link.rx, n);
    }
    pdb_printf(&p->reply, "C%x", crc);
    return true;
}

/* The first place in buf where the pattern begins, or len. */
static uint32_t find_pattern(const uint8_t *buf, uint32_t len,
                             const uint8_t *pattern, uint32_t nr)
{
    uint32_t i;

    for (i = 0; i + nr <= len; i++)
        if (memcmp(buf + i, pattern, nr) == 0)
            return i;
    return len;
}

/*
 * Windows of CHUNK starting places each; every window is read with the
 * pattern's length more behind it, so that no place is missed.
 */
static bool search(struct pdb *p, const struct pdb_space *as, uint64_t addr,
                   uint64_t len, const uint8_t *pattern, uint32_t nr)
{
    uint8_t buf[CHUNK + MAX_PATTERN];
    uint32_t n, at;
    int got;

    for (; len >= nr; addr += CHUNK, len -= CHUNK) {
        n = len < CHUNK + nr - 1 ? (uint32_t)len : CHUNK + nr - 1;
        got = mem_read(p, as, addr, buf, n);
        if (got < 0)
            return fault_reply(p, got, addr);
        at = find_pattern(buf, (uint32_t)got, pattern, nr);
        if (at < (uint32_t)got) {
            pdb_printf(&p->reply, "1,%lx", (unsigned long)(addr + at));
            return true;
        }
        if ((uint32_t)got < n)
            return fault_reply(p, -PDB_EFAULT, addr + (uint32_t)got);
        if (len < CHUNK)
            break;
    }
    return reply_put(p, "0");
}

bool query_search(struct pdb *p, struct pdb_in *in)
{
    uint8_t pattern[MAX_PATTERN];
    struct pdb_space as;
    uint64_t addr, len;
    uint32_t nr;

    if (p->flags & PDB_SEVEN_BIT)
        return true; /* gdb then reads with m and looks itself */
    if (!in_address(p, in, &addr, ';') || !in_hex_char(in, &len, ';'))
        return reply_error(p, -PDB_EINVAL, "qSearch");
    nr = in_unescape(in, pattern, MAX_PATTERN);
    if (nr == 0 || in->end - in->p > (long)MAX_PATTERN)
        return reply_error(p, -PDB_EINVAL, "qSearch: pattern of 1 to 256");
    if (len > MAX_SCAN)
        return reply_error(p, -PDB_E2BIG, "search of more than 1 GiB");
    if (!current_space(p, &as))
        return reply_error(p, -PDB_ESRCH, NULL);
    return search(p, &as, addr, len, pattern, nr);
}
