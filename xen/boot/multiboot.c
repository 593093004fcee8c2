/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the boot loader left: Multiboot 0.6.96 (section 3.3) and Multiboot 2
 * (section 3.6).  The EFI memory map is UEFI 2.10, section 7.2.3.
 */
#include <hv/boot.h>
#include <hv/layout.h>
#include <hv/mm.h>
#include <hv/string.h>

#include "multiboot.h"

#define MB1_LOADER_MAGIC 0x2badb002
#define MB2_LOADER_MAGIC 0x36d76289
#define STRING_POOL 8192
#define LOADER_MAPPED (1UL << 32) /* what head.S maps */

struct boot_info boot_info __ro_after_init;

static char string_pool[STRING_POOL] __initdata;
static size_t pool_used __initdata;

/* Multiboot 1: flags say which fields count. */
#define MB1_HAS_MEMORY 0x001
#define MB1_HAS_CMDLINE 0x004
#define MB1_HAS_MODULES 0x008
#define MB1_HAS_MMAP 0x040
#define MB1_HAS_LOADER 0x200
#define MB1_HAS_FRAMEBUFFER 0x1000

struct mb1_info {
    u32 flags, mem_lower, mem_upper, boot_device, cmdline;
    u32 mods_count, mods_addr, syms[4], mmap_length, mmap_addr;
    u32 drives_length, drives_addr, config_table, loader_name, apm_table;
    u32 vbe_control, vbe_mode_info;
    u16 vbe_mode, vbe_seg, vbe_off, vbe_len;
    u64 fb_addr;
    u32 fb_pitch, fb_width, fb_height;
    u8 fb_bpp, fb_type, fb_colour[6];
} __packed;

struct mb1_module {
    u32 start, end, string, reserved;
};

struct mb1_mmap {
    u32 size; /* of what follows */
    u64 addr, len;
    u32 type;
} __packed;

/* Multiboot 2: a list of tags, each aligned to 8 bytes. */
enum mb2_tag_type {
    MB2_END = 0,
    MB2_CMDLINE = 1,
    MB2_LOADER = 2,
    MB2_MODULE = 3,
    MB2_MEMORY = 4,
    MB2_MMAP = 6,
    MB2_FRAMEBUFFER = 8,
    MB2_EFI64 = 12,
    MB2_ACPI_OLD = 14,
    MB2_ACPI_NEW = 15,
    MB2_EFI_MMAP = 17,
};

struct mb2_tag {
    u32 type, size; /* size without padding */
    union {
        char string[0];
        struct {
            u32 start, end;
            char string[0];
        } module;
        struct {
            u32 lower, upper; /* KiB */
        } memory;
        struct {
            u32 entry_size, version;
            u8 entries[0];
        } mmap;
        struct {
            u64 addr;
            u32 pitch, width, height;
            u8 bpp, type;
            u16 reserved;
            u8 colour[6];
        } __packed framebuffer;
        struct {
            u64 pointer;
        } __packed efi64;
        u8 rsdp[0];
        struct {
            u32 desc_size, desc_version;
            u8 entries[0];
        } efi_mmap;
    };
};

struct mb2_mmap {
    u64 addr, len;
    u32 type, reserved;
};

struct efi_memory {
    u32 type, pad;
    u64 physical, virtual, pages, attribute;
};

/* The root pointer lives in a tag: keep a copy with an address. */
static u8 rsdp_copy[64] __aligned(16);

static const void *__init at(maddr_t ma)
{
    return (const void *)(DIRECTMAP_VIRT_START + ma);
}

/* A copy of at most max bytes that stays; "" when the pool is full. */
static const char *__init keep_string(const char *s, size_t max)
{
    size_t len = strnlen(s, max);
    char *copy = string_pool + pool_used;

    if (pool_used + len + 1 > STRING_POOL)
        return "";
    memcpy(copy, s, len);
    copy[len] = '\0';
    pool_used += len + 1;
    return copy;
}

static const char *__init skip_spaces(const char *s)
{
    while (*s == ' ')
        s++;
    return s;
}

static const char *__init skip_word(const char *s)
{
    s = skip_spaces(s);
    while (*s != ' ' && *s != '\0')
        s++;
    return skip_spaces(s);
}

/*
 * Loaders put the file's path before the arguments, except GRUB 2, whose
 * users write the word "placeholder" there by custom.
 */
static const char *__init without_path(const char *s)
{
    s = skip_spaces(s);
    if (strncmp(boot_info.loader_name, "GRUB 2", 6) != 0)
        return skip_word(s);
    if (strncmp(s, "placeholder", 11) == 0 && (s[11] == ' ' || s[11] == '\0'))
        return skip_word(s);
    return s;
}

static void __init add_region(struct raw_memory_map *map, u64 start, u64 size,
                              u32 type)
{
    if (map->nr < MAX_MEMORY_REGIONS)
        map->region[map->nr++] = (struct memory_region){start, size, type};
}

static void __init add_module(maddr_t start, maddr_t end, const char *string)
{
    struct boot_module *m = &boot_info.modules[boot_info.nr_modules];

    if (boot_info.nr_modules == MAX_BOOT_MODULES || end < start)
        return;
    m->start = start;
    m->size = end - start;
    m->cmdline = string;
    boot_info.nr_modules++;
}

/* The loader's name decides how strings are read, so this comes after it. */
static void __init strip_paths(void)
{
    boot_info.cmdline = without_path(boot_info.cmdline);
    for (unsigned int i = 0; i < boot_info.nr_modules; i++)
        boot_info.modules[i].cmdline =
            without_path(boot_info.modules[i].cmdline);
}

static void __init set_framebuffer(u64 addr, const u32 *size, u8 bpp, u8 type,
                                   const u8 *colour)
{
    __typeof__(boot_info.framebuffer) *fb = &boot_info.framebuffer;

    fb->addr = addr;
    fb->pitch = size[0];
    fb->width = size[1];
    fb->height = size[2];
    fb->bpp = bpp;
    fb->type = type;
    if (type != 1)
        return;
    fb->red_pos = colour[0];
    fb->red_size = colour[1];
    fb->green_pos = colour[2];
    fb->green_size = colour[3];
    fb->blue_pos = colour[4];
    fb->blue_size = colour[5];
}

/* Sizes of conventional and extended memory, where there is no map. */
static void __init add_simple_memory(struct raw_memory_map *map, u32 lower_kib,
                                     u32 upper_kib)
{
    add_region(map, 0, (u64)lower_kib << 10, E820_RAM);
    add_region(map, 1UL << 20, (u64)upper_kib << 10, E820_RAM);
}

static void __init read_mb1_map(const struct mb1_info *mb,
                                struct raw_memory_map *map)
{
    maddr_t end = (maddr_t)mb->mmap_addr + mb->mmap_length;
    maddr_t next;

    for (maddr_t p = mb->mmap_addr; p + sizeof(struct mb1_mmap) <= end;
         p = next) {
        const struct mb1_mmap *e = at(p);

        add_region(map, e->addr, e->len, e->type);
        next = p + e->size + sizeof(e->size);
        if (e->size < sizeof(*e) - sizeof(e->size))
            break;
    }
}

static void __init read_mb1(maddr_t info, struct raw_memory_map *map)
{
    const struct mb1_info *mb = at(info);

    if (mb->flags & MB1_HAS_LOADER)
        boot_info.loader_name = keep_string(at(mb->loader_name), 80);
    if (mb->flags & MB1_HAS_CMDLINE)
        boot_info.cmdline = keep_string(at(mb->cmdline), 2047);
    if (mb->flags & MB1_HAS_MODULES) {
        const struct mb1_module *m = at(mb->mods_addr);

        for (u32 i = 0; i < mb->mods_count && i < MAX_BOOT_MODULES; i++)
            add_module(m[i].start, m[i].end,
                       m[i].string ? keep_string(at(m[i].string), 2047) : "");
    }
    if (mb->flags & MB1_HAS_MMAP)
        read_mb1_map(mb, map);
    if (map->nr == 0 && (mb->flags & MB1_HAS_MEMORY))
        add_simple_memory(map, mb->mem_lower, mb->mem_upper);
    if (mb->flags & MB1_HAS_FRAMEBUFFER) {
        u32 size[3] = {mb->fb_pitch, mb->fb_width, mb->fb_height};

        set_framebuffer(mb->fb_addr, size, mb->fb_bpp, mb->fb_type,
                        mb->fb_colour);
    }
}

/* The types that the operating system may use after the boot services. */
static u32 __init efi_type_to_e820(u32 type)
{
    switch (type) {
    case 1: case 2: /* loader code, data */
    case 3: case 4: /* boot services code, data */
    case 7:         /* conventional */
        return E820_RAM;
    case 8: return E820_UNUSABLE;
    case 9: return E820_ACPI;
    case 10: return E820_NVS;
    default: return E820_RESERVED;
    }
}

static void __init read_efi_map(const struct mb2_tag *t,
                                struct raw_memory_map *map)
{
    u32 step = t->efi_mmap.desc_size;
    u32 room = t->size - offsetof(struct mb2_tag, efi_mmap.entries);

    if (step < sizeof(struct efi_memory))
        return;
    for (u32 p = 0; p + step <= room; p += step) {
        const struct efi_memory *e = (const void *)(t->efi_mmap.entries + p);

        add_region(map, e->physical, e->pages << PAGE_SHIFT,
                   efi_type_to_e820(e->type));
    }
}

static void __init read_mb2_map(const struct mb2_tag *t,
                                struct raw_memory_map *map)
{
    u32 step = t->mmap.entry_size;
    u32 room = t->size - offsetof(struct mb2_tag, mmap.entries);

    if (step < sizeof(struct mb2_mmap))
        return;
    for (u32 p = 0; p + step <= room; p += step) {
        const struct mb2_mmap *e = (const void *)(t->mmap.entries + p);

        add_region(map, e->addr, e->len, e->type);
    }
}

static void __init keep_rsdp(const struct mb2_tag *t)
{
    size_t len = t->size - offsetof(struct mb2_tag, rsdp);

    memcpy(rsdp_copy, t->rsdp, MIN(len, sizeof(rsdp_copy)));
    boot_info.acpi_rsdp = virt_to_maddr_image(rsdp_copy);
}

/* Tags whose meaning does not depend on other tags. */
static void __init read_mb2_tag(const struct mb2_tag *t,
                                struct raw_memory_map *map)
{
    u32 max = t->size - offsetof(struct mb2_tag, string);

    switch ((enum mb2_tag_type)t->type) {
    case MB2_CMDLINE:
        boot_info.cmdline = keep_string(t->string, max);
        break;
    case MB2_LOADER:
        boot_info.loader_name = keep_string(t->string, max);
        break;
    case MB2_MODULE:
        add_module(t->module.start, t->module.end,
                   keep_string(t->module.string, max - 8));
        break;
    case MB2_MMAP:
        read_mb2_map(t, map);
        break;
    case MB2_FRAMEBUFFER:
        set_framebuffer(t->framebuffer.addr,
                        (u32[]){t->framebuffer.pitch, t->framebuffer.width,
                                t->framebuffer.height},
                        t->framebuffer.bpp, t->framebuffer.type,
                        t->framebuffer.colour);
        break;
    case MB2_EFI64:
        boot_info.efi_system_table = t->efi64.pointer;
        break;
    case MB2_ACPI_OLD:
        if (boot_info.acpi_rsdp == 0)
            keep_rsdp(t);
        break;
    case MB2_ACPI_NEW:
        keep_rsdp(t);
        break;
    default:
        break;
    }
}

/* The next tag; NULL at the end of the list or of its total size. */
static const struct mb2_tag *__init next_tag(maddr_t info, u32 *pos)
{
    u32 total = *(const u32 *)at(info);
    const struct mb2_tag *t = at(info + *pos);

    if (*pos + 8 > total || t->type == MB2_END || t->size < 8 ||
        t->size > total - *pos)
        return NULL;
    *pos += ROUND_UP(t->size, 8U);
    return t;
}

static void __init read_mb2(maddr_t info, struct raw_memory_map *map)
{
    const struct mb2_tag *t;

    for (u32 pos = 8; (t = next_tag(info, &pos)) != NULL;)
        read_mb2_tag(t, map);
    /* Second choices, where the better tag is missing. */
    for (u32 pos = 8; map->nr == 0 && (t = next_tag(info, &pos)) != NULL;)
        if (t->type == MB2_EFI_MMAP)
            read_efi_map(t, map);
    for (u32 pos = 8; map->nr == 0 && (t = next_tag(info, &pos)) != NULL;)
        if (t->type == MB2_MEMORY)
            add_simple_memory(map, t->memory.lower, t->memory.upper);
}

const char *__init multiboot_read(u32 magic, maddr_t info,
                                  struct raw_memory_map *map)
{
    boot_info.loader_name = boot_info.cmdline = "";
    if (magic == MB1_LOADER_MAGIC)
        read_mb1(info, map);
    else if (magic == MB2_LOADER_MAGIC)
        read_mb2(info, map);
    else
        return "Not started by a Multiboot loader. Use GRUB's multiboot or multiboot2 command, or QEMU's -kernel.";
    strip_paths();
    if (map->nr == 0)
        return "The boot loader gave no memory map.";
    return NULL;
}
