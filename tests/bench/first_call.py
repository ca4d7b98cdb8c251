"""A cold start, up to the first answer, without Lambda: python first_call.py STARTED EVENT

STARTED is when the process was started, by the monotonic clock. Prints as JSON when each step was
done, by that clock and by the processor time of the process, and its largest size in bytes.
"""

import json
import resource
import sys
import time

steps: dict[str, tuple[float, float]] = {}


def done(step: str) -> None:
    """Note that a step is done."""
    steps[step] = time.monotonic() - float(sys.argv[1]), time.process_time()


done("Python starts")
import awslambdaric.bootstrap  # noqa: E402, F401 - what Lambda has loaded before a function

done("Lambda's runtime client is imported")
import list_tasks  # type: ignore[import-not-found] # noqa: E402 - it is what is measured

done("the function is imported")
answer = list_tasks.handler(json.loads(sys.argv[2]), None)
done("the first call")
assert answer["statusCode"] == 200, answer
size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
json.dump({"steps": steps, "bytes": size}, sys.stdout)
