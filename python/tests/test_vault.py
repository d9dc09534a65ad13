"""What a vault gives to a program, what it writes, and where it looks for keys."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from vectors import VectorMachine, vault_of

from vault_run import AsyncVault, Vault, VaultError, agent_session
from vault_run.__main__ import main
from vault_run.encoding import digest
from vault_run.environment import variables_of
from vault_run.key_file import parse_key_file
from vault_run.record import signed_bytes
from vault_run.signing_key import SigningKey

REF = "stripe/API_KEY"
VALUE = "sk_live_51Habcdefghij"


@pytest.fixture(params=["classic", "pq"])
def machine(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> VectorMachine:
    return VectorMachine(home, vault_of(request.param), monkeypatch)


def lines_of(machine: VectorMachine) -> list[dict[str, Any]]:
    text = (machine.state / "audit.jsonl").read_text()
    return [json.loads(line) for line in text.split("\n") if line]


def code_of(attempt: Callable[[], object]) -> str:
    with pytest.raises(VaultError) as caught:
        attempt()
    assert caught.value.hint
    return caught.value.code


def test_gives_a_value_and_records_it_before(machine: VectorMachine) -> None:
    with machine.open() as vault:
        assert vault.agent == "crawler"
        assert vault[REF].reveal() == VALUE
        assert vault.get("files/CERTIFICATE").bytes() == bytes(range(256))
    first, second = lines_of(machine)
    assert first["action"] == "sdk"
    assert first["agent"] == "crawler"
    assert [(it["group"], it["name"]) for it in first["secrets"]] == [("stripe", "API_KEY")]
    assert "prev" not in first
    assert second["prev"] == digest((machine.state / "audit.jsonl").read_bytes().split(b"\n")[0])
    assert VALUE not in (machine.state / "audit.jsonl").read_text()


def test_variables_are_what_a_program_can_be_given(machine: VectorMachine) -> None:
    environment = machine.open().env(only=[REF, "stripe/WEBHOOK"])
    assert sorted(environment.keys()) == ["API_KEY", "STRIPE_WEBHOOK"]
    assert "API_KEY" in environment
    assert len(environment) == 2
    command = [sys.executable, "-c", "import os; print(os.environ['API_KEY'])"]
    run = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=True)
    assert run.stdout == f"{VALUE}\n"
    assert len(lines_of(machine)) == 1


def test_a_secret_that_is_delivered_as_a_file_is_no_variable(machine: VectorMachine) -> None:
    vault = machine.open()
    assert "CERTIFICATE" not in vault.env()
    assert code_of(lambda: vault.env(only=["files/CERTIFICATE"])) == "bad-value"


def test_two_secrets_for_one_variable_are_told_before_a_variable_that_is_unsafe() -> None:
    records: Any = [{"group": "g", "name": name, "env": env} for name, env in (("A", "PATH"), ("B", "C"), ("C", "C"))]
    with pytest.raises(VaultError) as caught:
        variables_of(records)
    assert caught.value.code == "collision"


def test_no_record_means_no_value(machine: VectorMachine) -> None:
    """Promise 11."""
    vault = machine.open()
    (machine.state / "audit.jsonl").mkdir(parents=True)
    assert code_of(lambda: vault.get(REF)) == "audit"
    assert code_of(vault.env) == "audit"


def test_a_record_that_is_cut_short_means_no_value_and_the_next_one_ends_it(machine: VectorMachine) -> None:
    vault = machine.open()
    vault.get(REF)
    log = machine.state / "audit.jsonl"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size + 10, limits[1]))
    try:
        assert code_of(lambda: vault.get(REF)) == "audit"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    vault.get(REF)
    first, torn, third, end = log.read_bytes().split(b"\n")
    assert len(torn) == 10
    assert json.loads(third)["prev"] == digest(first)
    assert end == b""


def test_a_log_that_has_grown_goes_on_in_another_file(machine: VectorMachine) -> None:
    vault = machine.open()
    vault.get(REF)
    log = machine.state / "audit.jsonl"
    (line,) = log.read_bytes().splitlines()
    log.write_bytes((line + b"\n") * (16 * 1024 * 1024 // (len(line) + 1) + 1))
    for _ in range(2):
        vault.get(REF)
    assert (machine.state / "audit.1.jsonl").stat().st_size > 16 * 1024 * 1024
    assert [it["prev"] for it in lines_of(machine)] == [digest(line), digest(log.read_bytes().splitlines()[0])]
    log.write_bytes(b"")
    vault.get(REF)
    assert lines_of(machine)[0]["prev"] == digest(line)


def test_a_log_that_is_no_plain_file_is_not_written_to(machine: VectorMachine, home: Path) -> None:
    machine.open().get(REF)
    log = machine.state / "audit.jsonl"
    log.rename(home / "elsewhere")
    log.symlink_to(home / "elsewhere")
    assert code_of(lambda: machine.open().get(REF)) == "audit"
    log.unlink()
    os.mkfifo(log)
    assert code_of(lambda: machine.open().get(REF)) == "audit"


def warning_vault(machine: VectorMachine, monkeypatch: pytest.MonkeyPatch) -> Vault:
    """One whose every pull warns: the log cannot be written, and the policy lets that pass."""
    monkeypatch.setattr(
        "vault_run.verified_vault.verify_vault_record",
        lambda record, _: record["policy"].update(audit="best-effort") or owners_of(record),
    )
    vault = machine.open()
    (machine.state / "audit.jsonl").mkdir(parents=True)
    return vault


def test_best_effort_warns_and_gives_the_value(
    machine: VectorMachine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert warning_vault(machine, monkeypatch).get(REF).reveal() == VALUE
    assert "cannot write the audit record" in caplog.text


def in_time(attempt: Callable[[], object]) -> None:
    """Fails where it does not come back: in a thread of its own, which is then left behind."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            attempt()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(120)
    assert not thread.is_alive()
    assert failures == []


def test_what_a_warning_runs_may_read_the_vault(machine: VectorMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = warning_vault(machine, monkeypatch)
    warned: list[str] = []

    def read_too(record: logging.LogRecord) -> bool:
        """As one does that sends what is logged elsewhere, with a key from the vault; in another thread, even."""
        warned.append(record.getMessage())
        if len(warned) == 1:
            thread = threading.Thread(target=lambda: vault.get(REF), daemon=True)
            thread.start()
            thread.join(60)
            assert not thread.is_alive()
            assert vault.groups()
        return True

    logger = logging.getLogger("vault_run")
    logger.addFilter(read_too)
    try:
        in_time(lambda: vault.get(REF))
        assert len(warned) == 2
        in_time(vault.env)
        assert len(warned) == 3
    finally:
        logger.removeFilter(read_too)


def test_names_may_come_from_what_reads_the_vault(machine: VectorMachine) -> None:
    vault = machine.open()
    made: list[list[str]] = []

    def names() -> Iterator[str]:
        for info in vault.list():
            if info.ref == REF:
                yield info.ref

    in_time(lambda: made.append(sorted(vault.env(only=names()).keys())))
    assert made == [["API_KEY"]]


def test_a_signal_that_comes_while_it_reads_is_told_so(machine: VectorMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = machine.open()
    told: list[str] = []
    original = agent_session.read_unverified_vault

    def interrupted(*args: Any) -> Any:
        try:
            vault.get(REF)
        except RuntimeError as error:
            told.append(str(error))
        return original(*args)

    monkeypatch.setattr("vault_run.vault.read_unverified_vault", interrupted)
    in_time(lambda: vault.get(REF))
    assert told == ["the vault is being read by this thread: what interrupts it cannot read it meanwhile"]


def test_a_signal_that_ends_a_read_at_its_beginning_keeps_nobody_from_reading(machine: VectorMachine) -> None:
    class Interrupted(set[int]):
        def add(self, thread: int) -> None:
            super().add(thread)
            raise KeyboardInterrupt

    vault = machine.open()
    vault._readers = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        vault.get(REF)
    assert not vault._readers
    vault._readers = set()
    assert vault.get(REF).reveal() == VALUE


def test_a_process_that_is_forked_while_a_thread_reads_can_read(machine: VectorMachine) -> None:
    vault = machine.open()
    reading, is_over = threading.Event(), threading.Event()

    def hold() -> None:
        with vault._session():
            reading.set()
            is_over.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    reading.wait()
    child = os.fork()
    if child == 0:
        # No test runner is to go on in here.
        try:
            status = 0 if vault[REF].reveal() == VALUE else 1
        except BaseException:
            status = 2
        os._exit(status)
    try:
        for _ in range(6000):
            waited, status = os.waitpid(child, os.WNOHANG)
            if waited != 0:
                break
            time.sleep(0.02)
        else:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            pytest.fail("the child cannot read")
    finally:
        is_over.set()
        thread.join()
    assert os.waitstatus_to_exitcode(status) == 0
    assert vault[REF].reveal() == VALUE


def owners_of(record: dict[str, Any]) -> frozenset[str]:
    return frozenset(owner["verifyKey"] for owner in record["owners"])


def test_a_refusal_is_recorded(machine: VectorMachine) -> None:
    vault = machine.open()
    assert code_of(lambda: vault.get("twin/API_KEY")) == "not-granted"
    (line,) = lines_of(machine)
    assert (line["action"], line["reason"], line["agent"]) == ("denied", "not-granted", "crawler")


@pytest.mark.parametrize("ref", ["API_KEY", "Stripe/API_KEY", "stripe/1"])
def test_a_place_that_is_none_is_told_before_anything_is_read_and_is_no_refusal(
    machine: VectorMachine, ref: str
) -> None:
    vault = machine.open()
    assert code_of(lambda: vault.get(ref)) == "bad-name"
    assert code_of(lambda: vault.env(only=["stripe/NOT_THERE", ref])) == "bad-name"
    assert not (machine.state / "audit.jsonl").exists()


def test_a_group_that_was_not_granted_is_told_before_a_secret_that_is_not_there(machine: VectorMachine) -> None:
    vault = machine.open()
    assert code_of(lambda: vault.env(only=["stripe/NOT_THERE", "twin/API_KEY"])) == "not-granted"
    assert [line["reason"] for line in lines_of(machine)] == ["not-granted"]


def test_a_folder_in_the_place_of_a_record_is_refused_and_leaves_nothing_open(machine: VectorMachine) -> None:
    vault = machine.open()
    file = machine.root / "groups/stripe/secrets/API_KEY.json"
    file.unlink()
    file.mkdir()
    before = len(os.listdir("/proc/self/fd"))
    assert code_of(lambda: vault.get(REF)) == "record-invalid"
    assert len(os.listdir("/proc/self/fd")) == before
    assert [line["reason"] for line in lines_of(machine)] == ["record-invalid"]


def test_counts_what_was_changed_since(machine: VectorMachine) -> None:
    vault = machine.open()
    assert vault.get(REF).reveal() == VALUE
    machine.lay_out({"groups/stripe/secrets/API_KEY.json": None})
    assert code_of(lambda: vault.get(REF)) == "record-missing"
    machine.lay_out({})
    machine.set_clock("2036-01-31T00:00:00.000Z")
    assert code_of(lambda: vault.get("mail/PASSWORD")) == "expired"
    assert code_of(lambda: vault.get("stripe/WEBHOOK")) == "expired"
    assert vault.get("stripe/WEBHOOK", allow_expired=True).is_text()


def test_a_bare_key_stays_with_the_vault_that_it_was_opened_for(
    machine: VectorMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even one of the same owner and the same agent, in its place, is read."""
    owner = signing_key_of(machine, "ann")
    monkeypatch.setenv("VAULT_RUN_OWNER", owner.verify_key)
    machine.use_key("crawler-bare")
    vault = machine.open()
    assert vault.get(REF).reveal() == VALUE
    machine.lay_out(files_of_another_vault(machine, owner))
    assert machine.open().groups() == ("files", "mail", "stripe")
    assert code_of(vault.groups) == "wrong-vault"
    assert code_of(lambda: vault.get(REF)) == "wrong-vault"


def signing_key_of(machine: VectorMachine, whose: str) -> SigningKey:
    return SigningKey(parse_key_file(machine._vectors["keys"][whose], whose).identity)


def files_of_another_vault(machine: VectorMachine, owner: SigningKey) -> dict[str, str]:
    """The same records under another id, all signed by the owner."""
    files = {}
    for path, text in machine._vectors["files"].items():
        record = json.loads(text.replace(machine._vectors["vault"], "0" * 32))
        if "succession" in record:
            record["succession"] = []
        signature = owner.sign(signed_bytes(record))
        record["signatures"] = [{"alg": "ed25519", "key": owner.verify_key, "sig": signature}]
        files[path] = f"{json.dumps(record, indent=2, sort_keys=True, ensure_ascii=False)}\n"
    return files


def test_forgets_the_key_when_closed(machine: VectorMachine) -> None:
    with machine.open() as vault:
        vault.get(REF)
    with pytest.raises(ValueError, match="closed"):
        vault.get(REF)


def test_listing_opens_nothing_and_records_nothing(machine: VectorMachine) -> None:
    assert [info.ref for info in machine.open().list()][-2:] == [REF, "stripe/WEBHOOK"]
    assert not (machine.state / "audit.jsonl").exists()


def test_an_agent_without_a_grant_has_an_empty_list_and_no_variables(machine: VectorMachine) -> None:
    machine.use_key("idle")
    vault = machine.open("idle")
    assert vault.list() == ()
    assert vault.groups() == ()
    assert code_of(vault.env) == "not-granted"


def test_finds_keys_in_order_and_the_first_is_final(
    machine: VectorMachine, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise 4."""
    vectors = machine._vectors
    monkeypatch.chdir(machine.root.parent)
    default = home / ".config/vault-run" / vectors["vault"] / "agents/crawler.key"
    default.parent.mkdir(parents=True)
    default.touch(0o600)
    default.write_text(vectors["keys"]["crawler"])
    assert Vault(agent="crawler").get(REF).reveal() == VALUE
    monkeypatch.setenv("VAULT_RUN_AGENT", "crawler")
    assert Vault().get(REF).reveal() == VALUE
    # Each is more to the front, and broken.
    monkeypatch.setenv("VAULT_RUN_KEY", "nothing")
    assert code_of(Vault) == "key-file"
    credentials = home / "credentials"
    credentials.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    assert code_of(Vault) == "key-file"
    credential = credentials / "vault-run-key"
    credential.touch(0o600)
    credential.write_text(vectors["keys"]["crawler"])
    assert Vault().get(REF).reveal() == VALUE
    # systemd's own file is root's, with the mask of an access list in the group's place. Nobody else can make one.
    credential.chmod(0o440)
    if os.getuid() == 0:
        assert Vault().get(REF).reveal() == VALUE
        os.chown(credential, 0, 1000)
    assert code_of(Vault) == "key-file"
    os.chown(credential, os.getuid(), os.getgid())
    credential.chmod(0o444)
    assert code_of(Vault) == "key-file"
    credential.chmod(0o400)
    monkeypatch.setenv("VAULT_RUN_KEY_FILE", "missing.key")
    assert code_of(Vault) == "key-file"
    assert Vault(key_file=str(default)).get(REF).reveal() == VALUE
    assert code_of(lambda: Vault(key_file="")) == "usage"
    assert code_of(lambda: Vault(key_file=str(default), path="")) == "usage"
    descriptors = len(os.listdir("/proc/self/fd"))
    assert code_of(lambda: Vault(key_file=str(home))) == "key-file"
    assert len(os.listdir("/proc/self/fd")) == descriptors
    default.chmod(0o640)
    assert code_of(lambda: Vault(key_file=str(default))) == "key-file"
    monkeypatch.setenv("VAULT_RUN_KEY_FILE", "")
    assert code_of(Vault) == "usage"


def test_finds_the_vault_upwards_or_where_it_is_named(
    machine: VectorMachine, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = machine.root.parent / "a/b"
    below.mkdir(parents=True)
    key = str(machine.key_file)
    assert code_of(lambda: Vault(agent="crawler", key_file=key)) == "no-vault"
    monkeypatch.setenv("VAULT_RUN_VAULT", "repo")
    assert Vault(key_file=key).agent == "crawler"
    monkeypatch.delenv("VAULT_RUN_VAULT")
    monkeypatch.chdir(below)
    assert Vault(key_file=key).agent == "crawler"
    assert Vault(key_file=key, path="../../.vault").agent == "crawler"
    (home / "linked").mkdir()
    (home / "linked/.vault").symlink_to(machine.root)
    assert code_of(lambda: Vault(key_file=key, path=str(home / "linked"))) == "no-vault"


def test_where_no_one_may_look_is_not_told_as_no_vault(home: Path) -> None:
    closed = home / "closed"
    (closed / "repo/.vault").mkdir(parents=True)
    closed.chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        assert code_of(lambda: Vault(path=str(closed / "repo"))) == "disk"
    finally:
        os.seteuid(user)
        closed.chmod(0o700)


def test_no_key_and_no_agent_are_told_apart(machine: VectorMachine) -> None:
    assert code_of(lambda: Vault(path=str(machine.root))) == "usage"
    assert code_of(lambda: Vault(path=str(machine.root), agent="crawler")) == "no-key"


def test_names_the_commit_that_the_work_tree_is_at(machine: VectorMachine) -> None:
    repo = machine.root.parent
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", "-C", str(repo)]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "add", "--all"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--message", "first"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    vault = machine.open()
    vault.get(REF)
    subprocess.run([*git, "pack-refs", "--all"], check=True)
    vault.get(REF)
    subprocess.run([*git, "checkout", "--quiet", "--detach"], check=True)
    vault.get(REF)
    assert [line["commit"] for line in lines_of(machine)] == [head] * 3


def test_threads_may_share_it(machine: VectorMachine) -> None:
    vault = machine.open()
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(vault.get(REF).reveal())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [VALUE] * 8
    assert len(lines_of(machine)) == 8


def test_asyncio_goes_on_while_it_reads(machine: VectorMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    original = agent_session.read_unverified_vault

    def slowly(*args: Any) -> Any:
        time.sleep(0.2)
        return original(*args)

    monkeypatch.setattr("vault_run.vault.read_unverified_vault", slowly)

    async def read() -> tuple[list[str], int]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        ticking = asyncio.create_task(tick())
        async with AsyncVault(agent="crawler", path=str(machine.root), key_file=str(machine.key_file)) as vault:
            secrets = await asyncio.gather(vault.get(REF), vault.get(REF))
            values = [secret.reveal() for secret in secrets]
            values.append((await vault.env(only=[REF]))["API_KEY"])
            assert len(await vault.list()) == 5
            assert await vault.groups() == ("files", "mail", "stripe")
            with pytest.raises(VaultError, match="not granted"):
                await vault.get("twin/API_KEY")
        ticking.cancel()
        return values, ticks

    values, ticks = asyncio.run(read())
    assert values == [VALUE] * 3
    assert ticks > 40


def test_the_program_lists_and_refuses(machine: VectorMachine, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--agent", "crawler", "--vault", str(machine.root), "--key-file", str(machine.key_file)]
    assert main(["list", *options]) == 0
    table = capsys.readouterr().out
    assert table.startswith("SECRET")
    assert "stripe/WEBHOOK     STRIPE_WEBHOOK  env" in table
    assert VALUE not in table
    assert main(["list", "--json", *options]) == 0
    assert json.loads(capsys.readouterr().out)["secrets"] == machine._vectors["granted"]
    assert main(["list", "--agent", "crawler", "--vault", "/nowhere"]) == 1
    assert capsys.readouterr().err.startswith("vault-run: no vault here: /nowhere/.vault\n  name the folder")
    assert main(["list", "--agent", "../x", "--vault", str(machine.root)]) == 2
    with pytest.raises(SystemExit) as caught:
        main(["reveal"])
    assert caught.value.code == 2


def test_nothing_is_pinned_while_a_change_is_half_made(machine: VectorMachine) -> None:
    journal = machine.root.parent / ".git/vault-run/journal.json"
    journal.parent.mkdir(parents=True)
    journal.touch()
    assert machine.open()[REF].reveal() == VALUE
    assert not list(machine.state.glob("pins/**/*.json"))
    journal.unlink()
    assert machine.open()[REF].reveal() == VALUE
    assert list(machine.state.glob("pins/**/*.json"))
