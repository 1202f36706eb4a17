import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { type ReadDss, readDss } from '../../../grid/dss/index.js';
import {
  createPowerFlow,
  type FeederFlow,
  type PowerFlowSolution,
  parseCapacitorsCsv,
  parseTapsCsv,
  setCapacitors,
  setTaps,
} from '../../../grid/flow/index.js';
import { DssFolder } from '../../../platform/index.js';
import { feedersDir } from '../../feeders.js';

/*
 * Reference solutions of the public OpenDSS files (feeders/README.md, section "ref": DSS C-API of 2024-06 on exactly these
 * files; controls of the file, then frozen and solved to 1e-10).
 */

const folder = join(feedersDir ?? '', 'ref', 'opendss');
export const hasReferences: boolean = feedersDir !== undefined && existsSync(folder);

const words = (text: string): string[] =>
  text
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');

/** The scripts of the public set, by path below `dss`. */
const scripts = hasReferences
  ? readdirSync(join(feedersDir!, 'dss'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      ['.dss', '.txt'].includes(extname(name).toLowerCase()),
    )
  : [];

/** The master of a reference: the script whose name ends the reference's and whose folders share most words with it. */
function masterOf(stem: string): string {
  const wanted = words(stem);
  const score = (name: string): number => {
    const own = words(basename(name, extname(name)));
    if (own.length === 0 || wanted.slice(-own.length).join() !== own.join()) return -1;
    const shared = new Set(words(name).filter((word) => wanted.includes(word))).size;
    return shared * 1e6 + own.length * 1e3 - name.length;
  };
  const best = scripts.reduce((one, other) => (score(other) > score(one) ? other : one));
  return join(feedersDir!, 'dss', best);
}

/** All references: their name and master. */
export const REFERENCES: readonly { readonly stem: string; readonly master: string }[] = hasReferences
  ? readdirSync(folder)
      .filter((name) => name.endsWith('_v.csv'))
      .map((name) => name.slice(0, -'_v.csv'.length))
      .sort()
      .map((stem) => ({ stem, master: masterOf(stem) }))
  : [];

function text(stem: string, suffix: string): string | undefined {
  const path = join(folder, `${stem}_${suffix}.csv`);
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** A script read from the disk. */
export const readMaster = (master: string): ReadDss => readDss(master, new DssFolder());

/** Taps and capacitors of a reference by lower-case name. */
export function referenceStates(stem: string) {
  const taps = text(stem, 't');
  const capacitors = text(stem, 'c');
  return {
    taps: taps === undefined ? [] : parseTapsCsv(taps).taps,
    capacitors: capacitors === undefined ? [] : parseCapacitorsCsv(capacitors).capacitors,
  };
}

/** A power flow with the taps and capacitors of a reference, frozen. */
export function frozenFlow({ feeder }: ReadDss, stem: string): FeederFlow {
  const flow = createPowerFlow(feeder, { tolerancePu: 1e-10, maxIterations: 300 });
  const { taps, capacitors } = referenceStates(stem);
  const findings = [...setTaps(flow, taps), ...setCapacitors(flow, capacitors)];
  if (findings.length > 0) throw new Error(findings.map(({ message }) => message).join('; '));
  return flow;
}

/** Largest complex difference of a node voltage from the reference, pu of the bus' base, with its node; nodes not found. */
export function deviation(read: ReadDss, solution: PowerFlowSolution, stem: string) {
  let largest = 0;
  let worst = '';
  const missing: string[] = [];
  for (const line of (text(stem, 'v') ?? '').trim().split(/\r?\n/).slice(1)) {
    const [node = '', re = '', im = ''] = line.split(',');
    const dot = node.lastIndexOf('.');
    const bus = node.slice(0, dot).toUpperCase();
    const v = solution.voltageAt(bus, Number(node.slice(dot + 1)));
    if (!v) {
      missing.push(node);
      continue;
    }
    const apart = Math.hypot(v.re - Number(re), v.im - Number(im)) / read.feeder.busById.get(bus)!.baseVoltageV;
    if (!(apart <= largest)) {
      largest = apart;
      worst = node;
    }
  }
  return { largest, worst, missing };
}

/** Losses of a reference, W: `MWLosses` of its summary. */
export function referenceLossW(stem: string): number {
  const [header = '', row = ''] = (text(stem, 's') ?? '').trim().split(/\r?\n/);
  const column = header.split(',').findIndex((name) => name.trim() === 'MWLosses');
  return Number(row.split(',')[column]) * 1e6;
}
