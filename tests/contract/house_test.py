#!/usr/bin/env python3
"""The checks of house.py can fail: each fault that they are for is planted once, in a small house."""
import pathlib
import tempfile
import unittest

import house

TABLE = """pg_integrity_room(collectors/base)
pg_integrity_room(collectors/contract collectors/base)
pg_integrity_room(collectors/audit collectors/contract)
pg_integrity_room(collectors collectors/contract HIDES collectors/audit)
pg_integrity_room(exporter/io collectors)
pg_integrity_room(exporter/commands exporter/io)
"""

FILES = {
    "CMakeLists.txt": TABLE,
    "collectors/collector.h": '#include "collectors/base/batch.h"\n',
    "collectors/base/batch.h": "#include <string>\n",
    "collectors/base/batch.cpp": '#include "collectors/base/batch.h"\n',
    "collectors/base/CMakeLists.txt": "target_sources(x PRIVATE\n  batch.cpp\n)\n",
    "collectors/audit/logs.cpp": '#include "collectors/collector.h"\n',
    "collectors/audit/CMakeLists.txt": "pg_integrity_collectors(\n  logs\n)\n",
    "exporter/main.cpp": '#include "exporter/commands/cli.h"\n',
    "exporter/commands/cli.h": "#pragma once\n",
    "tests/collectors/audit/logs_test.cpp": "",
}


class Faults(unittest.TestCase):
    def faults(self, check, **changes):
        """What a check says of the small house after changes: path (with _ for /) and text."""
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for path, text in {**FILES, **changes}.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text)
            return list(check(house.House(root)))

    def finds(self, expected, check, changes):
        self.assertTrue(any(expected in fault for fault in self.faults(check, **changes)),
                        self.faults(check, **changes))

    def test_the_small_house_is_in_order(self):
        for check in (house.check_arrows, house.check_circles, house.check_tests):
            self.assertEqual(self.faults(check), [])

    def test_an_arrow_up(self):
        self.finds("may not include", house.check_arrows,
                   {"collectors/base/batch.h": '#include "collectors/collector.h"\n'})

    def test_an_arrow_between_what_is_hidden(self):
        self.finds("exporter/io may not include collectors/audit", house.check_arrows,
                   {"collectors/audit/logs.h": "", "exporter/io/files.h": '#include "collectors/audit/logs.h"\n'})

    def test_a_circle_within_a_room(self):
        self.finds("each other", house.check_circles,
                   {"collectors/base/a.h": '#include "collectors/base/b.h"\n',
                    "collectors/base/b.h": '#include "collectors/base/a.h"\n'})

    def test_a_circle_in_the_table(self):
        self.finds("a circle", house.check_table,
                   {"CMakeLists.txt": "pg_integrity_room(collectors/base collectors/audit)\n" + TABLE})

    def test_a_source_that_is_not_built(self):
        self.finds("extra.cpp: not built", house.check_files, {"collectors/audit/extra.cpp": ""})

    def test_a_source_without_a_room(self):
        self.finds("attic/old.h: no room", house.check_files, {"collectors/attic/old.h": ""})

    def test_too_few_sources(self):
        self.finds("sources were seen", house.check_files, {})

    def test_a_library_in_another_room(self):
        self.finds("spdlog/: collectors/base/batch.h may not use it", house.check_libraries,
                   {"collectors/base/batch.h": "#include <spdlog/spdlog.h>\n"})
        self.finds("the standard library only", house.check_libraries,
                   {"collectors/base/batch.h": "#include <unistd.h>\n"})

    def test_a_library_of_all_that_is_not_linked(self):
        using = {"exporter/commands/a.cpp": "#include <fmt/format.h>\n"}
        linking = {"exporter/commands/CMakeLists.txt": "target_link_libraries(x PRIVATE\n  fmt::fmt\n)\n"}
        self.finds("exporter/commands/CMakeLists.txt: fmt::fmt is missing", house.check_libraries, using)
        self.finds("exporter/commands/CMakeLists.txt: fmt::fmt is not used any more", house.check_libraries, linking)
        self.assertFalse(any("fmt" in fault for fault in self.faults(house.check_libraries, **using, **linking)))
        self.finds("exporter/commands/a.h is a header", house.check_libraries,
                   {"exporter/commands/a.h": "#include <fmt/format.h>\n"})

    def test_a_wait_by_looking_again_and_again(self):
        for text in ("std::this_thread::sleep_for(kPoll);", "std::condition_variable changed_;", "std::mutex mutex_;"):
            self.finds("exporter/io/a.cpp: ", house.check_waits, {"exporter/io/a.cpp": text})
        faults = self.faults(house.check_waits, **{"exporter/io/a.cpp": "// std::mutex\n#include <mutex>\n"})
        self.assertFalse(any("a.cpp" in fault for fault in faults), faults)

    def test_a_reference_into_a_temporary(self):
        self.finds("exporter/io/a.cpp: ", house.check_references,
                   {"exporter/io/a.cpp": "const std::string& name = rows[i].text(\"name\");"})

    def test_two_functions_of_one_name_in_a_room(self):
        hidden = "namespace {\n\nvoid show(int a) {\n}\n\n}  // namespace\n"
        other = "namespace {\n\nvoid show(const std::string& a) {\n}\n\n}  // namespace\n"
        self.finds("exporter/io/b.cpp: exporter/io/a.cpp has a show(), too", house.check_names,
                   {"exporter/io/a.cpp": hidden, "exporter/io/b.cpp": other})
        self.assertFalse(any("show()" in fault for fault in self.faults(
            house.check_names, **{"exporter/io/a.cpp": hidden, "exporter/config/b.cpp": other})))

    def test_two_types_of_one_name(self):
        one = "namespace pg_integrity {\n\nstruct Thing {\n  int a;\n};\n\n}\n"
        self.finds("has a type Thing, too", house.check_types, {"exporter/config/b.h": one, "exporter/io/a.h": one})
        other = one.replace("pg_integrity", "pg_integrity::other")
        self.assertFalse(any("type Thing" in fault for fault in self.faults(
            house.check_types, **{"exporter/config/b.h": one, "exporter/io/a.h": other})))

    def test_a_room_without_a_readme(self):
        self.finds("collectors/audit: no README.md", house.check_readmes, {})
        self.finds("longer than a page", house.check_readmes, {"collectors/audit/README.md": "line\n" * (house.PAGE + 1)})

    def test_a_test_in_no_room(self):
        self.finds("there is no room collectors/attic", house.check_tests, {"tests/collectors/attic/a_test.cpp": ""})

    def test_the_top_level(self):
        self.finds("junk: not agreed", house.check_top_level, {"junk": ""})
        self.finds("LICENSE: missing", house.check_top_level, {})
        self.finds("exporter/main.cpp", house.check_top_level, {"exporter/main.cpp": "\n" * 50})


if __name__ == "__main__":
    unittest.main()
