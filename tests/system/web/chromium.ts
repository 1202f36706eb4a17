import { existsSync } from 'node:fs';
import type { Browser } from 'playwright-core';

/** Chromium of the machine; undefined where there is none. */
export const chromiumPath: string | undefined = [
  process.env['DEC_CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
].find((path) => path !== undefined && existsSync(path));

if (chromiumPath === undefined) {
  process.stderr.write('Chromium is not at hand (DEC_CHROMIUM, /usr/bin/chromium): what needs a browser is skipped.\n');
}

/** Starts it without anything that would call home. */
export async function launchChromium(): Promise<Browser> {
  const { chromium } = await import('playwright-core');
  return chromium.launch({
    ...(chromiumPath === undefined ? {} : { executablePath: chromiumPath }),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
