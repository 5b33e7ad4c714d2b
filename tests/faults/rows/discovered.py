"""Many tables, odd names, and what counts as one."""
import time

import measured
from table import demand, elsewhere, eventually, row
from world import HEADROOM, KEY, PAGE

MANY = 10000


@row(23, "10,000 tables", "I2 I4 I5", also=("SchemaOf.AskNothingPerTable",))
def many_tables(run):
    world = run.world(
        "max_locks_per_transaction = 1024\nfsync = off\nshared_buffers = 256MB\n", data="CREATE TABLE t0 (id int)"
    )
    for first in range(1, MANY, 1000):
        world.psql(
            f"DO $$ BEGIN FOR i IN {first}..{first + 999} LOOP EXECUTE format('CREATE TABLE t%s (id int)', i); END LOOP; END $$"
        )
    world.configure(fast=())
    exporter = world.serve()
    known = 'pg_integrity_inventory{type="tables"}'
    _, taken = eventually(
        lambda: float(exporter.value_of(known) or 0) >= MANY, 120, "the inventory knows all tables", 1
    )
    time.sleep(30)
    fast = measured.median_scrape(exporter.port)
    now, most = measured.memory(exporter.pid)
    counted = exporter.value_of('pg_integrity_objects{collector="row_counts",state="observed"}')
    demand(fast < PAGE, f"a scrape takes {fast:.0f} ms")
    demand(most < HEADROOM, f"{most:.0f} MiB")
    demand(float(counted or 0) > 0, "no table was counted within half a minute")
    return (
        f"known after {taken:.0f} s, {counted} counted half a minute later; scrapes in {fast:.1f} ms; "
        f"{now:.0f} MiB, {most:.0f} at most"
    )


@row(42, "a key without an index on two million rows", "I2 I7 I9",
     also=("Duplicates.WhatMayNotBeReadOrIsTooLargeIsUnprovenNeverZero",))
def large_key(run):
    world = run.world("max_wal_size = 4GB\n")
    world.psql("INSERT INTO parent SELECT generate_series(100, 400000); "
               "INSERT INTO child SELECT g, 100 + g % 300000, repeat('x', 50) FROM generate_series(100, 2000000) g; "
               "ALTER ROLE pgintegrity SET work_mem = '64kB'; SET session_replication_role = replica; "
               "INSERT INTO child VALUES (9999999, 7777777, 'an orphan')")
    world.configure('collectors.orphans.deadline = "2s"')
    exporter = world.serve()
    seen, longest, began = set(), 0.0, time.monotonic()
    while "1" not in seen and time.monotonic() < began + 60:
        seen.add(exporter.value_of(KEY))
        longest = max(longest, float(world.psql(
            "SELECT coalesce(extract(epoch FROM max(clock_timestamp() - xact_start)), 0) FROM pg_stat_activity "
            "WHERE usename = 'pgintegrity'")))
    demand("0" not in seen, "no orphan was said to be there before the key was checked")
    demand(longest < 2.5, f"a transaction took {longest:.1f} s")
    told = exporter.value_of(KEY) or f"unproven({'timeout' if exporter.unproven('timeout') else '?'})"
    demand("?" not in told, "neither a number nor a reason is told")
    return f"{told} after {time.monotonic() - began:.1f} s, no transaction above {longest:.1f} s; {exporter.page_is_fast()}"


elsewhere(24, "the cap of a collector's series", "I5", "Exposition.TheCapKeepsTheWorstTheConfiguredAndTheLargest")
elsewhere(
    27,
    "quotation marks, newlines, braces and blanks in names",
    "I9",
    "PrometheusScrape.HostileNamesComeBackUnchanged",
    "RowCounts.BytesThatAreNoUtf8StillMakeAPage",
    "SchemaOf.HostileNamesComeThroughAsTheyAre",
    "Scans.HostileNamesAreQuoted",
    "GrantsOfHostileNames.AreGrantsAndNothingElse",
    "ReportOf.NoNameIsMarkupInTheHtml",
)
elsewhere(
    28,
    "names cut in the middle of a character",
    "I5",
    "RowCounts.NamesThatDifferOnlyAfterTheLimitStayApart",
    "BatchOnItsWay.BytesThatAreNoUtf8AreKeptApart",
    "ValidUtf8.KeepsBytesApartThatAreNoUtf8",
)
elsewhere(
    30,
    "names that look alike, the same table in two schemas",
    "I5",
    "FamiliesOf.LabelsThatReadAlikeTogetherStayApart",
    "FamiliesOf.ASeriesAppearsOnceWithItsFirstValue",
    "BatchOnItsWay.ASeriesThatIsObservedTwiceIsOnThePageOnce",
    "ReportAnchors.NamesWithSeparatorsInThemStayApart",
)
elsewhere(
    32,
    "partitions and inheritance",
    "I7",
    "RowCounts.CountsPartitionsAndHeirsOnce",
    "SchemaOf.APartitionedKeyIsOneLogicalKey",
    "Orphans.APartitionedKeyIsOneKey",
    "Orphans.InheritanceChildrenDoNotCountTwice",
)
elsewhere(37, "keys with NULLs under MATCH SIMPLE", "I7", "Orphans.NullRefersToNothingUnderMatchSimple")
elsewhere(38, "half NULL under MATCH FULL", "I7", "Orphans.HalfNullIsAnOrphanUnderMatchFull")
elsewhere(
    39,
    "keys into the same table, deferred rows in flight",
    "I7",
    "Orphans.FollowsKeysIntoTheSameTableAndOtherSchemas",
    "Orphans.DoesNotCountRowsInFlight",
)
elsewhere(
    40,
    "keys that are not valid, not enforced, or switched off",
    "I7",
    "Orphans.CountsRowsWrittenBehindAValidatedKey",
    "Orphans.ADisabledTriggerOnEitherSideIsNotEnforced",
    "SchemaOf.ANotValidKeyIsKnownAsSuchUntilItIsValidated",
    "Constraints.NotEnforcedAndNotNullOf18",
)
elsewhere(
    41,
    "keys between different types and collations",
    "I9",
    "Orphans.ComparesAsTheKeyDoes",
    "Orphans.ComparesUnderTheParentsCollation",
    "SchemaOf.ComparesAsTheKeyDoes",
)
elsewhere(
    54,
    "a counted table is emptied, a sequence is set back",
    "I7",
    "RowCounts.VanishedRowsAreMeasuredAgainstTheHighestCount",
    "AuditTriggers.ATruncateIsADeleteThatNobodyLogged",
    "Orphans.SeesParentsThatWentByTruncate",
    "Storage.ASequenceThatARestoreLeftBehindIsFoundWithItsColumn",
)
