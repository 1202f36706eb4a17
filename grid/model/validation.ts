/**
 * Validation of a feeder before it is compiled: everything that is wrong or doubtful at once, as findings. An `error` is what
 * compilation or the power flow cannot live with; a `warning` is likely a mistake in the data; an `info` is worth knowing.
 */
import { phaseOfNode } from './bus.js';
import type { Feeder } from './feeder.js';
import type { Finding } from './finding.js';
import type { Report, ReportedElement } from './finding-report.js';
import type { InverterControl } from './inverter.js';
import { canonicalMrid } from './mrid.js';
import { impedanceFindings } from './validation-impedance.js';
import { rangeFindings } from './validation-range.js';
import { asElement, FIRST_NEUTRAL_NODE, reachFindings, terminalsOf } from './validation-reach.js';

/** Largest deviation of the base voltages at the two ends of a line or switch. */
const BASE_DEVIATION = 0.02;
/** Largest deviation of a winding's rated voltage from the base of its bus: beyond it lies a factor such as sqrt(3) or 2. */
const RATED_DEVIATION = 0.25;
/** Share by which a power may exceed the rating before it is reported: rounding of the source. */
const RATING_MARGIN = 1.001;

/**
 * Checks a feeder and returns all findings, the reader's first.
 *
 * @param feeder - as read; not changed
 * @param unfedPhase - how grave it is that a load, generator or transformer uses a phase that no source feeds: CIM names the
 *   phases of equipment, so that it is an error; an OpenDSS script numbers wires, of which some may be dead
 * @param purpose - a power flow gives customers behind open switches 0 V, be it all of them, and takes any number of sources
 */
export function validateFeeder(
  feeder: Feeder,
  unfedPhase: 'error' | 'warning' = 'error',
  purpose: 'coordination' | 'powerFlow' = 'coordination',
): Finding[] {
  const findings: Finding[] = [...feeder.findings];
  const report: Report = (severity, code, element, message, facts = {}) => {
    findings.push({
      ...{ severity, code, message, class: element.kind, name: element.name },
      ...(element.mrid || element.id ? { mrid: element.mrid || element.id } : {}),
      ...facts,
    });
  };
  checkIds(feeder, report);
  checkReferences(feeder, report);
  checkSources(feeder, report, purpose);
  reachFindings(feeder, report, unfedPhase, purpose === 'powerFlow' ? 'warning' : 'error');
  impedanceFindings(feeder, report);
  checkBaseVoltages(feeder, report);
  checkPowers(feeder, report);
  rangeFindings(feeder, report);
  return findings;
}

function checkIds(feeder: Feeder, report: Report): void {
  const ids = new Map<string, ReportedElement>();
  const names = new Map<string, ReportedElement>();
  const elements = [...terminalsOf(feeder)].map(({ element }) => element);
  for (const element of [...feeder.buses.map(asElement), ...elements, ...feeder.regulators]) {
    const twin = ids.get(element.id);
    if (twin) {
      const message = `${element.kind} ${element.name} has the id of ${twin.kind} ${twin.name}; only one of them is kept.`;
      report('error', 'DUPLICATE_ID', element, message, { attribute: 'id', value: element.id });
    }
    ids.set(element.id, element);
    const nameKey = `${element.kind} ${element.name.toUpperCase()}`;
    if (!twin && element.name && names.has(nameKey)) {
      const message = `Two ${element.kind} objects are called ${element.name}; options that name it mean the first.`;
      report('warning', 'DUPLICATE_NAME', element, message, { attribute: 'name', value: element.name });
    }
    names.set(nameKey, element);
  }
}

function checkReferences(feeder: Feeder, report: Report): void {
  const missing = (element: ReportedElement, attribute: string, value: string, what: string) => {
    const message = `${element.kind} ${element.name} refers to ${what} ${value}, which the model lacks.`;
    report('error', 'MISSING_REFERENCE', element, message, { attribute, value });
  };
  for (const { element, terminals } of terminalsOf(feeder)) {
    for (const { bus } of terminals) if (!feeder.busById.has(bus)) missing(element, 'terminal', bus, 'bus');
  }
  const transformers = new Map(feeder.transformers.map((transformer) => [transformer.id, transformer]));
  for (const regulator of feeder.regulators) {
    const transformer = transformers.get(regulator.transformerId);
    if (!transformer) missing(regulator, 'transformerId', regulator.transformerId, 'transformer');
    else if (!transformer.windings[regulator.winding]) {
      missing(regulator, 'winding', String(regulator.winding + 1), `winding of ${transformer.name}`);
    }
    const monitored = regulator.monitored?.bus;
    if (monitored !== undefined && !feeder.busById.has(monitored)) missing(regulator, 'monitored', monitored, 'bus');
  }
  for (const capacitor of feeder.capacitors) {
    const monitored = capacitor.control?.monitoredElementId;
    if (monitored !== undefined && !feeder.elements.has(monitored)) {
      missing(capacitor, 'control.monitoredElementId', monitored, 'element');
    }
  }
  for (const control of feeder.inverterControls) {
    const self = { ...control, mrid: '' };
    for (const id of control.derIds) {
      const kind = feeder.elements.get(id)?.kind;
      if (kind !== 'pv' && kind !== 'battery') missing(self, 'derIds', id, 'PV system or battery');
    }
    for (const { bus } of control.monitored ?? []) {
      if (!feeder.busById.has(bus)) missing(self, 'monitored', bus, 'bus');
    }
    for (const mode of missingCurves(control)) {
      const message = `Control ${control.name} works by ${control.mode} but has no ${mode} curve; it does nothing.`;
      report('warning', 'MISSING_CURVE', self, message, { attribute: mode });
    }
  }
  const known = new Set<string>(feeder.elements.keys());
  for (const { bankId } of feeder.transformers) known.add(canonicalMrid(bankId));
  const lost = feeder.measurements.filter(
    ({ equipmentId, bus }) => !known.has(equipmentId) || !feeder.busById.has(bus),
  );
  if (lost[0]) {
    const first = { ...lost[0], kind: lost[0].class };
    const message = `${lost.length} measurements, ${first.name} among them, are of equipment or at buses that the model lacks; they get no values.`;
    report('warning', 'MISSING_REFERENCE', first, message, { attribute: 'equipmentId', count: lost.length });
  }
}

/** Curves that a control's mode needs and that it lacks. */
function missingCurves(control: InverterControl): string[] {
  const needed: Readonly<Record<InverterControl['mode'], readonly (keyof InverterControl)[]>> = {
    voltVar: ['voltVar'],
    voltWatt: ['voltWatt'],
    voltVarVoltWatt: ['voltVar', 'voltWatt'],
    voltVarDynamic: ['voltVar', 'dynamic'],
    dynamicReactiveCurrent: ['dynamic'],
    wattVar: ['wattVar'],
    wattPowerFactor: ['wattPowerFactor'],
    adaptiveVar: ['adaptive'],
  };
  return needed[control.mode].filter((key) => control[key] === undefined);
}

function checkSources(feeder: Feeder, report: Report, purpose: 'coordination' | 'powerFlow'): void {
  const self = { id: '', mrid: feeder.mrid, name: feeder.name, kind: 'feeder' };
  if (feeder.sources.length === 0) {
    report('error', 'NO_SOURCE', self, `Feeder ${feeder.name} has no source; add an EnergySource at its head.`);
    return;
  }
  const { sources } = feeder;
  if (sources.length > 1 && purpose === 'coordination') {
    const message = `Feeder ${feeder.name} has ${sources.length} voltage sources; the linear model of the coordination takes one.`;
    report('warning', 'SEVERAL_SOURCES', self, message, { value: sources.map(({ name }) => name).join(', ') });
  }
}

function checkBaseVoltages(feeder: Feeder, report: Report): void {
  for (const bus of feeder.buses) {
    if (Number.isFinite(bus.baseVoltageV) && bus.baseVoltageV > 0) continue;
    const message = `Bus ${bus.name} has no base voltage; per-unit values cannot be made for it.`;
    report('error', 'BASE_VOLTAGE_CONFLICT', asElement(bus), message, {
      ...{ attribute: 'baseVoltageV', value: String(bus.baseVoltageV), allowed: '> 0' },
    });
  }
  const baseOf = (bus: string) => feeder.busById.get(bus)?.baseVoltageV ?? 0;
  for (const branch of [...feeder.lines, ...feeder.switches, ...feeder.reactors]) {
    // Explicit wires at a bus, such as the low side of an autotransformer drawn there, have a voltage of their own.
    if ([...branch.from.nodes, ...branch.to.nodes].some((n) => n >= FIRST_NEUTRAL_NODE)) continue;
    const from = baseOf(branch.from.bus);
    const to = baseOf(branch.to.bus);
    if (from <= 0 || to <= 0 || Math.abs(from - to) <= BASE_DEVIATION * Math.max(from, to)) continue;
    const message = `${branch.kind} ${branch.name} joins buses of ${from.toFixed(1)} V and ${to.toFixed(1)} V to neutral without a transformer.`;
    // Without an mRID it comes from a script, which sets bases by hand or by the nearest: the voltages do not hang on them.
    report(branch.mrid === '' ? 'warning' : 'error', 'BASE_VOLTAGE_CONFLICT', branch, message, {
      ...{ attribute: 'baseVoltageV', value: to.toFixed(1), allowed: from.toFixed(1) },
    });
  }
  for (const transformer of feeder.transformers) {
    // The series winding of an autotransformer is rated for the difference, not for the bus.
    if (transformer.construction === 'auto') continue;
    transformer.windings.forEach(({ terminal, ratedVoltageV }, w) => {
      const bus = feeder.busById.get(terminal.bus);
      if (!bus || !(bus.baseVoltageV > 0)) return;
      // A winding at explicit wires, such as an autotransformer drawn at one bus, has no nominal voltage of its own.
      if (terminal.nodes.some((n) => n >= FIRST_NEUTRAL_NODE)) return;
      const isLive = (n: number) => n > 0 && n < FIRST_NEUTRAL_NODE && phaseOfNode(n, bus.isSplitPhase) !== 'N';
      const isAcross = transformer.phases === 1 && terminal.nodes.filter(isLive).length > 1;
      const isLineToLine = transformer.phases === 3 || isAcross;
      const nominal = bus.baseVoltageV * (isLineToLine ? (bus.isSplitPhase ? 2 : Math.sqrt(3)) : 1);
      if (Math.abs(ratedVoltageV - nominal) <= RATED_DEVIATION * nominal) return;
      const message = `Winding ${w + 1} of ${transformer.name} is rated ${ratedVoltageV.toFixed(0)} V at bus ${bus.name}, where ${nominal.toFixed(0)} V is nominal.`;
      report('warning', 'BASE_VOLTAGE_CONFLICT', transformer, message, {
        ...{ attribute: 'ratedVoltageV', value: ratedVoltageV.toFixed(1), allowed: nominal.toFixed(1) },
      });
    });
  }
}

/** Powers that say nothing or too much. */
function checkPowers(feeder: Feeder, report: Report): void {
  for (const load of feeder.loads) {
    if (load.shares.every(({ powerW, powerVar }) => powerW === 0 && powerVar === 0)) {
      report('info', 'ZERO_LOAD', load, `Load ${load.name} draws nothing.`, { attribute: 'p', value: '0' });
    }
  }
  for (const pv of feeder.pvSystems) {
    const presentW = pv.shares.reduce((sum, { powerW }) => sum + powerW, 0);
    const limit = pv.ratedPowerVA * RATING_MARGIN;
    for (const [attribute, value] of Object.entries({ p: presentW, maxP: pv.maxPowerW })) {
      if (value <= limit) continue;
      const message = `${attribute} of PV ${pv.name} is ${value.toFixed(0)} W, above its inverter's ${pv.ratedPowerVA.toFixed(0)} VA.`;
      report('warning', 'ABOVE_RATING', pv, message, {
        attribute,
        value: String(value),
        allowed: String(pv.ratedPowerVA),
      });
    }
  }
  for (const battery of feeder.batteries) {
    if (battery.storedEnergyWh <= battery.ratedEnergyWh * RATING_MARGIN) continue;
    const message = `Battery ${battery.name} stores ${battery.storedEnergyWh} Wh of at most ${battery.ratedEnergyWh} Wh.`;
    report('warning', 'ABOVE_RATING', battery, message, {
      ...{ attribute: 'storedE', value: String(battery.storedEnergyWh), allowed: String(battery.ratedEnergyWh) },
    });
  }
}
