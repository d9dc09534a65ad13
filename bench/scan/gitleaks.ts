import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Sample } from "./samples.ts";

// The samples that gitleaks' rules are tested with, from its Go module, which go downloads and checks. They stand in the rules'
// code, and many are made there when it runs: so it is run, with its own check of a rule put aside and each sample written
// down, together with whether any of gitleaks' rules finds something in it.

const MODULE = "github.com/zricethezav/gitleaks/v8";
const VERSION = "v8.30.1";
const CACHE = resolve(import.meta.dirname, `../.cache/gitleaks-${VERSION}`);

const RECORDER = `package utils

import (
	"encoding/json"
	"os"

	"${MODULE}/config"
	"${MODULE}/detect"
)

var all, _ = detect.NewDetectorDefaultConfig()
var out, _ = os.OpenFile(os.Getenv("SAMPLES"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)

func record(rule string, path string, text string, positive bool) {
	found := len(all.Detect(detect.Fragment{Raw: text, FilePath: path})) > 0
	line, _ := json.Marshal(map[string]any{"rule": rule, "file": path, "text": text, "positive": positive, "found": found})
	out.Write(append(line, 10))
}

func Validate(rule config.Rule, tps []string, fps []string) *config.Rule {
	for _, tp := range tps {
		record(rule.RuleID, "", tp, true)
	}
	for _, fp := range fps {
		record(rule.RuleID, "", fp, false)
	}
	return &rule
}

func ValidateWithPaths(rule config.Rule, tps map[string]string, fps map[string]string) *config.Rule {
	for path, tp := range tps {
		record(rule.RuleID, path, tp, true)
	}
	for path, fp := range fps {
		record(rule.RuleID, path, fp, false)
	}
	return &rule
}
`;

interface Recorded extends Sample {
  /** Whether any of gitleaks' rules finds something in it. */
  readonly found: boolean;
}

/** @returns nothing where go is not. */
export function gitleaksSamples(): Sample[] {
  const file = join(CACHE, "samples.jsonl");
  if (!existsSync(file) && !makeSamples(file)) return [];
  const recorded = readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Recorded);
  return (
    recorded
      // Named by its file alone, which tells nothing of a text; and what is none to one rule and is one to another.
      .filter(({ text, positive, found }) => text !== "" && (positive || !found))
      .map((sample) => ({ ...sample, file: sample.file || "file.txt" }))
  );
}

function makeSamples(file: string): boolean {
  const download = spawnSync("go", ["mod", "download", "-json", `${MODULE}@${VERSION}`], {
    encoding: "utf8",
  });
  if (download.status !== 0) return false;
  const { Dir } = JSON.parse(download.stdout) as { Dir: string };
  const source = join(CACHE, "source");
  rmSync(CACHE, { recursive: true, force: true });
  mkdirSync(CACHE, { recursive: true });
  cpSync(Dir, source, { recursive: true });
  spawnSync("chmod", ["-R", "u+w", source]);
  writeFileSync(join(source, "cmd/generate/config/utils/validate.go"), RECORDER);
  const draft = `${file}.draft`;
  const run = spawnSync("go", ["run", ".", join(CACHE, "out.toml")], {
    cwd: join(source, "cmd/generate/config"),
    env: { ...process.env, SAMPLES: draft },
    stdio: ["ignore", 2, 2],
  });
  if (run.status !== 0) return false;
  renameSync(draft, file);
  return true;
}
