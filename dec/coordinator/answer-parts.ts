import type { CoordinationMessage, CoordinationOf } from '../../bus/index.js';
import { boundaryFault, openingFault, setpointFault, verificationFault } from './answer-check.js';

/** Kinds of questions whose answers come by agent. */
export type AnswerKind = 'prepared' | 'boundary' | 'opened' | 'cuts' | 'verified' | 'setpoints';

/** One agent's part of an answer. */
export type AnswerOf<Kind extends AnswerKind> = CoordinationOf<Kind>['agents'][string];

/** The parts of an answer, when a message is one of that kind. */
export const partsOf: {
  readonly [Kind in AnswerKind]: (message: CoordinationMessage) => Readonly<Record<string, AnswerOf<Kind>>> | undefined;
} = {
  prepared: (message) => (message.kind === 'prepared' ? message.agents : undefined),
  boundary: (message) => (message.kind === 'boundary' ? message.agents : undefined),
  opened: (message) => (message.kind === 'opened' ? message.agents : undefined),
  cuts: (message) => (message.kind === 'cuts' ? message.agents : undefined),
  verified: (message) => (message.kind === 'verified' ? message.agents : undefined),
  setpoints: (message) => (message.kind === 'setpoints' ? message.agents : undefined),
};

/** Why parts of an answer cannot be true, by agent. */
export function faultsOf(
  message: CoordinationMessage,
  portNodes: ReadonlyMap<string, number | undefined>,
): ReadonlyMap<string, string> {
  const faults = new Map<string, string>();
  const check = <T>(parts: Readonly<Record<string, T>>, fault: (part: T, agentId: string) => string | undefined) => {
    for (const [agentId, part] of Object.entries(parts)) {
      const found = fault(part, agentId);
      if (found !== undefined) faults.set(agentId, found);
    }
  };
  if (message.kind === 'boundary') check(message.agents, (part, id) => boundaryFault(part, portNodes.get(id)));
  else if (message.kind === 'opened') check(message.agents, (part, id) => openingFault(part, portNodes.get(id)));
  else if (message.kind === 'verified') check(message.agents, (part, id) => verificationFault(part, portNodes.get(id)));
  else if (message.kind === 'setpoints') check(message.agents, setpointFault);
  return faults;
}
