#include "exporter/history/chain.h"

#include <gtest/gtest.h>

#include "collectors/base/errors.h"
#include "exporter/history/digest.h"
#include "exporter/history/verification.h"

namespace pg_integrity::test::chain_test {
namespace {

HistoryEntry entry(int i) {
  HistoryEntry made;
  made.time = 1'800'000'000.0 + i;
  made.kind = kObject;
  made.server = "shop";
  made.database = "shop";
  made.subject = "orphans/public.orders.fk" + std::to_string(i);
  made.from = "proven";
  made.to = "violated";
  made.evidence_time = 1'799'999'990.0 + i;
  made.text = "3 rows refer to nothing, said \"somebody\"\nin two lines.";
  return made;
}

std::vector<std::string> texts(const Chain& chain) {
  std::vector<std::string> all;
  for (const KeptLine& line : chain.lines()) all.push_back(line->text);
  return all;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

Chain chain_of(int lines) {
  Chain chain;
  for (int i = 1; i <= lines; ++i) chain.append(entry(i));
  return chain;
}

TEST(Digest, IsThatOfSha256sum) {
  EXPECT_EQ(sha256_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(HistoryLine, ReadsAsItWasWritten) {
  const HistoryLine line = line_of(7, no_line_before(), entry(1));
  EXPECT_EQ(line.text.find('\n'), std::string::npos);
  const HistoryLine read = line_from(line.text);
  EXPECT_EQ(read.number, 7U);
  EXPECT_EQ(read.previous, no_line_before());
  EXPECT_EQ(read.entry, entry(1));
}

TEST(HistoryLine, CutsALongTextBetweenCharacters) {
  HistoryEntry long_one = entry(1);
  long_one.text.assign(499, 'x');
  long_one.text += "öö";
  EXPECT_EQ(line_of(1, "", long_one).entry.text, std::string(499, 'x') + "…");
  EXPECT_EQ(line_from(line_of(1, "", long_one).text).entry.text, std::string(499, 'x') + "…");
}

TEST(HistoryLine, RefusesWhatIsNone) {
  for (const char* text : {"", "{}", "[]", "{\"number\":1}", "not JSON"})
    EXPECT_THROW(line_from(text), SourceError) << text;
}

TEST(Chain, EachLineHasTheHashOfTheLineBefore) {
  const Chain chain = chain_of(3);
  EXPECT_EQ(chain.number(), 3U);
  EXPECT_EQ(chain.lines().at(0)->previous, no_line_before());
  EXPECT_EQ(chain.lines().at(1)->previous, sha256_of(chain.lines().at(0)->text));
  EXPECT_EQ(chain.lines().at(2)->previous, sha256_of(chain.lines().at(1)->text));
  EXPECT_EQ(chain.hash(), sha256_of(chain.lines().at(2)->text));
}

TEST(Chain, LinesThatFallOutDoNotBreakIt) {
  Chain few(3);
  const Chain all = chain_of(10);
  for (int i = 1; i <= 10; ++i) few.append(entry(i));
  ASSERT_EQ(few.lines().size(), 3U);
  EXPECT_EQ(few.lines().front()->number, 8U);
  EXPECT_EQ(few.hash(), all.hash());
  EXPECT_EQ(few.lines().front()->previous, sha256_of(all.lines().at(6)->text));

  const std::size_t of_one = all.lines().front()->text.size();
  Chain small(1000, of_one * 4);
  for (int i = 1; i <= 10; ++i) small.append(entry(i));
  EXPECT_LE(small.lines().size(), 4U);
  EXPECT_GE(small.lines().size(), 3U);
  EXPECT_EQ(small.hash(), all.hash());
}

TEST(Chain, GoesOnAfterARestart) {
  const Chain first = chain_of(4);
  Chain second;
  EXPECT_FALSE(second.restore(texts(first)));
  second.append(entry(5));
  EXPECT_EQ(second.hash(), chain_of(5).hash());
  EXPECT_EQ(second.number(), 5U);
}

TEST(Chain, NoticesAChangedOrMissingLineAndKeepsTheFault) {
  std::vector<std::string> changed = texts(chain_of(5));
  changed[2].replace(changed[2].find("3 rows"), 6, "0 rows");
  Chain after_change;
  EXPECT_EQ(after_change.restore(changed), 4U);

  std::vector<std::string> removed = texts(chain_of(5));
  removed.erase(removed.begin() + 2);
  Chain after_removal;
  EXPECT_EQ(after_removal.restore(removed), 4U);
  after_removal.append(entry(6));
  EXPECT_EQ(verify_history(joined(texts(after_removal)), after_removal.hash(), {}).fits, Fits::no)
      << "a fault must not heal";

  Chain unreadable;
  EXPECT_EQ(unreadable.restore({"nonsense"}), 1U);
  EXPECT_EQ(unreadable.lines().size(), 1U);
}

TEST(Verification, FitsTheHashThatWasFiled) {
  const std::string filed = chain_of(4).hash();
  const std::vector<std::string> lines = texts(chain_of(9));
  const Verification good = verify_history(joined(lines), filed, 4);
  EXPECT_EQ(good.fits, Fits::yes) << good.text;
  EXPECT_NE(good.text.find("5 lines came later"), std::string::npos) << good.text;
  EXPECT_EQ(verify_history(joined(lines), filed, {}).fits, Fits::yes);
  EXPECT_EQ(verify_history(joined(lines), filed, 5).fits, Fits::no) << "another line's hash";
  EXPECT_EQ(verify_history(joined(lines), "", {}).fits, Fits::unknown);
  EXPECT_EQ(verify_history("", filed, {}).fits, Fits::no);
}

TEST(Verification, NoticesARemovedLine) {
  const std::string filed = chain_of(4).hash();
  for (std::size_t removed = 1; removed < 8; ++removed) {
    std::vector<std::string> lines = texts(chain_of(9));
    lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(removed));
    EXPECT_EQ(verify_history(joined(lines), filed, 4).fits, Fits::no) << removed;
  }
}

TEST(Verification, NoticesAHistoryThatWasWrittenAnew) {
  const std::string filed = chain_of(4).hash();
  Chain forged;  // without the second line, and with good hashes
  for (const int i : {1, 3, 4, 5, 6}) forged.append(entry(i));
  const Verification found = verify_history(joined(texts(forged)), filed, 4);
  EXPECT_EQ(found.fits, Fits::no) << found.text;
  EXPECT_NE(found.text.find("written anew"), std::string::npos) << found.text;
  std::vector<std::string> shortened = texts(chain_of(3));
  EXPECT_EQ(verify_history(joined(shortened), filed, 4).fits, Fits::no) << "the end is missing";
}

TEST(Verification, KnowsTheBound) {
  Chain few(3);
  for (int i = 1; i <= 10; ++i) few.append(entry(i));
  const std::string text = joined(texts(few));
  EXPECT_EQ(verify_history(text, chain_of(7).hash(), 7).fits, Fits::yes)
      << "the first line that is kept has the hash of the line before it";
  const Verification old = verify_history(text, chain_of(4).hash(), 4);
  EXPECT_EQ(old.fits, Fits::unknown) << old.text;
}

}  // namespace
}  // namespace pg_integrity::test::chain_test
