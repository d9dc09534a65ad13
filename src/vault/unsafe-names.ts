// Variables that make the child, or whatever it starts, load code or find other programs. A secret reaches such a
// variable only when the owner marked that secret for it, so that a careless or malicious name cannot.

const EXACT = new Set([
  "PATH", "IFS", "ENV", "BASH_ENV", "SHELLOPTS", "BASHOPTS", "PS4", "PROMPT_COMMAND", "CDPATH", "GLOBIGNORE", "ZDOTDIR",
  "HOME", "SHELL", "TMPDIR", "EDITOR", "VISUAL", "PAGER", "BROWSER", "TERMINFO", "TERMCAP", "TERMINFO_DIRS", "LOCPATH", "NLSPATH",
  "GCONV_PATH", "GETCONF_DIR", "HOSTALIASES", "RES_OPTIONS", "RESOLV_HOST_CONF", "MALLOC_TRACE", "NIS_PATH",
  "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONUSERBASE", "PYTHONBREAKPOINT", "PYTHONWARNINGS",
  "PERL5LIB", "PERLLIB", "PERL5OPT", "PERL5DB", "RUBYLIB", "RUBYOPT", "GEM_PATH", "GEM_HOME", "BUNDLE_GEMFILE",
  "CLASSPATH", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "JAVA_OPTS", "LUA_PATH", "LUA_CPATH", "LUA_INIT",
  "PHPRC", "PHP_INI_SCAN_DIR", "R_PROFILE", "R_HOME", "GOFLAGS", "RUSTC_WRAPPER", "MAKEFLAGS", "OPENSSL_CONF", "OPENSSL_MODULES",
  "OPENSSL_ENGINES", "SSLKEYLOGFILE", "CURL_HOME", "WGETRC", "LESSOPEN", "LESSCLOSE", "MANPAGER", "SSH_ASKPASS", "SUDO_ASKPASS",
]); // biome-ignore format: a word list reads best filled
const PREFIXES = [
  "LD_",
  "DYLD_",
  "NODE_",
  "NPM_CONFIG_",
  "GIT_",
  "BASH_FUNC_",
  "VAULT_RUN_",
  "PIP_",
  "UV_",
  "CARGO_",
  "ELECTRON_",
];

/** Whether a variable of this name could load code into the child or steer what it runs. Letter case does not save it. */
export function isUnsafeVariable(variable: string): boolean {
  const upper = variable.toUpperCase();
  return EXACT.has(upper) || PREFIXES.some((prefix) => upper.startsWith(prefix));
}
