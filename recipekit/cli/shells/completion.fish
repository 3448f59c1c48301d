# Completion of recipekit for fish: recipekit completion fish | source
function __recipekit_candidates
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    set -l found ($words[1] completion --answer -- $words[2..-1] "$typed" 2>/dev/null)
    string match -v -- :files $found
    if contains -- :files $found; or test -z "$found"
        __fish_complete_path "$typed"
    end
end
complete -c recipekit -f -a '(__recipekit_candidates)'
