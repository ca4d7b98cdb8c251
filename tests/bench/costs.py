"""What calls take and cost on Lambda, computed from what they take here. Tables in Markdown."""

import math
from typing import NamedTuple

from tests.bench.calls import Call

# AWS Lambda Developer Guide, "Configure Lambda function memory": one whole core at 1,769 MB.
_FULL_CORE_MB = 1769
_MEMORY_MB = (128, 256, 512, 1024, _FULL_CORE_MB)
_TEMPLATE_MB = 512

# AWS's price lists for us-east-1 and arm64, 2026.
_USD_PER_GB_SECOND = 0.0000133334
_USD_PER_MILLION_REQUESTS = 0.20
_USD_PER_CACHED_GB_SECOND = 0.0000015046
_USD_PER_RESTORED_GB = 0.0001397998
_MONTH_SECONDS = 365.25 * 86400 / 12

_TRIPS = 6
"""Round trips of a request to Neon: TCP, TLS, start-up, two for the password; the statements."""
_TLS_CPU_SECONDS = 0.0014
"""What TLS 1.3 to PgBouncer added to the computing of a call, measured once where these figures are
from; the database of the benchmarks is on the same machine, and asks for none."""
_NEAR_MS = 1
_DISTANCES_MS = (_NEAR_MS, 5, 20)

_RATES = (10, 100, 1000, 10_000)
"""Calls a second."""

# Neon's documentation, "Connection pooling", and the default quota of an AWS account.
_POOLER_CLIENTS = 10_000
_POOLS = {"0.25 CU": 93, "1 CU": 377}
_LAMBDA_CONCURRENCY = 1000


class ColdStart(NamedTuple):
    """When each step of a cold start was done, in seconds: by the clock, and of processor time."""

    steps: dict[str, tuple[float, float]]
    bytes: int
    """How large the process grew."""

    @property
    def init_cpu_seconds(self) -> float:
        """Processor time until the function is ready for a first call."""
        return [*self.steps.values()][-2][1]

    @property
    def first_call(self) -> Call:
        """What the first call takes beyond that."""
        (ready, ready_cpu), (end, end_cpu) = [*self.steps.values()][-2:]
        return Call(end - ready, end_cpu - ready_cpu, 0, 0, 0)


def _slowness(memory_mb: int) -> float:
    """How many times as long computing takes than on a whole core."""
    return max(1, _FULL_CORE_MB / memory_mb)


def _duration(call: Call, memory_mb: int, distance_ms: float) -> float:
    """Seconds that a call takes on Lambda with so much memory."""
    return _slowed(call.seconds, call.cpu_seconds, memory_mb, distance_ms)


def _held(call: Call, distance_ms: float) -> float:
    """Seconds that a call keeps its connection to the pooler, with the template's memory."""
    return _slowed(call.connected_seconds, call.connected_cpu_seconds, _TEMPLATE_MB, distance_ms)


def _slowed(seconds: float, cpu_seconds: float, memory_mb: int, distance_ms: float) -> float:
    # What was waited for here takes as long there; what was computed has only a share of a core.
    waiting = seconds - cpu_seconds + _TRIPS * distance_ms / 1000
    return waiting + (cpu_seconds + _TLS_CPU_SECONDS) * _slowness(memory_mb)


def _gb_usd(seconds: float, memory_mb: int) -> float:
    """What Lambda takes for a duration; every millisecond that was begun counts."""
    return math.ceil(seconds * 1000) / 1000 * memory_mb / 1024 * _USD_PER_GB_SECOND


def _ms(seconds: float, digits: int = 1) -> str:
    return f"{seconds * 1000:,.{digits}f} ms"


def warm_table(listing: Call, reading: Call) -> list[str]:
    """What a warm call waits for, and what of it is computing."""
    calls = (listing, reading)
    rows = {
        "connecting and closing": [c.connected_seconds - c.asking_seconds for c in calls],
        "the statements: one round trip": [c.asking_seconds for c in calls],
        "everything else": [c.seconds - c.connected_seconds for c in calls],
        "all": [c.seconds for c in calls],
        "of which the function itself computes": [c.cpu_seconds for c in calls],
    }
    return [
        "| | list 100 tasks | read one |",
        "|---|---|---|",
        *(f"| {name} | {_ms(times[0])} | {_ms(times[1])} |" for name, times in rows.items()),
    ]


def cold_table(cold: ColdStart) -> list[str]:
    """What each step of a cold start takes."""
    lines = ["| step | takes | of which computing |", "|---|---|---|"]
    before = before_cpu = 0.0
    for step, (seconds, cpu) in cold.steps.items():
        lines.append(f"| {step} | {_ms(seconds - before, 0)} | {_ms(cpu - before_cpu, 0)} |")
        before, before_cpu = seconds, cpu
    return [
        *lines,
        f"| all | {_ms(before, 0)} | {_ms(before_cpu, 0)} |",
        "",
        f"The process then has {cold.bytes / 1e6:.0f} MB.",
    ]


def memory_table(listing: Call, reading: Call, cold: ColdStart) -> list[str]:
    """What each size of memory makes of a call's duration and price, 1 ms from the database."""
    lines = [
        "| memory | share of a core | list 100 | read one | first call | a million lists"
        " | a million reads | a thousand cold starts |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for memory in _MEMORY_MB:
        warm = [_duration(call, memory, _NEAR_MS) for call in (listing, reading)]
        first = _duration(cold.first_call, memory, _NEAR_MS)
        usd = [1e6 * _gb_usd(seconds, memory) + _USD_PER_MILLION_REQUESTS for seconds in warm]
        start = 1000 * _gb_usd(cold.init_cpu_seconds + first, memory)
        took = " | ".join(_ms(seconds, 0) for seconds in (*warm, first))
        lines.append(
            f"| {memory:,} MB | {1 / _slowness(memory):.0%} | {took}"
            f" | ${usd[0]:.2f} | ${usd[1]:.2f} | ${start:.4f} |"
        )
    return lines


def snapstart_table(cold: ColdStart) -> list[str]:
    """What SnapStart costs with the template's memory, beside what it spares."""
    gigabytes = _TEMPLATE_MB / 1024
    init = _gb_usd(cold.init_cpu_seconds, _TEMPLATE_MB)
    return [
        "| | off | on |",
        "|---|---|---|",
        f"| a cold start begins with | {_ms(cold.init_cpu_seconds, 0)} of starting and importing"
        " | restoring a snapshot |",
        f"| a thousand of these cost | ${1000 * init:.4f}"
        f" | ${1000 * gigabytes * _USD_PER_RESTORED_GB:.4f} |",
        "| a month of each function's version costs | nothing"
        f" | ${gigabytes * _USD_PER_CACHED_GB_SECOND * _MONTH_SECONDS:.2f} |",
    ]


def connection_table(call: Call) -> list[str]:
    """Connections needed at a rate, by Little's law: those to the pooler, then the pooler's own."""
    heads = "".join(f" {distance} ms |" for distance in _DISTANCES_MS)
    lines = [f"| calls a second |{heads} of the pooler's to Postgres |", "|---" * 5 + "|"]
    for rate in _RATES:
        clients = "".join(
            f" {math.ceil(rate * _held(call, distance)):,} |" for distance in _DISTANCES_MS
        )
        lines.append(f"| {rate:,} |{clients} {math.ceil(rate * call.asking_seconds):,} |")
    held = "".join(f" {_ms(_held(call, distance))} |" for distance in _DISTANCES_MS)
    return [*lines, f"| *held for* |{held} {_ms(call.asking_seconds)} |"]


def limit_table(call: Call) -> list[str]:
    """The rates at which limits are reached that are not Lambdo's."""
    limits = {
        f"Lambda's {_LAMBDA_CONCURRENCY:,} calls at once, of a whole account": [
            _LAMBDA_CONCURRENCY / _duration(call, _TEMPLATE_MB, distance)
            for distance in _DISTANCES_MS
        ],
        f"Neon's {_POOLER_CLIENTS:,} clients of a pooler": [
            _POOLER_CLIENTS / _held(call, distance) for distance in _DISTANCES_MS
        ],
    }
    for size, connections in _POOLS.items():
        limits[f"the pool of {connections} connections that Neon has at {size}"] = [
            connections / call.asking_seconds
        ] * len(_DISTANCES_MS)
    heads = "".join(f" {distance} ms |" for distance in _DISTANCES_MS)
    return [
        f"| what is reached at so many calls a second |{heads}",
        "|---" * 4 + "|",
        *(
            f"| {name} |{''.join(f' {_round(rate):,} |' for rate in rates)}"
            for name, rates in limits.items()
        ),
    ]


def _round(rate: float) -> int:
    """Two figures of it: it is computed from what other machines do otherwise."""
    return int(float(f"{rate:.1e}"))
