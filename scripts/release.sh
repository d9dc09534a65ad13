#!/bin/sh
# Makes all that a release has in the folder OUT: npm's tarball, Python's wheel and source, the SBOM, the lock of what uploads
# them, and the digests. The same commit, node, npm and python make the same bytes.
# usage: sh scripts/release.sh OUT
set -eu
umask 022
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)
if ! grep -q "^version = \"$version\"$" python/pyproject.toml; then
  echo "package.json and python/pyproject.toml are of two versions" >&2
  exit 1
fi
if [ -n "${GITHUB_REF_NAME:-}" ]; then
  [ "$GITHUB_REF_NAME" = "v$version" ] || { echo "the tag is not v$version" >&2; exit 1; }
  grep -q "\"url\": \"git+https://github.com/$GITHUB_REPOSITORY.git\"" package.json || {
    echo "npm takes a provenance only for the repository that package.json names: say it there" >&2
    exit 1
  }
fi
[ -z "$(git status --porcelain)" ] || { echo "there is something here that was not committed" >&2; exit 1; }
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
npm ci --no-audit --no-fund
npm run --silent build
npm run --silent sbom
npm pack --silent --pack-destination "$out"
sh scripts/python.sh
python/.venv/bin/python -m build --no-isolation --outdir "$out" python
cp dist/vault-run.cdx.json python/publish.txt "$out"
cd "$out"
rm -f SHA256SUMS .gitignore
sha256sum -- * > SHA256SUMS
