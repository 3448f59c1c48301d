# Completion of recipekit for bash: eval "$(recipekit completion bash)"
_recipekit() {
    local typed="${COMP_LINE:0:COMP_POINT}" value meaning
    local -a files
    typed="${typed##*[[:space:]]}"
    local kept="${typed%"${typed##*[=:@]}"}" # bash replaces only what follows the last of these
    COMPREPLY=()
    while IFS=$'\t' read -r value meaning; do
        if [[ $value == :files ]]; then
            mapfile -t files < <(compgen -f -- "$typed")
            COMPREPLY+=("${files[@]}")
        else
            COMPREPLY+=("${value#"$kept"}")
        fi
    done < <("$1" completion --answer --line "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=./] ]]; then
        compopt -o nospace
    fi
}
complete -o default -F _recipekit recipekit
