#include "tests/fuzz/targets.h"

#include <algorithm>
#include <cstdlib>
#include <variant>
#include <vector>

#include "collectors/base/errors.h"
#include "collectors/base/glob.h"
#include "collectors/base/json_pointer.h"
#include "collectors/base/qualified_name.h"
#include "collectors/base/settings.h"
#include "collectors/base/units.h"
#include "collectors/base/utf8.h"
#include "collectors/options/backups.h"
#include "collectors/postgres/sql_lexer.h"
#include "collectors/recovery/archive_check.h"
#include "collectors/recovery/archive_format.h"
#include "collectors/recovery/archive_header.h"
#include "collectors/recovery/backup_catalogue.h"
#include "collectors/recovery/base_backup_manifest.h"
#include "collectors/recovery/drill_records.h"
#include "exporter/buckets/listing.h"
#include "exporter/config/acceptances.h"
#include "exporter/config/config.h"
#include "exporter/config/conninfo.h"
#include "exporter/config/web_config.h"
#include "exporter/evidence/acceptances_section.h"
#include "exporter/evidence/evidence_section.h"
#include "exporter/evidence/state_file.h"
#include "exporter/history/history.h"
#include "exporter/http/request_head.h"
#include "exporter/io/clock.h"
#include "exporter/io/json_reader.h"
#include "exporter/metrics/metric_families.h"
#include "exporter/postgres/server_errors.h"
#include "exporter/report/html_escape.h"
#include "exporter/report/printable.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test {

namespace {

/// Ends the process, which the fuzzer and the test both notice, in an optimised build, too.
void require(bool right) {
  if (!right) std::abort();
}

const Clock& real_clock() {
  static const SystemClock clock;
  return clock;
}

/// A file with these bytes. Its directory lives as long as the process.
std::string file_of(std::string_view bytes, const std::string& name) {
  static const TemporaryDirectory directory;
  return directory.write(name, std::string(bytes));
}

void head(std::string_view bytes) {
  const auto read = read_head(bytes);
  if (const auto* known = std::get_if<RequestHead>(&read)) {
    require(!path_of(*known).empty());
    const auto again = read_head(plain_head(*known));
    require(std::holds_alternative<RequestHead>(again));
    require(std::get<RequestHead>(again).target == known->target);
    static_cast<void>(may_be_rebound(known->host, {"*.example.org"}));
    static_cast<void>(accepts_gzip(known->accept_encoding));
  }
}

void web_config(std::string_view bytes) {
  static_cast<void>(read_web_config(file_of(bytes, "web.yml")));
}

void configuration(std::string_view bytes) {
  const auto read = read_configuration(file_of(bytes, "exporter.toml"));
  if (const auto* faults = std::get_if<std::vector<std::string>>(&read)) require(!faults->empty());
}

void acceptances(std::string_view bytes) {
  static_cast<void>(parse_acceptances(std::string(bytes), "accept.toml", Options{}));
}

void conninfo(std::string_view bytes) {
  try {
    const std::string dsn(bytes);
    static_cast<void>(target_of(dsn));
    static_cast<void>(one_by_one(completed(dsn, "shop", "-c a=b")));
    static_cast<void>(visible(dsn, "shop"));
  } catch (const ConfigError&) {
    return;
  }
}

void archive(std::string_view bytes) {
  static_cast<void>(archive_header(unwrapped_archive(bytes)));
  static_cast<void>(archive_contents(unwrapped_archive(bytes)));
  static_cast<void>(is_tar_of(bytes, "toc.dat"));
  static_cast<void>(is_compressed(bytes));
  static_cast<void>(encrypted_by(bytes));
  static_cast<void>(shows_data(bytes));
  static_cast<void>(is_backup(bytes));
  static_cast<void>(ends_as_plain_dump(bytes));
  try {
    static_cast<void>(header_time(bytes, real_clock(), "Europe/Berlin"));
    static_cast<void>(name_time(std::string(bytes.substr(0, 255)), real_clock(), "UTC"));
  } catch (const SourceError&) {
    return;
  }
}

void manifest(std::string_view bytes) {
  const auto read = read_manifest(bytes);
  static_cast<void>(label_time(bytes, real_clock(), "UTC"));
  if (read) static_cast<void>(segments_needed(*read, bytes));
}

/// Any document, by pointers that lead into the worked examples.
void pointed_catalogue(std::string_view bytes) {
  BackupCatalogue of;
  of.format = CatalogueFormat::pointers;
  of.zone = "Europe/Berlin";
  CataloguePointers& at = of.pointers.emplace();
  at.time = {"time"};
  at.finished = JsonPointer{"finished"};
  at.kind = JsonPointer{"kind"};
  at.status = JsonPointer{"status"};
  at.name = JsonPointer{"name"};
  at.size = JsonPointer{"size"};
  at.success = {"done"};
  at.running = {"running"};
  at.size_unit = 1024;
  const std::vector<BackupKind> kinds{{"full", {"full"}, "*_full", {}}};
  for (const char* list : {"", "items"}) {
    if (*list != '\0') at.list = {list};
    try {
      static_cast<void>(read_catalogue(SaxJson(), real_clock(), of, std::string(bytes), kinds));
    } catch (const SourceError&) {
      continue;
    }
  }
}

void catalogue(std::string_view bytes) {
  pointed_catalogue(bytes);
  for (const CatalogueFormat format : {CatalogueFormat::pgbackrest, CatalogueFormat::barman}) {
    BackupCatalogue of;
    of.format = format;
    of.name = "main";
    try {
      static_cast<void>(
          read_catalogue(SaxJson(), real_clock(), of, std::string(bytes), catalogue_kinds(format)));
    } catch (const SourceError&) {
      continue;
    }
  }
}

void json(std::string_view bytes) {
  const SaxJson reader;
  try {
    static_cast<void>(reader.count(bytes, JsonPointer{"items", "0", "count"}));
  } catch (const SourceError&) {
    // Reading it whole may still succeed.
  }
  try {
    static_cast<void>(reader.read(bytes));
  } catch (const SourceError&) {
    return;
  }
}

void records(std::string_view bytes) {
  const SaxJson reader;
  try {
    const JsonValue document = reader.read(bytes);
    try {
      static_cast<void>(proof_from(document));
    } catch (const SourceError&) {
      static_cast<void>(drill_from(document));
    }
  } catch (const SourceError&) {
    return;
  }
}

void state(std::string_view bytes) {
  static const TemporaryDirectory directory;
  directory.write("evidence.json", std::string(bytes));
  try {
    const SavedState saved = load_state(directory.path());
    static_cast<void>(evidence_on_record(saved, real_clock()));
    static_cast<void>(acceptances_on_record(saved));
    History(true).restore(saved);
  } catch (const SourceError&) {
    return;
  }
}

/// Names of a watched database reach labels, pages and logs.
void names(std::string_view bytes) {
  const std::string text(bytes);
  MetricFamilies families;
  families.gauge("pg_integrity_fuzz", "For the fuzzer.", {{"name", text}}, 1);
  const std::string page = families.take_text();
  // Whatever the name is, there are two lines of help and type, and one of the series.
  require(std::count(page.begin(), page.end(), '\n') == 3);
  require(printable(text).find('\n') == std::string::npos);
  require(escaped(text).find('<') == std::string::npos);
  for (std::string_view rest = bytes; !rest.empty();) {
    const auto character = first_utf8(rest);
    rest.remove_prefix(character ? character->bytes : 1);
  }
  static_cast<void>(matches_glob(text.substr(0, 64), "public.orders"));
  static_cast<void>(matches_glob("*a*b*", text));
}

void sql(std::string_view bytes) {
  for (const std::string_view piece : sql_pieces(bytes)) static_cast<void>(sql_name(piece));
  static_cast<void>(query_fault(bytes));
  static_cast<void>(sql_identifier(std::string(bytes)));
}

void server_words(std::string_view bytes) {
  const std::string text(bytes);
  static_cast<void>(read_message(text));
  const ServerMessage said = read_connection_message(text);
  require(said.text.find('\n') == std::string::npos);
  static_cast<void>(login_error(said.sqlstate, said.text));
  static_cast<void>(server_error(said.sqlstate, text));
}

/// What an object storage answers.
void object_listing(std::string_view bytes) {
  if (const auto refusal = read_refusal(bytes)) require(!refusal->code.empty());
  static_cast<void>(parse_iso_time(bytes));
  try {
    const ListingPage page = read_listing_page(bytes);
    require(page.objects.size() <= kPageObjects);
    for (const BucketObject& object : page.objects) require(!object.key.empty());
  } catch (const SourceError&) {
    return;
  }
}

}  // namespace

const std::map<std::string, FuzzTarget>& fuzz_targets() {
  static const std::map<std::string, FuzzTarget> targets{
      {"acceptances", acceptances},
      {"archive", archive},
      {"catalogue", catalogue},
      {"configuration", configuration},
      {"conninfo", conninfo},
      {"head", head},
      {"json", json},
      {"manifest", manifest},
      {"names", names},
      {"object_listing", object_listing},
      {"records", records},
      {"server_words", server_words},
      {"sql", sql},
      {"state", state},
      {"web_config", web_config},
  };
  return targets;
}

}  // namespace pg_integrity::test
