/* SPDX-License-Identifier: GPL-2.0-only */
/* Regular expressions by PCRE2. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "regex.h"
#include "util.h"

struct regex {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *limits;
};

/* JIT where the library has it; without, the same matches come slower. */
struct regex *regex_new(const char *pattern, bool fold, char *why,
                        size_t size)
{
    uint32_t options = PCRE2_MULTILINE | (fold ? PCRE2_CASELESS : 0);
    pcre2_compile_context *cc = pcre2_compile_context_create(NULL);
    struct regex *r = xcalloc(1, sizeof(*r));
    PCRE2_SIZE where;
    int err;

    if (cc)
        pcre2_set_newline(cc, PCRE2_NEWLINE_ANYCRLF);
    r->code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                            options, &err, &where, cc);
    pcre2_compile_context_free(cc);
    if (!r->code) {
        PCRE2_UCHAR text[120];

        pcre2_get_error_message(err, text, sizeof(text));
        snprintf(why, size, "'%s': %s (character %zu)", pattern,
                 (char *)text, (size_t)where + 1);
        free(r);
        return NULL;
    }
    pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE);
    r->data = pcre2_match_data_create_from_pattern(r->code, NULL);
    r->limits = pcre2_match_context_create(NULL);
    if (r->limits)
        pcre2_set_match_limit(r->limits, 1000000);
    return r;
}

void regex_free(struct regex *r)
{
    if (!r)
        return;
    pcre2_match_data_free(r->data);
    pcre2_match_context_free(r->limits);
    pcre2_code_free(r->code);
    free(r);
}

/* The limit on effort makes a pathological pattern fail, not hang. */
bool regex_find(struct regex *r, const char *text, size_t len, size_t from,
                size_t *start, size_t *end)
{
    PCRE2_SIZE *ov;

    if (from > len ||
        pcre2_match(r->code, (PCRE2_SPTR)text, len, from, 0, r->data,
                    r->limits) < 0)
        return false;
    ov = pcre2_get_ovector_pointer(r->data);
    /* \K can put the start behind the end. */
    *start = ov[0] < ov[1] ? ov[0] : ov[1];
    *end = ov[1];
    return true;
}

bool regex_group(struct regex *r, const char *text, unsigned nr, char *out,
                 size_t size)
{
    PCRE2_SIZE *ov = pcre2_get_ovector_pointer(r->data);

    *out = '\0';
    if (nr >= pcre2_get_ovector_count(r->data) ||
        ov[2 * nr] == PCRE2_UNSET)
        return false;
    snprintf(out, size, "%.*s", (int)(ov[2 * nr + 1] - ov[2 * nr]),
             text + ov[2 * nr]);
    return true;
}
