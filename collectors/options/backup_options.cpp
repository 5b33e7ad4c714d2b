// The options of `backups`, as data.
#include "collectors/base/settings.h"
#include "collectors/options/backups.h"
#include "collectors/options/proof_level.h"

namespace pg_integrity {

namespace {

constexpr Option kHistoryTableOptions[] = {
    {.name = "schema", .fallback = "public", .help = "schema of the history table"},
    {.name = "table", .help = "the history table", .required = true},
    {.name = "time", .help = "column: when the backup was started", .required = true},
    {.name = "finished",
     .help = "column: when it was finished, from which missed runs count; default: `time`"},
    {.name = "kind", .help = "column: which kind it is", .required = true},
    {.name = "status", .help = "column: how it ended; without it every row is a success"},
    {.name = "success", .type = OptionType::texts, .help = "statuses that mean success"},
    {.name = "failed", .type = OptionType::texts, .help = "statuses that mean failure"},
    {.name = "running", .type = OptionType::texts, .help = "statuses that mean not finished yet"},
    {.name = "zone",
     .type = OptionType::zone,
     .help = "IANA zone of the time column, if it has none of its own"}};

/// Options of a catalogue's file or program. Both programs have the same ones.
constexpr Option kCatalogueMaxAgeOption{
    .name = "max_age",
    .type = OptionType::duration,
    .help = "`file`: an older one says nothing, and is a finding; default: 2h",
    .min = 60};
constexpr Option kCatalogueTimeoutOption{
    .name = "timeout",
    .type = OptionType::duration,
    .help =
        "`command`: it is killed if it takes longer; default: 15s; the collector's `deadline`"
        " ends it, too",
    .min = 1};
constexpr Option kCatalogueRefreshOption{
    .name = "refresh",
    .type = OptionType::duration,
    .help = "`command`: it is run so often, and after a failure with the next look; default: 5m"};

constexpr Option kDrillCommandOption{
    .name = "drill_command",
    .type = OptionType::texts,
    .help =
        "the program and its options with which `drill` restores; default: those of `command`,"
        " without its answer's format"};

constexpr Option kPgBackRestOptions[] = {
    {.name = "command",
     .type = OptionType::texts,
     .help = "the program and its arguments, run without a shell:"
             " [\"pgbackrest\", \"info\", \"--output=json\"]"},
    {.name = "file",
     .help = "instead: a file with what `pgbackrest info --output=json` prints, which a timer"
             " writes"},
    {.name = "repository",
     .type = OptionType::number,
     .help = "pgBackRest's number of the only repository that counts; default: all, each judged"
             " apart",
     .min = 1},
    {.name = "stanza", .help = "the stanza; default: the only one"},
    kCatalogueMaxAgeOption,
    kCatalogueTimeoutOption,
    kCatalogueRefreshOption,
    kDrillCommandOption};

constexpr Option kBarmanOptions[] = {
    {.name = "command",
     .type = OptionType::texts,
     .help = "the program and its arguments, run without a shell:"
             " [\"barman\", \"-f\", \"json\", \"list-backups\", \"SERVER\"]"},
    {.name = "file",
     .help = "instead: a file with what `barman -f json list-backups SERVER` prints, which a timer"
             " writes"},
    {.name = "server", .help = "the server in Barman's configuration; default: the only one"},
    kCatalogueMaxAgeOption,
    kCatalogueTimeoutOption,
    kCatalogueRefreshOption,
    kDrillCommandOption};

constexpr Option kPointerOptions[] = {
    {.name = "command",
     .type = OptionType::texts,
     .help = "the program and its arguments, run without a shell; it prints JSON:"
             " [\"wal-g\", \"backup-list\", \"--json\", \"--detail\"]"},
    {.name = "file", .help = "instead: a file with what the program prints, which a timer writes"},
    {.name = "list",
     .help = "JSON pointer (RFC 6901) to the array of backups: \"/items\"; default: the document"
             " itself"},
    {.name = "time",
     .help = "JSON pointer within a backup: when it was started; RFC 3339, seconds or milliseconds"
             " since 1970, or in the source's `zone`",
     .required = true},
    {.name = "finished",
     .help = "JSON pointer: when it was finished, from which missed runs count; default: `time`"},
    {.name = "kind",
     .help = "JSON pointer: which kind it is, as `values` or `pattern` of `kinds` say; without it"
             " there is one kind, `full`"},
    {.name = "status",
     .help = "JSON pointer: how it ended, a text, number or truth value; without it every backup is"
             " a success"},
    {.name = "success", .type = OptionType::texts, .help = "statuses that mean success"},
    {.name = "failed", .type = OptionType::texts, .help = "statuses that mean failure"},
    {.name = "running", .type = OptionType::texts, .help = "statuses that mean not finished yet"},
    {.name = "label", .help = "JSON pointer: its name, for people"},
    {.name = "size", .help = "JSON pointer: its size, a number or a text such as \"10Gi\""},
    {.name = "size_unit",
     .type = OptionType::size,
     .help = "of a size that is a number: \"1GiB\"; default: bytes",
     .min = 1},
    kCatalogueMaxAgeOption,
    kCatalogueTimeoutOption,
    kCatalogueRefreshOption};

constexpr Option kBackupKindOptions[] = {
    {.name = "values",
     .type = OptionType::texts,
     .help = "history table and `catalogue`: texts that mean this kind"},
    {.name = "pattern",
     .help = "directory: glob over the names of this kind's files; `catalogue`: over the texts at"
             " `kind`"},
    {.name = "every",
     .type = OptionType::duration,
     .help = "the schedule; without it or `at` this kind is observed, not judged",
     .min = 60},
    {.name = "at",
     .type = OptionType::texts,
     .help = "instead: the times of the day at which backups begin: [\"03:00\", \"15:00\"], of a"
             " week: [\"Sun 03:00\"]"},
    {.name = "zone",
     .type = OptionType::zone,
     .help = "IANA zone of `at`; default: the source's `zone`"},
    {.name = "grace",
     .type = OptionType::duration,
     .help = "how late a backup may be; default: a quarter of the shortest time between two"},
    {.name = "stuck_after",
     .type = OptionType::duration,
     .help = "history table, barman and `catalogue`: what says for longer that it runs is stuck;"
             " default: the longest time between two and `grace`; 1d without a schedule",
     .min = 60},
    {.name = "satisfied_by",
     .type = OptionType::texts,
     .help = "kinds that do for this one, as a full backup does for an incremental one"}};

constexpr Option kBucketOptions[] = {
    {.name = "endpoint",
     .help = "the storage's URL, such as \"https://minio.example.org:9000\"; default: that of AWS"},
    {.name = "region",
     .help = "default: AWS_REGION or AWS_DEFAULT_REGION of the environment, else us-east-1"},
    {.name = "path_style",
     .type = OptionType::flag,
     .help = "true: the bucket's name is in the path, false: in the host; default: in the path with"
             " an `endpoint`, else in the host"},
    {.name = "ca_file",
     .help = "certificates of authorities to trust, PEM; default: those of the system"},
    {.name = "credentials_file",
     .help = "a file with keys, as ~/.aws/credentials; default: the environment, then that file"},
    {.name = "profile", .help = "the profile in that file; default: AWS_PROFILE, else default"},
    {.name = "timeout",
     .type = OptionType::duration,
     .help = "of one request; default: 10s; the collector's `deadline` ends it, too",
     .min = 0.1},
    {.name = "refresh",
     .type = OptionType::duration,
     .help = "how long a listing is used again; default: 5m"},
    {.name = "requests_per_day",
     .type = OptionType::integer,
     .help = "requests that may be made in a day; a listing takes one for 1,000 objects;"
             " default: 20000",
     .min = 1},
    {.name = "bytes_per_day",
     .type = OptionType::size,
     .help = "bytes that may be received in a day; default: 1GB",
     .min = 1}};

constexpr Option kBackupSourceOptions[] = {
    {.name = "name", .help = "label `source`; unique in the server", .required = true},
    {.name = "table",
     .type = OptionType::record,
     .help = "a table that lists the backups",
     .members = kHistoryTableOptions},
    {.name = "pgbackrest",
     .type = OptionType::record,
     .help = "what pgBackRest says of its repository; kinds: full, diff, incr",
     .members = kPgBackRestOptions},
    {.name = "barman",
     .type = OptionType::record,
     .help = "what Barman says of its catalogue; kinds: full, incr",
     .members = kBarmanOptions},
    {.name = "catalogue",
     .type = OptionType::record,
     .help =
         "what any other program says of its backups, as JSON; deploy/examples/catalogues.toml has"
         " examples",
     .members = kPointerOptions},
    {.name = "directory", .help = "a directory that holds dumps or base backups"},
    {.name = "bucket",
     .help = "the same in an object storage that speaks S3: \"s3://NAME/prefix\"; options for a"
             " directory hold for it, but for those that say otherwise"},
    {.name = "s3",
     .type = OptionType::record,
     .help = "bucket: where the storage is, with which keys, and what it may cost",
     .members = kBucketOptions},
    {.name = "leaves_out",
     .type = OptionType::texts,
     .help =
         "globs over \"schema.table\" of tables that its backups lack on purpose; `drill` misses"
         " all others"},
    {.name = "encrypted",
     .type = OptionType::flag,
     .help =
         "directory: let files count that gpg, age or openssl encrypted; nobody looks into them"},
    {.name = "pattern", .fallback = "*", .help = "directory without `kinds`: glob over file names"},
    {.name = "kinds",
     .type = OptionType::named_records,
     .help = "the kinds of backup; a directory may do without: its one kind is `dump`; so may"
             " `catalogue`: `full`",
     .members = kBackupKindOptions},
    {.name = "every",
     .type = OptionType::duration,
     .help = "directory or `catalogue` without `kinds`: the schedule",
     .min = 60},
    {.name = "at",
     .type = OptionType::texts,
     .help = "directory without `kinds`, instead: the times of the day at which backups begin"},
    {.name = "grace",
     .type = OptionType::duration,
     .help = "directory without `kinds`: how late a backup may be; default: a quarter of the"
             " shortest time between two"},
    {.name = "ignore",
     .type = OptionType::texts,
     .help = "history table and `catalogue`: texts of the kind that are no backups"},
    {.name = "retention",
     .type = OptionType::duration,
     .help = "how long backups are kept: the oldest must be that old, less one run with its grace"
             " (without a schedule, less a day)"},
    {.name = "continuous",
     .type = OptionType::flag,
     .fallback = "false",
     .help = "true: these are base backups, and the server archives its log to where they are: the"
             " recovery point is then the archive's"},
    {.name = "min_size",
     .type = OptionType::size,
     .fallback = "1kB",
     .help = "directory: a smaller file is no backup"},
    {.name = "size_ratio_min",
     .type = OptionType::number,
     .help = "a newest backup that is smaller than so many times the median of those before it is a"
             " violation",
     .max = 1},
    {.name = "room_min",
     .type = OptionType::number,
     .help = "directory: its file system must have room for so many times the largest of the seven"
             " newest backups; 1.5 leaves some for growth"},
    {.name = "location",
     .help = "where the backups are, such as local or cloud; default: the source's name"},
    {.name = "copy_of", .help = "the source of which this one holds copies, in another location"},
    {.name = "locations_min",
     .type = OptionType::integer,
     .help = "in so many locations, its own and those of its copies, a backup must be that is not"
             " too old",
     .min = 1},
    {.name = "usable",
     .type = OptionType::integer,
     .help = "directory: the proof level that a backup must have reached to count; default: 2 where"
             " `drills` says where proofs are recorded, else 1",
     .min = number_of(ProofLevel::on_record),
     .max = number_of(ProofLevel::compared)},
    {.name = "proof",
     .type = OptionType::flag,
     .help = "directory: true: the exporter also reads backups to their end on a network file"
             " system; false: nowhere; default: on local file systems alone"},
    {.name = "proof_max_age",
     .type = OptionType::duration,
     .help = "how long ago a backup may have been read to its end, or restored by a drill; if it is"
             " set, more is a violation; default: 7d, and more is unproven",
     .min = 60},
    {.name = "database",
     .help = "directory: the database that archives must be of; a plain dump does not tell"},
    {.name = "wal_archive",
     .help = "directory: where the server archives its log, as segments or each one compressed, for"
             " base backups that do not hold all of it that they need"},
    {.name = "settle",
     .type = OptionType::duration,
     .fallback = "2m",
     .help = "directory: a file changed within this time is still being written"},
    {.name = "zone",
     .type = OptionType::zone,
     .fallback = "UTC",
     .help = "IANA zone of `at`, and of times in archive headers, file names, Barman's IDs and"
             " `catalogue`"}};

constexpr Option kBackupOptions[] = {
    {.name = "backups",
     .type = OptionType::records,
     .help = "where backups are recorded",
     .members = kBackupSourceOptions},
    {.name = "recovery_point_objective",
     .type = OptionType::duration,
     .help = "how old the newest point may be that the server could be brought back to",
     .min = 1}};

}  // namespace

std::span<const Option> backup_options() {
  return kBackupOptions;
}

}  // namespace pg_integrity
