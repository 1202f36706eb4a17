import type { CoordinationMessage, CoordinationOf } from '../../bus/index.js';
import { boundaryFault, openingFault, type PortFacts, setpointFault, verificationFault } from './answer-check.js';

/** What is in an answer: parts by agent, or by area where areas stand between. */
interface Parts {
  readonly prepared: CoordinationOf<'prepared'>['agents'];
  readonly boundary: CoordinationOf<'boundary'>['agents'];
  readonly opened: CoordinationOf<'opened'>['agents'];
  readonly cuts: CoordinationOf<'cuts'>['agents'];
  readonly verified: CoordinationOf<'verified'>['agents'];
  readonly setpoints: CoordinationOf<'setpoints'>['agents'];
  readonly areaReport: CoordinationOf<'areaReport'>['areas'];
  readonly settled: CoordinationOf<'settled'>['areas'];
}

/** Kinds of questions whose answers come in parts. */
export type AnswerKind = keyof Parts;

/** One agent's or area's part of an answer. */
export type AnswerOf<Kind extends AnswerKind> = Parts[Kind][string];

const ROUND_ANSWERS: ReadonlySet<CoordinationMessage['kind']> = new Set([
  ...(['boundary', 'opened', 'cuts', 'areaReport', 'settled'] as const),
]);

/** Whether a message answers a question of the rounds. */
export function isRoundAnswer({ kind }: CoordinationMessage): boolean {
  return ROUND_ANSWERS.has(kind);
}

/** The parts of an answer, when a message is one of that kind. */
export const partsOf: {
  readonly [Kind in AnswerKind]: (message: CoordinationMessage) => Parts[Kind] | undefined;
} = {
  prepared: (message) => (message.kind === 'prepared' ? message.agents : undefined),
  boundary: (message) => (message.kind === 'boundary' ? message.agents : undefined),
  opened: (message) => (message.kind === 'opened' ? message.agents : undefined),
  cuts: (message) => (message.kind === 'cuts' ? message.agents : undefined),
  verified: (message) => (message.kind === 'verified' ? message.agents : undefined),
  setpoints: (message) => (message.kind === 'setpoints' ? message.agents : undefined),
  areaReport: (message) => (message.kind === 'areaReport' ? message.areas : undefined),
  settled: (message) => (message.kind === 'settled' ? message.areas : undefined),
};

/** Why parts of an answer cannot be true, by agent. */
export function faultsOf(
  message: CoordinationMessage,
  ports: ReadonlyMap<string, PortFacts | undefined>,
): ReadonlyMap<string, string> {
  const faults = new Map<string, string>();
  const check = <T>(parts: Readonly<Record<string, T>>, fault: (part: T, agentId: string) => string | undefined) => {
    for (const [agentId, part] of Object.entries(parts)) {
      const found = fault(part, agentId);
      if (found !== undefined) faults.set(agentId, found);
    }
  };
  if (message.kind === 'boundary') check(message.agents, (part, id) => boundaryFault(part, ports.get(id)));
  else if (message.kind === 'opened') check(message.agents, (part, id) => openingFault(part, ports.get(id)));
  else if (message.kind === 'verified') check(message.agents, (part, id) => verificationFault(part, ports.get(id)));
  else if (message.kind === 'setpoints') check(message.agents, setpointFault);
  return faults;
}

/** Parts of an answer that could not be read, and why, by agent. */
export function unreadableOf(message: CoordinationMessage): Readonly<Record<string, string>> {
  return 'unreadable' in message ? (message.unreadable ?? {}) : {};
}
