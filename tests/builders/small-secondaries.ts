import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { feederDocument } from '../../inputs/generator/feeder-document.js';

/*
 * The primary of the flagship with eight of its 82 service transformers: few agents, and all that a run meets. At a source
 * voltage of 1.04 pu and full sun its PV lifts the voltage to 1.063 pu.
 */

/** Bus and phase of the service transformers, which are the ids of their agents. */
export const SMALL_AGENTS = ['9A', '10A', '2B', '43B', '59B', '66C', '84C', '113A'] as const;

const isKept: ReadonlySet<string> = new Set(SMALL_AGENTS);

/** The document, with the tie switches of the feeder closed where that is asked for: two loops. */
export function smallSecondaries(name = 'small_secondaries', isMeshed = false): string {
  const { xml } = feederDocument({ name, has: ({ primaryBus, phase }) => isKept.has(`${primaryBus}${phase}`) });
  if (!isMeshed) return xml;
  return xml
    .replaceAll('<cim:Switch.open>true<', '<cim:Switch.open>false<')
    .replaceAll('<cim:SwitchPhase.closed>false<', '<cim:SwitchPhase.closed>true<');
}

/** Writes the document to a folder; returns its path. */
export function smallSecondariesFile(folder: string, name?: string, isMeshed = false): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${name ?? 'small_secondaries'}.xml`);
  writeFileSync(path, smallSecondaries(name, isMeshed));
  return path;
}
