"""examples/wait-for-order.sh: how it ends. `kubectl` is a script that gives answers in their order, and the last one for
ever; the errors are those that kubectl 1.35.2 printed at an API server 1.36.2. test_pages.py has the real ones."""

import os
import subprocess

import pytest

from conftest import CHARTS

SCRIPT = CHARTS.parent / "examples" / "wait-for-order.sh"

KUBECTL = """#!/bin/sh
# Answer number N is in the file N; FAIL in its first line means stderr and exit 1.
cd "$(dirname "$0")" || exit 9
count=$(($(cat count) + 1))
[ -e "$count" ] || count=$((count - 1))
echo "$count" > count
echo asked >> asked
if [ "$(head -n 1 "$count")" = FAIL ]; then tail -n +2 "$count" >&2; exit 1; fi
cat "$count"
"""

NOT_FOUND = 'Error from server (NotFound): certificateorders.certorder.dev "www" not found'
UNAUTHORIZED = "error: You must be logged in to the server (Unauthorized)"
# The client has no cached discovery: other words for the same.
NO_CREDENTIALS = """E1128 03:27:26.161411   19078 memcache.go:265] "Unhandled Error" err="couldn't get current server API \
group list: the server has asked for the client to provide credentials"
error: You must be logged in to the server (the server has asked for the client to provide credentials)"""
FORBIDDEN = 'Error from server (Forbidden): certificateorders.certorder.dev "www" is forbidden: User "ci" cannot get it'
AWAY = "The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?"


def seen(*conditions, uid="a", deleted="", generation=1, observed=1, message="so it is"):
    types = "".join(f"{each} " for each in conditions)
    return "\n".join([uid, deleted, f"{generation} {observed}", types, message, ""])


@pytest.fixture
def wait(tmp_path):
    """Runs the script against such answers; an exception is an answer that fails."""

    def run(*answers, condition=None):
        kubectl = tmp_path / "kubectl"
        kubectl.write_text(KUBECTL)
        kubectl.chmod(0o755)
        (tmp_path / "count").write_text("0")
        for number, answer in enumerate(answers, 1):
            text = f"FAIL\n{answer}\n" if isinstance(answer, Exception) else answer
            (tmp_path / str(number)).write_text(text)
        environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PAUSE": "0"}
        command = [str(SCRIPT), "shop", "www"] + ([condition] if condition else [])
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        asked = len((tmp_path / "asked").read_text().splitlines())
        return done.returncode, done.stderr, asked

    return run


WAITING = seen("Reconciling", "Submitted")


@pytest.mark.parametrize("arguments", [[], ["shop"]])
def test_without_an_order_it_says_what_it_needs_and_ends_as_no_order_does(arguments):
    done = subprocess.run([str(SCRIPT), *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 64
    assert done.stderr.startswith("usage: ") and "NAMESPACE ORDER" in done.stderr


def test_it_ends_when_the_condition_is_true(wait):
    code, text, asked = wait(seen(observed=-1), WAITING, WAITING, seen("Submitted", "Ordered", "Issued", "Ready"))
    assert (code, asked) == (0, 4)
    assert "shop/www: Ready" in text


def test_it_waits_for_another_condition(wait):
    code, _, asked = wait(WAITING, seen("Reconciling", "Submitted", "Ordered"), seen("Ready"), condition="Ordered")
    assert (code, asked) == (0, 2)
    # A part of a name is another name.
    code, _, _ = wait(seen("ReadyIndeed", "NotReady"), seen("Stalled"))
    assert code == 1


@pytest.mark.parametrize("condition", ["Stalled", "Planned", "Suspended"])
def test_it_ends_when_somebody_has_to_do_something(wait, condition):
    code, text, asked = wait(WAITING, seen("Submitted", condition, message="the CA refused it: do this"))
    assert (code, asked) == (1, 2)
    assert "the CA refused it: do this" in text


def test_what_was_said_of_an_older_edit_ends_nothing(wait):
    stale = dict(generation=2, observed=1)
    code, _, asked = wait(seen("Stalled", **stale), seen("Ready", **stale), seen("Ready", generation=2, observed=2))
    assert (code, asked) == (0, 3)


@pytest.mark.parametrize(
    "answers",
    [
        [WAITING, Exception(NOT_FOUND)],
        [WAITING, seen("Reconciling", deleted="2026-11-28T03:00:00Z")],
        # Deleted and applied again between two looks.
        [WAITING, seen("Ready", uid="b")],
    ],
    ids=["gone", "going", "another"],
)
def test_it_ends_when_the_order_is_deleted(wait, answers):
    code, text, asked = wait(*answers)
    assert (code, asked) == (2, 2)
    assert "deleted" in text or "not found" in text


@pytest.mark.parametrize("answer", [UNAUTHORIZED, NO_CREDENTIALS, FORBIDDEN], ids=["expired", "uncached", "forbidden"])
def test_it_ends_when_it_may_not_look_any_more(wait, answer):
    code, text, asked = wait(WAITING, Exception(answer), seen("Ready"))
    assert (code, asked) == (3, 2)
    assert answer.splitlines()[-1] in text


def test_an_api_server_that_is_away_for_a_moment_ends_nothing(wait):
    code, _, asked = wait(WAITING, *[Exception(AWAY)] * 19, WAITING, *[Exception(AWAY)] * 19, seen("Ready"))
    assert (code, asked) == (0, 41)


def test_an_api_server_that_stays_away_ends_it(wait):
    code, text, asked = wait(WAITING, Exception(AWAY))
    assert (code, asked) == (3, 21)
    assert "was refused" in text
