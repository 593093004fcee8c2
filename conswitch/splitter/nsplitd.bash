# SPDX-License-Identifier: GPL-2.0-only
# bash completion for nsplitd
# shellcheck shell=bash

_nsplitd()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
    local options='--port --high-port --raw-port --control-port --eight-bit
        --debug --listen --transparent --interrupt --telnet --replay --log
        --log-raw --log-size --log-keep --symbols --quiet --version --help'

    case $prev in
    --interrupt)
        mapfile -t COMPREPLY < <(compgen -W 'auto char break' -- "$cur")
        return ;;
    --log | --symbols)
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return ;;
    -p | -h | -g | -c | --port | --high-port | --raw-port | --control-port | \
        --listen | --replay | --log-size | --log-keep)
        COMPREPLY=()
        return ;;
    esac
    case $cur in
    -*)
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur") ;;
    /* | .*)
        mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    *)
        mapfile -t COMPREPLY < <(compgen -W \
            "pty unix: telnet: $(echo /dev/ttyS* /dev/ttyUSB*)" -- "$cur") ;;
    esac
}
complete -o default -F _nsplitd nsplitd
