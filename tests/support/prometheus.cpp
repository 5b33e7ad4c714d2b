#include "tests/support/prometheus.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "tests/support/paths.h"
#include "tests/support/wait.h"

namespace pg_integrity::test {

namespace {

std::string configuration(int target_port, const PrometheusOptions& options) {
  std::string text =
      "global:\n  scrape_interval: 1s\n  evaluation_interval: 1s\n"
      "  external_labels: { pg_integrity_runbooks: 'https://runbooks.example' }\n";
  if (!options.rules.empty()) text += "rule_files: ['" + options.rules + "/*.rules.yml']\n";
  if (options.alertmanager_port != 0)
    text +=
        "alerting:\n  alert_relabel_configs:\n"
        "    - { regex: pg_integrity_(runbooks|report), action: labeldrop }\n"
        "  alertmanagers: [{ static_configs: [{ targets: ['127.0.0.1:" +
        std::to_string(options.alertmanager_port) + "'] }] }]\n";
  return text + "scrape_configs:\n  - job_name: " + options.job + "\n" + options.scrape +
         "    static_configs: [{ targets: ['127.0.0.1:" + std::to_string(target_port) + "'] }]\n";
}

}  // namespace

Prometheus::Prometheus(int target_port, const PrometheusOptions& options) : port_(free_port()) {
  const std::string config =
      directory_.write("prometheus.yml", configuration(target_port, options));
  process_ = std::make_unique<Process>(std::vector<std::string>{
      "prometheus", "--config.file=" + config, "--storage.tsdb.path=" + directory_.path() + "/data",
      "--web.listen-address=127.0.0.1:" + std::to_string(port_)});
  static_cast<void>(wait_for("up == 1"));
}

std::string Prometheus::api(const std::string& path) const {
  return run({"curl", "-sf", "http://127.0.0.1:" + std::to_string(port_) + "/api/v1/" + path}).out;
}

std::vector<Series> Prometheus::query(const std::string& expression) const {
  const Finished answer =
      run({"curl", "-sfG", "http://127.0.0.1:" + std::to_string(port_) + "/api/v1/query",
           "--data-urlencode", "query=" + expression});
  if (answer.status != 0) return {};
  std::vector<Series> found;
  const auto json = nlohmann::json::parse(answer.out);
  for (const auto& one : json.at("data").at("result")) {
    Series series;
    series.labels = one.at("metric").get<LabelSet>();
    series.name = series.labels["__name__"];
    series.labels.erase("__name__");
    series.value = std::stod(one.at("value").at(1).get<std::string>());
    found.push_back(std::move(series));
  }
  return found;
}

std::vector<Series> Prometheus::wait_for(const std::string& expression) const {
  std::vector<Series> found;
  const bool came = eventually(
      [&] {
        found = query(expression);
        return !found.empty();
      },
      std::chrono::seconds(60));
  if (!came) throw std::runtime_error("never seen: " + expression + "\n" + process_->err());
  return found;
}

void write_hurried_alerts(const std::string& directory, const std::string& webhook) {
  const Finished done = run({source_path("deploy/hurried_alerts.sh"), directory, webhook});
  if (done.status != 0) throw std::runtime_error("hurried_alerts.sh: " + done.err);
}

Alertmanager::Alertmanager(const std::string& config_path)
    : port_(free_port()),
      process_({"prometheus-alertmanager", "--config.file=" + config_path,
                "--storage.path=" + directory_.path(), "--cluster.listen-address=",
                "--web.listen-address=127.0.0.1:" + std::to_string(port_)}) {
  const bool ready = eventually([&] {
    return run({"curl", "-sf", "http://127.0.0.1:" + std::to_string(port_) + "/-/ready"}).status ==
               0 ||
           !process_.running();
  });
  if (!ready || !process_.running())
    throw std::runtime_error("Alertmanager does not start: " + process_.err());
}

}  // namespace pg_integrity::test
