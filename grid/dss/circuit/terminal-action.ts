import type { FeederData, Line, Switch } from '../../model/index.js';
import type { DssTerminalAction } from '../script/index.js';
import type { CircuitReader } from './circuit-reader.js';

/** Sets the conductors that an action names. */
function set(states: readonly boolean[], { conductor, action }: DssTerminalAction): boolean[] {
  return states.map((isOpen, i) => (conductor === 0 || conductor === i + 1 ? action === 'open' : isOpen));
}

function onSwitch(device: Switch, actions: readonly DssTerminalAction[]): Switch {
  let ends = { from: [...device.isOpen], to: device.isOpen.map(() => false) };
  for (const action of actions) {
    ends = action.terminal === 2 ? { ...ends, to: set(ends.to, action) } : { ...ends, from: set(ends.from, action) };
  }
  const isOpen = ends.from.map((open, i) => open || ends.to[i]!);
  return { ...device, isOpen, isNormallyOpen: isOpen.every(Boolean) };
}

function onLine(line: Line, actions: readonly DssTerminalAction[]): Line {
  let ends = line.isOpen ?? { from: line.from.nodes.map(() => false), to: line.to.nodes.map(() => false) };
  for (const action of actions) {
    ends = action.terminal === 2 ? { ...ends, to: set(ends.to, action) } : { ...ends, from: set(ends.from, action) };
  }
  const { isOpen: _before, ...closed } = line;
  return [...ends.from, ...ends.to].some(Boolean) ? { ...closed, isOpen: ends } : closed;
}

/** Lists of devices with one terminal: opening it takes the device out. */
const DEVICES = [
  'capacitors',
  'loads',
  'pvSystems',
  'batteries',
  'machines',
  'sources',
  'currentSources',
  'inductionMachines',
] as const;

/** Carries out the `open` and `close` commands of a script, in their order. */
export function applyTerminalActions(reader: CircuitReader, data: FeederData): FeederData {
  const { terminalActions } = reader.script;
  if (terminalActions.length === 0) return data;
  const byId = new Map<string, DssTerminalAction[]>();
  for (const action of terminalActions) {
    const id = `${action.className}.${action.name}`;
    const list = byId.get(id);
    if (list) list.push(action);
    else byId.set(id, [action]);
  }
  const handled = new Set<string>();
  const take = (id: string) => {
    const actions = byId.get(id);
    if (actions) handled.add(id);
    return actions;
  };
  const lines = data.lines.map((line) => {
    const actions = take(line.id);
    return actions ? onLine(line, actions) : line;
  });
  const switches = data.switches.map((device) => {
    const actions = take(device.id);
    return actions ? onSwitch(device, actions) : device;
  });
  const isOut = ({ id }: { readonly id: string }) => {
    const last = take(id)?.at(-1);
    if (last?.action !== 'open') return false;
    if (last.conductor === 0) return true;
    reader.noteAt(
      'warning',
      'UNSUPPORTED_ELEMENT',
      'A single conductor of a device is not opened; it stays closed.',
      last.at,
      id,
    );
    return false;
  };
  const devices = Object.fromEntries(
    DEVICES.flatMap((list) => (data[list] ? [[list, data[list].filter((device) => !isOut(device))]] : [])),
  );
  const transformers = data.transformers.filter((transformer) => !isOut(transformer));
  const reactors = data.reactors.filter((reactor) => !isOut(reactor));
  for (const [id, actions] of byId) {
    if (handled.has(id)) continue;
    const { at, action } = actions[0]!;
    reader.noteAt('warning', 'MISSING_REFERENCE', `The element to ${action} is not in the circuit.`, at, id);
  }
  return { ...data, ...devices, lines, switches, transformers, reactors };
}
