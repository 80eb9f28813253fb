"""Runs that are stopped: by Ctrl-C, by a signal, by a reader who left."""

import signal
import subprocess

import pytest

from tests.golden import assert_golden

SLOW = {
    "shop/first.sql": "select 1 as a\n",
    "shop/slow.py": """
        import time
        from pathlib import Path

        from assetflow import asset

        @asset
        def slow(first):
            Path("started").touch()
            while not Path("go").exists():
                time.sleep(0.01)
            return [{"a": 1}]
    """,
    "shop/last.sql": "select * from slow\n",
}


def started(shop, *arguments):
    """Start a run, and return its process when the slow step has begun."""
    shop.write(SLOW)
    process = shop.start("materialize", "--threads", "1", *arguments)
    while not (shop.root / "started").exists():
        assert process.poll() is None, process.stdout.read()
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda one: one.name)
def test_a_signal_ends_the_run_and_publishes_nothing(number, shop):
    served = shop.published()
    process = started(shop)

    process.send_signal(number)
    wait_for(process, "Stopping")
    (shop.root / "go").touch()
    out, _ = process.communicate(timeout=30)

    assert process.returncode == 130
    assert "Traceback" not in out
    assert shop.published() == served
    resumed = shop.run("materialize", "--json").document
    outcomes = {step["asset"]: step["outcome"] for step in resumed["steps"]}
    assert resumed["status"] == "succeeded"
    assert outcomes["first"] == "reused"
    assert outcomes["last"] == "materialized"
    assert shop.runs()[1].status == "interrupted"


def wait_for(process, words):
    for line in process.stdout:
        if words in line:
            return
    raise AssertionError(words)


def test_a_second_ctrl_c_ends_at_once(shop):
    served = shop.published()
    process = started(shop)

    process.send_signal(signal.SIGINT)
    wait_for(process, "Stopping")
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)

    assert process.returncode == 130
    assert "Traceback" not in out
    assert shop.published() == served
    (shop.root / "go").touch()
    assert shop.run("materialize").code == 0
    assert shop.runs()[1].status == "interrupted"


def test_cancelling_now_from_another_terminal_waits_for_no_step(shop):
    served = shop.published()
    process = started(shop)
    lines = shop.run("runs", "--json").document
    (run,) = [line["run_id"] for line in lines if line["status"] == "running"]

    said = shop.run("run", "cancel", run, "--now", "--json")
    out, _ = process.communicate(timeout=30)

    assert (said.code, said.document) == (0, {"run_id": run, "cancelled": True, "now": True})
    assert process.returncode == 130
    assert "Traceback" not in out
    assert shop.published() == served
    assert shop.runs()[0].status == "interrupted"
    (shop.root / "go").touch()
    resumed = shop.run("materialize", "--json").document
    assert {step["asset"]: step["outcome"] for step in resumed["steps"]}["first"] == "reused"


def test_a_killed_run_is_marked_interrupted_and_its_work_is_found(shop):
    process = started(shop)

    process.kill()
    process.communicate()

    assert shop.run("runs", "--json").document[0]["status"] == "interrupted"
    (shop.root / "go").touch()
    resumed = shop.run("materialize", "--json").document
    assert {step["asset"]: step["outcome"] for step in resumed["steps"]}["first"] == "reused"


def test_a_reader_who_left_stops_the_output_and_not_the_run(shop):
    process = started(shop)

    process.stdout.close()
    (shop.root / "go").touch()
    process.wait(timeout=30)

    assert process.returncode == 0
    assert "last" in shop.published()


@pytest.mark.parametrize("arguments", [["ls"], ["status"], ["lineage"]], ids=" ".join)
def test_head_ends_a_command_quietly(arguments, shop):
    process = shop.start(*arguments, stdin=subprocess.DEVNULL)
    process.stdout.close()

    assert process.wait(timeout=30) == 0


def test_gc_waits_for_no_run(shop):
    process = started(shop)

    said = shop.run("gc")

    (shop.root / "go").touch()
    process.communicate(timeout=30)
    assert said.code == 1
    assert_golden("bad_input/gc_while_a_run_is_at_work", said.err)
    assert process.returncode == 0
    assert shop.run("gc").code == 0
