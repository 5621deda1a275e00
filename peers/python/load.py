"""The load of `kalel bench compare` on the Python package `eventsourcing`: its Postgres recorder, made by its factory
from the settings its documentation names, with what is the default (an exclusive lock on the table for every insert,
so that a reader of its notification log misses nothing). The recorder is asked directly, without aggregates of the
library around it: that is the faster way.

DATABASE_URL; CALLERS (32); SECONDS of each measurement (3); STREAMS of 20 events to begin with (1000); SETTING,
"PROCESSESxTHREADS", without which one process of threads, one process for each core and one process for each caller
are tried, and the fastest is used. Prints one line of JSON. It drops and makes the schema `peer_python`.
"""

import json
import multiprocessing
import os
import threading
import time
import uuid
from importlib.metadata import version
from urllib.parse import unquote, urlsplit

import psycopg
from eventsourcing.persistence import InfrastructureFactory, StoredEvent
from eventsourcing.utils import Environment

SCHEMA = "peer_python"
TOPIC = "refund:Declined"
NOTE = (
    "Le match a bien eu lieu : l'éclairage n'a manqué que dix minutes, la partie a été prolongée d'autant, et "
    "l'équipe est repartie contente. Le gardien et la caisse le confirment tous les deux ; rien n'est donc à "
    "rendre, et le responsable du complexe a téléphoné au client pour le lui expliquer."
)
PAGE = 1_000
fork = multiprocessing.get_context("fork")


def event():
    """About 450 bytes, like Kalel's."""
    declined = {
        "refund_id": str(uuid.uuid4()),
        "by": {"role": "system"},
        "note": NOTE,
        "at": "2026-11-27T09:30:00.123456Z",
    }
    return json.dumps(declined, ensure_ascii=False).encode()


def recorder_of(url, connections, create=False):
    parts = urlsplit(url)
    factory = InfrastructureFactory.construct(
        Environment(
            env={
                "PERSISTENCE_MODULE": "eventsourcing.postgres",
                "POSTGRES_DBNAME": parts.path.lstrip("/"),
                "POSTGRES_HOST": parts.hostname,
                "POSTGRES_PORT": str(parts.port or 5432),
                "POSTGRES_USER": unquote(parts.username or ""),
                "POSTGRES_PASSWORD": unquote(parts.password or ""),
                "POSTGRES_SCHEMA": SCHEMA,
                "POSTGRES_POOL_SIZE": str(connections),
                "POSTGRES_MAX_OVERFLOW": "0",
                "CREATE_TABLE": "yes" if create else "no",
            }
        )
    )
    return factory, factory.application_recorder()


def in_a_process(work, *arguments):
    """What it answers; the parent itself never has a connection or a thread that a fork would copy."""
    queue = fork.Queue()
    process = fork.Process(target=lambda: queue.put(work(*arguments)))
    process.start()
    while True:
        try:
            answer = queue.get(timeout=1)
            break
        except Exception:
            if not process.is_alive() and queue.empty():
                raise SystemExit(f"{work.__name__} failed") from None
    process.join()
    return answer


def prepare(url, streams):
    ids = [uuid.uuid4() for _ in range(streams)]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
        connection.execute(f"CREATE SCHEMA {SCHEMA}")
        factory, _ = recorder_of(url, 1, create=True)
        factory.close()
        state = event()
        for start in range(0, streams, PAGE):
            # As its own inserts would have written them.
            connection.execute(
                f"INSERT INTO {SCHEMA}.stored_events (originator_id, originator_version, topic, state)"
                " SELECT id, version, %s, %s FROM unnest(%s::uuid[]) AS id, generate_series(1, 20) AS version",
                (TOPIC, state, ids[start : start + PAGE]),
            )
        connection.execute(f"VACUUM (ANALYZE) {SCHEMA}.stored_events")
    return ids


def load_and_append(recorder, ids, taken):
    with taken.get_lock():
        number = taken.value
        taken.value += 1
    if number >= len(ids):
        return False
    events = recorder.select_events(ids[number])
    if len([json.loads(stored.state) for stored in events]) != 20:
        raise SystemExit("a stream of 20 events has another number of them")
    at = events[-1].originator_version
    recorder.insert_events([StoredEvent(ids[number], at + more, TOPIC, event()) for more in (1, 2)])
    return True


def append(recorder, _ids, _taken):
    recorder.insert_events([StoredEvent(uuid.uuid4(), 1, TOPIC, event())])
    return True


def callers_of_one(work, url, threads, lasting, ids, taken, ready, answers):
    """One process of the race."""
    factory, recorder = recorder_of(url, threads)
    recorder.max_notification_id()
    took = []
    ready.wait()
    began = time.monotonic()

    def call():
        while time.monotonic() - began < lasting:
            asked = time.monotonic()
            if not work(recorder, ids, taken):
                break
            took.append(time.monotonic() - asked)

    callers = [threading.Thread(target=call) for _ in range(threads)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    answers.put((took, time.monotonic() - began))
    factory.close()


def race(work, url, setting, lasting, ids, taken):
    processes, threads = (int(part) for part in setting.split("x"))
    ready, answers = fork.Barrier(processes), fork.Queue()
    running = [
        fork.Process(target=callers_of_one, args=(work, url, threads, lasting, ids, taken, ready, answers))
        for _ in range(processes)
    ]
    for process in running:
        process.start()
    told = [answers.get(timeout=lasting + 60) for _ in running]
    for process in running:
        process.join()
    took = sorted(one for some, _ in told for one in some)
    at = lambda percent: took[min(len(took) * percent // 100, len(took) - 1)] * 1_000 if took else 0.0
    return {"per_second": len(took) / max(seconds for _, seconds in told), "p50_ms": at(50), "p99_ms": at(99)}


def read_all(url):
    """Every event by position, decoded, a page at a time."""
    factory, recorder = recorder_of(url, 1)
    began, events, start = time.monotonic(), 0, None
    while page := recorder.select_notifications(start, PAGE, inclusive_of_start=False):
        events += len([json.loads(notification.state) for notification in page])
        start = page[-1].id
    seconds = time.monotonic() - began
    factory.close()
    return {"events": events, "seconds": seconds, "per_second": events / seconds}


def follow(url, lasting):
    """How long after its insert returned an event reaches a subscriber, at 100 a second."""
    factory, recorder = recorder_of(url, 5)
    until = time.monotonic() + lasting
    recorded, lags = {}, []

    def write():
        due = time.monotonic()
        while time.monotonic() < until:
            (number,) = recorder.insert_events([StoredEvent(uuid.uuid4(), 1, TOPIC, event())])
            recorded[number] = time.monotonic()
            due += 0.01
            time.sleep(max(0.0, due - time.monotonic()))
        recorder.insert_events([StoredEvent(uuid.uuid4(), 1, "end", b"{}")])

    writer = threading.Thread(target=write)
    with recorder.subscribe(gt=recorder.max_notification_id()) as subscription:
        writer.start()
        for notification in subscription:
            if notification.topic == "end":
                break
            json.loads(notification.state)
            seen = time.monotonic()
            # It may be told before its insert has returned.
            lags.append(max(0.0, seen - recorded.get(notification.id, seen)))
    writer.join()
    factory.close()
    lags.sort()
    at = lambda percent: lags[min(len(lags) * percent // 100, len(lags) - 1)] * 1_000 if lags else 0.0
    return {"events": len(lags), "p50_ms": at(50), "p99_ms": at(99)}


def main():
    url = os.environ["DATABASE_URL"]
    callers = int(os.environ.get("CALLERS", 32))
    lasting = float(os.environ.get("SECONDS", 3))
    ids = in_a_process(prepare, url, int(os.environ.get("STREAMS", 1_000)))
    taken = fork.Value("l", 0)
    cores = max(1, min(os.cpu_count() or 1, callers))
    tried = []
    setting = os.environ.get("SETTING")
    if setting is None:
        for candidate in dict.fromkeys([f"1x{callers}", f"{cores}x{callers // cores}", f"{callers}x1"]):
            figure = race(load_and_append, url, candidate, min(1.0, lasting), ids, taken)
            tried.append({"setting": candidate, "per_second": figure["per_second"]})
        setting = max(tried, key=lambda one: one["per_second"])["setting"]
    processes, threads = setting.split("x")
    print(
        json.dumps(
            {
                "library": "eventsourcing",
                "version": version("eventsourcing"),
                "setting": setting,
                "how": f"processes × threads {processes} × {threads}",
                "tried": tried,
                "callers": callers,
                "event_bytes": len(event()),
                "load_and_append": race(load_and_append, url, setting, lasting, ids, taken),
                "append": race(append, url, setting, lasting, ids, taken),
                "read_all": in_a_process(read_all, url),
                "follow": in_a_process(follow, url, lasting),
            }
        )
    )


if __name__ == "__main__":
    main()
