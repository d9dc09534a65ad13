#!/bin/sh
# The programs whose output the tests look at. Installs those that are missing where it can, and otherwise says which.
set -eu
# Command and Debian package.
tools="
  git:git python3:python3 bash:bash zsh:zsh fish:fish mandoc:mandoc age:age jq:jq xxd:xxd curl:curl openssl:openssl
  ssh-keygen:openssh-client psql:postgresql-client
  cron:cron setfacl:acl systemd-analyze:systemd
  unshare:util-linux setpriv:util-linux pgrep:procps strace:strace cc:gcc
  dbus-run-session:dbus-daemon gnome-keyring-daemon:gnome-keyring journalctl:systemd
  chromium:chromium xdg-open:xdg-utils
"
missing=""
for tool in $tools; do
  command -v "${tool%%:*}" >/dev/null || missing="$missing ${tool##*:}"
done
# What Debian leaves out of python3.
python3 -c "import ensurepip" 2>/dev/null || missing="$missing python3-venv"
# What gcc only recommends.
[ -e /usr/include/dlfcn.h ] || missing="$missing libc6-dev"
/usr/bin/python3 -c "import yaml" 2>/dev/null || missing="$missing python3-yaml"
[ -n "$missing" ] || exit 0
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  apt-get update -qq
  # shellcheck disable=SC2086 # a list of words
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing
else
  echo "the tests need these Debian packages:$missing" >&2
  exit 1
fi
