import { DecError } from '../math/index.js';
import type {
  Bus,
  ComplexMatrix,
  FeederData,
  Line,
  Load,
  PhaseShare,
  PhotovoltaicSystem,
  Switch,
} from '../model/index.js';

/*
 * Reader of the ancestor's pair of JSON files (bus_info and branch_sw_xfmr) into a feeder.
 *
 * Buses carry loads `pq` and PV `pv` by phase, W and var; branches carry a 3 by 3 series impedance in ohm. Switches (`sw1` and
 * so on) are there without state: they become closed switches, which bound areas; open ones are named by the user. Regulators
 * are there without impedance and ratio and become closed switches that bound nothing. A bus with PV on several phases is one
 * unit. The source stands at the bus of index 0.
 */

/** Options of the case. */
export interface AncestorOptions {
  /** Names of branches to leave open, in any case. */
  readonly open: readonly string[];
  readonly loadMultiplier: number;
  readonly pvMultiplier: number;
  readonly sourceVoltagePu: number;
}

/** What the files call switches. */
const SWITCH_NAME = /^sw\d+$/i;

/** Ends of the ties, which are normally open in the published IEEE 123-node feeder; the files do not tell. */
const TIES: readonly string[] = ['151-300', '54-94'];

/** Impedance of regulators, ohm: small enough not to be seen at 1e-9 pu. */
const CLOSED_OHM = 5e-10;

const PHASE_COUNT = 3;

function fail(what: string, details: Readonly<Record<string, string | number>> = {}): never {
  throw new DecError('FEEDER_DATA', `The ancestor's file is not as expected: ${what}.`, details);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function records(value: unknown, file: string): [string, Record<string, unknown>][] {
  if (!isRecord(value)) fail(`${file} is not an object`);
  return Object.entries(value).map(([name, entry]) => {
    if (!isRecord(entry)) fail(`entry ${name} of ${file} is not an object`, { name });
    return [name, entry];
  });
}

function numberAt(value: unknown, path: readonly number[], where: string): number {
  let at = value;
  for (const i of path) at = Array.isArray(at) ? at[i] : undefined;
  if (typeof at !== 'number' || !Number.isFinite(at)) fail(`${where}[${path.join('][')}] is not a number`);
  return at;
}

function text(value: unknown, where: string): string {
  if (typeof value !== 'string') fail(`${where} is not a text`);
  return value;
}

/**
 * Reads the pair.
 *
 * @param busInfo - parsed bus file
 * @param branchInfo - parsed branch file
 * @throws DecError FEEDER_DATA naming the entry that is not as expected, BAD_ARGUMENT for an unknown branch in `open`
 */
export function ancestorFeeder(busInfo: unknown, branchInfo: unknown, options: AncestorOptions): FeederData {
  const buses: Bus[] = [];
  const loads: Load[] = [];
  const pvSystems: PhotovoltaicSystem[] = [];
  const phasesOf = new Map<string, number[]>();
  const busIdOf = new Map<string, string>();
  let root: { id: string; kv: number } | undefined;
  for (const [name, entry] of records(busInfo, 'the bus file')) {
    const kv = numberAt([entry['kv']], [0], `${name}.kv`);
    const id = name.toUpperCase();
    busIdOf.set(name, id);
    buses.push({ id, mrid: '', name: id, baseVoltageV: kv * 1000, isSplitPhase: false });
    if (numberAt([entry['idx']], [0], `${name}.idx`) === 0) root = { id, kv };
    const phases = entry['phases'];
    if (!Array.isArray(phases)) fail(`${name}.phases is not a list`);
    phasesOf.set(
      id,
      phases.map((p) => Number(p)),
    );
    const shares = (key: string, multiplier: number): PhaseShare[] =>
      Array.from({ length: PHASE_COUNT }, (_, k) => ({
        node: k + 1,
        otherNode: 0,
        ratedVoltageV: kv * 1000,
        powerW: numberAt(entry[key], [k, 0], `${name}.${key}`) * multiplier,
        powerVar: numberAt(entry[key], [k, 1], `${name}.${key}`) * multiplier,
      })).filter((share) => share.powerW !== 0 || share.powerVar !== 0);
    const loadShares = shares('pq', options.loadMultiplier);
    if (loadShares.length > 0) {
      loads.push({
        kind: 'load',
        id: `load.${id}`,
        mrid: '',
        name: `load_${id}`,
        terminal: { bus: id, nodes: loadShares.map((s) => s.node) },
        connection: 'wye',
        shares: loadShares,
        zipP: { z: 0, i: 0, p: 1 },
        zipQ: { z: 0, i: 0, p: 1 },
        minVoltagePu: 0.5,
        maxVoltagePu: 1.5,
        customerCount: 1,
      });
    }
    // The ancestor sets the reactive power of inverters to zero.
    const pvShares = shares('pv', options.pvMultiplier)
      .filter((s) => s.powerW > 0)
      .map((s) => ({ ...s, powerVar: 0 }));
    if (pvShares.length > 0) {
      const powerW = pvShares.reduce((sum, s) => sum + s.powerW, 0);
      // The file's power is the rating, the multiplier is the sun.
      const ratedPowerVA = Math.max(powerW, powerW / options.pvMultiplier);
      pvSystems.push({
        kind: 'pv',
        id: `pv.${id}`,
        mrid: '',
        unitMrid: '',
        name: `pv_${id}`,
        terminal: { bus: id, nodes: pvShares.map((s) => s.node) },
        connection: 'wye',
        shares: pvShares,
        ratedPowerVA,
        maxPowerW: powerW,
        minVoltagePu: 0.5,
        maxVoltagePu: 1.5,
      });
    }
  }
  if (!root) fail('no bus has idx 0');

  const lines: Line[] = [];
  const switches: Switch[] = [];
  const open = new Set(options.open.map((name) => name.toLowerCase()));
  const known = new Set<string>();
  for (const [name, entry] of records(branchInfo, 'the branch file')) {
    known.add(name.toLowerCase());
    const from = busIdOf.get(text(entry['fr_bus'], `${name}.fr_bus`));
    const to = busIdOf.get(text(entry['to_bus'], `${name}.to_bus`));
    if (!from || !to) fail(`branch ${name} ends at a bus that does not exist`, { branch: name });
    const z = entry['zprim'];
    const full: ComplexMatrix = {
      n: PHASE_COUNT,
      re: Array.from({ length: 9 }, (_, k) => numberAt(z, [Math.floor(k / 3), k % 3, 0], `${name}.zprim`)),
      im: Array.from({ length: 9 }, (_, k) => numberAt(z, [Math.floor(k / 3), k % 3, 1], `${name}.zprim`)),
    };
    const isIdeal = full.re.every((v) => v === 0) && full.im.every((v) => v === 0);
    const both = phasesOf.get(from)!.filter((p) => phasesOf.get(to)!.includes(p));
    const phases = isIdeal ? both : both.filter((p) => full.re[(p - 1) * 4] !== 0 || full.im[(p - 1) * 4] !== 0);
    const ends = { from: { bus: from, nodes: phases }, to: { bus: to, nodes: phases } };
    const id = `branch.${name}`;
    // A regulator is a transformer without impedance; it stands as a closed switch that bounds no area.
    const isTransformer = entry['type'] === 'XFMR';
    const shorted = phases.flatMap((a) => phases.map((b) => (a === b ? CLOSED_OHM : 0)));
    const seriesOhm = isIdeal ? { n: phases.length, re: shorted, im: shorted } : matrixOf(phases, full);
    if (isIdeal || SWITCH_NAME.test(name) || open.has(name.toLowerCase())) {
      switches.push({
        kind: 'switch',
        id,
        mrid: '',
        name,
        switchClass: isTransformer ? 'Transformer' : 'Switch',
        ...ends,
        isOpen: phases.map(() => open.has(name.toLowerCase())),
        isNormallyOpen: open.has(name.toLowerCase()) || TIES.includes(`${from}-${to}`),
        seriesOhm,
      });
      continue;
    }
    const zero = phases.flatMap(() => phases.map(() => 0));
    lines.push({
      kind: 'line',
      id,
      mrid: '',
      name,
      ...ends,
      lengthM: 1,
      seriesOhm,
      shuntSiemens: { n: phases.length, re: zero, im: zero },
      impedanceSource: 'matrix',
    });
  }
  const unknown = [...open].filter((name) => !known.has(name));
  if (unknown.length > 0) {
    throw new DecError('BAD_ARGUMENT', `No branch is called ${unknown.join(', ')}; check --open.`, { unknown });
  }
  const nominalVoltageV = root.kv * 1000 * Math.sqrt(3);
  return {
    mrid: '',
    name: 'ancestor case',
    frequencyHz: 60,
    container: {
      substationName: '',
      substationMrid: '',
      subRegionName: '',
      subRegionMrid: '',
      regionName: '',
      regionMrid: '',
    },
    buses,
    sources: [
      {
        kind: 'source',
        id: 'source',
        mrid: '',
        name: 'source',
        terminal: { bus: root.id, nodes: [1, 2, 3] },
        voltageV: nominalVoltageV * options.sourceVoltagePu,
        nominalVoltageV,
        angleRad: 0,
        r1Ohm: CLOSED_OHM,
        x1Ohm: CLOSED_OHM,
        r0Ohm: CLOSED_OHM,
        x0Ohm: CLOSED_OHM,
      },
    ],
    lines,
    switches,
    transformers: [],
    regulators: [],
    capacitors: [],
    loads,
    pvSystems,
    batteries: [],
    machines: [],
    measurements: [],
    storedAreas: [],
    reactors: [],
    inverterControls: [],
    profiles: [],
    growthProfiles: [],
  };
}

/** The part of a three-phase matrix between some phases. */
function matrixOf(phases: readonly number[], full: ComplexMatrix): ComplexMatrix {
  const pick = (of: readonly number[]) =>
    phases.flatMap((a) => phases.map((b) => of[(a - 1) * PHASE_COUNT + (b - 1)]!));
  return { n: phases.length, re: pick(full.re), im: pick(full.im) };
}
