#compdef recipekit
# Completion of recipekit for zsh: source <(recipekit completion zsh), or a file _recipekit in a folder of $fpath
_recipekit() {
    local line value meaning
    local -a open open_shown whole whole_shown
    for line in "${(@f)$(${(Q)words[1]} completion --answer -- "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}"; do
        value="${line%%$'\t'*}"
        meaning="${${line#$value}#$'\t'}"
        if [[ -z $value ]]; then
            continue
        elif [[ $value == :files ]]; then
            _files
        elif [[ $value == *[=./] ]]; then
            open+=("$value")
            open_shown+=("$value${meaning:+  -- $meaning}")
        else
            whole+=("$value")
            whole_shown+=("$value${meaning:+  -- $meaning}")
        fi
    done
    (( $#open )) && compadd -S '' -l -d open_shown -- "${open[@]}"
    (( $#whole )) && compadd -l -d whole_shown -- "${whole[@]}"
    (( $#open + $#whole )) || _files
}
if [[ $funcstack[1] == _recipekit ]]; then
    _recipekit "$@"
else
    compdef _recipekit recipekit
fi
