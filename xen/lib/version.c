/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Facts of the build. Nothing of the machine or the hour goes in: the same
 * source gives the same image.
 */
#include <hv/version.h>

const char hv_compiler[] = "gcc " __VERSION__;
#ifdef NDEBUG
const char hv_build_type[] = "release";
#else
const char hv_build_type[] = "debug";
#endif
const char hv_build_user[] = "build";
const char hv_build_host[] = "localdomain";
const char hv_build_date[] = "reproducible";
const char hv_changeset[] = "unknown";
