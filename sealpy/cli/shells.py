"""What each shell runs to complete commands: it hands the words up to the cursor to sealpy, and shows what it answers.

The answer is one candidate a line, then a tab and what it is; or `:files`, where the shell looks for files itself.
"""

from __future__ import annotations

from typing import Final

__all__ = ["SCRIPTS", "VARIABLE"]

VARIABLE: Final = "_SEALPY_COMPLETE"  # in the environment: the words are to be completed, not run

# Bash cuts words at colons and equals signs too, unless somebody told it not to, as npm's completion does: the line is
# read anew, and what bash keeps is taken off.
_BASH = r"""
_sealpy() {
  local line=${COMP_LINE:0:COMP_POINT} cuts=${COMP_WORDBREAKS//[^:=]/} typed="" kept="" words answer
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] || typed=${words[${#words[@]} - 1]}
  [[ $line == *[[:space:]] ]] && words+=("")
  answer=$(_SEALPY_COMPLETE=bash "$1" "${words[@]:1}" 2>/dev/null)
  COMPREPLY=()
  if [[ $answer == ":files" ]]; then
    compopt -o default
    return
  fi
  [[ -n $cuts ]] && kept=${typed%"${typed##*["$cuts"]}"}
  local candidate
  while IFS=$'\t' read -r candidate _; do
    [[ -n $candidate ]] && COMPREPLY+=("${candidate#"$kept"}")
  done <<<"$answer"
}
complete -F _sealpy sealpy
"""

_ZSH = r"""
#compdef sealpy
_sealpy() {
  local answer line value
  local -a found
  answer=$(_SEALPY_COMPLETE=zsh "${words[1]}" "${(@)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)
  if [[ $answer == ":files" ]]; then
    _files
    return
  fi
  for line in "${(@f)answer}"; do
    value=${line%%$'\t'*}
    [[ -n $value ]] && found+=("${value//:/\\:}:${line#*$'\t'}")
  done
  _describe sealpy found
}
if [[ ${funcstack[1]} == _sealpy ]]; then
  _sealpy "$@"
else
  compdef _sealpy sealpy
fi
"""

_FISH = r"""
function __sealpy_complete
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    set -l answer (env _SEALPY_COMPLETE=fish $words[1] $words[2..-1] "$typed" 2>/dev/null)
    if test "$answer" = ":files"
        __fish_complete_path "$typed"
    else if test -n "$answer"
        printf '%s\n' $answer
    end
end
complete -c sealpy -f -a '(__sealpy_complete)'
"""

SCRIPTS: Final = {"bash": _BASH.lstrip(), "zsh": _ZSH.lstrip(), "fish": _FISH.lstrip()}
