import { diskError, systemCode } from "../vault-error.ts";

/**
 * Makes the attempt. What node does not permit, where it was started with `--permission`, is an error that names what.
 *
 * @throws {VaultError} `disk`
 */
export async function permitted<T>(attempt: () => T | Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof Error) || systemCode(error) !== "ERR_ACCESS_DENIED") throw error;
    const { resource } = error as { resource?: unknown };
    throw diskError(
      error,
      "use",
      typeof resource === "string" && resource !== "" ? resource : "what it needs",
    );
  }
}
