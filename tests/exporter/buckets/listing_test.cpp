#include "exporter/buckets/listing.h"

#include <gtest/gtest.h>

#include <string>

#include "collectors/base/errors.h"
#include "exporter/buckets/address.h"
#include "exporter/buckets/credentials.h"
#include "tests/support/object_store.h"

namespace pg_integrity::test::listing_test {
namespace {

std::string page(const std::string& inside) {
  return "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/\">" + inside +
         "</ListBucketResult>";
}

std::string object(const std::string& key) {
  return "<Contents><Key>" + key +
         "</Key><LastModified>2026-11-29T17:00:01.500Z</LastModified><ETag>&quot;ab&quot;</ETag>"
         "<Size>4096</Size><Owner><ID>x</ID></Owner></Contents>";
}

bool is_refused(const std::string& xml) {
  try {
    static_cast<void>(read_listing_page(xml));
  } catch (const SourceError& error) {
    return error.reason() == Reason::decode;
  }
  return false;
}

TEST(Listing, APageIsRead) {
  const ListingPage read =
      read_listing_page(page("<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
                             "<NextContinuationToken>a/+=%</NextContinuationToken>" +
                             object("dumps/a%2Bb+%C3%A4%26.dump") + object("dumps/b")));
  ASSERT_EQ(read.objects.size(), 2U);
  EXPECT_EQ(read.objects[0].key, "dumps/a+b \xc3\xa4&.dump")
      << "a plus is a space if it is encoded";
  EXPECT_EQ(read.objects[0].size, 4096);
  EXPECT_EQ(read.objects[0].tag, "ab");
  EXPECT_DOUBLE_EQ(read.objects[0].modified, 1795971601.5);
  EXPECT_EQ(read.next, "a/+=%") << "the token is no key";
  EXPECT_EQ(read_listing_page(page(object("a+b&amp;c"))).objects[0].key, "a+b&c");
  EXPECT_EQ(read_listing_page(page("<NextContinuationToken>x</NextContinuationToken>")).next, "");
}

TEST(Listing, HostileXmlIsRefused) {
  EXPECT_TRUE(is_refused(""));
  EXPECT_TRUE(is_refused("<html></html>"));
  EXPECT_TRUE(is_refused(page(object("a")).substr(0, 120)));
  EXPECT_TRUE(is_refused("<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>" +
                         page(object("&b;"))))
      << "entities";
  EXPECT_TRUE(is_refused("<!DOCTYPE x SYSTEM \"file:///etc/passwd\">" + page(object("a"))));
  EXPECT_TRUE(is_refused(page(object("&x;"))));
  std::string deep = object("a");
  for (int i = 0; i < 10; ++i) deep = "<d>" + deep + "</d>";
  EXPECT_TRUE(is_refused(page(deep)));
  EXPECT_TRUE(is_refused(page(object(std::string(20000, 'a')))));
  EXPECT_TRUE(is_refused(page("<" + std::string(20000, 'a') + "/>")));
  EXPECT_TRUE(is_refused(page(object(""))));
  EXPECT_TRUE(is_refused(page("<EncodingType>url</EncodingType>" + object("a%4"))));
  EXPECT_TRUE(is_refused(page("<EncodingType>url</EncodingType>" + object("a%zz"))));
  EXPECT_TRUE(is_refused(page("<IsTruncated>true</IsTruncated>" + object("a"))));
  EXPECT_TRUE(is_refused(page("<Contents><Key>a</Key><Size>-1</Size></Contents>")));
  EXPECT_TRUE(
      is_refused(page("<Contents><Key>a</Key><LastModified>now</LastModified></Contents>")));
  std::string many;
  for (std::size_t i = 0; i <= kPageObjects; ++i) many += "<Contents><Key>a</Key></Contents>";
  EXPECT_TRUE(is_refused(page(many)));
}

TEST(Listing, ARefusalIsRead) {
  const auto read = read_refusal(
      "<Error><Code>SlowDown</Code><Message>Please "
      "&lt;wait&gt;</Message><Region>eu</Region></Error>");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->code, "SlowDown");
  EXPECT_EQ(read->message, "Please <wait>");
  EXPECT_EQ(read->region, "eu");
  EXPECT_FALSE(read_refusal("<html>502 Bad Gateway"));
  EXPECT_FALSE(read_refusal(""));
}

TEST(Listing, Times) {
  EXPECT_EQ(parse_iso_time("1970-01-02T00:00:01Z"), 86401);
  EXPECT_EQ(parse_iso_time("2024-02-29T12:00:00.000Z"), 1709208000);
  for (const char* wrong :
       {"", "2023-02-29T12:00:00Z", "2024-02-29 12:00:00Z", "2024-02-29T24:00:00Z",
        "2024-02-29T12:00:00", "2024-02-29T12:00:00x1Z", "2024-02-29T12:00:00.xZ"})
    EXPECT_FALSE(parse_iso_time(wrong)) << wrong;
}

TEST(BucketAddress, HostOrPath) {
  Bucket bucket = parse_bucket("s3://backups/prod/dumps/").value();
  EXPECT_EQ(bucket.text(), "s3://backups/prod/dumps");
  EXPECT_EQ(listing_url(address_of(bucket, ""), bucket.prefix, "").text(),
            "https://backups.s3.us-east-1.amazonaws.com:443/?encoding-type=url&list-type=2"
            "&max-keys=1000&prefix=prod%2Fdumps%2F");
  EXPECT_EQ(object_url(address_of(bucket, "eu-west-1"), "prod/dumps/a b+c.dump").text(),
            "https://backups.s3.eu-west-1.amazonaws.com:443/prod/dumps/a%20b%2Bc.dump");
  EXPECT_EQ(address_of(bucket, "cn-north-1").url.host, "backups.s3.cn-north-1.amazonaws.com.cn");
  bucket.endpoint = parse_url("https://minio.example.org:9000/s3/");
  bucket.region = "here";
  EXPECT_EQ(
      listing_url(address_of(bucket, "eu-west-1"), "", "a/b=").text(),
      "https://minio.example.org:9000/s3/backups?continuation-token=a%2Fb%3D&encoding-type=url"
      "&list-type=2&max-keys=1000&prefix=");
  EXPECT_EQ(address_of(bucket, "eu-west-1").region, "here");
  bucket.path_style = false;
  EXPECT_EQ(object_url(address_of(bucket, ""), "a").text(),
            "https://backups.minio.example.org:9000/s3/a");
  const Bucket dotted = parse_bucket("s3://my.backups").value();
  EXPECT_EQ(object_url(address_of(dotted, ""), "a").text(),
            "https://s3.us-east-1.amazonaws.com:443/my.backups/a")
      << "no certificate of AWS is for such a host";
}

TEST(BucketAddress, WhatIsNoBucket) {
  for (const char* wrong :
       {"", "backups", "s3://", "s3:///a", "s3://-a/b", "s3://a b", "s3://a//b", "s3://a/../b",
        "s3://a/b/./c", "s3://a/b\n", "http://a/b", "s3://u:p@a"})
    EXPECT_FALSE(parse_bucket(wrong)) << wrong;
}

TEST(BucketCredentials, AProfileOfAFile) {
  const std::string file =
      "# keys\n[default]\naws_access_key_id=AKID1\naws_secret_access_key = a/b+c=\n\n"
      "[ other ]\r\naws_access_key_id = AKID2\r\n; no\naws_secret_access_key = s2\r\n"
      "aws_session_token = t2==\nregion = x\n[half]\naws_access_key_id = AKID3";
  EXPECT_EQ(credentials_in(file, "default"), (Credentials{"AKID1", "a/b+c="}));
  EXPECT_EQ(credentials_in(file, "other"), (Credentials{"AKID2", "s2", "t2=="}));
  EXPECT_FALSE(credentials_in(file, "half"));
  EXPECT_FALSE(credentials_in(file, "none"));
  EXPECT_FALSE(credentials_in("", ""));
}

/// The examples of "Signature calculations for the Authorization header" in the reference of S3.
TEST(ObjectStoreOfTests, ComputesTheSignaturesThatAwsPublishes) {
  const std::string secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
  const std::string scope = "20130524/us-east-1/s3/aws4_request";
  SignedRequest get{
      "GET",
      "/test.txt",
      {{"host", "examplebucket.s3.amazonaws.com"},
       {"range", "bytes=0-9"},
       {"x-amz-content-sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
       {"x-amz-date", "20130524T000000Z"}}};
  EXPECT_EQ(aws4_signature(get, "host;range;x-amz-content-sha256;x-amz-date", scope, secret),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  get.headers.erase("range");
  get.target = "/?lifecycle";
  EXPECT_EQ(aws4_signature(get, "host;x-amz-content-sha256;x-amz-date", scope, secret),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
  get.target = "/?max-keys=2&prefix=J";
  EXPECT_EQ(aws4_signature(get, "host;x-amz-content-sha256;x-amz-date", scope, secret),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

}  // namespace
}  // namespace pg_integrity::test::listing_test
