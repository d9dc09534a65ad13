import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { execa, execaSync } from "execa";
import { beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { Image, type Mount } from "../fixtures/container.ts";
import { VALUE } from "../fixtures/crawler.ts";
import { commandsOf, exampleFolder } from "../fixtures/example.ts";
import { podOf, startInit, volumesOf } from "../fixtures/pod.ts";
import { Program } from "../fixtures/program.ts";
import { tempFolder } from "../fixtures/temp.ts";
import { readYaml } from "../fixtures/yaml.ts";

// Without a container engine: the steps and the entrypoint that the Dockerfile names, in a root with only what the image holds.

const FOLDER = exampleFolder("dockerfile");
const HEADLINE = "agent: asking for 2 prices with [REDACTED:stripe/API_KEY]";
let program: Program;
let image: Image;
let output: string;
let key: string;
let state: string;

beforeAll(async () => {
  program = Program.lasting();
  await program.must(["init", "--classic"]);
  await program.set("stripe/API_KEY", VALUE);
  cpSync(FOLDER, program.repo, { recursive: true });
  for (const commands of commandsOf("dockerfile"))
    await execa("sh", ["-ec", commands], { cwd: program.repo, env: program.env, extendEnv: false });
  key = join(program.repo, "crawler.key");
  const built = join(program.home, "built");
  const prefix = join(inject("packageFolder"), "../../..");
  ({ image, output } = await Image.build(program.repo, built, prefix, { "vault-run-key": key }));
});

beforeEach(() => {
  state = tempFolder();
  execaSync("chown", ["1000:1000", state]);
});

// What these files say that the tests look at.
interface Compose {
  readonly services: Record<string, Record<string, unknown>>;
  readonly secrets: Record<string, { file: string }>;
  readonly volumes: Record<string, unknown>;
}

const mounts = (): Mount[] => [
  { source: key, target: "/run/secrets/vault-run-key" },
  { source: state, target: "/var/lib/vault-run" },
];

/** The container's first process, by its number out here. */
async function firstProcess(unshare: number | undefined): Promise<number> {
  return Number((await execa("pgrep", ["-P", `${unshare}`])).stdout);
}

async function run(...words: string[]) {
  const { exitCode, stdout, stderr } = await image.start({ words, mounts: mounts() });
  return { status: exitCode, stdout, stderr };
}

describe("the image", () => {
  it("is built with a secret, whose use is recorded in the build's output", () => {
    expect(output).toContain("build: fetching with [REDACTED:stripe/API_KEY]");
    expect(output).toContain('"action":"launch"');
  });

  it("holds no key and no value, in no stage", async () => {
    const [identity = ""] = /^AGE-SECRET-KEY-.*$/m.exec(readFileSync(key, "utf8")) ?? [];
    expect(identity.length).toBeGreaterThan(70);
    const built = join(program.home, "built");
    const { exitCode, stdout } = await execa("grep", ["-rlF", "-e", identity, "-e", VALUE, built], {
      reject: false,
    });
    expect([exitCode, stdout]).toEqual([1, ""]);
  });

  it("installs the version of this package", () => {
    const { version } = JSON.parse(readFileSync(join(inject("packageFolder"), "package.json"), "utf8"));
    expect(readFileSync(join(FOLDER, "Dockerfile"), "utf8")).toContain(` vault-run@${version}\n`);
  });
});

describe("the container", () => {
  it("runs the agent with its secret, masked, and stops as docker stop has it", async () => {
    const child = image.start({ mounts: mounts() });
    await new Promise((resolve) => child.stdout?.once("data", resolve));
    process.kill(await firstProcess(child.pid), "SIGTERM");
    const { exitCode, stdout, stderr } = await child;
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 0,
      stdout: `${HEADLINE}\nagent: stopping`,
      stderr: "vault-run: masked in the output: stripe/API_KEY 1x (stdout raw)",
    });
  });

  it("ends with the program's status, and with its signal's", async () => {
    expect((await run("node", "-e", "process.exitCode = 42")).status).toBe(42);
    expect((await run("node", "-e", 'process.kill(process.pid, "SIGKILL")')).status).toBe(137);
  });

  it("has vault-run as its first process, the user that the file names, and no way to more", async () => {
    const script = `
      const { readFileSync } = require("node:fs");
      const status = readFileSync("/proc/self/status", "utf8");
      const { VAULT_RUN_KEY_FILE, API_KEY = "" } = process.env;
      console.log(process.ppid, process.getuid(), process.getgid(), API_KEY.length, VAULT_RUN_KEY_FILE);
      console.log(/CapEff:\\s*(\\w+)/.exec(status)[1], /NoNewPrivs:\\s*(\\d)/.exec(status)[1]);`;
    expect(await run("node", "-e", script)).toEqual({
      status: 0,
      stdout: `1 1000 1000 ${VALUE.length} undefined\n0000000000000000 1`,
      stderr: "",
    });
  });

  it("keeps pins and the audit log in the volume, though its root is read-only", async () => {
    const script = 'try { require("fs").writeFileSync("/app/x", "") } catch (e) { console.log(e.code) }';
    expect((await run("node", "-e", script)).stdout).toBe("EROFS");
    const { stdout } = await execa("find", [state, "-type", "f", "-printf", "%f %u\n"]);
    expect(stdout).toContain("audit.jsonl");
    expect(stdout).toContain("vault.json");
  });

  it("starts nothing where the key is missing, and says so", async () => {
    const { exitCode, stdout, stderr } = await image.start({ mounts: mounts().slice(1) });
    expect([exitCode, stdout]).toEqual([125, ""]);
    expect(stderr).toContain("/run/secrets/vault-run-key");
  });
});

describe("compose.yaml", () => {
  const compose = readYaml(join(FOLDER, "compose.yaml"))[0] as Compose;
  const service = compose.services.crawler ?? {};

  it("gives the key to the build and to the container, where the image looks for it", () => {
    expect(Object.keys(compose)).toEqual(["services", "secrets", "volumes"]);
    expect(compose.secrets).toEqual({ "vault-run-key": { file: "./crawler.key" } });
    expect(service.build).toEqual({ context: ".", secrets: ["vault-run-key"] });
    expect(service.secrets).toEqual(["vault-run-key"]);
    expect(image.env.VAULT_RUN_KEY_FILE).toBe("/run/secrets/vault-run-key");
  });

  it("keeps the state in a volume that is declared, and takes from the container what it can do without", () => {
    expect(service.volumes).toEqual([`vault-run-state:${image.env.XDG_STATE_HOME}`]);
    expect(Object.keys(compose.volumes)).toEqual(["vault-run-state"]);
    const { read_only, cap_drop, security_opt } = service;
    expect([read_only, cap_drop, security_opt]).toEqual([true, ["ALL"], ["no-new-privileges:true"]]);
  });
});

describe("kubernetes.yaml", () => {
  const [deployment, ...others] = readYaml(join(FOLDER, "kubernetes.yaml"));

  it("is a Deployment that names what it uses", () => {
    expect(others).toEqual([]);
    const { spec, containers } = podOf(deployment);
    expect(spec.volumes.find(({ name }) => name === "crawler-key")).toEqual({
      name: "crawler-key",
      secret: { secretName: "crawler-key", defaultMode: 0o400 },
    });
    expect(spec.automountServiceAccountToken).toBe(false);
    for (const { securityContext, image: from } of containers) {
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
      expect(from).toMatch(/^[\w./-]+:[\w.-]+$/);
    }
  });

  it("clones the vault, takes the key over and runs the agent, whose audit log is in its output", async () => {
    const { init, main } = podOf(deployment);
    const volumes = volumesOf(deployment, tempFolder(), key);
    const done = await startInit(init, volumes, program.repo);
    expect([done.exitCode, done.stdout, done.stderr]).toEqual([0, "", ""]);
    const env = Object.fromEntries(main.env.map(({ name, value }) => [name, value]));
    const words = ["node", "-e", "console.log(process.env.API_KEY)"];
    const mounted = main.volumeMounts.map(({ name, mountPath, readOnly = false }) => {
      return { source: volumes[name] ?? "", target: mountPath, readOnly };
    });
    const { exitCode, stdout, stderr } = await image.start({ words, env, mounts: mounted });
    expect([exitCode, stdout]).toEqual([0, "[REDACTED:stripe/API_KEY]"]);
    expect(JSON.parse(`${stderr}`.split("\n")[0] ?? "")).toMatchObject({
      action: "launch",
      agent: "crawler",
    });

    const own = { source: volumes["crawler-key"] ?? "", target: "/run/vault-run" };
    const direct = { ...env, VAULT_RUN_KEY_FILE: "/run/vault-run/vault-run-key" };
    const refused = await image.start({ words, env: direct, mounts: [...mounted.slice(1), own] });
    expect([refused.exitCode, refused.stdout]).toEqual([125, ""]);
    expect(refused.stderr).toContain("others can read this key file (mode 440)");
  });
});
