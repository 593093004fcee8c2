/* SPDX-License-Identifier: GPL-2.0-only */
/* Names that the host's C library has as well. */
#define memchr hv_memchr
#define strnlen hv_strnlen
#define strcmp hv_strcmp
#define strncmp hv_strncmp
#define strchr hv_strchr
#define strstr hv_strstr
#define strlcpy hv_strlcpy
#define strtoul hv_strtoul
#define snprintf hv_snprintf
#define vsnprintf hv_vsnprintf
