import { DecError } from '../math/index.js';
import { buildFeeder, feederData } from './build.js';
import type { PhotovoltaicSystem } from './element.js';
import type { Feeder } from './feeder.js';
import type { InverterControl } from './inverter.js';

/** A curve of a standard: voltage against share of the rating. */
interface StandardCurve {
  readonly voltage: readonly number[];
  readonly share: readonly number[];
}

/** Settings of a standard for Volt-VAr and Volt-Watt. */
export interface InverterPreset {
  readonly name: string;
  readonly title: string;
  /** What the voltages are: pu of the nominal voltage, or volts of a 230 V system. */
  readonly unit: 'pu' | 'volt';
  /** Vars in pu of the rated apparent power, given positive. */
  readonly voltVar: StandardCurve;
  /** Largest active power in pu of the rating. */
  readonly voltWatt: StandardCurve;
  /** False where the numbers are from secondary literature. */
  readonly isConfirmed: boolean;
}

const IEEE_VOLT_WATT: StandardCurve = { voltage: [1.06, 1.1], share: [1, 0.2] };

/** The named presets. Volt-Watt ends at 20 % of the rating. */
export const INVERTER_PRESETS: readonly InverterPreset[] = [
  {
    name: 'ieee1547-a',
    title: 'IEEE 1547-2018 category A, table 8 and 10',
    unit: 'pu',
    voltVar: { voltage: [0.9, 1, 1, 1.1], share: [0.25, 0, 0, -0.25] },
    voltWatt: IEEE_VOLT_WATT,
    isConfirmed: false,
  },
  {
    name: 'ieee1547-b',
    title: 'IEEE 1547-2018 category B, table 8 and 10',
    unit: 'pu',
    voltVar: { voltage: [0.92, 0.98, 1.02, 1.08], share: [0.44, 0, 0, -0.44] },
    voltWatt: IEEE_VOLT_WATT,
    isConfirmed: true,
  },
  {
    name: 'as4777-a',
    title: 'AS/NZS 4777.2:2020 region Australia A',
    unit: 'volt',
    voltVar: { voltage: [207, 220, 240, 258], share: [0.44, 0, 0, -0.6] },
    voltWatt: { voltage: [253, 260], share: [1, 0.2] },
    isConfirmed: true,
  },
  {
    name: 'as4777-b',
    title: 'AS/NZS 4777.2:2020 region Australia B',
    unit: 'volt',
    voltVar: { voltage: [205, 220, 235, 255], share: [0.3, 0, 0, -0.4] },
    voltWatt: { voltage: [250, 260], share: [1, 0.2] },
    isConfirmed: false,
  },
  {
    name: 'as4777-c',
    title: 'AS/NZS 4777.2:2020 region Australia C',
    unit: 'volt',
    voltVar: { voltage: [215, 230, 240, 255], share: [0.44, 0, 0, -0.6] },
    voltWatt: { voltage: [253, 260], share: [1, 0.2] },
    isConfirmed: false,
  },
  {
    name: 'as4777-nz',
    title: 'AS/NZS 4777.2:2020 region New Zealand',
    unit: 'volt',
    voltVar: { voltage: [207, 220, 235, 244], share: [0.6, 0, 0, -0.6] },
    voltWatt: { voltage: [242, 250], share: [1, 0.2] },
    isConfirmed: false,
  },
];

/** Nominal voltage the volts of a preset are meant for, V. */
const NOMINAL_V = 230;
/** Buses whose base lies this near to it are low voltage of that kind: there volts are meant as volts. */
const NEAR_NOMINAL = 0.1;

/**
 * Finds a preset by name, letter case aside.
 *
 * @throws DecError BAD_ARGUMENT naming those there are
 */
export function inverterPreset(name: string): InverterPreset {
  const found = INVERTER_PRESETS.find((preset) => preset.name === name.toLowerCase());
  if (found) return found;
  const names = INVERTER_PRESETS.map((preset) => preset.name);
  throw new DecError('BAD_ARGUMENT', `There is no inverter preset ${name}; there are ${names.join(', ')}.`, {
    preset: name,
    known: names,
  });
}

/** A curve on the per-unit axis of a bus, level beyond its ends. */
function onBase(curve: StandardCurve, name: string, baseV: number, share: (value: number) => number) {
  const first = curve.voltage[0]! / baseV;
  const last = curve.voltage.at(-1)! / baseV;
  return {
    name,
    x: [first / 2, ...curve.voltage.map((v) => v / baseV), 2 * last],
    y: [curve.share[0]!, ...curve.share, curve.share.at(-1)!].map(share),
  };
}

/**
 * The feeder with every PV system under the functions of a preset. Functions of its own that a PV system has are taken off.
 * Volts of a preset hold as volts where the bus is within 10 % of 230 V to neutral; elsewhere as shares of 230 V.
 *
 * @throws DecError BAD_ARGUMENT for an unknown name
 */
export function withInverterPreset(feeder: Feeder, name: string): Feeder {
  const preset = inverterPreset(name);
  const groups = new Map<string, { baseV: number; given: number; taken: number; derIds: string[] }>();
  for (const pv of feeder.pvSystems) {
    const { given, taken } = shareOfRange(pv);
    const busV = feeder.busById.get(pv.terminal.bus)?.baseVoltageV ?? NOMINAL_V;
    const isNear = Math.abs(busV / NOMINAL_V - 1) <= NEAR_NOMINAL;
    const baseV = preset.unit === 'pu' ? 1 : isNear ? busV : NOMINAL_V;
    const key = [baseV, given, taken].join(' ');
    const group = groups.get(key);
    if (group) group.derIds.push(pv.id);
    else groups.set(key, { baseV, given, taken, derIds: [pv.id] });
  }
  const own = new Set(feeder.pvSystems.map(({ id }) => id));
  const kept = feeder.inverterControls.flatMap((control) => {
    const derIds = control.derIds.filter((id) => !own.has(id));
    return derIds.length > 0 ? [{ ...control, derIds }] : [];
  });
  const added = [...groups.values()].map(({ baseV, given, taken, derIds }, k): InverterControl => {
    const label = groups.size > 1 ? `${preset.name} ${k + 1}` : preset.name;
    return {
      kind: 'inverterControl',
      id: `inverterControl.${label}`,
      name: label,
      derIds,
      mode: 'voltVarVoltWatt',
      voltVar: onBase(preset.voltVar, `${preset.name} volt-var`, baseV, (y) => y * (y >= 0 ? given : taken)),
      varReference: 'rated',
      voltWatt: onBase(preset.voltWatt, `${preset.name} volt-watt`, baseV, (y) => y),
      wattReference: 'rated',
      voltageReference: 'rated',
      averageWindowS: 0,
      monitoredPhase: 'average',
      varStepFactor: -1,
      wattStepFactor: -1,
      voltageTolerancePu: 1e-4,
      varTolerancePu: 0.025,
      wattTolerancePu: 0.01,
      isEnabled: true,
    };
  });
  return buildFeeder({ ...feederData(feeder), inverterControls: [...kept, ...added] }, feeder.findings);
}

/** Rated apparent power over the range of vars, both ways: curves are in pu of the rating, controls in pu of the range. */
function shareOfRange({ inverter }: PhotovoltaicSystem): { readonly given: number; readonly taken: number } {
  if (!inverter) return { given: 1, taken: 1 };
  const { ratedVA, maxVar, minVar } = inverter;
  return { given: maxVar > 0 ? ratedVA / maxVar : 0, taken: minVar > 0 ? ratedVA / minVar : 0 };
}
