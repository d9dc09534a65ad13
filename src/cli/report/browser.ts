import { spawn } from "node:child_process";
import { platform } from "node:os";

const OPENERS: Readonly<Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>>> = {
  darwin: ["open"],
  win32: ["rundll32", "url.dll,FileProtocolHandler"],
};
const FREEDESKTOP = ["xdg-open"] as const;
/** An opener that is still there after so long shows the page itself. */
const OPENED_MS = 3000;

/** What one of is set where a browser can be: without, freedesktop's opener may take one that draws in a terminal. */
const SCREENS = ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER"];

/**
 * Has the system show a file in the browser. Resolves to whether it could.
 *
 * @param path absolute, so that it cannot be taken for an option.
 */
export function openInBrowser(
  path: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<boolean> {
  const [command, ...args] = OPENERS[platform()] ?? FREEDESKTOP;
  if (command === FREEDESKTOP[0] && SCREENS.every((name) => (env[name] ?? "") === ""))
    return Promise.resolve(false);
  const child = spawn(command, [...args, path], {
    detached: true,
    stdio: "ignore",
    env: withoutOurs(env),
  });
  return new Promise((resolve) => {
    const timer = setTimeout(done, OPENED_MS, true);
    child.on("error", () => done(false));
    child.on("exit", (status) => done(status === 0));
    function done(isOpen: boolean): void {
      clearTimeout(timer);
      child.unref();
      resolve(isOpen);
    }
  });
}

/** A browser needs none of the variables that lead to a key. */
function withoutOurs(env: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name]) => !name.startsWith("VAULT_RUN_") && name !== "CREDENTIALS_DIRECTORY",
    ),
  );
}
