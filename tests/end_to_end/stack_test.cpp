// deploy/stack.sh: Prometheus and Alertmanager beside an exporter, for people to try.
#include <gtest/gtest.h>

#include <csignal>

#include "tests/support/demo.h"
#include "tests/support/exporter.h"
#include "tests/support/paths.h"
#include "tests/support/wait.h"

namespace pg_integrity::test::stack_test {
namespace {

TEST(Stack, ShowsWhatFiresAndLeavesNothingBehind) {
  const Demo demo;
  const ExporterProcess exporter(demo.configuration(), demo.environment());
  exporter.wait_until_ready();
  const std::string prometheus = "127.0.0.1:" + std::to_string(free_port());
  const std::string alertmanager = "127.0.0.1:" + std::to_string(free_port());
  ProcessOptions options;
  options.environment = {{"PROMETHEUS", prometheus}, {"ALERTMANAGER", alertmanager}};
  Process stack({source_path("deploy/stack.sh"), "127.0.0.1:" + std::to_string(exporter.port())},
                options);
  const auto says = [&](const std::string& text) {
    return stack.out().find(text) != std::string::npos;
  };
  EXPECT_TRUE(eventually([&] { return says("Firing:") || !stack.running(); }))
      << stack.out() << stack.err();
  EXPECT_TRUE(says("http://" + prometheus + "/alerts\n")) << stack.out();
  for (const char* alert :
       {"PgIntegrityApiRowDifference (1)", "PgIntegrityAuditTriggerDisabled (11)",
        "PgIntegrityBackupOverdue (1)", "PgIntegrityConnectionLogSilent (1)",
        "PgIntegrityProtectionStale (1)", "PgIntegrityRecoveryPointTooOld (1)"})
    EXPECT_TRUE(says(alert)) << alert << "\n" << stack.out() << stack.err();
  stack.signal(SIGTERM);
  EXPECT_EQ(stack.wait_for(std::chrono::seconds(30)), 143);
  for (const std::string& address : {prometheus, alertmanager})
    EXPECT_NE(run({"curl", "-s", "http://" + address + "/-/ready"}).status, 0) << address;
}

TEST(Stack, DoesNotTakeSomebodysPrometheusForItsOwn) {
  const Cluster other;
  ProcessOptions options;
  options.environment = {{"PROMETHEUS", "127.0.0.1:" + std::to_string(other.port())}};
  const Finished finished = run({source_path("deploy/stack.sh")}, options);
  EXPECT_EQ(finished.status, 1);
  EXPECT_TRUE(finished.err.starts_with(
      "error: something listens on 127.0.0.1:" + std::to_string(other.port()) + " already\nHINT: "))
      << finished.err;
}

}  // namespace
}  // namespace pg_integrity::test::stack_test
