
# Reads the words of the line. = and : divide words in bash, and not in a program's arguments.
__NAME_init_completion()
{
    COMPREPLY=()
    if declare -F _get_comp_words_by_ref >/dev/null; then
        _get_comp_words_by_ref "$@" cur prev words cword
        return
    fi
    local i last=-1
    words=()
    for ((i = 0; i <= COMP_CWORD; i++)); do
        if [[ $last -gt 0 && ( ${COMP_WORDS[i]} == [=:]* || ${words[last]} == *[=:] ) ]]; then
            words[last]+=${COMP_WORDS[i]}
        else
            last=$((last + 1))
            words[last]=${COMP_WORDS[i]}
        fi
    done
    cword=$last cur=${words[last]} prev=
    ((last > 0)) && prev=${words[last-1]}
    return 0
}
