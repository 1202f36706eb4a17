import {
  type BranchElement,
  type Feeder,
  type Finding,
  nodeKey,
  type Phase,
  phaseOfNode,
  type Regulator,
  type Transformer,
} from '../model/index.js';
import type { FeederFlow } from './feeder-flow.js';
import { solutionFindings } from './flow-findings.js';
import type { ConductorFlow, PowerFlowSettings, PowerFlowSolution, PowerFlowStatus } from './power-flow.js';

/** ANSI C84.1 range A, service voltage. */
const RANGE_A_MIN_PU = 0.95;
const RANGE_A_MAX_PU = 1.05;
/** Below this a node has no voltage: what is left is coupling and rounding. */
const DEAD_PU = 1e-3;

/** Voltage of one node. */
export interface NodeReport {
  /** Bus name, upper case. */
  readonly bus: string;
  readonly node: number;
  readonly phase: Phase;
  readonly kvBase: number;
  readonly voltageV: number;
  readonly voltagePu: number;
  readonly angleDeg: number;
}

/** Current and power into a branch at one of its conductors. */
export interface TerminalReport {
  readonly phase: Phase;
  /** Terminal number from 1. */
  readonly end: number;
  readonly currentA: number;
  readonly angleDeg: number;
  readonly pW: number;
  readonly qVar: number;
}

/** One branch with its flows. */
export interface BranchReport {
  readonly name: string;
  readonly kind: BranchElement['kind'];
  readonly from: string;
  readonly to: string;
  readonly terminals: readonly TerminalReport[];
  /** Rated current at end 1, A; null when the model has none. */
  readonly ratingA: number | null;
  /** Largest phase current at end 1 over the rating, per cent; null without a rating. */
  readonly loadingPct: number | null;
}

/** A node outside the limits. */
export interface VoltageViolation {
  readonly bus: string;
  readonly node: number;
  /** Voltage; 0 at a node without a path to a source, whatever lines couple into it. */
  readonly voltagePu: number;
  /** The limit that is broken, pu. */
  readonly limit: number;
}

/** What `dec powerflow --json` prints. */
export interface PowerFlowReport {
  readonly feeder: { readonly name: string; readonly mrid: string };
  readonly converged: boolean;
  readonly iterations: number;
  readonly status: PowerFlowStatus;
  readonly settings: PowerFlowSettings;
  readonly nodes: readonly NodeReport[];
  readonly source: { readonly pW: number; readonly qVar: number };
  readonly losses: { readonly pW: number; readonly qVar: number };
  readonly taps: readonly { readonly name: string; readonly phase: string; readonly position: number }[];
  readonly capacitors: readonly { readonly name: string; readonly steps: number }[];
  readonly branches: readonly BranchReport[];
  readonly violations: readonly VoltageViolation[];
  readonly findings: readonly Finding[];
}

const degrees = (re: number, im: number) => (re === 0 && im === 0 ? 0 : (Math.atan2(im, re) * 180) / Math.PI);

/**
 * The machine-readable result of a power flow.
 *
 * @param extras - findings beyond those of the feeder and of the flow (from reading state files, for example)
 */
export function powerFlowReport(
  flow: FeederFlow,
  solution: PowerFlowSolution,
  extras: { readonly findings?: readonly Finding[] } = {},
): PowerFlowReport {
  const { feeder } = flow;
  const isSplit = (bus: string) => feeder.busById.get(bus)?.isSplitPhase ?? false;
  const nameOf = (bus: string) => (feeder.busById.get(bus)?.name ?? bus).toUpperCase();

  const nodes = flow.nodes.map(({ bus, node, baseV }, i): NodeReport => {
    const re = solution.voltage[2 * i]!;
    const im = solution.voltage[2 * i + 1]!;
    const voltageV = Math.hypot(re, im);
    return {
      bus: nameOf(bus),
      node,
      phase: phaseOfNode(node, isSplit(bus)),
      kvBase: baseV / 1000,
      voltageV,
      voltagePu: baseV > 0 ? voltageV / baseV : 0,
      angleDeg: degrees(re, im),
    };
  });
  const { isIsolated } = flow;
  const loaded = loadedNodes(feeder);
  const violations = nodes.flatMap(({ bus, node, phase, kvBase, voltagePu }, i): VoltageViolation[] => {
    // Neutrals stand near zero by nature.
    if (phase === 'N' || kvBase <= 0) return [];
    if (isIsolated[i] || voltagePu < DEAD_PU) {
      // A spare conductor without voltage harms nobody; a customer without voltage is the worst of all violations.
      return loaded.has(nodeKey(flow.nodes[i]!.bus, node)) ? [{ bus, node, voltagePu: 0, limit: RANGE_A_MIN_PU }] : [];
    }
    if (voltagePu > RANGE_A_MAX_PU) return [{ bus, node, voltagePu, limit: RANGE_A_MAX_PU }];
    if (voltagePu < RANGE_A_MIN_PU) return [{ bus, node, voltagePu, limit: RANGE_A_MIN_PU }];
    return [];
  });

  const branch = (element: BranchElement, from: string, to: string, ratingA: number | undefined): BranchReport => {
    const flows = solution.flows(element.id).filter(({ node }) => node !== 0);
    const terminals = flows.map(
      (flow): TerminalReport => ({
        phase: phaseOfNode(flow.node, isSplit(flow.bus)),
        end: flow.terminal,
        currentA: Math.hypot(flow.currentRe, flow.currentIm),
        angleDeg: degrees(flow.currentRe, flow.currentIm),
        pW: flow.powerW,
        qVar: flow.powerVar,
      }),
    );
    const hasRating = ratingA !== undefined && ratingA > 0;
    return {
      name: element.name,
      kind: element.kind,
      from: nameOf(from),
      to: nameOf(to),
      terminals,
      ratingA: hasRating ? ratingA : null,
      loadingPct: hasRating ? (100 * largestCurrent(flows)) / ratingA : null,
    };
  };
  const branches = [
    ...feeder.lines.map((line) => branch(line, line.from.bus, line.to.bus, line.ratingA)),
    ...feeder.switches.map((device) => branch(device, device.from.bus, device.to.bus, device.ratingA)),
    ...feeder.reactors.map((reactor) => branch(reactor, reactor.from.bus, reactor.to.bus, reactor.ratingA)),
    ...feeder.transformers.map((transformer) => {
      const [first, second] = transformer.windings;
      return branch(transformer, first?.terminal.bus ?? '', second?.terminal.bus ?? '', ratedCurrent(transformer));
    }),
  ];

  return {
    feeder: { name: feeder.name, mrid: feeder.mrid },
    converged: solution.status === 'converged',
    iterations: solution.iterations,
    status: solution.status,
    settings: flow.settings,
    nodes,
    source: { pW: solution.sourceW, qVar: solution.sourceVar },
    losses: { pW: solution.lossW, qVar: solution.lossVar },
    taps: feeder.regulators.map((regulator) => ({
      name: regulator.name,
      phase: regulatedPhases(
        regulator,
        feeder.transformers.find((t) => t.id === regulator.transformerId),
        isSplit,
      ),
      position: flow.taps.get(regulator.id) ?? regulator.position,
    })),
    capacitors: feeder.capacitors.map(({ id, name, sectionsOn }) => ({
      name,
      steps: Math.max(0, ...(flow.capacitorSections.get(id) ?? sectionsOn)),
    })),
    branches,
    violations,
    findings: [...feeder.findings, ...(extras.findings ?? []), ...flow.findings, ...solutionFindings(feeder, solution)],
  };
}

/** The nodes that loads stand at. */
export function loadedNodes(feeder: Feeder): ReadonlySet<string> {
  const keys = feeder.loads.flatMap(({ terminal, shares }) =>
    shares.flatMap(({ node, otherNode }) => [nodeKey(terminal.bus, node), nodeKey(terminal.bus, otherNode)]),
  );
  return new Set(keys);
}

function largestCurrent(flows: readonly ConductorFlow[]): number {
  let largest = 0;
  for (const flow of flows) {
    if (flow.terminal === 1) largest = Math.max(largest, Math.hypot(flow.currentRe, flow.currentIm));
  }
  return largest;
}

/** Rated current of the first winding, A a phase. */
export function ratedCurrent({ windings, phases, ratingVA }: Transformer): number | undefined {
  const voltageV = windings[0]?.ratedVoltageV ?? 0;
  if (!(voltageV > 0) || !(ratingVA > 0)) return undefined;
  return phases > 1 ? ratingVA / (Math.sqrt(3) * voltageV) : ratingVA / voltageV;
}

function regulatedPhases(
  regulator: Regulator,
  transformer: Transformer | undefined,
  isSplit: (bus: string) => boolean,
): string {
  const terminal = transformer?.windings[regulator.winding]?.terminal;
  if (!terminal) return '';
  return terminal.nodes
    .filter((node) => node !== 0)
    .map((node) => phaseOfNode(node, isSplit(terminal.bus)))
    .filter((phase) => phase !== 'N')
    .join('');
}
