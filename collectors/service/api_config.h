// The configuration of HTTP endpoints, and the check of it. Constants and pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/base/json_pointer.h"
#include "collectors/base/qualified_name.h"
#include "collectors/base/settings.h"
#include "collectors/ports/http.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity {

inline constexpr Option kEndpointOptions[] = {
    {.name = "name", .help = "label `endpoint`; unique in the database", .required = true},
    {.name = "database", .help = "where its tables are; default: the database of the DSN"},
    {.name = "url", .help = "http or https, without credentials", .required = true},
    {.name = "tables",
     .type = OptionType::texts,
     .help =
         "tables as \"schema.table\": the endpoint's count must be that of their rows together"},
    {.name = "count",
     .help = "JSON pointer (RFC 6901) to the endpoint's count: a number, or an array whose length "
             "counts; default with `tables`: the whole document"},
    {.name = "objective",
     .type = OptionType::duration,
     .help = "a request that takes longer is slow; without it the duration is not judged",
     .min = 0.001},
    {.name = "timeout",
     .type = OptionType::duration,
     .fallback = "5s",
     .help = "bound of one request, from the name to the last byte",
     .min = 0.01,
     .max = 300},
    {.name = "max_body",
     .type = OptionType::size,
     .fallback = "1MiB",
     .help = "a longer answer is not read to its end",
     .min = 1,
     .max = 67108864},
    {.name = "ca_file", .help = "certificates (PEM) to trust instead of the system's"},
    {.name = "bearer_file", .help = "a file that holds a token; read at each request"},
    {.name = "basic_file", .help = "a file that holds \"user:password\"; read at each request"},
    {.name = "header_file", .help = "a file that holds \"Name: value\"; read at each request"}};

inline constexpr Option kApiOptions[] = {
    {.name = "endpoints",
     .type = OptionType::records,
     .help = "pages and APIs that must answer, and whose counts must be the database's",
     .members = kEndpointOptions},
    {.name = "slow_ratio_max",
     .type = OptionType::number,
     .fallback = "0.1",
     .help = "share of slow requests among the last 20 that is still good",
     .max = 1},
    {.name = "exact_up_to",
     .type = OptionType::size,
     .fallback = "1GiB",
     .help = "tables with a larger heap are not counted"}};

struct Endpoint {
  HttpRequest request;      ///< without the secret
  std::string label;        ///< its name
  std::string secret_file;  ///< empty: none is needed
  std::vector<QualifiedName> tables;
  std::optional<JsonPointer> count;  ///< empty: no count is read from the answer
  std::optional<Seconds> objective;
};

/// Reads one entry of `endpoints`, with which check_endpoints() found no fault.
Endpoint endpoint_from(const Settings& record);

void check_endpoints(const Settings& settings, Problems& problems);

}  // namespace pg_integrity
