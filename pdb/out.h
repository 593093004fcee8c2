/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A bounded text sink with a window.
 *
 * Whatever produces text for gdb (XML documents, tables, command output)
 * writes it from its beginning each time; the sink drops the first `skip`
 * characters, keeps the next `size`, and notes whether more would have come.
 * So a document of any length leaves in pieces with no memory to hold it,
 * as long as its producer says the same thing twice: true while stopped.
 */
#ifndef PDB_OUT_H
#define PDB_OUT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

struct pdb_out {
    char *buf;      /* where the window's characters go; not terminated */
    uint32_t size;  /* room in buf */
    uint32_t len;   /* characters kept so far, <= size */
    uint64_t skip;  /* characters still to be dropped before the window */
    bool more;      /* something did not fit behind the window */
};

void pdb_out_init(struct pdb_out *o, char *buf, uint32_t size, uint64_t skip);

void pdb_putc(struct pdb_out *o, char c);
void pdb_puts(struct pdb_out *o, const char *s);
void pdb_put_line(struct pdb_out *o, const char *s); /* as far as its '\n' */
void pdb_put(struct pdb_out *o, const char *s, uint32_t len);

/* len bytes as 2 * len lower-case hex digits. */
void pdb_put_hex(struct pdb_out *o, const void *data, uint32_t len);

/* v as `digits` lower-case hex digits, leading zeros kept. */
void pdb_put_hex_fixed(struct pdb_out *o, uint64_t v, unsigned int digits);

/* s with the five characters that XML gives a meaning replaced. */
void pdb_put_xml(struct pdb_out *o, const char *s);

/*
 * Formats: %s %c %d %u %x %ld %lu %lx %%, a field width (with '-' to pad on
 * the right and '0' to pad with zeros) and a precision for %s.  Anything else
 * is shown as it stands.
 */
void pdb_printf(struct pdb_out *o, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void pdb_vprintf(struct pdb_out *o, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/*
 * One cell of an `info os` row: pdb_column(o, "domain", "%d", 3).  The value
 * is cut at 120 characters and escaped for XML.
 */
void pdb_column(struct pdb_out *o, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif /* PDB_OUT_H */
