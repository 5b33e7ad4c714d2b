#include "collectors/base/label_values.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pg_integrity::test::label_values_test {
namespace {

TEST(LabelValuesOf, CopiesShareTheirTexts) {
  const LabelValues name{"public", "users"};
  const LabelValues copy = name;
  EXPECT_EQ(&copy.texts(), &name.texts());
  EXPECT_EQ(copy.texts(), (std::vector<std::string>{"public", "users"}));
}

TEST(LabelValuesOf, AreOrderedAsTheirTextsAre) {
  EXPECT_EQ((LabelValues{"a", "b"}), (LabelValues{"a", "b"}));
  EXPECT_NE((LabelValues{"a", "b"}), (LabelValues{"ab"}));
  EXPECT_LT((LabelValues{"a"}), (LabelValues{"a", "b"}));
  EXPECT_LT((LabelValues{"a", "b"}), (LabelValues{"b"}));
  EXPECT_LT(LabelValues(), (LabelValues{""})) << "none, and an empty one";
  EXPECT_EQ(LabelValues(), LabelValues(std::vector<std::string>{}));
}

TEST(LabelValuesOf, TakeTheTextsOfTheirEqualsOnly) {
  const LabelValues name{"public", "users"};
  LabelValues same{"public", "users"};
  LabelValues other{"public", "orders"};
  ASSERT_NE(&same.texts(), &name.texts());
  same.share(name);
  other.share(name);
  EXPECT_EQ(&same.texts(), &name.texts());
  EXPECT_EQ(other, (LabelValues{"public", "orders"}));
}

TEST(LabelValuesOf, OutliveWhatTheyWereSharedWith) {
  LabelValues copy;
  {
    const LabelValues name{"public", "a name that is too long for the inside of a std::string"};
    copy = name;
  }
  EXPECT_EQ(copy.back(), "a name that is too long for the inside of a std::string");
}

}  // namespace
}  // namespace pg_integrity::test::label_values_test
