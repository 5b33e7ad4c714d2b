#compdef pg_integrity_exporter
# Completion of pg_integrity_exporter for zsh. Written by deploy/package/generate.py. Do not edit.
_pg_integrity_exporter() {
  local command='' word
  for word in ${words[2,CURRENT-1]}; do
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
  case "$command" in
    '')
      local -a commands=('serve:serve metrics (the default)' 'check:make one full pass and report; exit code 0 proven, 1 violated, 2 unproven, 3 unusable, 128 and the number of a signal that interrupted it' 'config:about the configuration' 'catalogue:print every metric and configuration key' 'grants:print the least privileges for what is enabled, as SQL for psql' 'accept:accept known damage or losses for a while; prints TOML for accept_dir' 'explain:print what would be asked of databases, files and endpoints; asks nothing of it' 'drill:restore the newest backups into a throwaway server and compare; 0 proven, 1 a backup failed, 2 unproven, 3 unusable')
      _arguments -S '(-h --help)'{-h,--help}'[Print this help message and exit]' '--version[Display program version information and exit]' '--log-level[debug, info, warning or error; default\: info when serving, else warning]:text:(debug error info warning)' '(-c --config)'{-c,--config}'[configuration file; default\: DATA_SOURCE_NAME, else the file that packages install, else libpq'\''s environment]:text:_files' '--listen[address\:port, in place of the configured one]:text: ' '*:command:{_describe command commands}'
      ;;
    ' serve')
      _arguments -S '(-h --help)'{-h,--help}'[Print this help message and exit]' '--version[Display program version information and exit]' '--log-level[debug, info, warning or error; default\: info when serving, else warning]:text:(debug error info warning)' '(-c --config)'{-c,--config}'[configuration file; default\: DATA_SOURCE_NAME, else the file that packages install, else libpq'\''s environment]:text:_files' '--listen[address\:port, in place of the configured one]:text: ' '*: : '
      ;;
    ' check')
      _arguments -S '(-h --help)'{-h,--help}'[Print this help message and exit]' '--format[text, markdown, json, or nagios\: one line with the codes of plugins, 0 proven, 1 unproven, 2 violated, 3 unusable or out of reach]:text:(json markdown nagios text)' '--recorded[report the evidence on record, without touching the database; the default of --format nagios]' '--live[check now; the default of all other formats]' '--only-bad[leave out what is neither violated nor unproven]' '--version[Display program version information and exit]' '--log-level[debug, info, warning or error; default\: info when serving, else warning]:text:(debug error info warning)' '(-c --config)'{-c,--config}'[configuration file; default\: DATA_SOURCE_NAME, else the file that packages install, else libpq'\''s environment]:text:_files' '--listen[address\:port, in place of the configured one]:text: ' '*: : '
      ;;
    ' config')
      local -a commands=('check:say what is wrong with the configuration')
      _arguments -S '(-h --help)'{-h,--help}'[Print this help message and exit]' '--version[Display program version information and exit]' '--log-level[debug, info, warning or error; default\: info when serving, else warning]:text:(debug error info warning)' '(-c --config)'{-c,--config}'[configuration file; default\: DATA_SOURCE_NAME, else the file that packages install, else libpq'\''s environment]:text:_files' '--listen[address\:port, in place of the configured one]:text: ' '*:command:{_describe command commands}'
      ;;
    ' config check')
      _arguments -S '(-h --help)'{-h,--help}'[Print this help message and exit]' '--version[Display program version information and exit]' '--log-level[debug, info, warning or error; default\: info when serving, else warning]:text:(debug error info warning)' '(-c --config)'{-c,--config}'[configuration file; default\: DATA_SOURCE_NAME, else the file that packages install, else libpq'\''s environment]:text:_files' '--listen[address\:port, in place of the configured one]:text: ' '*: : '
      ;;
    ' catalogue')
      _arguments -S '(-h --help)'{-h,--help}'[Print this help message and exit]' '--format[markdown or json]:text:(markdown json)' '--version[Display program version information and exit]' '--log-level[debug, info, warning or error; default\: info when serving, else warning]:text:(debug error info warning)' '(-c --config)'{-c,--config}'[configuration file; default\: DATA_SOURCE_NAME, else the file that packages install, else libpq'\''s environment]:text:_files' '--listen[address\:port, in place of the configured one]:text: ' '*: : '
      ;;
    ' grants')
      _arguments -S '(-h --help)'{-h,--help}'[Print this help message and exit]' '--column-wise[grant single columns, no whole tables]' '--role[the role]:text: ' '--generic[for any database, without looking at one]' '--version[Display program version information and exit]' '--log-level[debug, info, warning or error; default\: info when serving, else warning]:text:(debug error info warning)' '(-c --config)'{-c,--config}'[configuration file; default\: DATA_SOURCE_NAME, else the file that packages install, else libpq'\''s environment]:text:_files' '--listen[address\:port, in place of the configured one]:text: ' '*: : '
      ;;
    ' accept')
      _arguments -S '(-h --help)'{-h,--help}'[Print this help message and exit]' '--changes[everything that is gone, or that can no longer be checked]' '--reason[why; shown in the report]:text: ' '--until[from this day on it counts again; default\: in 30 days]:text: ' '--at-most[how far its values may be off; default\: as far as they are now]:float: ' '--by[who accepts it; default\: you]:text: ' '--server[where it is, if several servers have it]:text: ' '--database[where it is, if several databases have it]:text: ' '--now[tell the exporter that runs on this machine, which keeps it in its state_dir]' '--version[Display program version information and exit]' '--log-level[debug, info, warning or error; default\: info when serving, else warning]:text:(debug error info warning)' '(-c --config)'{-c,--config}'[configuration file; default\: DATA_SOURCE_NAME, else the file that packages install, else libpq'\''s environment]:text:_files' '--listen[address\:port, in place of the configured one]:text: ' '*: : '
      ;;
    ' explain')
      _arguments -S '(-h --help)'{-h,--help}'[Print this help message and exit]' '--collector[this one only; may be repeated]:text: ' '--cost[with the planner'\''s estimates (EXPLAIN)]' '--version[Display program version information and exit]' '--log-level[debug, info, warning or error; default\: info when serving, else warning]:text:(debug error info warning)' '(-c --config)'{-c,--config}'[configuration file; default\: DATA_SOURCE_NAME, else the file that packages install, else libpq'\''s environment]:text:_files' '--listen[address\:port, in place of the configured one]:text: ' '*: : '
      ;;
    ' drill')
      _arguments -S '(-h --help)'{-h,--help}'[Print this help message and exit]' '--server[the server whose backups; default\: the only one]:text: ' '--source[this backup source only]:text: ' '--kind[this kind of backup only]:text: ' '--backup[this file or folder, not the newest]:text:_files' '--target[connection string of an empty database, in place of a throwaway server]:text: ' '--jobs[parallel jobs of pg_restore or pg_dump]:int: ' '--user[as root\: whose process the throwaway server is]:text: ' '--work-dir[where the throwaway server is made; default\: TMPDIR or /var/tmp]:text:_files' '--proof-only[read the newest backups to their end; restore nothing]' '--record[take a dump, and record what its tables hold]' '--dump[--record\: the dump to be written]:text:_files' '--database[--record\: default\: that of the connection string]:text: ' '--format[--record\: custom or directory]:text:(custom directory)' '--version[Display program version information and exit]' '--log-level[debug, info, warning or error; default\: info when serving, else warning]:text:(debug error info warning)' '(-c --config)'{-c,--config}'[configuration file; default\: DATA_SOURCE_NAME, else the file that packages install, else libpq'\''s environment]:text:_files' '--listen[address\:port, in place of the configured one]:text: ' '*: : '
      ;;
  esac
}
_pg_integrity_exporter "$@"
