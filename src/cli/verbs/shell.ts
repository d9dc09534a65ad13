import type { Verb } from "./verb.ts";

// For the shell.

export const SHELL_VERBS: readonly Verb[] = [
  {
    name: "completion",
    takes: "<shell>",
    about: "print what makes bash, zsh or fish complete verbs, options, agents, groups and secrets",
    options: [
      {
        flag: "--words",
        about: "for that script: what may follow the words on standard input, each ended by a NUL",
      },
    ],
    examples: [
      'eval "$(vault-run completion bash)"     # in ~/.bashrc; zsh alike, in ~/.zshrc',
      "vault-run completion fish > ~/.config/fish/completions/vault-run.fish",
    ],
    load: () => import("../commands/completion.ts"),
  },
];
