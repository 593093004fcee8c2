# SPDX-License-Identifier: GPL-2.0-only
# bash completion for xencons and console_client.py
# shellcheck shell=bash

_xencons()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
    local options='--reconnect --log --telnet --raw --call --break --escape --quiet
        --version --help'

    case $prev in
    -l | --log)
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return ;;
    -b | -e | -c | --break | --escape | --call)
        COMPREPLY=()
        return ;;
    esac
    case $cur in
    -*)
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur") ;;
    *)
        mapfile -t COMPREPLY < <(compgen -A hostname -W 'localhost unix:' \
            -- "$cur") ;;
    esac
}
complete -F _xencons xencons console_client.py
