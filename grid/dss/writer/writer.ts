/*
 * A feeder as the text of one OpenDSS script, without redirects.
 *
 * The script makes the same circuit: impedances as matrices, transformers by windings, the present taps, switch states and
 * capacitor sections, controls after the devices they act on, base voltages by bus. What OpenDSS cannot carry is a finding.
 * Names are made safe and unique; `busNames` and `elementNames` say which became which.
 */
import {
  type CurrentSource,
  compile,
  type Feeder,
  type Finding,
  type InductionMachine,
  type Source,
} from '../../model/index.js';
import { writeCapacitor } from './capacitor.js';
import { newObject, num, type Properties } from './command.js';
import { writeBattery, writeMachine, writePhotovoltaic } from './generation.js';
import { writeLine, writeReactor, writeSwitch } from './line.js';
import { writeLoad } from './load.js';
import {
  temperatureNames,
  writeCurves,
  writeGrowth,
  writeInverterControl,
  writeLevelShapes,
  writeProfile,
} from './profile.js';
import { DssScriptText } from './script.js';
import { writeRegulator, writeTransformer } from './transformer.js';

/** An OpenDSS script and what it could not say. */
export interface DssText {
  readonly text: string;
  readonly findings: readonly Finding[];
  /** Name in the script by bus id. */
  readonly busNames: ReadonlyMap<string, string>;
  /** `class.name` in the script by element id, for branches, regulators and loads that are one element. */
  readonly elementNames: ReadonlyMap<string, string>;
}

/** Choices of a script. */
export interface DssWriteOptions {
  /** Ends with `Solve`. Default true. */
  readonly solve?: boolean;
  /** Leaves positions out and has the base voltages calculated by OpenDSS from the list of them. Default false. */
  readonly areBusesCalculated?: boolean;
  /** Tolerance of that solve and of those after, pu. Default 1e-8. */
  readonly tolerancePu?: number;
}

function sourceProperties(script: DssScriptText, source: Source): Properties {
  return {
    bus1: script.at(source.terminal),
    bus2: source.returnTerminal && script.at(source.returnTerminal),
    phases: source.terminal.nodes.length,
    basekv: source.nominalVoltageV / 1000,
    pu: source.voltageV / source.nominalVoltageV,
    angle: (source.angleRad * 180) / Math.PI,
    sequence: source.sequence,
    Z1: `[${num(source.r1Ohm)} ${num(source.x1Ohm)}]`,
    Z0: `[${num(source.r0Ohm)} ${num(source.x0Ohm)}]`,
  };
}

function writeCurrentSource(script: DssScriptText, source: CurrentSource): void {
  script.add(
    newObject('Isource', script.element('Isource', source), {
      bus1: script.at(source.terminal),
      bus2: source.returnTerminal && script.at(source.returnTerminal),
      phases: source.terminal.nodes.length,
      amps: source.currentA,
      angle: (source.angleRad * 180) / Math.PI,
      sequence: source.sequence,
    }),
  );
}

function writeInductionMachine(script: DssScriptText, machine: InductionMachine): void {
  script.add(
    newObject('IndMach012', script.element('IndMach012', machine), {
      bus1: script.at(machine.terminal),
      kv: machine.ratedVoltageV / 1000,
      kw: machine.powerW / 1000,
      kva: machine.ratedPowerVA / 1000,
      puRs: machine.statorRPu,
      puXs: machine.statorXPu,
      puRr: machine.rotorRPu,
      puXr: machine.rotorXPu,
      puXm: machine.magnetisingXPu,
      maxslip: machine.maxSlip,
      slip: machine.slip,
      slipoption: machine.isSlipFixed ? 'fixedslip' : 'variableslip',
    }),
  );
}

/**
 * Writes a feeder as an OpenDSS script.
 *
 * @throws DecError NO_SOURCE or FEEDER_DATA when the feeder cannot be compiled
 * @example const { text, findings } = writeDss(feeder);
 */
export function writeDss(feeder: Feeder, options: DssWriteOptions = {}): DssText {
  const script = new DssScriptText(compile(feeder));
  const [first, ...others] = feeder.sources;
  script.add(
    `! ${feeder.name.replace(/[\r\n]/g, ' ')}${feeder.mrid === '' ? '' : ` ${feeder.mrid}`}`,
    'Clear',
    `Set DefaultBaseFrequency=${num(feeder.frequencyHz)}`,
    newObject('Circuit', script.names.name('Circuit', '', feeder.name), first ? sourceProperties(script, first) : {}),
  );
  for (const source of others) {
    script.add(
      newObject('Vsource', script.names.name('Vsource', source.id, source.name), sourceProperties(script, source)),
    );
  }
  const temperatures = temperatureNames(script);
  const group = <T>(title: string, elements: readonly T[], write: (script: DssScriptText, element: T) => void) => {
    script.section(title, elements.length);
    for (const element of elements) write(script, element);
  };
  group('profiles', feeder.profiles, (s, p) => writeProfile(s, p, temperatures.has(p.name.toLowerCase())));
  writeLevelShapes(script);
  group('growth', feeder.growthProfiles, writeGrowth);
  writeCurves(script);
  group('current sources', feeder.currentSources ?? [], writeCurrentSource);
  group('lines', feeder.lines, writeLine);
  group('switches', feeder.switches, writeSwitch);
  group('reactors', feeder.reactors, writeReactor);
  group('transformers', feeder.transformers, writeTransformer);
  group('capacitors', feeder.capacitors, writeCapacitor);
  group('loads', feeder.loads, writeLoad);
  group('PV systems', feeder.pvSystems, writePhotovoltaic);
  group('batteries', feeder.batteries, writeBattery);
  group('machines', feeder.machines, writeMachine);
  group('induction machines', feeder.inductionMachines ?? [], writeInductionMachine);
  group('regulators', feeder.regulators, writeRegulator);
  group('inverter controls', feeder.inverterControls, writeInverterControl);
  group('open terminals', script.openings, (s, command) => s.add(command));
  writeBuses(script, options.areBusesCalculated ?? false);
  script.add('', `Set Tolerance=${num(options.tolerancePu ?? 1e-8)}`, 'Set MaxIterations=100', 'Set MaxControlIter=50');
  if (options.solve ?? true) script.add('Solve');
  return {
    text: `${script.lines.join('\n')}\n`,
    findings: script.findings,
    busNames: new Map(feeder.buses.map(({ id }) => [id, script.bus(id)])),
    elementNames: elementNames(script),
  };
}

/** Base voltages and positions; buses that nothing is connected to are not in an OpenDSS circuit. */
function writeBuses(script: DssScriptText, areCalculated: boolean): void {
  const { compiled, feeder } = script;
  const used = new Set(compiled.nodeBus);
  script.section('buses', 1);
  const bases = new Set(feeder.buses.map(({ baseVoltageV }) => baseVoltageV * Math.sqrt(3)).filter((v) => v > 0));
  script.add(
    `Set VoltageBases=[${[...bases].map((v) => num(Number((v / 1000).toPrecision(12)))).join(' ')}]`,
    areCalculated ? 'CalcVoltageBases' : 'MakeBusList',
  );
  for (const bus of feeder.buses) {
    if (!used.has(bus.id)) {
      const message = `Bus ${bus.name} has no node with anything connected to it; it is not in the script.`;
      script.notCarried(bus, 'Bus', 'terminal', message, 'info');
      continue;
    }
    if (areCalculated) continue;
    const name = script.bus(bus.id);
    if (bus.baseVoltageV > 0) script.add(`SetkVBase Bus=${name} kVLN=${num(bus.baseVoltageV / 1000)}`);
    if (bus.x !== undefined && bus.y !== undefined) script.add(`SetBusXY Bus=${name} X=${num(bus.x)} Y=${num(bus.y)}`);
  }
}

function elementNames(script: DssScriptText): ReadonlyMap<string, string> {
  const { feeder } = script;
  const named = (className: string, elements: readonly { readonly id: string; readonly name: string }[]) =>
    elements.map((element): [string, string] => [element.id, `${className}.${script.element(className, element)}`]);
  return new Map([
    ...named('Line', [...feeder.lines, ...feeder.switches]),
    ...named('Reactor', feeder.reactors),
    ...named(
      'Transformer',
      feeder.transformers.filter(({ construction }) => construction !== 'auto'),
    ),
    ...named(
      'AutoTrans',
      feeder.transformers.filter(({ construction }) => construction === 'auto'),
    ),
    ...named('RegControl', feeder.regulators),
    ...named('Capacitor', feeder.capacitors),
    ...named('Load', feeder.loads),
  ]);
}
