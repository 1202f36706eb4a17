/** Lines, switches, transformers and regulators. */
import type { Line, Switch, Transformer } from '../model/index.js';
import { complex, type GlmScript, letters } from './script.js';

const METRES_PER_MILE = 1609.344;
const FEET_PER_MILE = 5280;

function isSameOrder(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((node, k) => node === b[k]);
}

/** A line by its matrices, ohm and nF per mile. */
export function writeLine(script: GlmScript, line: Line): void {
  const nodes = line.from.nodes;
  const isSplit = script.phases(line.to.bus).endsWith('S');
  const phases = isSplit ? script.phases(line.to.bus) : letters(nodes);
  const isTriplex = isSplit && isSameOrder([...nodes].sort(), [1, 2]);
  if (phases === undefined || !isSameOrder(nodes, line.to.nodes) || (isSplit && !isTriplex)) {
    const message = `Line ${line.name} has other conductors than phases that go straight through; it is left out.`;
    script.notCarried(line, 'overhead_line', 'phases', message, 'error');
    return;
  }
  if (line.isOpen && [...line.isOpen.from, ...line.isOpen.to].some(Boolean)) {
    const message = `Line ${line.name} has open conductors, which a GridLAB-D line has not; it is left out.`;
    script.notCarried(line, 'overhead_line', 'isOpen', message, 'error');
    return;
  }
  const miles = line.lengthM > 0 ? line.lengthM / METRES_PER_MILE : 1;
  const { n, re, im } = line.seriesOhm;
  const values: Record<string, string | number> = {};
  const nanofarad = 1e9 / (2 * Math.PI * script.feeder.frequencyHz * miles);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const place = `${nodes[i]}${nodes[j]}`;
      // GridLAB-D counts voltage 2 of a split phase from the leg to the neutral: it takes row 2 of a matrix with its sign turned
      const sign = isSplit && nodes[i] === 2 ? -1 : 1;
      values[`z${place}`] = complex((sign * re[i * n + j]!) / miles, (sign * im[i * n + j]!) / miles);
      if (!isSplit) values[`c${place}`] = line.shuntSiemens.im[i * n + j]! * nanofarad;
    }
  }
  if (isSplit && line.shuntSiemens.im.some((b) => b !== 0)) {
    const message = `The charging of line ${line.name} is left out; a GridLAB-D triplex line has none.`;
    script.notCarried(line, 'triplex_line', 'shuntSiemens', message);
  }
  const configuration = script.configuration(isSplit ? 'triplex_line_configuration' : 'line_configuration', values);
  script.add(isSplit ? 'triplex_line' : 'overhead_line', {
    name: script.name('line', line.id, line.name),
    phases,
    from: script.bus(line.from.bus),
    to: script.bus(line.to.bus),
    length: miles * FEET_PER_MILE,
    configuration,
  });
}

/** A switch or fuse, each phase in its state. */
export function writeSwitch(script: GlmScript, device: Switch): void {
  const nodes = device.from.nodes;
  const phases = letters(nodes);
  const { n, re, im } = device.seriesOhm;
  if (phases === undefined || !isSameOrder(nodes, device.to.nodes) || script.phases(device.to.bus).endsWith('S')) {
    const message = `Switch ${device.name} has other conductors than phases that go straight through; it is left out.`;
    script.notCarried(device, 'switch', 'phases', message, 'error');
    return;
  }
  const isPlain = re.every((r, k) => (k % (n + 1) === 0 ? r === re[0] && im[k] === im[0] : r === 0 && im[k] === 0));
  if (!isPlain || device.shuntSiemens?.im.some((b) => b !== 0)) {
    const message = `Switch ${device.name} has coupling or charging, which a GridLAB-D switch has not; its first phase's impedance is written.`;
    script.notCarried(device, 'switch', 'seriesOhm', message);
  }
  const state = (phase: string) => {
    const k = nodes.indexOf('ABC'.indexOf(phase) + 1);
    return k < 0 ? undefined : device.isOpen[k] ? 'OPEN' : 'CLOSED';
  };
  script.add('switch', {
    name: script.name('switch', device.id, device.name),
    phases,
    from: script.bus(device.from.bus),
    to: script.bus(device.to.bus),
    operating_mode: 'INDIVIDUAL',
    phase_A_state: state('A'),
    phase_B_state: state('B'),
    phase_C_state: state('C'),
    switch_resistance: Math.max(re[0] ?? 0, LEAST_OHM),
    switch_reactance: Math.max(im[0] ?? 0, LEAST_OHM),
  });
}

/** GridLAB-D puts its own default (1e-4 ohm) where a switch has no resistance or reactance at all. */
const LEAST_OHM = 1e-6;
/** A transformer without resistance is an error in GridLAB-D. */
const LEAST_PU = 1e-9;

/** A transformer, and behind it the regulator on its second winding at its present tap. */
export function writeTransformer(script: GlmScript, transformer: Transformer): void {
  const problem =
    transformer.construction === 'centerTap' ? centreTapped(script, transformer) : pair(script, transformer);
  if (problem === undefined) return;
  const message = `Transformer ${transformer.name} is left out: ${problem}.`;
  script.notCarried(transformer, 'transformer', 'windings', message, 'error');
}

/** Phases of a winding; undefined where its neutral is not solidly grounded or it is from phase to phase. */
function windingPhases(transformer: Transformer, k: number): string | undefined {
  const { terminal, connection, groundOhm } = transformer.windings[k]!;
  const isSolid = groundOhm === undefined || (groundOhm.r === 0 && groundOhm.x === 0);
  if (transformer.phases === 1) {
    return terminal.nodes[1] === 0 && connection === 'wye' ? letters(terminal.nodes.slice(0, 1)) : undefined;
  }
  if (!isSameOrder(terminal.nodes.slice(0, 3), [1, 2, 3])) return undefined;
  return connection === 'delta' || (terminal.nodes[3] === 0 && isSolid) ? 'ABC' : undefined;
}

function pair(script: GlmScript, transformer: Transformer): string | undefined {
  const { windings, phases: count } = transformer;
  if (windings.length !== 2 || transformer.construction !== 'standard') return 'only two windings can be said';
  const [first, second] = [windings[0]!, windings[1]!];
  const phases = windingPhases(transformer, 0);
  if (phases === undefined || phases !== windingPhases(transformer, 1)) {
    return 'its windings are not each from all its phases to a solid ground, or in delta';
  }
  const connections = `${first.connection} ${second.connection}`;
  const type = { 'wye wye': 'WYE_WYE', 'delta wye': 'DELTA_GWYE', 'delta delta': 'DELTA_DELTA' }[connections];
  if (type === undefined || (type === 'DELTA_GWYE' && transformer.isDeltaLeading)) {
    return `a connection ${connections}${transformer.isDeltaLeading ? ' with leading delta' : ''} cannot be said`;
  }
  const regulators = script.feeder.regulators.filter((one) => one.transformerId === transformer.id);
  const [regulator] = regulators;
  if (regulators.length > 1 || (regulator && (regulator.winding !== 1 || second.connection !== 'wye'))) {
    return 'its tap changer is not one on a second winding in wye';
  }
  if (transformer.noLoadLossPu !== 0 || transformer.magnetisingPu !== 0) {
    const message = `The no-load loss and magnetising current of transformer ${transformer.name} are left out.`;
    script.notCarried(transformer, 'transformer_configuration', 'shunt_impedance', message);
  }
  const toLine = count === 1 ? Math.sqrt(3) : 1;
  const kva = first.ratedPowerVA / 1000;
  const configuration = script.configuration('transformer_configuration', {
    connect_type: type,
    install_type: 'PADMOUNT',
    power_rating: kva,
    ...(count === 1 ? { [`power${phases}_rating`]: kva } : {}),
    primary_voltage: first.ratedVoltageV * first.tapRatio * toLine,
    secondary_voltage: second.ratedVoltageV * second.tapRatio * toLine,
    resistance: Math.max(first.resistancePu + second.resistancePu, LEAST_PU),
    reactance: Math.max(transformer.reactancesPu[0]!, LEAST_PU),
  });
  const to = script.bus(second.terminal.bus);
  const inner = regulator ? script.name('tap', transformer.id, transformer.name) : to;
  if (regulator) {
    const volts = second.ratedVoltageV / (count === 1 ? 1 : Math.sqrt(3));
    script.add('node', { name: inner, phases: `${phases}N`, nominal_voltage: volts });
  }
  script.add('transformer', {
    name: script.name('transformer', transformer.id, transformer.name),
    phases: `${phases}${type === 'WYE_WYE' ? 'N' : ''}`,
    from: script.bus(first.terminal.bus),
    to: inner,
    configuration,
  });
  if (!regulator) return undefined;
  const raise = regulator.highStep - regulator.neutralStep;
  const lower = regulator.neutralStep - regulator.lowStep;
  const position = regulator.position - regulator.neutralStep;
  const steps = Math.max(raise, lower, 1);
  const taps = Object.fromEntries([...phases].map((phase) => [`tap_pos_${phase}`, position]));
  script.add('regulator', {
    name: script.name('regulator', regulator.id, regulator.name),
    phases: `${phases}N`,
    from: inner,
    to,
    configuration: script.configuration('regulator_configuration', {
      connect_type: 'WYE_WYE',
      Type: 'A',
      Control: 'MANUAL',
      raise_taps: steps,
      lower_taps: steps,
      regulation: steps * regulator.stepPu,
      band_center: regulator.targetV * regulator.ptRatio,
      band_width: regulator.bandV * regulator.ptRatio,
      ...taps,
    }),
  });
  if (regulator.isControlEnabled) {
    const message = `Regulator ${regulator.name} stands at its present tap; its control is not written.`;
    script.notCarried(regulator, 'regulator', 'Control', message, 'info');
  }
  return undefined;
}

/** A split-phase transformer: the star of its three windings, per unit of its rating. */
function centreTapped(script: GlmScript, transformer: Transformer): string | undefined {
  const [first, second, third] = transformer.windings;
  const phase = first && windingPhases(transformer, 0);
  if (!first || !second || !third || phase === undefined || transformer.phases !== 1) {
    return 'its primary is not from one phase to ground';
  }
  const isLegs = isSameOrder(second.terminal.nodes, [1, 0]) && isSameOrder(third.terminal.nodes, [0, 2]);
  const hasTaps = transformer.windings.some(({ tapRatio }) => tapRatio !== 1);
  const isRegulated = script.feeder.regulators.some((one) => one.transformerId === transformer.id);
  if (!isLegs || hasTaps || isRegulated || second.terminal.bus !== third.terminal.bus) {
    return 'its legs are not nodes 1 and 2 of one bus at nominal taps';
  }
  const [x12 = 0, x13 = 0, x23 = 0] = transformer.reactancesPu;
  const leg = (r: number, x: number) => complex(Math.max(r, LEAST_PU), x / 2);
  const { noLoadLossPu: loss, magnetisingPu: magnetising } = transformer;
  script.add('transformer', {
    name: script.name('transformer', transformer.id, transformer.name),
    phases: `${phase}S`,
    from: script.bus(first.terminal.bus),
    to: script.bus(second.terminal.bus),
    configuration: script.configuration('transformer_configuration', {
      connect_type: 'SINGLE_PHASE_CENTER_TAPPED',
      install_type: 'POLETOP',
      power_rating: first.ratedPowerVA / 1000,
      [`power${phase}_rating`]: first.ratedPowerVA / 1000,
      primary_voltage: first.ratedVoltageV,
      secondary_voltage: second.ratedVoltageV,
      impedance: leg(first.resistancePu, x12 + x13 - x23),
      impedance1: leg(second.resistancePu, x12 + x23 - x13),
      impedance2: leg(third.resistancePu, x13 + x23 - x12),
      shunt_resistance: loss > 0 ? 1 / loss : undefined,
      shunt_reactance: magnetising > 0 ? 1 / magnetising : undefined,
    }),
  });
  return undefined;
}
