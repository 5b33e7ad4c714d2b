#include "tests/support/demo.h"

#include <fstream>
#include <stdexcept>
#include <string_view>

#include "tests/support/paths.h"
#include "tests/support/wait.h"

namespace pg_integrity::test {

namespace {

/// The API's address in the demo's configuration.
constexpr std::string_view kApiAddress = "127.0.0.1:7777";

}  // namespace

Demo::Demo(const std::map<std::string, std::string>& settings) : cluster(settings) {
  database.run_file(source_path("deploy/demo/database.sql"));
  database.run_file(source_path("deploy/grants.sql"));
  api_ = std::make_unique<Process>(
      std::vector<std::string>{"python3", source_path("deploy/demo/api.py")}, environment());
  if (!eventually([&] { return api_->out().ends_with('\n'); }))
    throw std::runtime_error("the demo's API does not start: " + api_->err());
  const std::string port = api_->out();
  api_address_ = "127.0.0.1:" + port.substr(0, port.size() - 1);
}

ProcessOptions Demo::environment() const {
  return {{{"PGHOST", "127.0.0.1"},
           {"PGPORT", std::to_string(cluster.port())},
           {"PGUSER", "pgintegrity"},
           {"PGDATABASE", "tovplay"}},
          {"DATA_SOURCE_NAME"},
          false};
}

std::string Demo::configuration() const {
  std::ifstream file(source_path("deploy/demo/exporter.toml"));
  std::string text;
  bool found = false;
  for (std::string line; std::getline(file, line);) {
    const bool listen = line.starts_with("listen = ");
    found = found || listen;
    if (!listen) text += line + "\n";
  }
  for (std::size_t at = 0; (at = text.find(kApiAddress, at)) != std::string::npos;
       at += api_address_.size())
    text.replace(at, kApiAddress.size(), api_address_);
  if (!found) throw std::runtime_error("the demo's configuration says nowhere where it listens");
  return text;
}

}  // namespace pg_integrity::test
