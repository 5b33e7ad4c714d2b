#include "tests/support/prometheus.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "tests/support/wait.h"

namespace pg_integrity::test {

Prometheus::Prometheus(int target_port) : port_(free_port()) {
  const std::string config = directory_.write(
      "prometheus.yml",
      "global: { scrape_interval: 1s }\nscrape_configs:\n  - job_name: test\n    static_configs: "
      "[{ targets: ['127.0.0.1:" +
          std::to_string(target_port) + "'] }]\n");
  process_ = std::make_unique<Process>(std::vector<std::string>{
      "prometheus", "--config.file=" + config, "--storage.tsdb.path=" + directory_.path() + "/data",
      "--web.listen-address=127.0.0.1:" + std::to_string(port_)});
  static_cast<void>(wait_for("up == 1"));
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

}  // namespace pg_integrity::test
