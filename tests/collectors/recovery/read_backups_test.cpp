#include "collectors/recovery/read_backups.h"

#include <gtest/gtest.h>

#include "collectors/recovery/digest_list.h"
#include "collectors/recovery/proof_state.h"

namespace pg_integrity::test::read_backups_test {
namespace {

ReadBackup read_of(const std::string& path, UnixTime at, ProofLevel level = ProofLevel::contents) {
  ReadBackup read;
  read.proof = {path, 12, 1e12 + 1, 1764424923.123456789, level, std::nullopt, {}, at};
  read.rows = 3;
  read.how = "every checksum is right";
  return read;
}

FileEntry entry_of(const ReadBackup& read) {
  FileEntry entry;
  entry.inode = read.proof.inode;
  entry.size = read.proof.size;
  entry.modified = read.proof.modified;
  return entry;
}

TEST(ReadBackups, ATextCarriesThemExactly) {
  ReadBackups written;
  ReadBackup odd = read_of("/a/tab\there\nand \\ there", 1000);
  odd.proof.failed_level = ProofLevel::contents;
  odd.proof.disproof = "damaged:\tso\n";
  written.add(odd);
  written.add(read_of("/a/2.dump", 2000));
  const ReadBackups read(written.text());
  ASSERT_EQ(read.all().size(), 2U);
  const ReadBackup* found = read.of(odd.proof.path, entry_of(odd));
  ASSERT_NE(found, nullptr);
  EXPECT_TRUE(found->proof.disproved());
  EXPECT_EQ(found->proof.disproof, odd.proof.disproof);
  EXPECT_EQ(found->proof.checked_at, 1000);
  EXPECT_EQ(found->rows, 3);
  EXPECT_EQ(found->how, odd.how);
  EXPECT_EQ(read.text(), written.text());
}

TEST(ReadBackups, ATextOfAnotherFormIsPassedOver) {
  EXPECT_TRUE(ReadBackups("something else\n/a\t1").all().empty());
  const std::string text = ReadBackups().text();
  EXPECT_TRUE(ReadBackups(text + "\nhalf\t1\t2").all().empty());
}

TEST(ReadBackups, AnotherFileOfThatNameIsNotRead) {
  ReadBackups read;
  const ReadBackup one = read_of("/a/1.dump", 1000);
  read.add(one);
  FileEntry other = entry_of(one);
  other.modified += 1;
  EXPECT_EQ(read.of(one.proof.path, other), nullptr);
  read.add(read_of("/a/1.dump", 2000));
  EXPECT_EQ(read.all().size(), 1U) << "the same file, read again";
  read.forget("/a/1.dump");
  EXPECT_TRUE(read.all().empty());
}

TEST(ReadBackups, AProofIsNeverLoweredAndAFaultNeverForgotten) {
  ProofRecord high = read_of("/a/1.dump", 1000, ProofLevel::compared).proof;
  const ProofRecord low = read_of("/a/1.dump", 2000).proof;
  EXPECT_EQ(joined(high, low).level, ProofLevel::compared);
  EXPECT_EQ(joined(high, low).checked_at, 2000);
  high.failed_level = ProofLevel::compared;
  high.disproof = "rows differ";
  EXPECT_TRUE(joined(low, high).disproved());
  EXPECT_TRUE(joined(high, low).disproved());
  ProofRecord changed = low;
  changed.size += 1;
  EXPECT_FALSE(joined(high, changed).disproved()) << "it is another file";
}

ProvedKind kind_of(const std::string& name, const std::string& pattern, const ReadBackup* newest) {
  ProvedKind kind{"dumps", name, "/a", {pattern}, Seconds(1000), Seconds(0)};
  kind.readable = true;
  if (newest != nullptr) {
    kind.newest.emplace();
    kind.newest->name = newest->proof.path.substr(3);
    kind.newest->entry = entry_of(*newest);
  }
  return kind;
}

TEST(ProofState, ADrillLastsLongerThanAReading) {
  ProvedKind kind = kind_of("nightly", "*.dump", nullptr);
  kind.drill_max_age = Seconds(50000);
  ReadBackups read;
  read.add(read_of("/a/2.dump", 5000));
  const ProofRecord restored = read_of("/a/1.dump", 4000, ProofLevel::restored).proof;
  const auto newest = newest_proof(kind, read, {restored});
  ASSERT_TRUE(newest);
  EXPECT_EQ(newest->record.path, "/a/1.dump");
  EXPECT_EQ(newest->until, 54000);
  EXPECT_EQ(newest->how, "restored");
}

TEST(ProofState, AListOfContentsIsNoProof) {
  const ProvedKind kind = kind_of("nightly", "*.dump", nullptr);
  EXPECT_FALSE(newest_proof(kind, {}, {read_of("/a/1.dump", 4000, ProofLevel::contents).proof}));
  EXPECT_TRUE(newest_proof(kind, {}, {read_of("/a/1.dump", 4000, ProofLevel::decoded).proof}));
  EXPECT_FALSE(newest_proof(kind, {}, {read_of("/b/1.dump", 4000, ProofLevel::decoded).proof}))
      << "of another directory";
  EXPECT_FALSE(newest_proof(kind, {}, {read_of("/a/1.tar", 4000, ProofLevel::decoded).proof}))
      << "of another kind";
}

TEST(ProofState, TheKindWithTheOldestProofIsReadNext) {
  const ReadBackup one = read_of("/a/1.dump", 5000);
  const ReadBackup two = read_of("/a/2.tar", 6000);
  const std::vector<ProvedKind> kinds{kind_of("nightly", "*.dump", &one),
                                      kind_of("weekly", "*.tar", &two)};
  ReadBackups read;
  EXPECT_EQ(next_to_read(kinds, read, {}, 7000)->kind, "nightly");
  read.add(one);
  EXPECT_EQ(next_to_read(kinds, read, {}, 5100)->kind, "weekly");
  read.add(two);
  EXPECT_EQ(next_to_read(kinds, read, {}, 5400), nullptr) << "both are proved";
  EXPECT_EQ(next_to_read(kinds, read, {}, 5600)->kind, "nightly") << "half of its time is over";
}

TEST(DigestList, TakesWhatSha256sumPrints) {
  const std::string digest(64, 'a');
  EXPECT_EQ(digests_in(digest + "  folder/toc.dat\n" + digest + " *b.dat\nno digest\n", "x"),
            (std::map<std::string, std::string>{{"toc.dat", digest}, {"b.dat", digest}}));
  EXPECT_EQ(digests_in(digest, "x"), (std::map<std::string, std::string>{{"x", digest}}));
}

}  // namespace
}  // namespace pg_integrity::test::read_backups_test
