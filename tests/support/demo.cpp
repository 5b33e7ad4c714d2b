#include "tests/support/demo.h"

#include <fstream>
#include <stdexcept>

namespace pg_integrity::test {

Demo::Demo() {
  database.run_file(PG_INTEGRITY_SOURCE_DIR "/deploy/demo/database.sql");
  database.run_file(PG_INTEGRITY_SOURCE_DIR "/deploy/grants.sql");
}

ProcessOptions Demo::environment() const {
  return {{{"PGHOST", "127.0.0.1"},
           {"PGPORT", std::to_string(cluster.port())},
           {"PGUSER", "pgintegrity"},
           {"PGDATABASE", "tovplay"}},
          {"DATA_SOURCE_NAME"},
          false};
}

std::string Demo::configuration() {
  std::ifstream file(PG_INTEGRITY_SOURCE_DIR "/deploy/demo/exporter.toml");
  std::string text;
  bool found = false;
  for (std::string line; std::getline(file, line);) {
    const bool listen = line.starts_with("listen = ");
    found = found || listen;
    if (!listen) text += line + "\n";
  }
  if (!found) throw std::runtime_error("the demo's configuration says nowhere where it listens");
  return text;
}

}  // namespace pg_integrity::test
