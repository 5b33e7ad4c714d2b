"""What happens in the month, and when. Everything random comes from one seed."""
import dataclasses
import random

HOUR = 1 / 24
LEAST_DAYS = 26 * HOUR   # a drop is noticed if the exporter has learned for a day


@dataclasses.dataclass(order=True)
class Event:
    day: float
    kind: str
    schema: str = ""
    number: int = 0


def ordinary_work(names, days, rng):
    """Hourly, nightly and weekly work of each schema, and a lock of ten minutes a week."""
    for place, name in enumerate(names):
        for hour in range(int(days * 24)):
            yield Event(hour * HOUR + rng.uniform(0.1, 0.8) * HOUR, "hourly", name, hour + 1)
        for day in range(int(days)):
            yield Event(day + rng.uniform(2, 4) * HOUR, "nightly", name, day + 1)
        for week, day in enumerate(range(place % min(7, int(days)), int(days), 7)):
            yield Event(day + rng.uniform(9, 11) * HOUR, "weekly", name, week + 1)
            yield Event(day + rng.uniform(13, 15) * HOUR, "lock", name, week + 1)


def operations(days, rng):
    """What happens to the servers and to the exporter. A month has each at least twice, but the lost volume."""
    at = lambda part: days * part + rng.uniform(-0.3, 0.3) * HOUR  # noqa: E731
    lost = lost_volume(days)
    yield Event(lost, "lose volume")
    for part in (0.22, 0.40, 0.62, 0.80) if days >= 10 else (0.30,):
        yield Event(at(part), "restart server")
    for part in (0.33, 0.73) if days >= 10 else (0.42,):
        yield Event(at(part), "fail over")
    for part in (0.27, 0.67) if days >= 10 else (0.36,):
        yield Event(at(part), "move exporter")
    for part in (0.15, 0.55, 0.87) if days >= 10 else (0.25,):
        yield Event(at(part), "restart exporter")


def lost_volume(days):
    """When a pod comes back without its volume. What it had learned is gone, so losses are not planted for a day after."""
    return days * 0.47 if days >= 10 else days * 0.05


def losses(counts, days, rng):
    """Drops outside of a migration. The first is before the volume is lost, if there is time to learn before that."""
    lost = lost_volume(days)
    for name, count in counts.items():
        learned = lost + 1.02
        times = [rng.uniform(max(learned, min(lost + 1.3, days)), max(learned, days - 0.3))] if count else []
        if count > 1 and lost > 3:
            times.insert(0, rng.uniform(1.3, lost - 0.3))
        for number, day in enumerate(times):
            yield Event(day, "loss", name, number)


def quiet(event, others):
    """Whether a drop is far from what would hide it: a migration of the same schema explains it, and a server that is away
    shows nothing."""
    return all(abs(event.day - other.day) > 2 * HOUR for other in others
               if other.kind in ("restart server", "fail over", "move exporter", "restart exporter")
               or other.schema == event.schema and other.kind in ("weekly", "lock"))


def plan(loss_counts, days, seed):
    """@param loss_counts how many drops each schema can make"""
    rng = random.Random(seed)
    events = [*ordinary_work(list(loss_counts), days, rng), *operations(days, rng)]
    planted = []
    for loss in losses(loss_counts, days, rng):
        while not quiet(loss, events):
            loss = dataclasses.replace(loss, day=loss.day + 0.2 * HOUR)
        planted.append(loss)
    return sorted(events + planted)
