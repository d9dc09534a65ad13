/** What `hook` takes. */
export const HOOK_ACTIONS = ["install", "uninstall", "status"] as const;
