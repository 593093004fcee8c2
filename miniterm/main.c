/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * miniterm: a serial terminal.  Without options a pass-through; with -i the
 * full screen; with --expect a program for scripts.
 */
#include <stdio.h>

#include "line.h"
#include "plain.h"
#include "screen.h"
#include "settings.h"

static int run(const struct settings *set)
{
    switch (set->mode) {
    case MODE_SCREEN: return screen_run(set);
    case MODE_BATCH: return batch_run(set);
    case MODE_REPLAY: return replay_run(set);
    case MODE_LIST: return line_list();
    case MODE_PLAIN: break;
    }
    return plain_run(set);
}

int main(int argc, char **argv)
{
    struct settings set;
    int rc;

    settings_init(&set);
    rc = options_parse(&set, argc, argv);
    rc = rc ? rc - 1 : run(&set);
    settings_free(&set);
    return rc;
}
