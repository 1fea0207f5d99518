#!/usr/bin/env bash
# Playwright drives a Firefox that it did not patch over WebDriver BiDi, with the channel "moz-firefox". From
# 1.65 on it cannot do so with the current extended support release: for each context it sends the command
# emulation.setMediaFeaturesOverride, whatever the options say, and Firefox ESR 153 does not know it. 1.64.1 does
# not send it, and works; what it cannot emulate, such as the dark colour scheme, it then leaves as it is without
# an error, so preferences of Firefox have to say it.
# Seen with firefox-esr 153.8.0. Needs Debian's package firefox-esr, or another Firefox named in FIREFOX.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
firefox=${FIREFOX:-/usr/bin/firefox-esr}
"$firefox" --version

try() { # try VERSION: opens a context that prefers dark colours, and says what it sees
  mkdir "$folder/$1"
  cd "$folder/$1"
  npm install --silent --no-audit --no-fund --ignore-scripts "playwright-core@$1" >/dev/null
  FIREFOX=$firefox node --input-type=module <<'SCRIPT'
import { firefox } from "playwright-core";
const browser = await firefox.launch({ channel: "moz-firefox", executablePath: process.env.FIREFOX });
try {
  const context = await browser.newContext({ colorScheme: "dark" });
  const page = await context.newPage();
  await page.goto("data:text/html,<h1>Hello");
  const isDark = await page.evaluate(() => matchMedia("(prefers-color-scheme: dark)").matches);
  console.log(`works; the page sees a dark colour scheme: ${isDark}`);
} catch (error) {
  console.log(error.message.split("\n")[0]);
} finally {
  await browser.close();
}
SCRIPT
}

newer=$(try 1.65.1)
older=$(try 1.64.1)
printf '1.65.1: %s\n1.64.1: %s\n' "$newer" "$older"
[[ $newer == *"emulation.setMediaFeaturesOverride"*"unknown command"* ]]
[[ $older == "works; the page sees a dark colour scheme: false" ]]
