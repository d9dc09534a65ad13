#!/bin/sh
# The programs whose output the tests look at. Installs those that are missing where it can, and otherwise says which.
set -eu
missing=""
for tool in git:git python3:python3 bash:bash unshare:util-linux pgrep:procps xxd:xxd jq:jq strace:strace setpriv:util-linux curl:curl openssl:openssl ssh-keygen:openssh-client psql:postgresql-client age:age dbus-run-session:dbus-daemon gnome-keyring-daemon:gnome-keyring zsh:zsh fish:fish mandoc:mandoc journalctl:systemd; do
  command -v "${tool%%:*}" >/dev/null || missing="$missing ${tool##*:}"
done
[ -n "$missing" ] || exit 0
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  apt-get update -qq
  # shellcheck disable=SC2086 # a list of words
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing
else
  echo "the tests need these Debian packages:$missing" >&2
  exit 1
fi
