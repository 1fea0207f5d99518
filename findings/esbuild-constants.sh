#!/usr/bin/env bash
# esbuild --bundle --minify puts the value of a top-level constant in the place of its uses, but only in
# modules that import nothing. In a module with one import statement the constant stays a variable, even if
# it is never exported and holds a number: a circular import could run its functions before it is set.
# Whoever counts bytes writes such a number where it is used, or keeps it in a module without imports.
set -euo pipefail

VERSION=0.28.2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund "esbuild@$VERSION" >&2

cat > alone.js <<'JS'
const LIMIT = 1000;
export const isOver = (n) => n > LIMIT;
JS
cat > importing.js <<'JS'
import { isOver } from "./alone.js";
const MOST = 2000;
export const isBetween = (n) => isOver(n) && n < MOST;
JS
cat > entry.js <<'JS'
import { isBetween } from "./importing.js";
console.log(isBetween(1));
JS

esbuild=node_modules/@esbuild/$(node -p 'process.platform + "-" + process.arch')/bin/esbuild
bundle=$("$esbuild" entry.js --bundle --minify --format=iife)
echo "esbuild $("$esbuild" --version)"
echo "$bundle"
grep -q '>1e3' <<< "$bundle" || { echo "the constant of a module without imports is not inlined any more"; exit 1; }
grep -qE '[a-z]=2e3' <<< "$bundle" || { echo "the constant of a module with an import is inlined now"; exit 1; }
echo "seen: 1e3 stands where it is used, and 2e3 in a variable of its own"
