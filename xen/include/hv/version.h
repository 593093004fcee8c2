/* SPDX-License-Identifier: GPL-2.0-only */
/* What XENVER_* and the banner say. Floor: lib. */
#ifndef HV_VERSION_H
#define HV_VERSION_H

/* The public interface that we implement. */
#define HV_VERSION_MAJOR 4
#define HV_VERSION_MINOR 17
#define HV_EXTRAVERSION ".0-pdb"

extern const char hv_compiler[], hv_build_type[], hv_build_host[];
extern const char hv_build_user[], hv_build_date[], hv_changeset[];

/*
 * lib/build-id.c: what the linker numbered this build with, in hexadecimal;
 * an empty text when it did not.  BUILD_ID_HEX_MAX is room for it.
 */
#define BUILD_ID_HEX_MAX 65
void build_id_hex(char text[BUILD_ID_HEX_MAX]);

/* hypercall/version.c: for XENVER_commandline. */
void version_save_cmdline(const char *cmdline);
const char *version_cmdline(void);

#endif
