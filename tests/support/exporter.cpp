#include "tests/support/exporter.h"

#include <csignal>
#include <filesystem>
#include <regex>
#include <stdexcept>

#include "tests/support/paths.h"
#include "tests/support/wait.h"
#include "tests/support/wire.h"

namespace pg_integrity::test {

ExporterProcess::ExporterProcess(const std::string& toml, const ProcessOptions& options)
    : options_(options), config_path_(directory_.path() + "/exporter.toml") {
  std::filesystem::create_directory(directory_.path() + "/state");
  // The libpq variables of a test's environment must not reach the program.
  for (const char* name : {"PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "DATA_SOURCE_NAME"})
    if (!options_.environment.contains(name)) options_.without.emplace_back(name);
  rewrite_configuration(toml);
  start();
}

void ExporterProcess::rewrite_configuration(const std::string& toml) const {
  directory_.write("exporter.toml", "state_dir = \"" + directory_.path() +
                                        "/state\"\nlisten = \"127.0.0.1:0\"\n" + toml);
}

void ExporterProcess::start(int port) {
  process_ = std::make_unique<Process>(
      std::vector<std::string>{program(), "--config", config_path_, "--listen",
                               "127.0.0.1:" + std::to_string(port)},
      options_);
  const std::regex listening("msg=\"listening\" url=\"http://127\\.0\\.0\\.1:([0-9]+)/\"");
  std::smatch match;
  std::string text;
  const bool up = eventually([&] {
    text = log();
    return std::regex_search(text, match, listening) || !process_->running();
  });
  if (!up || match.empty()) throw std::runtime_error("the exporter does not listen: " + log());
  port_ = std::stoi(match[1]);
}

int ExporterProcess::stop() {
  process_->signal(SIGTERM);
  const auto status = process_->wait_for(std::chrono::seconds(10));
  if (!status) throw std::runtime_error("the exporter does not end: " + log());
  return *status;
}

PageText ExporterProcess::page() const {
  if (!process_->running()) throw std::runtime_error("the exporter has ended: " + log());
  const HttpAnswer answer = fetch(port_, "/metrics");
  if (answer.status != 200)
    throw std::runtime_error("/metrics answers " + std::to_string(answer.status));
  return PageText(answer.body);
}

bool ExporterProcess::ready() const {
  return fetch(port_, "/-/ready").status == 200;
}

void ExporterProcess::wait_until_ready() const {
  std::string trouble;
  const auto is_ready = [&] {
    try {
      return ready();
    } catch (const std::runtime_error& error) {
      trouble = error.what();
      return false;
    }
  };
  if (!eventually(is_ready, std::chrono::seconds(120)))
    throw std::runtime_error("the exporter does not become ready: " + trouble + "\n" + log());
}

bool ExporterProcess::shows(const std::string& name, const LabelSet& labels, double value,
                            std::chrono::seconds patience) const {
  return eventually([&] { return this->value(name, labels) == value; }, patience);
}

bool ExporterProcess::withdraws(const std::string& name, const LabelSet& labels,
                                std::chrono::seconds patience) const {
  return eventually([&] { return !this->value(name, labels).has_value(); }, patience);
}

}  // namespace pg_integrity::test
