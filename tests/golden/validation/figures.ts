import { createPowerFlow, type FeederFlow } from '../../../grid/flow/index.js';
import type { Feeder } from '../../../grid/model/index.js';
import { deviation, frozenFlow, REFERENCES, readMaster, referenceLossW, referenceStates } from '../dss/reference.js';
import { cimFeeder, compareTwin, twinCases } from '../powerflow/cim-twins.js';

/** How one feeder compares with its reference solution. */
export interface ValidationRow {
  /** `dss` of a master, `cim` of a CIM file against the reference of its twin. */
  readonly kind: 'dss' | 'cim';
  readonly name: string;
  readonly nodes: number;
  /** Largest complex difference of a node voltage, pu of the bus' base, in the reference's states; and where. */
  readonly deviationPu: number;
  readonly worst: string;
  /** Losses against those of the summary, per cent; undefined below what its digits can tell. */
  readonly lossPct: number | undefined;
  /** Regulators and capacitors that our own control brings to the reference's state, of all; undefined without any. */
  readonly controls: { readonly equal: number; readonly total: number } | undefined;
}

/** Last digit of the losses in a summary, W: below a hundred of them a share says nothing. */
const LOSS_DIGIT_W = 1;

/** Notes by name: why a row is not as close as the others. */
export const NOTES: Readonly<Record<string, string>> = {
  der__local_combo_a: 'its inverter function stops inside its tolerances',
  der__local_vwatt_b:
    'solved twice, as the reference was: each solution moves the inverter inside its dead band of 1 % (`ActivePChangeTolerance`)',
  'IEEE13.xml': 'CIM has no impedance of switches; the twin has a matrix of its own for one',
  'IEEE13_meas.xml': 'as IEEE13.xml',
  'IEEE13_Assets.xml':
    'the twin copies a line geometry by `like`, with another model of the earth than its CIM file says',
  'IEEE13_OCHRE.xml': 'CIM has no impedance of switches; the twin has 1 mOhm',
};

/** Compares an OpenDSS master with its reference. */
export function masterRow(stem: string, master: string): ValidationRow {
  const read = readMaster(master);
  const flow = frozenFlow(read, stem);
  if (stem === 'der__local_vwatt_b') flow.solve();
  const solution = flow.solve();
  const { largest, worst, missing } = deviation(read, solution, stem);
  if (missing.length > 0) throw new Error(`${stem}: no node ${missing.slice(0, 5).join(', ')}`);
  return {
    kind: 'dss',
    name: stem,
    nodes: flow.nodes.length,
    deviationPu: largest,
    worst,
    lossPct: lossDifference(solution.lossW, referenceLossW(stem)),
    controls: ownControls(read.feeder, stem),
  };
}

/** Compares a CIM file with the reference of the script it was exported from. */
export function cimRow(file: string, stem: string): ValidationRow {
  const feeder = cimFeeder(file);
  const { worst, where, missing, lossW, nodes } = compareTwin(feeder, stem);
  if (missing.length > 0) throw new Error(`${file}: no node ${missing.slice(0, 5).join(', ')}`);
  return {
    kind: 'cim',
    name: file,
    nodes,
    deviationPu: worst,
    worst: where,
    lossPct: lossDifference(lossW, referenceLossW(stem)),
    controls: undefined,
  };
}

function lossDifference(ours: number, theirs: number): number | undefined {
  return Math.abs(theirs) < 100 * LOSS_DIGIT_W ? undefined : (100 * (ours - theirs)) / theirs;
}

/** States that regulators and capacitors reach by themselves, against those of the reference. */
function ownControls(feeder: Feeder, stem: string): ValidationRow['controls'] {
  const { taps, capacitors } = referenceStates(stem);
  const total = taps.length + capacitors.length;
  if (total === 0) return undefined;
  const flow = createPowerFlow(feeder);
  flow.solve();
  const equal =
    taps.filter(({ controlName, position }) => tapOf(flow, controlName) === position).length +
    capacitors.filter(({ name, sections }) => sectionsOf(flow, name) === sections.filter((on) => on === 1).length)
      .length;
  return { equal, total };
}

function tapOf({ feeder, taps }: FeederFlow, name: string): number | undefined {
  const id = feeder.regulators.find((regulator) => regulator.name.toLowerCase() === name.toLowerCase())?.id;
  return id === undefined ? undefined : taps.get(id);
}

function sectionsOf({ feeder, capacitorSections }: FeederFlow, name: string): number | undefined {
  const id = feeder.capacitors.find((capacitor) => capacitor.name.toLowerCase() === name.toLowerCase())?.id;
  return id === undefined ? undefined : Math.max(...(capacitorSections.get(id) ?? []));
}

/** Everything that is compared: name, and how. */
export function validationCases(): readonly { readonly name: string; readonly row: () => ValidationRow }[] {
  return [
    ...REFERENCES.map(({ stem, master }) => ({ name: stem, row: () => masterRow(stem, master) })),
    ...twinCases().map(([file, stem]) => ({ name: file, row: () => cimRow(file, stem) })),
  ];
}
