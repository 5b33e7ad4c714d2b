// The proof levels that each form of a dump reaches without a restore, whole and damaged.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "collectors/recovery/drill_records.h"
#include "exporter/commands/drill.h"
#include "exporter/drill/run.h"
#include "tests/drill/drilled.h"

namespace pg_integrity::test::proof_test {
namespace {

namespace fs = std::filesystem;

class ProofOf : public ::testing::Test, public Drilled {
 protected:
  /// The proof of a dump that was taken in that form and then damaged.
  ProofRecord proof(const std::vector<std::string>& form,
                    const std::function<void(const std::string&)>& harm = nullptr) {
    const std::string name = std::to_string(++number_) + ".dump";
    dump(name, form);
    if (harm) harm(path(name));
    return proof_of(name);
  }
  ProofRecord proof_of(const std::string& name) {
    const Finished finished = drill({"--proof-only"});
    fs::remove_all(path(name));
    for (const ProofRecord& proof : proofs())
      if (proof.path == path(name)) {
        EXPECT_EQ(finished.status, proof.disproved() ? 1 : 0) << finished.err;
        return proof;
      }
    return {};
  }

  int number_ = 0;
};

TEST_F(ProofOf, WholeDumpsReachLevelThree) {
  fill();
  for (const std::vector<std::string>& form : {std::vector<std::string>{"-Fc"},
                                               {"-Fc", "-Z0"},
                                               {"-Ft"},
                                               {"-Fd"},
                                               {"-Fp"},
                                               {"-Fp", "-Z6"}}) {
    const ProofRecord found = proof(form);
    EXPECT_EQ(found.level, ProofLevel::decoded) << form[0];
    EXPECT_FALSE(found.failed_level) << form[0] << ": " << found.disproof;
  }
}

TEST_F(ProofOf, DamagedDumpsAreDisproved) {
  fill();
  const auto tail = [](const std::string& file) { truncate_by(file, 20); };
  const auto flip = [](const std::string& file) { flip_bit(file, 0.6); };
  EXPECT_TRUE(proof({"-Fc"}, halve).disproved());
  EXPECT_TRUE(proof({"-Fc"}, tail).disproved());
  EXPECT_TRUE(proof({"-Fc"}, flip).disproved());
  EXPECT_TRUE(proof({"-Ft"}, halve).disproved());
  EXPECT_TRUE(proof({"-Fp"}, halve).disproved());
  EXPECT_TRUE(proof({"-Fp", "-Z6"}, halve).disproved());
  EXPECT_TRUE(proof({"-Fp", "-Z6"}, tail).disproved());
  EXPECT_TRUE(proof({"-Fp", "-Z6"}, flip).disproved());
  EXPECT_TRUE(proof({"-Fd"},
                    [](const std::string& folder) {
                      for (const auto& entry : fs::directory_iterator(folder))
                        if (entry.path().extension() == ".gz") {
                          fs::remove(entry.path());
                          return;
                        }
                    })
                  .disproved())
      << "a member is missing";
}

TEST_F(ProofOf, CompressorsOfOthersAreRead) {
  fill();
  for (const char* compressor : {"zstd", "lz4", "xz", "bzip2"}) {
    dump("plain", {"-Fp"});
    const std::string name = std::string(compressor) + ".dump";
    const Finished packed =
        run({"sh", "-c",
             std::string(compressor) + " -c '" + path("plain") + "' > '" + path(name) + "'"});
    ASSERT_EQ(packed.status, 0) << packed.err;
    EXPECT_EQ(proof_of(name).level, ProofLevel::decoded) << compressor;
  }
}

TEST_F(ProofOf, WhatIsProvedIsNotReadAgainUntilItChanges) {
  fill();
  dump("a.dump");
  EXPECT_EQ(drill({"--proof-only"}).status, 0);
  const double checked = proofs().at(0).checked_at;
  EXPECT_EQ(drill({"--proof-only"}).status, 0);
  EXPECT_EQ(proofs().at(0).checked_at, checked);
  halve(path("a.dump"));
  EXPECT_EQ(drill({"--proof-only"}).status, 1);
  EXPECT_TRUE(proofs().at(0).disproved());
  EXPECT_EQ(drill({"--proof-only"}).status, 1) << "damaged stays damaged";
}

}  // namespace
}  // namespace pg_integrity::test::proof_test
