#include "exporter/evidence/sentence.h"

#include <gtest/gtest.h>

#include "collectors/base/metric.h"

namespace pg_integrity::test::sentence_test {
namespace {

constexpr auto kEmpty =
    gauge("pg_integrity_sentence_empty", "Empty rows.",
          must_be(0).says("{value} {row|rows} of {table} {is|are} empty."), "table");

std::string said(double value) {
  const Sample sample{&kEmpty, {"a{b|c}"}, value, {}, {}};
  return sentence_of({}, Broken{&sample, value, 0, "="});
}

TEST(Sentence, HasWordsForOneAndForMany) {
  EXPECT_EQ(said(1), "1 row of a{b|c} is empty.");
  EXPECT_EQ(said(2), "2 rows of a{b|c} are empty.");
  EXPECT_EQ(said(0), "0 rows of a{b|c} are empty.");
  EXPECT_EQ(said(1.5), "1.5 rows of a{b|c} are empty.");
}

}  // namespace
}  // namespace pg_integrity::test::sentence_test
