"""Directories and dumps: gone, unreadable, hung, huge, damaged, half written."""
import gzip
import os
import subprocess
import time

import measured
from hung import HungFolder
from table import Skipped, demand, elsewhere, eventually, row
from world import FAST, HEADROOM, ROWS

BACKUPS = ("[[server.backups]]", 'name = "dumps"', 'pattern = "*.dump"', 'every = "24h"', 'settle = "1s"')
AGE = 'pg_integrity_backup_age_seconds{source="dumps"}'


def dump(world, folder, name="first.dump"):
    """A real dump, made an hour ago."""
    path = folder / name
    world.execute(["pg_dump", "-Fc", "-d", world.dsn("postgres"), "-f", path])
    os.utime(path, (time.time() - 3600, time.time() - 3600))
    return path


def with_backups(world, folder, *more, **rest):
    tables = [line if line != BACKUPS[2] else f'directory = "{folder}"\n{line}' for line in BACKUPS]
    return world.watched(*tables, *more, fast=(*FAST, "backups", "files"), **rest)


@row(
    55,
    "the backup directory is unmounted and mounted again",
    "I5 I7",
    root=True,
    also=("BackupDirectory.AMissingDirectoryIsUnproven",),
)
def unmounted(run):
    world = run.world()
    folder = world.work / "dumps"
    if subprocess.run(["mount", "-t", "tmpfs", "pgi", str(folder)], check=False).returncode != 0:
        raise Skipped("nothing can be mounted here")
    run.callback(subprocess.run, ["umount", "-l", str(folder)], check=False, capture_output=True)
    world.own_everything()
    world.program.chmod(0o755)
    dump(world, folder)
    exporter = with_backups(world, folder)
    age, _ = eventually(lambda: float(exporter.value_of(AGE) or 0), 30, "the age of the newest backup")
    subprocess.run(["umount", str(folder)], check=True)
    folder.rmdir()
    said = world.check_afresh()
    demand('"io"' in said or '"missing"' in said, "check does not tell that the directory is gone")
    time.sleep(3)
    later = float(exporter.value_of(AGE) or 0)
    demand(later > age, f"the age of the newest backup was {age:.0f} s, and is {later:.0f} s")
    demand(exporter.value_of(ROWS) == "5", "other collectors suffer")
    folder.mkdir()
    time.sleep(2)
    empty = float(exporter.value_of(AGE) or 0)
    demand(empty == 0 or empty > age, "an empty mount point is taken for a new backup")
    return f"check tells it, the age goes on from {age:.0f} to {later:.0f} s, an empty mount point proves nothing"


@row(
    56,
    "files and directories that may not be read",
    "I5",
    also=(
        "BackupDirectory.AnEntryThatCannotBeReadMayBeTheNewest",
        "ArchivesIn.AnArchiveThatCannotBeReadIsNoSuccessAndTriedAgain",
    ),
)
def unreadable(run):
    world = run.world()
    folder = world.work / "dumps"
    dump(world, folder)
    exporter = with_backups(world, folder)
    eventually(lambda: float(exporter.value_of(AGE) or 0) > 3000, 30, "the age of the newest backup")
    locked = folder / "second.dump"
    locked.write_bytes(b"PGDMP")
    locked.chmod(0)
    os.utime(locked, (time.time() - 60, time.time() - 60))
    said = world.check_afresh()
    demand('"unproven"' in said and "second.dump" in said, "check does not name the file")
    time.sleep(3)
    demand(float(exporter.value_of(AGE)) > 3000, "the newest backup that can be read is gone")
    folder.chmod(0)
    said = world.check_afresh()
    demand("ermission denied" in said, "check does not tell that the directory may not be read")
    folder.chmod(0o755)
    locked.unlink()
    said = world.check_afresh()
    demand("ermission denied" not in said, "check still tells it")
    return "the file and the directory are named, beside the age of the readable dump"


@row(
    58,
    "hung and enormous directories",
    "I1 I2 I4 I5",
    root=True,
    also=(
        "FilesIn.ATreeBeyondItsBoundsIsUnproven",
        "ArchivesIn.AHungFileSystemEndsTheLook",
        "Keeper.AFileSystemThatHangsIsNotWaitedFor",
    ),
)
def hung_directories(run):
    world = run.world()
    folder, tree, state = (world.work / name for name in ("dumps", "tree", "hung_state"))
    for made in (tree, state):
        made.mkdir(exist_ok=True)
    world.own_everything()
    world.program.chmod(0o755)
    dump(world, folder)
    # The first half of the tree has more entries than the bound.
    world.execute(["bash", "-c", f"cd {tree} && seq 150000 | xargs touch"])
    exporter = with_backups(
        world,
        folder,
        "[[server.collectors.files.directories]]",
        f'path = "{tree}"',
        'patterns = ["*.avi"]',
        "max_files = 0",
    )
    eventually(lambda: exporter.unproven("too_large"), 60, "the tree is unproven(too_large)")
    hung = run.enter_context(HungFolder(folder))
    also_hung = run.enter_context(HungFolder(tree))
    eventually(lambda: exporter.unproven("timeout"), 90, "something is unproven(timeout)", 1)
    demand(exporter.value_of('pg_integrity_collector_success{collector="row_counts"}') == "1", "row_counts suffers")
    fast, threads = exporter.page_is_fast(), measured.threads(exporter.pid)
    time.sleep(10)
    demand(
        measured.threads(exporter.pid) <= threads + 3, f"{threads} threads have become {measured.threads(exporter.pid)}"
    )
    demand(measured.memory(exporter.pid)[1] < HEADROOM, f"{measured.memory(exporter.pid)[1]:.0f} MiB")
    stopped = exporter.ends(10)
    hung.answer()
    also_hung.answer()
    # A state directory that hangs from the start.
    run.enter_context(HungFolder(state))
    world.configure()
    config = world.work / "config.toml"
    config.write_text(config.read_text().replace(f'"{world.work}/state"', f'"{state}"'))
    exporter = world.serve()
    exporter.wait_for(ROWS, 5)
    return f"timeout; {fast}; ends in {stopped:.1f} s beside them; listens and watches though its state_dir hangs"


@row(
    59,
    "half-written and growing dumps",
    "I7",
    also=(
        "ArchivesIn.WhatGrowsThoughItsTimeStandsStillIsNoBackupYet",
        "BackupDirectory.WhatIsTooSmallOrStillWrittenIsNoBackup",
        "Damage.WhatIsStillBeingWrittenIsNoBackupYet",
    ),
)
def growing(run):
    world = run.world()
    folder = world.work / "dumps"
    whole = dump(world, folder).read_bytes()
    exporter = with_backups(world, folder)
    eventually(lambda: float(exporter.value_of(AGE) or 0) > 3000, 30, "the age of the newest backup")
    youngest, until = 1e9, time.monotonic() + 12
    with (folder / "growing.dump").open("wb") as growing_file:
        while time.monotonic() < until:
            growing_file.write(whole)
            growing_file.flush()
            youngest = min(youngest, float(exporter.value_of(AGE) or 1e9))
            time.sleep(0.05)
    demand(youngest > 3000, f"a file that grows was taken for a backup of {youngest:.0f} s ago")
    return "a file that grows for twelve seconds is no backup meanwhile"


@row(
    64, "a sparse file of 1 TB and a decompression bomb", "I2 I4", also=("Damage.EachReachesTheLevelThatBothEndsProve",)
)
def bombs(run):
    world = run.world()
    folder = world.work / "dumps"
    head = dump(world, folder).read_bytes()[:1000]
    exporter = with_backups(world, folder)
    eventually(lambda: float(exporter.value_of(AGE) or 0) > 3000, 30, "the age of the newest backup")
    sparse, bomb, plain = folder / "sparse.dump", folder / "bomb.dump", folder / "zeros.dump"
    sparse.write_bytes(head)
    os.truncate(sparse, 1 << 40)
    plain.touch()
    os.truncate(plain, 1 << 40)
    with gzip.open(bomb, "wb") as file:
        file.write(b"-- PostgreSQL database dump\n")
        for _ in range(1024):
            file.write(bytes(1 << 20))
    for path in (sparse, bomb, plain):
        os.utime(path, (time.time() - 60, time.time() - 60))
    time.sleep(15)
    fast = exporter.page_is_fast()
    memory = measured.memory(exporter.pid)[1]
    demand(memory < HEADROOM, f"{memory:.0f} MiB")
    taken = exporter.value_of('pg_integrity_backups{source="dumps",status="success"}')
    level = exporter.value_of('pg_integrity_backup_proof_level{source="dumps"}')
    demand(
        exporter.value_of('pg_integrity_backups{source="dumps",status="other"}') == "1", "a hole is taken for a backup"
    )
    demand(exporter.lives(), "it ended")
    return f"{fast}; {memory:.0f} MiB at most; level {level}, which reads the ends only, lets {taken} of 4 files count"


elsewhere(
    60,
    "empty files and pages of errors saved as dumps",
    "I7",
    "BackupDirectory.WhatIsNoBackupProvesNothing",
    "Damage.ADumpWithoutAnyDataFailed",
    "BackupDirectory.OddEntriesAreNoBackupsAndBlockNothing",
)
elsewhere(
    61,
    "dumps that are cut or have a flipped bit",
    "I7",
    "ProofOf.DamagedDumpsAreDisproved",
    "DrillOf.DamagedArchivesFail",
    "DrillOf.AFlippedBitInAnUncompressedDumpIsFoundByComparing",
    "ProofOf.CompressorsOfOthersAreRead",
    "BaseBackupDrill.AFlippedBitIsFoundByItsChecksum",
)
elsewhere(
    63,
    "programs that hang, flood, are missing or from another major",
    "I1 I4",
    "Programs.OneThatHangsIsKilledWithAllThatItStarted",
    "Programs.OutputHasABound",
    "Programs.OneThatIsNotThereOrNotForUsIsToldApart",
    "Programs.AFailureIsToldByItsStatusAndFirstLine",
    "BaseBackupDrill.AnotherMajorVersionIsUnprovenAndNamed",
    "Programs.TheExportersEndKillsIt",
)
elsewhere(
    66,
    "histories of backups that are empty, odd or stuck",
    "I7",
    "BackupHistoryTable.WhatIsStuckIsToldApart",
    "BackupHistoryIn.ATableAddsUpByKindAndStatus",
    "BackupHistoryTable.NeverIsUnprovenNotFiftyYearsOld",
)
elsewhere(
    68,
    "drills that are interrupted, have no room, or would touch the watched server",
    "I9",
    "DrillOf.RefusesATargetThatIsNotEmptyAndTheWatchedServer",
    "InterruptedDrill.LeavesNothingAfterTheNextStart",
    "RestoreFaults.WhatBreaksTheRestoreHereIsAnAccident",
)
elsewhere(
    69,
    "drills of nothing, and of rows that were written since",
    "I7",
    "DrillOf.ADumpOfNothingProvesNothing",
    "DrillOf.RowsWrittenAfterTheDumpChangeNothing",
    "DrillOf.ARecordedDumpIsProvenRowByRowInEveryForm",
)
