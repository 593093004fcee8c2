/* SPDX-License-Identifier: GPL-2.0-only */
/* Build-ids: text, paths, and the note in an ELF file. */
#include "buildid.h"

#include <elfutils/libdwelf.h>
#include <gelf.h>
#include <stdio.h>
#include <string.h>

/* Value of a hexadecimal digit, or 16. */
static unsigned int digit(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned int)(c - '0');
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? (unsigned int)(c - 'a') + 10 : 16;
}

bool build_id_parse(const char *hex, size_t len, struct build_id *id)
{
    if (len < 2 || len % 2 || len > 2 * BUILD_ID_MAX)
        return false;
    for (size_t i = 0; i < len; i += 2) {
        unsigned int high = digit(hex[i]), low = digit(hex[i + 1]);

        if (high == 16 || low == 16)
            return false;
        id->byte[i / 2] = (uint8_t)(high << 4 | low);
    }
    id->len = len / 2;
    return true;
}

void build_id_text(const struct build_id *id, char text[2 * BUILD_ID_MAX + 1])
{
    text[0] = '\0';
    for (size_t i = 0; i < id->len; i++)
        snprintf(text + 2 * i, 3, "%02x", id->byte[i]);
}

bool build_id_same(const struct build_id *a, const struct build_id *b)
{
    return a->len && a->len == b->len && !memcmp(a->byte, b->byte, a->len);
}

bool build_id_of_path(const char *path, struct build_id *id)
{
    static const char dir[] = ".build-id/", end[] = ".debug";
    const char *at = strstr(path, dir);
    char hex[2 * BUILD_ID_MAX + 1];
    size_t len;

    if (!at)
        return false;
    at += sizeof(dir) - 1;
    len = strlen(at);
    if (len > sizeof(end) - 1 && !strcmp(at + len - (sizeof(end) - 1), end))
        len -= sizeof(end) - 1;
    /* two digits name the directory */
    if (len < 4 || at[2] != '/' || len - 1 >= sizeof(hex))
        return false;
    memcpy(hex, at, 2);
    memcpy(hex + 2, at + 3, len - 3);
    return build_id_parse(hex, len - 1, id);
}

/* What the sections say; the headers alone are read. */
static void read_sections(Elf *elf, struct elf_facts *facts)
{
    Elf_Scn *scn = NULL;
    size_t names;

    if (elf_getshdrstrndx(elf, &names) < 0)
        return;
    while ((scn = elf_nextscn(elf, scn))) {
        GElf_Shdr header;
        const char *name;

        if (!gelf_getshdr(scn, &header))
            continue;
        name = elf_strptr(elf, names, header.sh_name);
        if (name && !strcmp(name, ".debug_info"))
            facts->debug = true;
        if ((header.sh_flags & SHF_EXECINSTR) && header.sh_type != SHT_NOBITS)
            facts->code = true;
    }
}

bool build_id_read(int fd, struct elf_facts *facts)
{
    const void *id;
    ssize_t len = 0;
    Elf *elf;

    memset(facts, 0, sizeof(*facts));
    if (elf_version(EV_CURRENT) == EV_NONE)
        return false;
    elf = elf_begin(fd, ELF_C_READ, NULL);
    if (elf && elf_kind(elf) == ELF_K_ELF)
        len = dwelf_elf_gnu_build_id(elf, &id);
    if (len > 0 && len <= (ssize_t)BUILD_ID_MAX) {
        facts->id.len = (size_t)len;
        memcpy(facts->id.byte, id, (size_t)len);
        read_sections(elf, facts);
    }
    elf_end(elf);
    return facts->id.len > 0;
}
