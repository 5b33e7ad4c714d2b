// Keys from each of the usual places. The services are servers of the test.
#include "exporter/buckets/credentials.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <string>

#include "collectors/base/errors.h"
#include "exporter/buckets/bucket_store.h"
#include "exporter/buckets/temporary_credentials.h"
#include "tests/support/api_server.h"
#include "tests/support/clock.h"
#include "tests/support/object_store.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test::credentials_test {
namespace {

/// A variable of the environment, put back afterwards.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    if (value.empty())
      ::unsetenv(name);
    else
      ::setenv(name, value.c_str(), 1);
  }
  ~Variable() {
    if (before_)
      ::setenv(name_, before_->c_str(), 1);
    else
      ::unsetenv(name_);
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

std::string expiry(double seconds) {
  const std::time_t when = std::time(nullptr) + static_cast<std::time_t>(seconds);
  std::tm parts{};
  ::gmtime_r(&when, &parts);
  std::array<char, 64> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

std::string json_keys(const std::string& id, double seconds = 3600) {
  return R"({"Code": "Success", "AccessKeyId": ")" + id +
         R"(", "SecretAccessKey": "s/+", "Token": "t==", "Expiration": ")" + expiry(seconds) +
         "\"}";
}

/// No place of the machine that runs the test is looked at.
class CredentialsOf : public ::testing::Test {
 protected:
  std::string failure() {
    try {
      find_credentials(bucket_);
    } catch (const SourceError& error) {
      return std::string(name_of(error.reason())) + ": " + error.what();
    }
    return "no failure";
  }

  TemporaryDirectory place_;
  Bucket bucket_ = parse_bucket("s3://backups/dumps").value();
  Variable home_{"HOME", place_.path()};
  Variable key_{"AWS_ACCESS_KEY_ID", ""};
  Variable file_{"AWS_SHARED_CREDENTIALS_FILE", ""};
  Variable profile_{"AWS_PROFILE", ""};
  Variable token_{"AWS_WEB_IDENTITY_TOKEN_FILE", ""};
  Variable relative_{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", ""};
  Variable full_{"AWS_CONTAINER_CREDENTIALS_FULL_URI", ""};
  Variable metadata_{"AWS_EC2_METADATA_SERVICE_ENDPOINT", ""};
  Variable disabled_{"AWS_EC2_METADATA_DISABLED", "true"};
};

TEST_F(CredentialsOf, NowhereIsSaid) {
  EXPECT_EQ(failure().find("config: s3://backups/dumps: there are no credentials. HINT: "), 0U)
      << failure();
}

TEST_F(CredentialsOf, TheEnvironmentComesBeforeTheFile) {
  std::filesystem::create_directory(place_.path() + "/.aws");
  place_.write(".aws/credentials",
               "[default]\naws_access_key_id = A\naws_secret_access_key = a\n"
               "[other]\naws_access_key_id = B\naws_secret_access_key = b\n");
  EXPECT_EQ(find_credentials(bucket_), (Credentials{"A", "a"}));
  {
    const Variable other("AWS_PROFILE", "other");
    EXPECT_EQ(find_credentials(bucket_), (Credentials{"B", "b"}));
  }
  const Variable id("AWS_ACCESS_KEY_ID", "C");
  const Variable secret("AWS_SECRET_ACCESS_KEY", "c");
  const Variable session("AWS_SESSION_TOKEN", "t");
  EXPECT_EQ(find_credentials(bucket_), (Credentials{"C", "c", "t"}));
  bucket_.profile = "other";
  EXPECT_EQ(find_credentials(bucket_), (Credentials{"B", "b"})) << "what is configured comes first";
  const Variable odd("AWS_ACCESS_KEY_ID", "C\r\nHost: x");
  bucket_.profile.clear();
  EXPECT_EQ(failure(), "config: s3://backups/dumps: a key holds a space or a control character");
}

TEST_F(CredentialsOf, AWebIdentityToken) {
  ApiAnswer answer{
      200,
      "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>"
      "<AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>s/+</SecretAccessKey>"
      "<SessionToken>" +
          std::string(3000, 't') + "</SessionToken><Expiration>" + expiry(3600) +
          "</Expiration></Credentials></AssumeRoleWithWebIdentityResult>"
          "</AssumeRoleWithWebIdentityResponse>"};
  const ApiServer service([&](const ApiAsked&) { return answer; });
  const Variable file("AWS_WEB_IDENTITY_TOKEN_FILE", place_.write("token", "ey.J+/=\n"));
  const Variable role("AWS_ROLE_ARN", "arn:aws:iam::1:role/backups");
  const Variable endpoint("AWS_ENDPOINT_URL_STS", service.url());
  const Credentials found = find_credentials(bucket_);
  EXPECT_EQ(found.key_id, "ASIA1");
  EXPECT_EQ(found.session_token, std::string(3000, 't'));
  EXPECT_NEAR(found.expires.value(), static_cast<double>(std::time(nullptr)) + 3600, 5);
  EXPECT_EQ(service.last().method, "POST");
  EXPECT_EQ(service.last().body,
            "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3A"
            "role%2Fbackups&RoleSessionName=pg_integrity_exporter&WebIdentityToken=ey.J%2B%2F%3D");
  answer = {403, "<Error><Code>ExpiredTokenException</Code></Error>"};
  EXPECT_EQ(failure(), "auth: AssumeRoleWithWebIdentity: it answered 403 ExpiredTokenException");
  answer = {200, "<html/>"};
  EXPECT_EQ(failure().find("decode: "), 0U) << failure();
}

TEST_F(CredentialsOf, TheContainersAddress) {
  const ApiServer service([&](const ApiAsked& asked) {
    return asked.headers.at("authorization") == "secret" ? ApiAnswer{200, json_keys("ASIA2")}
                                                         : ApiAnswer{403};
  });
  const Variable address("AWS_CONTAINER_CREDENTIALS_FULL_URI", service.url("/keys"));
  const Variable file("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", place_.write("token", "secret"));
  EXPECT_EQ(find_credentials(bucket_).key_id, "ASIA2");
  const Variable far("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.org/keys");
  EXPECT_EQ(failure(),
            "config: AWS_CONTAINER_CREDENTIALS_FULL_URI leads to another machine by http");
}

TEST_F(CredentialsOf, TheMetadataOfTheInstance) {
  int no_role = 0;
  const ApiServer service([&](const ApiAsked& asked) {
    const std::string roles = "/latest/meta-data/iam/security-credentials/";
    if (asked.path == "/latest/api/token")
      return asked.method == "PUT" &&
                     asked.headers.count("x-aws-ec2-metadata-token-ttl-seconds") == 1
                 ? ApiAnswer{200, "the-token"}
                 : ApiAnswer{403};
    if (asked.headers.at("x-aws-ec2-metadata-token") != "the-token") return ApiAnswer{401};
    if (asked.path == roles) return no_role != 0 ? ApiAnswer{404} : ApiAnswer{200, "my role"};
    return asked.path == roles + "my role" ? ApiAnswer{200, json_keys("ASIA3")} : ApiAnswer{404};
  });
  const Variable enabled("AWS_EC2_METADATA_DISABLED", "");
  const Variable endpoint("AWS_EC2_METADATA_SERVICE_ENDPOINT", service.url());
  const Credentials found = find_credentials(bucket_);
  EXPECT_EQ(found.key_id, "ASIA3");
  EXPECT_EQ(found.secret, "s/+");
  EXPECT_EQ(found.session_token, "t==");
  no_role = 1;
  EXPECT_EQ(failure().find("config: s3://backups/dumps: there are no credentials."), 0U);
}

TEST_F(CredentialsOf, TheyAreRenewedBeforeTheyExpire) {
  std::string answer = json_keys("AKIDEXAMPLE", 400);
  int status = 200;
  ObjectStore store;
  store.session_token = "t==";
  store.secret = "s/+";
  store.put("dumps/a", "12345");
  const ApiServer service([&](const ApiAsked&) { return ApiAnswer{status, answer}; });
  const Variable address("AWS_CONTAINER_CREDENTIALS_FULL_URI", service.url());
  const Variable file("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "");
  SteppedClock clock;
  DisposableWorkers workers(clock);
  BucketStore buckets;
  bucket_.endpoint = parse_url(store.endpoint());
  bucket_.timeout = Seconds(5);
  bucket_.requests_max = bucket_.bytes_max = 1e6;
  const auto count = [&] {
    return WorkerBuckets(buckets, workers, clock, clock.now() + Seconds(20))
        .files(bucket_)
        .list(bucket_.text(), "*", 10)
        .size();
  };
  EXPECT_EQ(count(), 1U);
  EXPECT_EQ(count(), 1U);
  EXPECT_EQ(service.asked(), 1) << "they are kept";
  clock.advance(Seconds(200));
  status = 500;
  EXPECT_EQ(count(), 1U) << "the known ones are good for a while yet";
  EXPECT_EQ(service.asked(), 2);
  status = 200;
  answer = json_keys("AKIDEXAMPLE", 4000);
  EXPECT_EQ(count(), 1U);
  EXPECT_EQ(service.asked(), 3);
  EXPECT_EQ(count(), 1U);
  EXPECT_EQ(service.asked(), 3);
}

}  // namespace
}  // namespace pg_integrity::test::credentials_test
