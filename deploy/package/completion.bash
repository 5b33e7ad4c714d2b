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
      ' healthcheck') command=' healthcheck' ;;
    esac
  done
  case "$command ${COMP_WORDS[COMP_CWORD - 1]}" in
    ' --log-level') mapfile -t COMPREPLY < <(compgen -W 'debug error info warn warning' -- "$current"); return ;;
    ' --log.level') mapfile -t COMPREPLY < <(compgen -W 'debug error info warn warning' -- "$current"); return ;;
    ' --log.format') mapfile -t COMPREPLY < <(compgen -W 'json logfmt' -- "$current"); return ;;
    ' -c') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' --config') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' --config.file') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' --listen') return ;;
    ' --web.listen-address') return ;;
    ' --web.config.file') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' serve --log-level') mapfile -t COMPREPLY < <(compgen -W 'debug error info warn warning' -- "$current"); return ;;
    ' serve --log.level') mapfile -t COMPREPLY < <(compgen -W 'debug error info warn warning' -- "$current"); return ;;
    ' serve --log.format') mapfile -t COMPREPLY < <(compgen -W 'json logfmt' -- "$current"); return ;;
    ' serve -c') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' serve --config') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' serve --config.file') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' serve --listen') return ;;
    ' serve --web.listen-address') return ;;
    ' serve --web.config.file') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' check --format') mapfile -t COMPREPLY < <(compgen -W 'json markdown nagios text' -- "$current"); return ;;
    ' check --log-level') mapfile -t COMPREPLY < <(compgen -W 'debug error info warn warning' -- "$current"); return ;;
    ' check --log.level') mapfile -t COMPREPLY < <(compgen -W 'debug error info warn warning' -- "$current"); return ;;
    ' check --log.format') mapfile -t COMPREPLY < <(compgen -W 'json logfmt' -- "$current"); return ;;
    ' check -c') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' check --config') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' check --config.file') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' check --listen') return ;;
    ' check --web.listen-address') return ;;
    ' check --web.config.file') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' config --log-level') mapfile -t COMPREPLY < <(compgen -W 'debug error info warn warning' -- "$current"); return ;;
    ' config --log.level') mapfile -t COMPREPLY < <(compgen -W 'debug error info warn warning' -- "$current"); return ;;
    ' config --log.format') mapfile -t COMPREPLY < <(compgen -W 'json logfmt' -- "$current"); return ;;
    ' config -c') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' config --config') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' config --config.file') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' config --listen') return ;;
    ' config --web.listen-address') return ;;
    ' config --web.config.file') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' config check --log-level') mapfile -t COMPREPLY < <(compgen -W 'debug error info warn warning' -- "$current"); return ;;
    ' config check --log.level') mapfile -t COMPREPLY < <(compgen -W 'debug error info warn warning' -- "$current"); return ;;
    ' config check --log.format') mapfile -t COMPREPLY < <(compgen -W 'json logfmt' -- "$current"); return ;;
    ' config check -c') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' config check --config') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' config check --config.file') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' config check --listen') return ;;
    ' config check --web.listen-address') return ;;
    ' config check --web.config.file') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' catalogue --format') mapfile -t COMPREPLY < <(compgen -W 'markdown json' -- "$current"); return ;;
    ' catalogue --log-level') mapfile -t COMPREPLY < <(compgen -W 'debug error info warn warning' -- "$current"); return ;;
    ' catalogue --log.level') mapfile -t COMPREPLY < <(compgen -W 'debug error info warn warning' -- "$current"); return ;;
    ' catalogue --log.format') mapfile -t COMPREPLY < <(compgen -W 'json logfmt' -- "$current"); return ;;
    ' catalogue -c') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' catalogue --config') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' catalogue --config.file') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' catalogue --listen') return ;;
    ' catalogue --web.listen-address') return ;;
    ' catalogue --web.config.file') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' grants --role') return ;;
    ' grants --log-level') mapfile -t COMPREPLY < <(compgen -W 'debug error info warn warning' -- "$current"); return ;;
    ' grants --log.level') mapfile -t COMPREPLY < <(compgen -W 'debug error info warn warning' -- "$current"); return ;;
    ' grants --log.format') mapfile -t COMPREPLY < <(compgen -W 'json logfmt' -- "$current"); return ;;
    ' grants -c') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' grants --config') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' grants --config.file') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' grants --listen') return ;;
    ' grants --web.listen-address') return ;;
    ' grants --web.config.file') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' accept --reason') return ;;
    ' accept --until') return ;;
    ' accept --at-most') return ;;
    ' accept --by') return ;;
    ' accept --server') return ;;
    ' accept --database') return ;;
    ' accept --log-level') mapfile -t COMPREPLY < <(compgen -W 'debug error info warn warning' -- "$current"); return ;;
    ' accept --log.level') mapfile -t COMPREPLY < <(compgen -W 'debug error info warn warning' -- "$current"); return ;;
    ' accept --log.format') mapfile -t COMPREPLY < <(compgen -W 'json logfmt' -- "$current"); return ;;
    ' accept -c') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' accept --config') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' accept --config.file') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' accept --listen') return ;;
    ' accept --web.listen-address') return ;;
    ' accept --web.config.file') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' explain --collector') return ;;
    ' explain --log-level') mapfile -t COMPREPLY < <(compgen -W 'debug error info warn warning' -- "$current"); return ;;
    ' explain --log.level') mapfile -t COMPREPLY < <(compgen -W 'debug error info warn warning' -- "$current"); return ;;
    ' explain --log.format') mapfile -t COMPREPLY < <(compgen -W 'json logfmt' -- "$current"); return ;;
    ' explain -c') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' explain --config') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' explain --config.file') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' explain --listen') return ;;
    ' explain --web.listen-address') return ;;
    ' explain --web.config.file') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
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
    ' drill --log-level') mapfile -t COMPREPLY < <(compgen -W 'debug error info warn warning' -- "$current"); return ;;
    ' drill --log.level') mapfile -t COMPREPLY < <(compgen -W 'debug error info warn warning' -- "$current"); return ;;
    ' drill --log.format') mapfile -t COMPREPLY < <(compgen -W 'json logfmt' -- "$current"); return ;;
    ' drill -c') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' drill --config') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' drill --config.file') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' drill --listen') return ;;
    ' drill --web.listen-address') return ;;
    ' drill --web.config.file') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' healthcheck --log-level') mapfile -t COMPREPLY < <(compgen -W 'debug error info warn warning' -- "$current"); return ;;
    ' healthcheck --log.level') mapfile -t COMPREPLY < <(compgen -W 'debug error info warn warning' -- "$current"); return ;;
    ' healthcheck --log.format') mapfile -t COMPREPLY < <(compgen -W 'json logfmt' -- "$current"); return ;;
    ' healthcheck -c') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' healthcheck --config') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' healthcheck --config.file') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ' healthcheck --listen') return ;;
    ' healthcheck --web.listen-address') return ;;
    ' healthcheck --web.config.file') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
  esac
  case "$command" in
    '') mapfile -t COMPREPLY < <(compgen -W 'serve check config catalogue grants accept explain drill healthcheck -h --help --version --log-level --log.level --log.format -c --config --config.file --listen --web.listen-address --web.config.file --web.systemd-socket' -- "$current") ;;
    ' serve') mapfile -t COMPREPLY < <(compgen -W '-h --help --version --log-level --log.level --log.format -c --config --config.file --listen --web.listen-address --web.config.file --web.systemd-socket' -- "$current") ;;
    ' check') mapfile -t COMPREPLY < <(compgen -W '-h --help --format --recorded --live --only-bad --version --log-level --log.level --log.format -c --config --config.file --listen --web.listen-address --web.config.file --web.systemd-socket' -- "$current") ;;
    ' config') mapfile -t COMPREPLY < <(compgen -W 'check -h --help --version --log-level --log.level --log.format -c --config --config.file --listen --web.listen-address --web.config.file --web.systemd-socket' -- "$current") ;;
    ' config check') mapfile -t COMPREPLY < <(compgen -W '-h --help --version --log-level --log.level --log.format -c --config --config.file --listen --web.listen-address --web.config.file --web.systemd-socket' -- "$current") ;;
    ' catalogue') mapfile -t COMPREPLY < <(compgen -W '-h --help --format --version --log-level --log.level --log.format -c --config --config.file --listen --web.listen-address --web.config.file --web.systemd-socket' -- "$current") ;;
    ' grants') mapfile -t COMPREPLY < <(compgen -W '-h --help --column-wise --role --generic --version --log-level --log.level --log.format -c --config --config.file --listen --web.listen-address --web.config.file --web.systemd-socket' -- "$current") ;;
    ' accept') mapfile -t COMPREPLY < <(compgen -W '-h --help --changes --reason --until --at-most --by --server --database --now --version --log-level --log.level --log.format -c --config --config.file --listen --web.listen-address --web.config.file --web.systemd-socket' -- "$current") ;;
    ' explain') mapfile -t COMPREPLY < <(compgen -W '-h --help --collector --cost --version --log-level --log.level --log.format -c --config --config.file --listen --web.listen-address --web.config.file --web.systemd-socket' -- "$current") ;;
    ' drill') mapfile -t COMPREPLY < <(compgen -W '-h --help --server --source --kind --backup --target --jobs --user --work-dir --proof-only --record --dump --database --format --version --log-level --log.level --log.format -c --config --config.file --listen --web.listen-address --web.config.file --web.systemd-socket' -- "$current") ;;
    ' healthcheck') mapfile -t COMPREPLY < <(compgen -W '-h --help --ready --version --log-level --log.level --log.format -c --config --config.file --listen --web.listen-address --web.config.file --web.systemd-socket' -- "$current") ;;
  esac
}
complete -o filenames -F _pg_integrity_exporter pg_integrity_exporter
