// Buckets of a storage that verifies every signature by a computation of its own.
#include "exporter/buckets/bucket_files.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "collectors/base/errors.h"
#include "collectors/options/backups.h"
#include "collectors/recovery/archive_directory.h"
#include "exporter/buckets/bucket_store.h"
#include "tests/support/clock.h"
#include "tests/support/gzip.h"
#include "tests/support/object_store.h"
#include "tests/support/plain_dump.h"

namespace pg_integrity::test::bucket_files_test {
namespace {

class BucketFilesOf : public ::testing::Test {
 protected:
  BucketFilesOf() {
    bucket_ = parse_bucket("s3://backups/dumps").value();
    bucket_.source = "cloud";
    bucket_.endpoint = parse_url(store_.endpoint());
    bucket_.credentials_file = store_.credentials();
    bucket_.timeout = Seconds(5);
    bucket_.refresh = Seconds(300);
    bucket_.requests_max = 100000;
    bucket_.bytes_max = 1e9;
  }

  /// A step's own view of the bucket.
  WorkerBuckets step(Seconds deadline = Seconds(30)) {
    return {buckets_, workers_, clock_, clock_.now() + deadline};
  }
  std::vector<FileEntry> list(Seconds deadline = Seconds(30)) {
    WorkerBuckets buckets = step(deadline);
    return buckets.files(bucket_).list(bucket_.text(), "*", 100000);
  }
  FileEnds ends(const std::string& name, std::size_t head, std::size_t tail) {
    WorkerBuckets buckets = step();
    return buckets.files(bucket_).ends(bucket_.text() + "/" + name, head, tail);
  }
  /// The reason and the message of the failure.
  std::string failure(const std::function<void()>& work) {
    try {
      work();
    } catch (const SourceError& error) {
      return std::string(name_of(error.reason())) + ": " + error.what();
    }
    return "no failure";
  }
  std::string list_failure() {
    return failure([&] { list(); });
  }
  bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }

  ObjectStore store_;
  SteppedClock clock_;
  DisposableWorkers workers_{clock_};
  BucketStore buckets_;
  Bucket bucket_;
};

TEST_F(BucketFilesOf, ListsPageByPageWithFolders) {
  store_.page_objects = 3;
  store_.put("elsewhere/x", "no");
  store_.put("dumps/", "");
  for (const char* name : {"a.dump", "b & c.dump", "d+e=f%.dump", "\xc3\xa4.dump"})
    store_.put(std::string("dumps/") + name, "12345", 2);
  store_.put("dumps/folder/toc.dat", "1234567", 3);
  store_.put("dumps/folder/1.dat", "123", 1);
  store_.put("dumps/folder/deeper/x", "123456789", 0.5);
  std::map<std::string, FileEntry> found;
  for (const FileEntry& entry : list()) found[entry.name] = entry;
  EXPECT_EQ(found.size(), 5U);
  EXPECT_EQ(store_.listings, 3);
  EXPECT_EQ(store_.refused, 0) << "every signature is right";
  const FileEntry& odd = found.at("d+e=f%.dump");
  EXPECT_EQ(odd.kind, FileKind::file);
  EXPECT_EQ(odd.size, 5);
  EXPECT_NEAR(odd.read_at - odd.modified, 7200, 5);
  EXPECT_EQ(ends("d+e=f%.dump", 3, 0).head, "123");
  EXPECT_EQ(ends("\xc3\xa4.dump", 0, 2).tail, "45");
  const FileEntry& folder = found.at("folder");
  EXPECT_EQ(folder.kind, FileKind::directory);
  EXPECT_EQ(folder.size, 10) << "of the files directly in it";
  EXPECT_NEAR(folder.read_at - folder.modified, 3600, 5);
  WorkerBuckets buckets = step();
  EXPECT_EQ(buckets.files(bucket_).list(bucket_.text() + "/folder", "*", 10).size(), 3U);
  EXPECT_EQ(buckets.files(bucket_).contents(bucket_.text() + "/folder/toc.dat", 10), "1234567");
  EXPECT_EQ(store_.listings, 3) << "the listing is used again";
  clock_.advance(Seconds(301));
  list();
  EXPECT_EQ(store_.listings, 6);
}

TEST_F(BucketFilesOf, ReadsBothEndsByRanges) {
  const std::string content = plain_dump(100000);
  store_.put("dumps/a", content);
  store_.put("dumps/b.gz", gzipped(content));
  list();
  const int before = store_.requests;
  const FileEnds ends_of_plain = ends("a", 4096, 1024);
  EXPECT_EQ(ends_of_plain.head, content.substr(0, 4096));
  EXPECT_EQ(ends_of_plain.tail, content.substr(content.size() - 1024));
  EXPECT_FALSE(ends_of_plain.packed);
  EXPECT_EQ(store_.requests - before, 2);
  const FileEnds ends_of_packed = ends("b.gz", 4096, 8);
  EXPECT_TRUE(ends_of_packed.packed);
  EXPECT_EQ(ends_of_packed.head, content.substr(0, 4096));
  EXPECT_EQ(ends_of_packed.tail, gzipped(content).substr(gzipped(content).size() - 8));
  WorkerBuckets buckets = step();
  const BucketUse use = buckets.take_use(bucket_);
  EXPECT_EQ(use.requests, store_.requests);
  EXPECT_GT(use.bytes, 5120);
  EXPECT_LT(use.bytes, 20000) << "nothing but the ends was received";
  EXPECT_EQ(buckets.take_use(bucket_).requests, 0);
  store_.gives_parts = false;
  EXPECT_EQ(ends("a", 4096, 0).head, content.substr(0, 4096));
  EXPECT_TRUE(contains(failure([&] { ends("a", 4096, 1024); }), "protocol: "));
}

TEST_F(BucketFilesOf, PartOfAnAnswerCosts) {
  store_.put("dumps/a", plain_dump(100000));
  list();
  WorkerBuckets buckets = step();
  buckets.take_use(bucket_);
  store_.break_after = 0;
  EXPECT_TRUE(
      contains(failure([&] { step().files(bucket_).contents(bucket_.text() + "/a", 200000); }),
               "protocol: "));
  EXPECT_NEAR(buckets.take_use(bucket_).bytes, 50300, 300) << "half of it came";
}

TEST_F(BucketFilesOf, AnObjectThatChangesIsNotTheListedOne) {
  store_.put("dumps/a", std::string(10000, 'a'));
  store_.put("dumps/b", std::string(10000, 'b'));
  list();
  store_.put("dumps/a", std::string(20000, 'c'));
  store_.remove("dumps/b");
  EXPECT_TRUE(
      contains(failure([&] { ends("a", 100, 0); }), "missing: s3://backups/dumps/a is anoth"));
  EXPECT_EQ(ends("a", 100, 0).head, std::string(100, 'c')) << "it was listed again";
  EXPECT_TRUE(contains(failure([&] { ends("b", 100, 0); }), "io: ")) << "it is not there any more";
}

TEST_F(BucketFilesOf, EachFaultHasItsReasonAndTheStoragesWords) {
  store_.put("dumps/a", "12345");
  store_.secret += "x";
  EXPECT_EQ(list_failure(),
            "auth: s3://backups/dumps: it answered 403 SignatureDoesNotMatch: The storage says "
            "SignatureDoesNotMatch.");
  store_.secret.pop_back();
  EXPECT_EQ(list_failure(), "no failure") << "the keys are read again";
  clock_.advance(Seconds(400));
  store_.key_id = "AKIDOTHER";
  EXPECT_TRUE(
      contains(list_failure(), "auth: s3://backups/dumps: it answered 403 InvalidAccessKeyId"));
  store_.key_id = "AKIDEXAMPLE";
  store_.region = "eu-central-2";
  EXPECT_TRUE(contains(list_failure(), "config: ")) << list_failure();
  EXPECT_TRUE(contains(list_failure(), "HINT: region = \"eu-central-2\"")) << list_failure();
  bucket_.source = "another";
  bucket_.region = "eu-central-2";
  EXPECT_EQ(list_failure(), "no failure");
  bucket_.source = "third";
  bucket_.name = "nobodys";
  EXPECT_TRUE(
      contains(list_failure(), "missing: s3://nobodys/dumps: it answered 404 NoSuchBucket"));
}

TEST_F(BucketFilesOf, WordsAreBoundedAndHideOurKeys) {
  store_.status = 400;
  store_.refusal =
      "Odd " + store_.key_id + " " + store_.secret + " \xc3\xa4\n" + std::string(500, 'x');
  const std::string failure = list_failure();
  EXPECT_TRUE(contains(failure, "http: s3://backups/dumps: it answered 400 Odd (hidden) (hidden) "))
      << failure;
  EXPECT_FALSE(contains(failure, store_.secret));
  EXPECT_LT(failure.size(), 600U);
}

TEST_F(BucketFilesOf, AnOverloadedStorageIsLeftAlone) {
  store_.status = 503;
  store_.refusal = "SlowDown";
  EXPECT_TRUE(contains(list_failure(), "http: s3://backups/dumps: it answered 503 SlowDown"));
  store_.status = 0;
  EXPECT_TRUE(contains(list_failure(), "503 SlowDown"));
  EXPECT_EQ(store_.requests, 1);
  clock_.advance(Seconds(61));
  EXPECT_EQ(list_failure(), "no failure");
}

TEST_F(BucketFilesOf, AKilledStorageAndASlowOneForgetNothing) {
  store_.page_objects = 10;
  for (int i = 0; i < 55; ++i) store_.put("dumps/" + std::to_string(i), "12345");
  store_.break_after = 3;
  EXPECT_TRUE(contains(list_failure(), "protocol: s3://backups/dumps: "));
  store_.stop();
  EXPECT_TRUE(contains(list_failure(), "connect: s3://backups/dumps: "));
  store_.start();
  store_.break_after = -1;
  EXPECT_EQ(list().size(), 55U);
  clock_.advance(Seconds(301));
  bucket_.source = "impatient";
  bucket_.timeout = Seconds(0.1);
  store_.delay_ms = 300;
  EXPECT_EQ(list_failure(), "timeout: s3://backups/dumps: no complete answer in time");
  store_.delay_ms = 0;
  EXPECT_EQ(list().size(), 55U);
}

TEST_F(BucketFilesOf, AListingGoesOnInTheNextStep) {
  store_.page_objects = 10;
  for (int i = 0; i < 35; ++i) store_.put("dumps/" + std::to_string(i), "12345");
  const std::string failure_of_first = failure([&] { list(Seconds(1)); });
  EXPECT_EQ(
      failure_of_first,
      "pending: s3://backups/dumps: 10 objects are listed so far, and the next check goes on");
  EXPECT_EQ(list().size(), 35U);
  EXPECT_EQ(store_.listings, 4);
}

TEST_F(BucketFilesOf, TheBudgetOfADayIsKept) {
  store_.put("dumps/a", std::string(10000, 'x'));
  bucket_.requests_max = 3;
  list();
  ends("a", 10, 0);
  WorkerBuckets buckets = step();
  EXPECT_FALSE(buckets.has_to_spare(bucket_));
  ends("a", 10, 0);
  EXPECT_TRUE(
      contains(failure([&] { ends("a", 10, 0); }), "limit: s3://backups/dumps: the 3 requests"));
  EXPECT_EQ(store_.requests, 3);
  clock_.advance(Seconds(86400));
  EXPECT_EQ(list_failure(), "no failure") << "another day";
  bucket_.source = "bytes";
  bucket_.requests_max = 1000;
  bucket_.bytes_max = 8000;
  list();
  ends("a", 9000, 0);
  EXPECT_TRUE(
      contains(failure([&] { ends("a", 10, 0); }), "limit: s3://backups/dumps: the 8000 bytes"));
}

TEST_F(BucketFilesOf, TheSessionTokenIsSigned) {
  store_.put("dumps/a", "12345");
  const TemporaryDirectory place;
  bucket_.profile = "short";
  const auto keys = [&](const std::string& token) {
    return "[short]\naws_access_key_id = " + store_.key_id +
           "\naws_secret_access_key = " + store_.secret + "\naws_session_token = " + token + "\n";
  };
  bucket_.credentials_file = place.write("keys", keys("token/+=1"));
  store_.session_token = "token/+=1";
  EXPECT_EQ(list_failure(), "no failure");
  clock_.advance(Seconds(301));
  store_.session_token = "token2";
  EXPECT_TRUE(contains(list_failure(), "auth: s3://backups/dumps: it answered 403 ExpiredToken"));
  place.write("keys", keys("token2"));
  EXPECT_EQ(list_failure(), "no failure");
  clock_.advance(Seconds(301));
  store_.session_token = "token3";
  place.write("keys", keys("token3"));
  EXPECT_EQ(list_failure(), "no failure") << "new keys are taken at once";
}

TEST_F(BucketFilesOf, WithoutKeysItSaysWhere) {
  bucket_.profile = "nobody";
  EXPECT_EQ(list_failure(), "config: s3://backups/dumps: " + store_.credentials() +
                                " holds no key of the profile nobody");
  bucket_.credentials_file = "/nowhere";
  bucket_.source = "other";
  EXPECT_TRUE(contains(list_failure(), "config: s3://backups/dumps: no credentials: /nowhere: "));
  EXPECT_EQ(store_.requests, 0);
}

TEST_F(BucketFilesOf, AHostileListingIsRefused) {
  store_.raw_listing =
      "<ListBucketResult><Contents><Key>other/x</Key></Contents></ListBucketResult>";
  EXPECT_TRUE(
      contains(list_failure(), "decode: s3://backups/dumps: its listing holds what was not"));
  store_.raw_listing =
      "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>x"
      "</NextContinuationToken></ListBucketResult>";
  EXPECT_TRUE(
      contains(list_failure(), "decode: s3://backups/dumps: its listing does not get further"));
  store_.raw_listing = std::string(kMaxPageBytes + 1000, ' ');
  EXPECT_TRUE(contains(list_failure(), "decode: s3://backups/dumps: a page of its listing is too"));
}

TEST(BucketFilesOverTls, TheCertificateIsVerified) {
  const Certificate certificate;
  ObjectStore store(&certificate);
  store.put("dumps/a", "12345");
  SteppedClock clock;
  DisposableWorkers workers(clock);
  BucketStore buckets;
  Bucket bucket = parse_bucket("s3://backups/dumps").value();
  bucket.endpoint = parse_url(store.endpoint());
  bucket.credentials_file = store.credentials();
  bucket.timeout = Seconds(5);
  bucket.requests_max = bucket.bytes_max = 1e6;
  const auto count = [&] {
    return WorkerBuckets(buckets, workers, clock, clock.now() + Seconds(20))
        .files(bucket)
        .list(bucket.text(), "*", 10)
        .size();
  };
  try {
    count();
    ADD_FAILURE() << "nobody vouches for it";
  } catch (const SourceError& error) {
    EXPECT_EQ(error.reason(), Reason::tls);
  }
  bucket.source = "with a certificate";
  bucket.ca_file = certificate.certificate;
  EXPECT_EQ(count(), 1U);
}

TEST_F(BucketFilesOf, TenThousandDumpsAreFoundAndJudged) {
  constexpr int kObjects = 10000;
  for (int i = 0; i < kObjects; ++i)
    store_.put("dumps/" + std::to_string(i) + ".sql", plain_dump(1500), 1 + i);
  store_.put("dumps/broken.sql", plain_dump(1500).substr(0, 1200), 0.5);
  bucket_.requests_max = 50000;
  ArchiveDirectory directory{bucket_.text(), 1000, Seconds(60), "UTC"};
  directory.max_entries = 100000;
  const std::vector<BackupKind> kinds{{"dump", {}, "*", {}, {}}};
  ArchiveReader reader;
  const auto read = [&](bool all) {
    WorkerBuckets buckets = step(Seconds(500));
    return reader.read(buckets.files(bucket_), clock_, directory, kinds, {}, [all] { return all; })
        .kinds.at("dump");
  };
  const KindHistory first = read(false);
  EXPECT_EQ(store_.listings, 11);
  EXPECT_EQ(store_.requests - store_.listings, 10) << "the newest that count, and the oldest";
  EXPECT_EQ(first.unread, kObjects - 9);
  EXPECT_NEAR(first.newest.value().age.count(), 3600, 60);
  EXPECT_NEAR(first.oldest_age.value().count(), 3600.0 * kObjects, 60);
  EXPECT_EQ(first.newest_rejected.value().name, "broken.sql");
  const KindHistory second = read(true);
  EXPECT_EQ(second.unread, 0);
  EXPECT_EQ(second.runs[static_cast<std::size_t>(BackupStatus::success)], kObjects);
  EXPECT_EQ(second.runs[static_cast<std::size_t>(BackupStatus::failed)], 1);
  EXPECT_EQ(store_.requests - store_.listings, kObjects + 1) << "each once";
  EXPECT_EQ(store_.refused, 0);
}

}  // namespace
}  // namespace pg_integrity::test::bucket_files_test
