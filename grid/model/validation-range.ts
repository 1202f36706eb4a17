/**
 * Settings and ratings outside what a device can have: of regulators, capacitors, sources, loads and generation.
 * An error is what cannot be solved or is not physical; a warning is what is likely a wrong unit or a slip of the pen.
 * Attributes are named as CIM names them.
 */
import { phaseOfNode, type Terminal } from './bus.js';
import type { Capacitor, Element, Regulator, Source, Transformer } from './element.js';
import type { Feeder } from './feeder.js';
import type { FindingSeverity } from './finding.js';
import type { Report, ReportedElement } from './finding-report.js';

/** Largest ratio change of one step that a tap changer may have, pu: 32 steps of 0.625 % are usual, 5 of 2.5 % exist. */
const MAX_STEP_PU = 0.1;
/** Largest power of any device, W or var: a thousand large power stations. */
const MAX_POWER_W = 1e12;
/** Largest source impedance, ohm: at 115 kV it leaves a short-circuit power of 0.13 MVA. */
const MAX_SOURCE_OHM = 1e5;
/** Deviation of a voltage from the base of its bus beyond which lies a factor such as sqrt(3), 2 or 1000. */
const VOLTAGE_DEVIATION = 0.25;
/** Current of a whole capacitor bank above which its susceptance or its voltage is likely wrong, A. */
const MAX_BANK_A = 2000;

/** Adds the findings, except where the reader has named the same attribute of the same object as no less severe. */
export function rangeFindings(feeder: Feeder, add: Report): void {
  const named = new Set<string>();
  for (const { severity, mrid, attribute } of feeder.findings) {
    if (mrid === undefined || attribute === undefined || severity === 'info') continue;
    const short = attribute.slice(attribute.lastIndexOf('.') + 1);
    named.add(`warning ${mrid} ${short}`);
    if (severity === 'error') named.add(`error ${mrid} ${short}`);
  }
  const report: Report = (severity, code, element, message, facts) => {
    if (!named.has(`${severity} ${element.mrid || element.id} ${facts?.attribute}`)) {
      add(severity, code, element, message, facts);
    }
  };
  const transformers = new Map(feeder.transformers.map((transformer) => [transformer.id, transformer]));
  for (const regulator of feeder.regulators) {
    checkTapChanger(regulator, report);
    if (regulator.isControlEnabled) {
      checkControl(regulator, transformers.get(regulator.transformerId), feeder, report);
    }
  }
  for (const capacitor of feeder.capacitors) checkCapacitor(capacitor, report);
  for (const source of feeder.sources) checkSource(source, feeder, report);
  checkPowers(feeder, report);
}

/** One value beside what it may be. */
function outside(
  report: Report,
  severity: FindingSeverity,
  element: ReportedElement,
  attribute: string,
  value: number | string,
  allowed: string,
  note = '',
): void {
  const message = `${attribute} of ${element.kind} ${element.name} is ${value}; it has to be ${allowed}${note}.`;
  report(severity, 'VALUE_OUT_OF_RANGE', element, message, { attribute, value: String(value), allowed });
}

function checkTapChanger(regulator: Regulator, report: Report): void {
  const { lowStep, highStep, neutralStep, position, stepPu } = regulator;
  for (const [attribute, value] of Object.entries({ lowStep, highStep })) {
    if (!Number.isInteger(value)) outside(report, 'error', regulator, attribute, value, 'a whole number');
  }
  // In a script (no mRID) the neutral of an uneven range and a tap set by hand may lie between two steps; CIM counts whole ones.
  const fraction = regulator.mrid === '' ? 'info' : 'error';
  for (const [attribute, value] of Object.entries({ neutralStep, step: position })) {
    if (!Number.isFinite(value)) outside(report, 'error', regulator, attribute, value, 'a number');
    else if (!Number.isInteger(value)) outside(report, fraction, regulator, attribute, value, 'a whole number');
  }
  if (lowStep > highStep) {
    outside(report, 'error', regulator, 'lowStep', lowStep, `at most highStep, ${highStep}`);
  } else {
    const range = `a whole number from ${lowStep} to ${highStep}`;
    if (position < lowStep || position > highStep) {
      outside(report, 'error', regulator, 'step', position, range);
    }
    if (neutralStep < lowStep || neutralStep > highStep) {
      outside(report, 'warning', regulator, 'neutralStep', neutralStep, range);
    }
  }
  if (!(stepPu > 0 && stepPu <= MAX_STEP_PU)) {
    const allowed = `above 0, at most ${100 * MAX_STEP_PU} %`;
    outside(report, 'error', regulator, 'stepVoltageIncrement', 100 * stepPu, allowed);
  }
}

/** Nominal voltage between the nodes that a control measures across, V; undefined where explicit wires have none. */
function measuredNominal(feeder: Feeder, { bus: id, nodes }: Terminal): number | undefined {
  const bus = feeder.busById.get(id);
  const [plus = 0, minus = 0] = nodes;
  if (!bus || !(bus.baseVoltageV > 0) || plus < 1 || plus > 3 || minus > 4) return undefined;
  if (minus === 0 || phaseOfNode(minus, bus.isSplitPhase) === 'N') return bus.baseVoltageV;
  return bus.baseVoltageV * (bus.isSplitPhase ? 2 : Math.sqrt(3));
}

/** The two nodes a control measures across: at the bus it monitors, else at its own winding. */
function measuredAt(regulator: Regulator, transformer: Transformer | undefined): Terminal | undefined {
  const winding = transformer?.windings[regulator.winding];
  const { monitored } = regulator;
  if (!transformer || !winding) return undefined;
  if (monitored && (regulator.remotePtWinding !== undefined || monitored.bus !== winding.terminal.bus)) {
    return { bus: monitored.bus, nodes: [monitored.nodes[0] ?? 1, monitored.nodes[1] ?? 0] };
  }
  const { bus, nodes } = winding.terminal;
  if (transformer.phases === 1 || winding.connection === 'delta') return { bus, nodes: nodes.slice(0, 2) };
  return { bus, nodes: [nodes[0] ?? 1, 0] };
}

function checkControl(
  regulator: Regulator,
  transformer: Transformer | undefined,
  feeder: Feeder,
  report: Report,
): void {
  const { ptRatio, bandV, targetV, minVoltageV = 0, maxVoltageV = 0 } = regulator;
  if (!(Number.isFinite(ptRatio) && ptRatio > 0)) {
    outside(report, 'error', regulator, 'ptRatio', ptRatio, 'above 0');
    return;
  }
  if (!(Number.isFinite(bandV) && bandV > 0)) {
    outside(report, 'error', regulator, 'targetDeadband', bandV, 'above 0 V');
  }
  if (!(Number.isFinite(targetV) && targetV > 0)) {
    outside(report, 'error', regulator, 'targetValue', targetV, 'above 0 V');
    return;
  }
  const terminal = measuredAt(regulator, transformer);
  const nominal = terminal && measuredNominal(feeder, terminal);
  const secondaryV = nominal === undefined ? 120 : nominal / ptRatio;
  // A control in volts of the primary has a PT ratio of 1 and a target to match: the two are judged together.
  if (Math.abs(targetV - secondaryV) > VOLTAGE_DEVIATION * secondaryV) {
    const low = (1 - VOLTAGE_DEVIATION) * secondaryV;
    const high = (1 + VOLTAGE_DEVIATION) * secondaryV;
    const allowed = `${low.toPrecision(4)} to ${high.toPrecision(4)} V`;
    const note = ` at a nominal ${secondaryV.toPrecision(4)} V behind the PT ratio of ${ptRatio}`;
    outside(report, 'warning', regulator, 'targetValue', targetV, allowed, note);
  }
  const half = bandV / 2;
  if (maxVoltageV !== 0 && !(maxVoltageV > targetV - half)) {
    outside(report, 'warning', regulator, 'maxLimitVoltage', maxVoltageV, `above the band's end, ${targetV - half} V`);
  }
  if (minVoltageV !== 0 && !(minVoltageV < targetV + half)) {
    outside(report, 'warning', regulator, 'minLimitVoltage', minVoltageV, `below the band's end, ${targetV + half} V`);
  }
  const hasDrop = regulator.lineDropRV !== 0 || regulator.lineDropXV !== 0;
  if (regulator.hasLineDropCompensation && hasDrop && !(regulator.ctPrimaryA > 0)) {
    const note = ' for line-drop compensation, which does not act';
    outside(report, 'warning', regulator, 'ctRating', regulator.ctPrimaryA, 'above 0 A', note);
  }
}

function checkCapacitor(capacitor: Capacitor, report: Report): void {
  const { sectionCount, sectionsOn, sectionVar, ratedVoltageV, shares } = capacitor;
  if (!Number.isInteger(sectionCount) || sectionCount < 1) {
    outside(report, 'error', capacitor, 'maximumSections', sectionCount, 'a whole number, 1 or more');
  } else {
    const wrong = sectionsOn.find((n) => !Number.isInteger(n) || n < 0 || n > sectionCount);
    if (wrong !== undefined) {
      outside(report, 'error', capacitor, 'sections', wrong, `a whole number from 0 to ${sectionCount}`);
    }
  }
  const totalVar = Math.abs(sectionVar) * Math.max(1, sectionCount);
  if (!(totalVar <= MAX_POWER_W)) {
    outside(report, 'error', capacitor, 'bPerSection', `worth ${sectionVar} var`, `worth ${MAX_POWER_W} var at most`);
    return;
  }
  const ratedA = totalVar / (ratedVoltageV * (shares.length > 1 ? Math.sqrt(3) : 1));
  if (ratedA > MAX_BANK_A) {
    const value = `worth ${(sectionVar / 1000).toPrecision(4)} kvar`;
    const allowed = `such that the bank takes ${MAX_BANK_A} A at most`;
    const note = `; at ${ratedVoltageV.toPrecision(4)} V it takes ${ratedA.toFixed(0)} A`;
    outside(report, 'warning', capacitor, 'bPerSection', value, allowed, note);
  }
}

function checkSource(source: Source, feeder: Feeder, report: Report): void {
  const { r1Ohm, x1Ohm, r0Ohm, x0Ohm, voltageV, nominalVoltageV, angleRad } = source;
  const n = source.terminal.nodes.length;
  const impedances = { r: r1Ohm, x: x1Ohm, r0: r0Ohm, x0: x0Ohm };
  let isUsable = true;
  for (const [attribute, value] of Object.entries(impedances)) {
    if (Math.abs(value) <= MAX_SOURCE_OHM) continue;
    outside(report, 'error', source, attribute, value, `at most ${MAX_SOURCE_OHM} ohm in size`);
    isUsable = false;
  }
  // The impedance matrix has the eigenvalue Z1 (with two phases or more) and this one, Z0 at three phases.
  const common = (one: number, zero: number) => ((3 - n) * one + n * zero) / 3;
  if (n > 1 && r1Ohm === 0 && x1Ohm === 0) {
    outside(report, 'error', source, 'x', 0, 'other than 0 ohm where r is 0: a source needs an impedance');
  } else if (common(r1Ohm, r0Ohm) === 0 && common(x1Ohm, x0Ohm) === 0) {
    const attribute = n === 1 ? 'x' : 'x0';
    outside(report, 'error', source, attribute, 0, 'such that r and x are not both 0 ohm: a source needs an impedance');
  } else if (isUsable) {
    for (const [attribute, value] of Object.entries(impedances)) {
      if (value < 0) outside(report, 'warning', source, attribute, value, '0 ohm or more');
    }
  }
  if (!Number.isFinite(angleRad)) outside(report, 'error', source, 'voltageAngle', angleRad, 'a finite number');
  const base = feeder.busById.get(source.terminal.bus)?.baseVoltageV ?? 0;
  // What a line-to-line voltage is to ground, as the source is built from it.
  const toGround = (lineV: number) => (n === 1 ? lineV : lineV / (2 * Math.sin(Math.PI / n)));
  const levels = Object.entries({ voltageMagnitude: voltageV, nominalVoltage: nominalVoltageV });
  for (const [attribute, value] of voltageV === nominalVoltageV ? levels.slice(0, 1) : levels) {
    if (!(Number.isFinite(value) && value > 0)) {
      outside(report, 'error', source, attribute, value, 'above 0 V');
    } else if (base > 0 && Math.abs(toGround(value) - base) > VOLTAGE_DEVIATION * base) {
      const expected = (base * value) / toGround(value);
      const allowed = `within ${100 * VOLTAGE_DEVIATION} % of its bus, ${expected.toFixed(1)} V`;
      outside(report, 'warning', source, attribute, value, allowed);
    }
  }
}

/** Powers and energies that no device can have. */
function checkPowers(feeder: Feeder, report: Report): void {
  const check = (element: Element & { readonly kind: string }, values: Readonly<Record<string, number>>) => {
    for (const [attribute, value] of Object.entries(values)) {
      if (Math.abs(value) <= MAX_POWER_W) continue;
      outside(report, 'error', element, attribute, value, `a finite number, ${MAX_POWER_W} at most in size`);
    }
  };
  const devices = [...feeder.loads, ...feeder.pvSystems, ...feeder.batteries, ...feeder.machines];
  for (const device of devices) {
    const worst = (values: readonly number[]) =>
      values.find((value) => !(Math.abs(value) <= MAX_POWER_W)) ?? values.reduce((sum, value) => sum + value, 0);
    check(device, {
      p: worst(device.shares.map(({ powerW }) => powerW)),
      q: worst(device.shares.map(({ powerVar }) => powerVar)),
    });
    if (device.kind === 'load') continue;
    check(device, { ratedS: device.ratedPowerVA });
    if (device.kind === 'machine') continue;
    check(device, { maxP: device.maxPowerW });
    if (device.kind === 'battery') {
      check(device, { minP: device.maxChargeW, ratedE: device.ratedEnergyWh, storedE: device.storedEnergyWh });
    }
  }
}
