import { chmodSync, cpSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execaSync } from "execa";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Program } from "../fixtures/program.ts";
import { tempFolder } from "../fixtures/temp.ts";
import { git } from "../fixtures/vault.ts";
import { type OwnerDoor, REF, tryAsOwner, tryBriefly } from "./doors.ts";
import { type Attacker, keyOf, signedBy } from "./forgeries.ts";
import { linesOf, ownerKeyPath, type Place, placeOf, VALUES, vaultTemplate } from "./place.ts";

// A4, A11, A13: records and ciphertexts at another place than their own, and names that lead elsewhere or run something.

const GROUP = "groups/stripe/group.json";
const SECRET = "groups/stripe/secrets/API_KEY.json";
const TEST_SECRET = "groups/test/secrets/API_KEY.json";

let template: Program;
let place: Place;
let owner: Program;
let attacker: Attacker;
beforeAll(async () => {
  template = await vaultTemplate();
});
beforeEach(async () => {
  place = await placeOf(template);
  ({ owner, attacker } = place);
});

/** The doors that one record's being wrong shuts, whichever they are, are shut to it; no value of another place comes out. */
async function expectShutBriefly(
  says: RegExp,
  ownerDoors: readonly OwnerDoor[] = ["admin.setSecret", "revoke", "get"],
): Promise<void> {
  for (const program of [owner, place.agent]) {
    git(program.repo, "pull", "--quiet", "--ff-only");
    const before = program.snapshot();
    const answers = [...(await tryBriefly(program))];
    if (program === owner) answers.push(...(await tryAsOwner(program, ownerDoors)));
    expect(answers.filter(({ isOpen }) => isOpen).map(({ door }) => door)).toEqual([]);
    for (const { said, door } of answers) {
      expect(said, door).toMatch(says);
      for (const value of Object.values(VALUES)) expect(said).not.toContain(value);
    }
    expect(program.snapshot()).toBe(before);
    const taken = linesOf(program)
      .slice(-answers.length)
      .filter(({ action }) => action !== "denied");
    expect(taken.map(({ action }) => action)).not.toContain("launch");
  }
}

describe("who copies what an owner sealed to another place (A4)", () => {
  it("the record of a test key over that of a live one: no door takes it for the live one", async () => {
    attacker.write(SECRET, attacker.text(TEST_SECRET));
    attacker.push();
    await expectShutBriefly(/not a valid record.*\.vault\/groups\/stripe\/secrets\/API_KEY\.json/);
  });

  it("a ciphertext alone, under the signature that was there: no owner signed that", async () => {
    attacker.edit(SECRET, { sealed: attacker.read(TEST_SECRET).sealed });
    attacker.push();
    await expectShutBriefly(
      /no owner of this vault signed this record: \.vault\/groups\/stripe\/secrets\/API_KEY\.json/,
    );
  });

  it("a ciphertext alone, signed with an owner's stolen key: it opens at its own place only", async () => {
    const { key } = keyOf(ownerKeyPath(owner));
    const { sealed } = attacker.read("groups/stripe/secrets/WEBHOOK.json");
    const record = attacker.read(SECRET);
    attacker.write(SECRET, signedBy(key, { ...record, sealed, serial: Number(record.serial) + 1 }));
    attacker.push();
    for (const { repo } of [owner, place.agent]) git(repo, "pull", "--quiet", "--ff-only");
    const answers = [
      ...(await tryBriefly(place.agent)),
      ...(await tryAsOwner(owner, ["get", "admin.revoke"])),
    ];
    for (const { isOpen, said, door } of answers) {
      expect({ isOpen, door }).toMatchObject({ isOpen: false });
      expect(said, door).toMatch(
        /what is sealed here was made.*\.vault\/groups\/stripe\/secrets\/API_KEY\.json/,
      );
      for (const value of Object.values(VALUES)) expect(said).not.toContain(value);
    }
  });

  it("another vault, nearer to where a program is started: the key is for the vault that it names", async () => {
    const other = await anotherVault();
    mkdirSync(join(attacker.clone, "service"));
    cpSync(join(other.repo, ".vault"), join(attacker.clone, "service/.vault"), { recursive: true });
    attacker.push();
    for (const program of [owner, place.agent]) {
      git(program.repo, "pull", "--quiet", "--ff-only");
      const key = join(program.home, ".config/vault-run", owner.vaultId, "agents/crawler.key");
      for (const args of [["--key-file", key], []]) {
        const launch = ["--agent", "crawler", ...args, "--", "sh", "-c", 'touch "$HOME/started"'];
        const { status, stdout, stderr } = await program.run(launch, { cwd: join(program.repo, "service") });
        expect({ status, stdout }, stderr).toEqual({ status: 125, stdout: "" });
        expect(stderr).toMatch(args.length === 0 ? /no key/ : /another vault|is for vault/);
        expect(existsSync(join(program.home, "started"))).toBe(false);
      }
    }
    const set = await owner.run(["set", REF], {
      cwd: join(owner.repo, "service"),
      input: "value-for-mallory",
    });
    expect(set.status, set.stderr).toBe(1);
    expect(owner.git("status", "--porcelain")).toBe("");
  });
});

/** A sound vault of someone else, with the same names in it. */
async function anotherVault(): Promise<Program> {
  const other = Program.empty();
  await other.must(["init", "--classic"]);
  await other.must(["add-agent", "crawler"]);
  await other.set(REF, "value-of-another-vault");
  await other.must(["grant", "crawler", "stripe"]);
  return other;
}

describe("who names a program where a recipient belongs (A11)", () => {
  it.each([
    "age1../../trap",
    "age1trap1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI",
  ])("%s is no recipient, whoever signed it, and no program is started", async (recipient) => {
    const ran = join(owner.home, "ran");
    const trap = `#!/bin/sh\necho "$0 $*" >> '${ran}'\n`;
    const tools = tempFolder();
    for (const name of ["age-plugin-trap", "trap", "age", "ssh-keygen"]) {
      writeFileSync(join(tools, name), trap);
      chmodSync(join(tools, name), 0o755);
    }
    attacker.write("../trap", trap);
    chmodSync(join(attacker.clone, "trap"), 0o755);
    const { key } = keyOf(ownerKeyPath(owner));
    const group = attacker.read(GROUP);
    attacker.write(GROUP, signedBy(key, { ...group, recipient, serial: Number(group.serial) + 1 }));
    attacker.push();
    git(owner.repo, "pull", "--quiet", "--ff-only");
    const before = owner.snapshot();
    const env = { PATH: `${tools}:${owner.env.PATH}` };
    for (const [args, input] of [
      [["--agent", "crawler", "--", "true"], ""],
      [["set", REF], "value-set-in-the-attack"],
      [["revoke", "stays", "stripe"], ""],
      [["get", REF], ""],
    ] as const) {
      const { status, stdout, stderr } = await owner.run(args, { env, input });
      expect({ isDone: status === 0, stdout }, stderr).toEqual({ isDone: false, stdout: "" });
      expect(stderr).toMatch(/not a valid record.*\.vault\/groups\/stripe\/group\.json/);
    }
    expect(owner.snapshot()).toBe(before);
    expect(existsSync(ran)).toBe(false);
  });

  it("a key file with a plugin's identity is none, and no program is started", async () => {
    const ran = join(owner.home, "ran");
    const tools = tempFolder();
    writeFileSync(join(tools, "age-plugin-trap"), `#!/bin/sh\ntouch '${ran}'\n`);
    chmodSync(join(tools, "age-plugin-trap"), 0o755);
    const key = join(owner.home, "plugin.key");
    writeFileSync(key, "AGE-PLUGIN-TRAP-1QQQSYQCYQ5RQWZQFPG9SCRGWPUG\n", { mode: 0o600 });
    const env = { PATH: `${tools}:${owner.env.PATH}` };
    for (const args of [
      ["--agent", "crawler", "--key-file", key, "--", "true"],
      ["set", REF, "--owner-key-file", key],
    ]) {
      const { status, stdout, stderr } = await owner.run(args, { env, input: "value-set-in-the-attack" });
      expect({ isDone: status === 0, stdout }, stderr).toEqual({ isDone: false, stdout: "" });
    }
    expect(existsSync(ran)).toBe(false);
  });
});

describe("who names what leads elsewhere (A13)", () => {
  it.each<[string, (outside: string) => void, RegExp]>([
    [
      "a link in the place of a secret",
      (outside) => link(SECRET, join(outside, "API_KEY.json")),
      /not a plain file or folder.*\.vault\/groups\/stripe\/secrets\/API_KEY\.json/,
    ],
    [
      "a link in the place of a group",
      (outside) => link("groups/stripe", outside),
      /not a plain file or folder.*\.vault\/groups\/stripe/,
    ],
    [
      "a link from an agent to another one",
      () => link("agents/crawler", "stays"),
      /not a plain file or folder.*\.vault\/agents\/crawler/,
    ],
    ["a link in the place of the vault", (outside) => link("", outside), /\.vault/],
  ])("%s is followed by nobody, to read or to write", async (_, plant, says) => {
    const outside = tempFolder();
    cpSync(join(owner.repo, ".vault/groups/stripe"), outside, { recursive: true });
    cpSync(join(owner.repo, SECRET_FILE), join(outside, "API_KEY.json"));
    plant(outside);
    attacker.push();
    const before = execaSync("ls", ["-lR", outside]).stdout;
    await expectShutBriefly(says, says.source.includes("agents") ? ["revoke", "rekey"] : undefined);
    expect(execaSync("ls", ["-lR", outside]).stdout).toBe(before);
  });

  it("a name that differs from another in letter case alone is refused at every door", async () => {
    attacker.write("groups/stripe/secrets/api_key.json", attacker.text(SECRET));
    attacker.push();
    const listing = [
      ["--agent", "crawler", "--", "true"],
      ["export", "stripe", "--format", "json"],
      ["revoke", "stays", "stripe"],
    ];
    git(owner.repo, "pull", "--quiet", "--ff-only");
    for (const args of listing) {
      const { status, stdout, stderr } = await owner.run(args);
      expect({ isDone: status === 0, stdout }, stderr).toEqual({ isDone: false, stdout: "" });
      expect(stderr).toMatch(/api_key/);
    }
  });

  it("a tree with `..`, `.git` and an absolute path in it is taken by no `sync`, and writes nothing", async () => {
    for (const name of ["..", ".git", `${owner.home}/mallory`, "x/../../mallory"]) {
      const tip = attacker.plantTree(name, "mallory");
      git(place.remote, "update-ref", "refs/heads/main", tip);
      const before = owner.snapshot();
      const { status, stderr } = await owner.run(["sync"]);
      expect(status, `${name}: ${stderr}`).toBe(1);
      const refs = (text: string) => text.replace(/^.*refs\/remotes\/.*$/gm, "");
      expect(refs(owner.snapshot()), name).toBe(refs(before));
      expect(existsSync(join(owner.home, "mallory")), name).toBe(false);
    }
  });

  it("on the command line is refused before a path is made of it", async () => {
    const before = owner.snapshot();
    for (const args of ELSEWHERE) {
      const { status, stdout, stderr } = await owner.run(args, { input: "X=value-set-in-the-attack\n" });
      expect({ isDone: status === 0, stdout }, `${args.join(" ")}: ${stderr}`).toEqual({
        isDone: false,
        stdout: "",
      });
      expect(stderr, args.join(" ")).toMatch(/^vault-run: not a valid .*name|^vault-run: .*name/);
    }
    expect(owner.snapshot()).toBe(before);
    expect(owner.git("status", "--porcelain", "--ignored")).toBe("");
  });
});

const ELSEWHERE = [
  ["set", "../stripe/X"],
  ["set", "stripe/../../X"],
  ["set", "/etc/X"],
  ["get", "stripe/API_KEY/../../test/secrets/API_KEY"],
  ["grant", "../stays", "stripe"],
  ["grant", "crawler", "../test"],
  ["add-agent", "../../agent"],
  ["remove-agent", ".."],
  ["--agent", "../crawler", "--", "true"],
  ["--agent", "crawler", "--group", "..", "--", "true"],
  ["import", "-", "--group", "../stripe"],
];

const SECRET_FILE = join(".vault", SECRET);

function link(path: string, target: string): void {
  const at = join(attacker.clone, ".vault", path);
  rmSync(at, { recursive: true });
  symlinkSync(target, at.replace(/\/$/, ""));
}
