/*
 * A feeder as the text of one GridLAB-D model (GLM) for its Newton power flow.
 *
 * The model is a snapshot: matrices of lines, present taps, switch states and capacitor sections; loads by their shares of
 * constant power, current and impedance, generation as negative constant power. What GridLAB-D cannot say is a finding and a
 * comment; names are made safe and unique, `busNames` and the comments say which became which.
 */
import { DecError } from '../math/index.js';
import { type CompiledFeeder, compile, type Feeder, type Finding, type Source } from '../model/index.js';
import { writeLine, writeSwitch, writeTransformer } from './branch.js';
import { complex, GlmScript, letters } from './script.js';
import { writeCapacitor, writeGeneration, writeLoad } from './shunt.js';

/** A GridLAB-D model and what it could not say. */
export interface GlmText {
  readonly text: string;
  readonly findings: readonly Finding[];
  /** Name of the node in the model by bus id, for buses that are in it. */
  readonly busNames: ReadonlyMap<string, string>;
}

/** Letters of each bus' phases; of a split-phase one the phase of its transformer and S. */
function busPhases({ feeder, nodeBus, nodeNumber }: CompiledFeeder): ReadonlyMap<string, string> {
  const phases = new Map<string, string>();
  nodeBus.forEach((bus, i) => {
    if (feeder.busById.get(bus)?.isSplitPhase) return;
    const phase = letters([nodeNumber[i]!]);
    if (phase !== undefined) phases.set(bus, [...new Set([...(phases.get(bus) ?? ''), phase])].sort().join(''));
  });
  const neighbours = new Map<string, string[]>();
  for (const { from, to } of [...feeder.lines, ...feeder.switches]) {
    neighbours.set(from.bus, [...(neighbours.get(from.bus) ?? []), to.bus]);
    neighbours.set(to.bus, [...(neighbours.get(to.bus) ?? []), from.bus]);
  }
  for (const { construction, windings } of feeder.transformers) {
    const [first, second] = windings;
    const phase = first && letters(first.terminal.nodes.slice(0, 1));
    if (construction !== 'centerTap' || !second || phase === undefined) continue;
    const ahead = [second.terminal.bus];
    for (let bus = ahead.pop(); bus !== undefined; bus = ahead.pop()) {
      if (phases.has(bus)) continue;
      phases.set(bus, `${phase}S`);
      ahead.push(...(neighbours.get(bus) ?? []));
    }
  }
  return phases;
}

/** The swing node behind the impedance of the source. */
function writeSource(script: GlmScript, source: Source): void {
  const { voltageV, angleRad, r1Ohm, x1Ohm, r0Ohm, x0Ohm } = source;
  const volts = voltageV / Math.sqrt(3);
  const name = script.name('source', source.id, source.name);
  const shifted = (turns: number) => {
    const angle = angleRad - (2 * Math.PI * turns) / 3;
    return complex(volts * Math.cos(angle), volts * Math.sin(angle));
  };
  script.add('meter', {
    name,
    bustype: 'SWING',
    phases: 'ABCN',
    nominal_voltage: source.nominalVoltageV / Math.sqrt(3),
    voltage_A: shifted(0),
    voltage_B: shifted(1),
    voltage_C: shifted(2),
  });
  const own = complex((2 * r1Ohm + r0Ohm) / 3, (2 * x1Ohm + x0Ohm) / 3);
  const mutual = complex((r0Ohm - r1Ohm) / 3, (x0Ohm - x1Ohm) / 3);
  const entries = [1, 2, 3].flatMap((i) => [1, 2, 3].map((j) => [`z${i}${j}`, i === j ? own : mutual] as const));
  const configuration = script.configuration('line_configuration', Object.fromEntries(entries));
  script.add('overhead_line', {
    name: script.name('line', `${source.id} impedance`, `${source.name}_impedance`),
    phases: 'ABC',
    from: name,
    to: script.bus(source.terminal.bus),
    length: 5280,
    configuration,
  });
}

/**
 * Writes a feeder as a GridLAB-D model.
 *
 * @throws DecError NO_SOURCE or FEEDER_DATA when the feeder cannot be compiled, UNSUPPORTED when its first source is not of
 *   three phases to ground in the order A, B, C, or a branch or a further source cannot be said
 * @example const { text, findings } = writeGlm(feeder);
 */
export function writeGlm(feeder: Feeder): GlmText {
  const compiled = compile(feeder);
  const phases = busPhases(compiled);
  const script = new GlmScript(feeder, phases);
  const [source, ...others] = feeder.sources;
  if (source?.terminal.nodes.join() !== '1,2,3' || source.returnTerminal || source.sequence) {
    const message = `The source of ${feeder.name} is not of phases A, B, C to ground, which a GridLAB-D swing node is; export it as dss.`;
    throw new DecError('UNSUPPORTED', message, { feeder: feeder.name });
  }
  for (const bus of feeder.buses) {
    const own = phases.get(bus.id);
    if (own === undefined) {
      const message = `Bus ${bus.name} has no phase with anything connected to it; it is left out.`;
      script.notCarried(bus, 'node', 'phases', message, 'info');
      continue;
    }
    script.add(own.endsWith('S') ? 'triplex_node' : 'node', {
      name: script.bus(bus.id),
      phases: own.endsWith('S') ? own : `${own}N`,
      nominal_voltage: bus.baseVoltageV,
    });
  }
  writeSource(script, source);
  const left = [...others, ...feeder.reactors, ...(feeder.currentSources ?? []), ...(feeder.inductionMachines ?? [])];
  for (const element of left) {
    const message = `The ${element.kind} ${element.name} cannot be said in a GridLAB-D model; it is left out.`;
    const isBranch = element.kind === 'reactor' || element.kind === 'source';
    script.notCarried(element, element.kind, 'kind', message, isBranch ? 'error' : 'warning');
  }
  for (const line of feeder.lines) writeLine(script, line);
  for (const device of feeder.switches) writeSwitch(script, device);
  for (const transformer of feeder.transformers) writeTransformer(script, transformer);
  // without a branch the rest of the circuit would be another one, or fed by nothing
  const branch = script.findings.find(({ severity }) => severity === 'error');
  if (branch) {
    const message = `${feeder.name} cannot be written for GridLAB-D: ${branch.message} Export it as dss.`;
    throw new DecError('UNSUPPORTED', message, { feeder: feeder.name });
  }
  for (const capacitor of feeder.capacitors) writeCapacitor(script, capacitor);
  for (const load of feeder.loads) writeLoad(script, load);
  for (const der of [...feeder.pvSystems, ...feeder.batteries, ...feeder.machines]) writeGeneration(script, der);
  if (feeder.loads.length > 0) {
    const message = `Loads and generation of ${feeder.name} keep their law at any voltage in GridLAB-D; here they are impedances outside their windows.`;
    script.notCarried(feeder, 'load', 'minVoltagePu', message, 'info');
  }
  const busNames = new Map(feeder.buses.flatMap(({ id }) => (phases.has(id) ? [[id, script.bus(id)]] : [])));
  const oneLine = (text: string) => text.replace(/[\r\n]+/g, ' ');
  const head = [
    `// ${oneLine(feeder.name)}${feeder.mrid === '' ? '' : ` ${oneLine(feeder.mrid)}`}`,
    ...script.findings.map(({ severity, message }) => `// ${severity}: ${oneLine(message)}`),
    'clock {',
    '  timezone UTC0;',
    "  starttime '2000-01-01 00:00:00';",
    "  stoptime '2000-01-01 00:00:00';",
    '}',
    'module powerflow {',
    '  solver_method NR;',
    '  line_capacitance TRUE;',
    `  nominal_frequency ${feeder.frequencyHz};`,
    '  default_maximum_voltage_error 1e-8;',
    '}',
  ];
  const map = feeder.buses.flatMap(({ id, name }) => {
    const written = busNames.get(id);
    return written === undefined ? [] : [`// ${written} is bus ${oneLine(name)}`];
  });
  return {
    text: `${[...head, ...script.lines, ...map].join('\n')}\n`,
    findings: script.findings,
    busNames,
  };
}
