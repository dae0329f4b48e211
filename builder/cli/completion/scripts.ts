/** Shells whose completion is known. */
export type Shell = "bash" | "zsh" | "fish";

/** What a shell loads to complete `tsbuild`: it asks the program itself, so that it is right for every version. */
export const scripts: Readonly<Record<Shell, string>> = {
  bash: `# bash completion of tsbuild:  source <(tsbuild completion bash)
_tsbuild() {
  local line files="" candidates=()
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
    :files | :directories | :none) files=$line ;;
    *) candidates+=("$line") ;;
    esac
  done < <("\${COMP_WORDS[0]/#\\~/$HOME}" __complete bash "\${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null)
  COMPREPLY=("\${candidates[@]}")
  case \${candidates[0]-} in
  *=) compopt -o nospace 2>/dev/null ;;
  esac
  [ "$files" = :none ] && return
  local kind=-f found word=\${COMP_WORDS[COMP_CWORD]}
  [ "$files" = :directories ] && kind=-d
  case $word in
  = | :) word= ;;
  esac
  while IFS= read -r found; do COMPREPLY+=("$found"); done < <(compgen "$kind" -- "$word")
  [ "\${#candidates[@]}" = 0 ] && compopt -o filenames 2>/dev/null
}
complete -F _tsbuild tsbuild
`,
  zsh: `#compdef tsbuild
# zsh completion of tsbuild:  source <(tsbuild completion zsh), or as _tsbuild in a directory of fpath
_tsbuild() {
  local line files value
  local -a plain open
  for line in "\${(@f)$("\${words[1]}" __complete zsh "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    case $line in
      :files|:directories|:none) files=$line ;;
      '') ;;
      *)
        value=\${line%%$'\\t'*}
        line=\${value//:/\\\\:}:\${line#*$'\\t'}
        if [[ $value == *= ]]; then open+=("$line"); else plain+=("$line"); fi
        ;;
    esac
  done
  (( \${#plain} )) && _describe -V 'tsbuild' plain
  (( \${#open} )) && _describe -V 'tsbuild' open -S ''
  case $files in
    :files) compset -P '*='; _files ;;
    :directories) compset -P '*='; _files -/ ;;
  esac
}
if [ "$funcstack[1]" = "_tsbuild" ]; then _tsbuild "$@"; else compdef _tsbuild tsbuild; fi
`,
  fish: `# fish completion of tsbuild:  tsbuild completion fish | source
function __tsbuild_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l prefix (string match -r '^--[^=]*=' -- $current)
    set -l path (string replace -r '^--[^=]*=' '' -- "$current")
    for line in ($words[1] __complete fish $words[2..-1] "$current" 2>/dev/null)
        switch $line
            case :files
                for found in (__fish_complete_path $path)
                    echo "$prefix$found"
                end
            case :directories
                for found in (__fish_complete_directories $path)
                    echo "$prefix$found"
                end
            case :none
            case '*'
                echo $line
        end
    end
end
complete -c tsbuild -f -a '(__tsbuild_complete)'
`,
};
