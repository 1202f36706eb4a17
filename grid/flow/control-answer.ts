import type { Capacitor, FeederData } from '../model/index.js';
import type { ControlSnapshot } from './control/queue.js';
import type { FeederFlow } from './feeder-flow.js';
import type { PowerFlowSettings } from './power-flow.js';

/*
 * What regulators and capacitor banks do in answer to powers that have changed.
 *
 * Steps: the power flow stands at known positions; controls are let go, with nothing announced or remembered, and act until
 *        they are at rest, as in a snapshot; then all stand still again where they came to.
 * Cost: one power flow that finds nobody acting, or one for each pass of actions.
 * Fails: controls that hunt are told as not at rest, with the positions of the last pass.
 */

/** A device that its control has moved. */
export interface ControlMove {
  readonly id: string;
  readonly name: string;
  readonly kind: 'regulator' | 'capacitor';
  /** Tap position in steps, or sections in service. */
  readonly from: number;
  readonly to: number;
}

/** Where controls have come to. */
export interface ControlAnswer {
  readonly moves: readonly ControlMove[];
  /** Positions of all regulators and sections of all banks, by id. */
  readonly taps: Readonly<Record<string, number>>;
  readonly capacitorSections: Readonly<Record<string, number>>;
  /** Whether they are at rest; false where they hunt or the power flow has no solution there. */
  readonly isAtRest: boolean;
}

/** A bank that goes by the clock does not answer to powers. */
function answers({ control, otherControls = [] }: Capacitor): boolean {
  const enabled = [control, ...otherControls].filter((one) => one?.isEnabled === true);
  return enabled.length > 0 && enabled.every((one) => one?.mode !== 'timeScheduled');
}

/** Whether a feeder has a control that answers to voltages or powers. */
export function hasAnsweringControls({
  regulators,
  capacitors,
}: Pick<FeederData, 'regulators' | 'capacitors'>): boolean {
  return regulators.some(({ isControlEnabled }) => isControlEnabled) || capacitors.some(answers);
}

/**
 * Lets controls act from where a power flow stands, at its present powers, and leaves it where they come to, all standing
 * still; undefined where nothing moves.
 */
export function answerOfControls(
  flow: FeederFlow,
  settings: Partial<PowerFlowSettings> = {},
): ControlAnswer | undefined {
  const { feeder } = flow;
  const tapsBefore = new Map(flow.taps);
  const sectionsBefore = sectionsOf(flow);
  const remembered = memoryOfUnits(flow);
  flow.restoreControls(remembered);
  freeze(flow, false);
  const { status } = flow.solve({ ...settings, controls: true, controlMode: 'static' });
  freeze(flow, true);
  flow.restoreControls(remembered);
  const sections = sectionsOf(flow);
  const moves = [
    ...moved(feeder.regulators, 'regulator', tapsBefore, flow.taps),
    ...moved(feeder.capacitors, 'capacitor', sectionsBefore, sections),
  ];
  if (moves.length === 0) return undefined;
  return {
    moves,
    taps: Object.fromEntries(flow.taps),
    capacitorSections: Object.fromEntries(sections),
    isAtRest: status === 'converged',
  };
}

/** What units remember; controls of regulators and banks begin anew. */
function memoryOfUnits(flow: FeederFlow): ControlSnapshot {
  const { regulators, capacitors } = flow.feeder;
  const isOfDevice = (id: string) =>
    regulators.some((one) => one.id === id) || capacitors.some((one) => id.startsWith(one.id));
  const { memory } = flow.controlSnapshot();
  return { pending: [], memory: Object.fromEntries(Object.entries(memory).filter(([id]) => !isOfDevice(id))) };
}

function freeze(flow: FeederFlow, isFrozen: boolean): void {
  for (const [id, position] of [...flow.taps]) flow.setTap(id, position, isFrozen);
  for (const capacitor of flow.feeder.capacitors) {
    const sections = flow.capacitorSections.get(capacitor.id) ?? [];
    // One whose phases stand apart stays so.
    if (sections.length === 0 || sections.some((on) => on !== sections[0])) continue;
    flow.setCapacitorSections(capacitor.id, sections[0] ?? 0, isFrozen || !answers(capacitor));
  }
}

/** Sections in service by capacitor, of the phase with the most. */
function sectionsOf({ capacitorSections }: FeederFlow): Map<string, number> {
  return new Map([...capacitorSections].map(([id, sections]) => [id, Math.max(0, ...sections)]));
}

function moved(
  devices: readonly { readonly id: string; readonly name: string }[],
  kind: ControlMove['kind'],
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): ControlMove[] {
  return devices.flatMap(({ id, name }) => {
    const from = before.get(id) ?? 0;
    const to = after.get(id) ?? from;
    return from === to ? [] : [{ id, name, kind, from, to }];
  });
}
