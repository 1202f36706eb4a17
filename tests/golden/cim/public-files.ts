import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { feedersDir } from '../../feeders.js';

/** One row of the CIM table in the README of the public feeders. */
export interface FeederRow {
  readonly file: string;
  readonly feeders: string;
  /** Feeder mRIDs as the README has them. */
  readonly mrids: readonly string[];
  /** Instances by class name; several classes share a column of the table. */
  readonly counts: ReadonlyMap<string, number>;
  readonly isSplitPhase: boolean;
}

/** Classes in the order of the README's counts column. */
const COLUMNS = [
  ['ACLineSegment'],
  ['EnergyConsumer'],
  ['PowerElectronicsConnection'],
  ['PhotovoltaicUnit'],
  ['BatteryUnit'],
  ['PowerTransformer'],
  ['TransformerTank'],
  ['RatioTapChanger'],
  ['LinearShuntCompensator'],
  ['LoadBreakSwitch', 'Breaker', 'Fuse', 'Recloser', 'Disconnector'],
  ['ConnectivityNode'],
  ['Analog', 'Discrete'],
] as const;

/** Folder of the public CIM files, or undefined where they are not at hand. */
export const publicCim: string | undefined = feedersDir === undefined ? undefined : join(feedersDir, 'cim');

/** A file of the public feeders by its name in the README (`cim/IEEE13.xml`). */
export function publicFile(name: string): { readonly name: string; readonly text: string } {
  return { name, text: readFileSync(join(feedersDir ?? '', name), 'utf8') };
}

/** The rows of the table "CIM RDF/XML" of the README; empty where the feeders are not at hand. */
export function feederRows(): FeederRow[] {
  if (feedersDir === undefined) return [];
  const readme = readFileSync(join(feedersDir, 'README.md'), 'utf8');
  const rows: FeederRow[] = [];
  for (const line of readme.split('\n')) {
    const match = /^\| `(cim\/[^`*]+)` \|/.exec(line);
    if (!match) continue;
    const cells = line.split('|').map((cell) => cell.trim());
    const [numbers = '', mark] = (cells[5] ?? '').split(' ');
    const counts = new Map<string, number>();
    numbers.split('/').forEach((part, column) => {
      part.split('.').forEach((value, k) => {
        const className = COLUMNS[column]?.[k];
        if (className !== undefined) counts.set(className, Number(value));
      });
    });
    const feeders = cells[3] ?? '';
    rows.push({
      file: match[1]!,
      feeders,
      mrids: [...feeders.matchAll(/`([^`]+)`/g)].map((m) => m[1]!),
      counts,
      isSplitPhase: mark === 's1s2',
    });
  }
  return rows;
}
