# type.zsh bash|zsh SCRIPT LINE: types the line into that shell, in a terminal of its own that has read SCRIPT, and Tab.
# Prints what the shell lists, and at the end the line as it is then, as <<LINE>>.
zmodload zsh/zpty
if [[ $1 == zsh ]]; then
  zpty shell 'TERM=dumb PS1= zsh -f -i'
  first=('autoload -Uz compinit; compinit -u -D' 'shown() { print -r -- "<<$BUFFER>>"; }; zle -N shown; bindkey "^X" shown')
else
  zpty shell 'TERM=dumb PS1= bash --norc -i'
  first=("bind -x '\"\\C-x\": echo \"<<\$READLINE_LINE>>\"'; bind 'set show-all-if-ambiguous on'")
fi
for line in $first "source $2" "echo READ''Y-TO-TYPE"; do zpty -w shell "$line"; done
zpty -r -m shell said '*READY-TO-TYPE*'
zpty -w -n shell "$3"$'\t\x18'
zpty -r -m shell said '*<<*>>*'
print -r -- "$said" | tr -d '\r'
zpty -d shell
