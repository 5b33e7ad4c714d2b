# Completion of pg_integrity_exporter for bash. Written by deploy/package/generate.py. Do not edit.
_pg_integrity_exporter() {
  local current=${COMP_WORDS[COMP_CWORD]} command='' word i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case "$command $word" in
      ' serve') command=' serve' ;;
      ' check') command=' check' ;;
      ' config') command=' config' ;;
      ' config check') command=' config check' ;;
      ' catalogue') command=' catalogue' ;;
      ' grants') command=' grants' ;;
      ' accept') command=' accept' ;;
      ' explain') command=' explain' ;;
      ' drill') command=' drill' ;;
    esac
  done
  case "$command ${COMP_WORDS[COMP_CWORD - 1]}" in
    ' --log-level') mapfile -t COMPREPLY < <(compgen -W 'debug error info warning' -- "$current"); return ;;
    ' -c') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' --config') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' --listen') return ;;
    ' serve --log-level') mapfile -t COMPREPLY < <(compgen -W 'debug error info warning' -- "$current"); return ;;
    ' serve -c') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' serve --config') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' serve --listen') return ;;
    ' check --format') mapfile -t COMPREPLY < <(compgen -W 'json markdown nagios text' -- "$current"); return ;;
    ' check --log-level') mapfile -t COMPREPLY < <(compgen -W 'debug error info warning' -- "$current"); return ;;
    ' check -c') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' check --config') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' check --listen') return ;;
    ' config --log-level') mapfile -t COMPREPLY < <(compgen -W 'debug error info warning' -- "$current"); return ;;
    ' config -c') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' config --config') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' config --listen') return ;;
    ' config check --log-level') mapfile -t COMPREPLY < <(compgen -W 'debug error info warning' -- "$current"); return ;;
    ' config check -c') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' config check --config') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' config check --listen') return ;;
    ' catalogue --format') mapfile -t COMPREPLY < <(compgen -W 'markdown json' -- "$current"); return ;;
    ' catalogue --log-level') mapfile -t COMPREPLY < <(compgen -W 'debug error info warning' -- "$current"); return ;;
    ' catalogue -c') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' catalogue --config') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' catalogue --listen') return ;;
    ' grants --role') return ;;
    ' grants --log-level') mapfile -t COMPREPLY < <(compgen -W 'debug error info warning' -- "$current"); return ;;
    ' grants -c') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' grants --config') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' grants --listen') return ;;
    ' accept --reason') return ;;
    ' accept --until') return ;;
    ' accept --at-most') return ;;
    ' accept --by') return ;;
    ' accept --server') return ;;
    ' accept --database') return ;;
    ' accept --log-level') mapfile -t COMPREPLY < <(compgen -W 'debug error info warning' -- "$current"); return ;;
    ' accept -c') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' accept --config') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' accept --listen') return ;;
    ' explain --collector') return ;;
    ' explain --log-level') mapfile -t COMPREPLY < <(compgen -W 'debug error info warning' -- "$current"); return ;;
    ' explain -c') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' explain --config') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' explain --listen') return ;;
    ' drill --server') return ;;
    ' drill --source') return ;;
    ' drill --kind') return ;;
    ' drill --backup') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' drill --target') return ;;
    ' drill --jobs') return ;;
    ' drill --user') return ;;
    ' drill --work-dir') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' drill --dump') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' drill --database') return ;;
    ' drill --format') mapfile -t COMPREPLY < <(compgen -W 'custom directory' -- "$current"); return ;;
    ' drill --log-level') mapfile -t COMPREPLY < <(compgen -W 'debug error info warning' -- "$current"); return ;;
    ' drill -c') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' drill --config') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' drill --listen') return ;;
  esac
  case "$command" in
    '') mapfile -t COMPREPLY < <(compgen -W 'serve check config catalogue grants accept explain drill -h --help --version --log-level -c --config --listen' -- "$current") ;;
    ' serve') mapfile -t COMPREPLY < <(compgen -W '-h --help --version --log-level -c --config --listen' -- "$current") ;;
    ' check') mapfile -t COMPREPLY < <(compgen -W '-h --help --format --recorded --live --only-bad --version --log-level -c --config --listen' -- "$current") ;;
    ' config') mapfile -t COMPREPLY < <(compgen -W 'check -h --help --version --log-level -c --config --listen' -- "$current") ;;
    ' config check') mapfile -t COMPREPLY < <(compgen -W '-h --help --version --log-level -c --config --listen' -- "$current") ;;
    ' catalogue') mapfile -t COMPREPLY < <(compgen -W '-h --help --format --version --log-level -c --config --listen' -- "$current") ;;
    ' grants') mapfile -t COMPREPLY < <(compgen -W '-h --help --column-wise --role --generic --version --log-level -c --config --listen' -- "$current") ;;
    ' accept') mapfile -t COMPREPLY < <(compgen -W '-h --help --changes --reason --until --at-most --by --server --database --now --version --log-level -c --config --listen' -- "$current") ;;
    ' explain') mapfile -t COMPREPLY < <(compgen -W '-h --help --collector --cost --version --log-level -c --config --listen' -- "$current") ;;
    ' drill') mapfile -t COMPREPLY < <(compgen -W '-h --help --server --source --kind --backup --target --jobs --user --work-dir --proof-only --record --dump --database --format --version --log-level -c --config --listen' -- "$current") ;;
  esac
}
complete -o filenames -F _pg_integrity_exporter pg_integrity_exporter
