export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

// What a shell is told: to ask `vault-run completion SHELL --words` and to do what its first line says. The words typed so far
// go there by standard input, each ended by a NUL: a value that someone typed by mistake is in no list of processes, and
// nothing that was typed is evaluated.

const BASH = `# bash completion for vault-run: eval "$(vault-run completion bash)"
_vault_run() {
  # bash breaks words at every =, whatever is around it.
  local -a words=() lines=()
  local i word current value before=""
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if ((\${#words[@]} > 0)) && [[ $word == "=" || \${words[-1]} == *= ]]; then
      words[-1]+=$word
    else
      words+=("$word")
    fi
  done
  current=\${words[-1]}
  mapfile -t lines < <(printf '%s\\0' "\${words[@]}" | command vault-run completion bash --words 2>/dev/null)
  # A path may be an option's value. Of what is typed, bash puts a completion in the place of what the last = is before.
  value=$current
  [[ $current == --*=* ]] && value=\${current#*=}
  [[ $COMP_WORDBREAKS == *=* ]] && before=\${current%"\${current##*=}"}
  COMPREPLY=()
  case "\${lines[0]}" in
    files) compopt -o filenames; _vault_run_paths -f ;;
    folders) compopt -o filenames; _vault_run_paths -d ;;
    "command "*) _vault_run_command "\${lines[0]#command }" "$current" ;;
    words)
      for word in "\${lines[@]:1}"; do
        word=\${word%%$'\\t'*}
        [[ $word == */ ]] && compopt -o nospace
        COMPREPLY+=("\${word#"$before"}")
      done ;;
  esac
}
_vault_run_paths() {
  local path
  while IFS= read -r path; do
    path=\${current%"$value"}$path
    COMPREPLY+=("\${path#"$before"}")
  done < <(compgen "$1" -- "$value")
}
_vault_run_command() {
  local offset=$(($1 + 1))
  if declare -F _comp_command_offset >/dev/null; then
    _comp_command_offset "$offset"
  elif declare -F _command_offset >/dev/null; then
    _command_offset "$offset"
  elif ((COMP_CWORD == offset)); then
    mapfile -t COMPREPLY < <(compgen -c -- "$2")
  else
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -f -- "$2")
  fi
}
complete -F _vault_run vault-run
`;

const ZSH = `#compdef vault-run
# zsh completion for vault-run: eval "$(vault-run completion zsh)", or this text as _vault-run in a folder of $fpath
_vault_run() {
  local line word skip
  local -a lines plain open told
  lines=("\${(@f)$(print -rN -- "\${(@Q)words[2,CURRENT]}" | command vault-run completion zsh --words 2>/dev/null)}")
  case $lines[1] in
    files) compset -P 1 '--*='; _files ;;
    folders) compset -P 1 '--*='; _files -/ ;;
    command\\ *)
      skip=\${lines[1]#command }
      shift $((skip + 1)) words
      ((CURRENT -= skip + 1))
      _normal ;;
    words)
      for line in "\${(@)lines[2,-1]}"; do
        word=\${line%%$'\\t'*}
        if [[ $word == */ ]]; then
          open+=("$word")
        elif [[ $line == *$'\\t'* ]]; then
          told+=("\${word//:/\\\\:}:\${line#*$'\\t'}")
        else
          plain+=("$word")
        fi
      done
      (($#told)) && _describe vault-run told
      (($#plain)) && compadd -- "\${(@)plain}"
      (($#open)) && compadd -S '' -- "\${(@)open}"
      (($#told + $#plain + $#open)) ;;
  esac
}
if [[ $funcstack[1] == _vault-run ]]; then
  _vault_run "$@"
else
  (($+functions[compdef])) || { autoload -Uz compinit && compinit }
  compdef _vault_run vault-run
fi
`;

const FISH = `# fish completion for vault-run: vault-run completion fish | source
function __vault_run_complete
    set -l current "$(commandline -ct)"
    set -l words (commandline -opc) "$current"
    set -l option "$(string match -r -- '^--[^=]*=' "$current")"
    set -l value "$(string replace -r -- '^--[^=]*=' '' "$current")"
    set -l lines (string join0 -- $words[2..-1] | command vault-run completion fish --words 2>/dev/null)
    switch "$lines[1]"
        case files
            string join \\n -- "$option"(__fish_complete_path "$value")
        case folders
            string join \\n -- "$option"(__fish_complete_directories "$value")
        case 'command *'
            set -l begin (math (string replace 'command ' '' -- $lines[1]) + 2)
            complete -C "$(string join ' ' -- (string escape -- $words[$begin..-2]) $words[-1])"
        case words
            test (count $lines) -gt 1; and printf '%s\\n' $lines[2..-1]
    end
end
complete -c vault-run -f -a '(__vault_run_complete)'
`;

export const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
