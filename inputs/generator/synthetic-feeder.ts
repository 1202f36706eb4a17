/**
 * A synthetic circuit as a feeder of the engine's own model, in the same numbers as its CIM document. Its objects are
 * written as the readers write theirs: all properties in one literal, one text for the key of a bus wherever it stands.
 */
import {
  type Bus,
  buildFeeder,
  type ComplexMatrix,
  type Feeder,
  type FeederData,
  type Line,
  type Load,
  type Regulator,
  type Transformer,
} from '../../grid/model/index.js';
import { objectId } from './feeder-model.js';
import type { PrimaryPhase } from './ieee123-circuit.js';
import type { Point } from './layout.js';
import { CONFIGURATIONS, type LineConfiguration, TRIPLEX_4_0, triplexConfiguration } from './line-configuration.js';
import { rounded } from './shared-objects.js';
import {
  HIGH_V,
  MEDIUM_V,
  type MediumLine,
  type Service,
  type SyntheticCircuit,
  type SyntheticOptions,
  syntheticCircuit,
} from './synthetic-circuit.js';

/** Phase to ground of the medium-voltage part, V, as nameplates have it. */
export const MEDIUM_LN_V = rounded(MEDIUM_V / Math.sqrt(3));
/** Base of the 120 V legs: line to line over root three, as the platform's exporter has it. */
export const LEG_BASE_V = 208;
/** Substation transformer: 27.5 MVA, 1 % and 15.51 % (Arritt and Dugan 2010). */
export const SUBSTATION = { rPct: 1.344, xPct: 15.51 };
/** Source, pu, and its short-circuit impedance, ohm. */
export const SOURCE = { pu: 1.02, r1: 0, x1: 2.9, r0: 0, x0: 3.6 };
/** One-phase regulators: 10 MVA, next to no impedance. */
export const REGULATOR = { ratedVA: 1e7, xPct: 0.1, targetV: 124, bandV: 2, ptRatio: 60, ctPrimaryA: 600 };
/** Capacitor control on phase A, V to ground. */
export const CAPACITOR_CONTROL = { targetV: 7290, deadbandV: 420 };
/** Windings and reactances of a service transformer, per cent (Arritt and Dugan 2010). */
export const SERVICE = { rPct: [0.6, 1.2, 1.2], xPct: [2.04, 2.04, 1.36], noLoadLossPct: 0.2, magnetisingPct: 0.5 };
export const LEG_V = 120;

const NODE: Readonly<Record<PrimaryPhase, number>> = { A: 1, B: 2, C: 3 };
const ONE_PHASE_CONFIGURATION: Readonly<Record<PrimaryPhase, number>> = { A: 9, B: 10, C: 11 };
const DROP = triplexConfiguration(TRIPLEX_4_0);

/** Configuration of a medium-voltage line. */
export function configurationOf(line: MediumLine): LineConfiguration {
  return CONFIGURATIONS.get(line.phases.length === 3 ? 1 : ONE_PHASE_CONFIGURATION[line.phases[0]!])!;
}

/** Configuration of the drops. */
export const DROP_CONFIGURATION = DROP;

function idOf(className: string, name: string): string {
  return objectId(className, name).toUpperCase();
}

function named(className: string, name: string) {
  const id = idOf(className, name);
  return { id, mrid: id, name };
}

/** A full matrix from a lower triangle by rows. */
function full(n: number, triangle: readonly number[], factor: number): number[] {
  const at = (i: number, j: number) => rounded(triangle[(Math.max(i, j) * (Math.max(i, j) + 1)) / 2 + Math.min(i, j)]!);
  return Array.from({ length: n * n }, (_, k) => at(Math.floor(k / n), k % n) * factor);
}

function seriesOf(configuration: LineConfiguration, lengthM: number): { series: ComplexMatrix; shunt: ComplexMatrix } {
  const n = configuration.conductors.length;
  return {
    series: { n, re: full(n, configuration.rOhmPerM, lengthM), im: full(n, configuration.xOhmPerM, lengthM) },
    shunt: { n, re: new Array<number>(n * n).fill(0), im: full(n, configuration.bSiemensPerM, lengthM) },
  };
}

function lineOf(
  name: string,
  configuration: LineConfiguration,
  from: string,
  to: string,
  nodes: readonly number[],
  length: number,
): Line {
  const lengthM = rounded(length);
  const { series, shunt } = seriesOf(configuration, lengthM);
  const id = idOf('ACLineSegment', name);
  return {
    kind: 'line',
    id,
    mrid: id,
    name,
    from: { bus: busId(from), nodes },
    to: { bus: busId(to), nodes },
    lengthM,
    seriesOhm: series,
    shuntSiemens: shunt,
    ratingA: configuration.ratingA,
    impedanceSource: 'matrix',
  };
}

const busIds = new Map<string, string>();

/** Key of a bus by its name. */
export function busId(name: string): string {
  const known = busIds.get(name);
  if (known !== undefined) return known;
  const id = idOf('ConnectivityNode', name);
  busIds.set(name, id);
  return id;
}

function serviceTransformer(row: Service): Transformer {
  const id = idOf('TransformerTank', row.name);
  const ratedPowerVA = row.kva * 1000;
  const terminals = [
    { bus: busId(row.mediumBus), nodes: [NODE[row.phase], 0] },
    { bus: busId(row.poleBus), nodes: [1, 0] },
    { bus: busId(row.poleBus), nodes: [0, 2] },
  ];
  return {
    kind: 'transformer',
    id,
    mrid: id,
    name: row.name,
    phases: 1,
    windings: terminals.map((terminal, w) => ({
      terminal,
      connection: 'wye',
      ratedVoltageV: w === 0 ? MEDIUM_LN_V : LEG_V,
      ratedPowerVA,
      resistancePu: SERVICE.rPct[w]! / 100,
      tapRatio: 1,
    })),
    reactancesPu: SERVICE.xPct.map((x) => x / 100),
    noLoadLossPu: SERVICE.noLoadLossPct / 100,
    magnetisingPu: SERVICE.magnetisingPct / 100,
    construction: 'centerTap',
    isDeltaLeading: false,
    bankId: idOf('PowerTransformer', row.name),
    bankName: row.name,
    ratingVA: ratedPowerVA,
  };
}

const CONSTANT_POWER = { z: 0, i: 0, p: 1 };

function serviceLoads(row: Service): Load[] {
  const bus = busId(row.houseBus);
  return row.legs.map(({ powerW, powerVar }, leg) => {
    const name = `${row.houseBus}_s${leg + 1}`;
    const id = idOf('EnergyConsumer', name);
    return {
      kind: 'load',
      id,
      mrid: id,
      name,
      terminal: { bus, nodes: [leg + 1, 0] },
      connection: 'wye',
      shares: [{ node: leg + 1, otherNode: 0, ratedVoltageV: LEG_BASE_V / Math.sqrt(3), powerW, powerVar }],
      zipP: CONSTANT_POWER,
      zipQ: CONSTANT_POWER,
      minVoltagePu: 0.95,
      maxVoltagePu: 1.05,
      customerCount: 1,
    };
  });
}

function busOf(name: string, baseVoltageV: number, isSplitPhase: boolean, { x, y }: Point): Bus {
  const id = busId(name);
  return { id, mrid: id, name, baseVoltageV, isSplitPhase, x, y };
}

function regulatorsOf(circuit: SyntheticCircuit): { transformers: Transformer[]; regulators: Regulator[] } {
  const transformers: Transformer[] = [];
  const regulators: Regulator[] = [];
  for (const bank of circuit.banks) {
    for (const phase of ['A', 'B', 'C'] as const) {
      const name = `${bank.name}_${phase.toLowerCase()}`;
      const unit = named('TransformerTank', name);
      const winding = (bus: string) => ({
        terminal: { bus: busId(bus), nodes: [NODE[phase], 0] },
        connection: 'wye' as const,
        ratedVoltageV: MEDIUM_LN_V,
        ratedPowerVA: REGULATOR.ratedVA,
        resistancePu: 0,
        tapRatio: 1,
      });
      transformers.push({
        ...unit,
        kind: 'transformer',
        phases: 1,
        windings: [winding(bank.from), winding(bank.to)],
        reactancesPu: [REGULATOR.xPct / 100],
        noLoadLossPu: 0,
        magnetisingPu: 0,
        construction: 'standard',
        isDeltaLeading: false,
        bankId: named('PowerTransformer', bank.name).id,
        bankName: bank.name,
        ratingVA: REGULATOR.ratedVA,
      });
      regulators.push({
        ...named('RatioTapChanger', `c${name}`),
        kind: 'regulator',
        transformerId: unit.id,
        winding: 1,
        ...{ lowStep: -16, highStep: 16, neutralStep: 0, stepPu: 0.00625, position: 0, isControlEnabled: true },
        ...{ targetV: REGULATOR.targetV, bandV: REGULATOR.bandV, ptRatio: REGULATOR.ptRatio },
        ...{ ctPrimaryA: REGULATOR.ctPrimaryA, hasLineDropCompensation: false, lineDropRV: 0, lineDropXV: 0 },
        ...{ initialDelayS: bank.delayS, subsequentDelayS: 2, isReversible: false },
      });
    }
  }
  return { transformers, regulators };
}

/** The plain data of a circuit. */
export function syntheticFeederData(circuit: SyntheticCircuit): FeederData {
  const isHigh = (name: string) => name === circuit.sourceBus;
  const buses = circuit.buses.map(({ name, at }) =>
    busOf(name, (isHigh(name) ? HIGH_V : MEDIUM_V) / Math.sqrt(3), false, at),
  );
  const lines = circuit.lines.map((line) =>
    lineOf(
      line.name,
      configurationOf(line),
      line.from,
      line.to,
      line.phases.map((p) => NODE[p]),
      line.lengthM,
    ),
  );
  const { transformers, regulators } = regulatorsOf(circuit);
  const high = { bus: busId(circuit.sourceBus), nodes: [1, 2, 3] };
  const substation: Transformer = {
    ...named('PowerTransformer', 'substation'),
    kind: 'transformer',
    phases: 3,
    windings: [
      { terminal: high, connection: 'delta' as const, ratedVoltageV: HIGH_V },
      {
        terminal: { bus: busId(circuit.headBus), nodes: [1, 2, 3, 0] },
        connection: 'wye' as const,
        ratedVoltageV: MEDIUM_V,
      },
    ].map((winding) => ({
      ...winding,
      ratedPowerVA: circuit.substationVA,
      resistancePu: SUBSTATION.rPct / 200,
      tapRatio: 1,
      ...(winding.connection === 'wye' ? { groundOhm: { r: 0, x: 0 } } : {}),
    })),
    reactancesPu: [SUBSTATION.xPct / 100],
    noLoadLossPu: 0,
    magnetisingPu: 0,
    construction: 'standard',
    vectorGroup: 'Dyn1',
    isDeltaLeading: false,
    bankId: named('PowerTransformer', 'substation').id,
    bankName: 'substation',
    ratingVA: circuit.substationVA,
  };
  const loads: Load[] = [];
  for (const row of circuit.services) {
    for (const name of [row.poleBus, row.houseBus]) buses.push(busOf(name, LEG_BASE_V / Math.sqrt(3), true, row.at));
    transformers.push(serviceTransformer(row));
    lines.push(lineOf(`dr_${row.houseBus}`, DROP, row.poleBus, row.houseBus, [1, 2], row.dropM));
    loads.push(...serviceLoads(row));
  }
  return {
    mrid: objectId('Feeder', circuit.name),
    name: circuit.name,
    frequencyHz: 60,
    container: {
      ...{ substationName: circuit.name, substationMrid: '', subRegionName: '', subRegionMrid: '' },
      ...{ regionName: '', regionMrid: '' },
    },
    buses,
    sources: [
      {
        ...named('EnergySource', 'source'),
        kind: 'source',
        terminal: high,
        voltageV: rounded(SOURCE.pu * HIGH_V),
        nominalVoltageV: HIGH_V,
        angleRad: 0,
        ...{ r1Ohm: SOURCE.r1, x1Ohm: SOURCE.x1, r0Ohm: SOURCE.r0, x0Ohm: SOURCE.x0 },
      },
    ],
    lines,
    switches: [],
    transformers: [substation, ...transformers],
    regulators,
    capacitors: circuit.capacitors.map(({ name, bus, kvar, delayS }) => {
      const unit = named('LinearShuntCompensator', name);
      const share = { otherNode: 0, ratedVoltageV: MEDIUM_V / Math.sqrt(3), powerW: 0, powerVar: (kvar * 1000) / 3 };
      return {
        ...unit,
        kind: 'capacitor',
        terminal: { bus: busId(bus), nodes: [1, 2, 3] },
        connection: 'wye',
        sectionVar: kvar * 1000,
        ratedVoltageV: MEDIUM_V,
        shares: [1, 2, 3].map((node) => ({ ...share, node })),
        sectionCount: 1,
        sectionsOn: [1, 1, 1],
        control: {
          ...{ mrid: objectId('RegulatingControl', `${name}_ctrl`), mode: 'voltage', isEnabled: true },
          ...{ target: CAPACITOR_CONTROL.targetV, deadband: CAPACITOR_CONTROL.deadbandV, delayS },
          ...{ monitoredElementId: unit.id, monitoredTerminal: 1, monitoredPhase: 'A' },
        },
      };
    }),
    loads,
    ...{ pvSystems: [], batteries: [], machines: [], measurements: [], storedAreas: [], reactors: [] },
    ...{ inverterControls: [], profiles: [], growthProfiles: [] },
  };
}

/** A synthetic feeder; see `synthetic-circuit.ts`. */
export function syntheticFeeder(options: SyntheticOptions = {}): Feeder {
  return buildFeeder(syntheticFeederData(syntheticCircuit(options)));
}
