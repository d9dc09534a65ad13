// What `import … from "vault-run"` offers: an agent's side. The owner's is admin/index.ts, the redactor redact/index.ts.

export type { Count, Encoding, Leak } from "./redact/redactor.ts";
export {
  type AgentVault,
  type EnvOptions,
  type GetOptions,
  openVault,
  type SecretInfo,
} from "./sdk/agent-vault.ts";
export type { SecretEnvironment } from "./sdk/environment.ts";
export type { AgentOptions } from "./sdk/options.ts";
export { type Output, type RunOptions, type RunResult, run } from "./sdk/run.ts";
export { Secret } from "./vault/secret.ts";
export { VaultError, type VaultErrorCode } from "./vault-error.ts";
