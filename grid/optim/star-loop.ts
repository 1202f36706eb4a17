import { type AgentData, type AgentMemory, agentMemory, agentUpdate } from './agent-update.js';
import {
  type CoordinatorData,
  type CoordinatorMemory,
  coordinatorMemory,
  meetNewProblem,
} from './coordinator-memory.js';
import { coordinatorRequests, coordinatorUpdate } from './coordinator-update.js';
import {
  agentAtAlpha,
  type EqualAlphaMemory,
  equalAlphaMemory,
  equalAlphaRequests,
  equalAlphaUpdate,
} from './equal-alpha.js';
import type { AgentReply, RoundProgress } from './star.js';
import type { StarSettings } from './star-settings.js';

/** The two halves of a star side by side in one process, as plain data. */
export interface LocalStar {
  readonly data: CoordinatorData;
  readonly memory: CoordinatorMemory;
  /** Used instead of the memory in mode equalAlpha. */
  readonly search: EqualAlphaMemory;
  readonly agents: ReadonlyMap<string, { readonly data: AgentData; readonly memory: AgentMemory }>;
}

/**
 * A star from its data; warm when the star of another correction or interval with the same agents is given.
 */
export function localStar(
  data: CoordinatorData,
  agents: ReadonlyMap<string, AgentData>,
  settings: StarSettings,
  before?: LocalStar,
): LocalStar {
  const memory = before?.memory ?? coordinatorMemory(data, settings);
  meetNewProblem(memory);
  return {
    data,
    memory,
    search: equalAlphaMemory(data),
    agents: new Map(
      [...agents].map(([id, agent]) => [
        id,
        { data: agent, memory: before?.agents.get(id)?.memory ?? agentMemory(agent) },
      ]),
    ),
  };
}

/**
 * Runs rounds until the stopping rule holds or the limit of rounds is reached; returns every round's progress.
 *
 * @param onRound - hears of each round; true ends the rounds
 */
export function runStar(
  star: LocalStar,
  settings: StarSettings,
  onRound?: (progress: RoundProgress) => unknown,
): readonly RoundProgress[] {
  const { data, memory, search, agents } = star;
  const isAlphaShared = settings.fairness === 'equalAlpha';
  const history: RoundProgress[] = [];
  while (history.length < settings.maxRounds) {
    const requests = isAlphaShared ? equalAlphaRequests(data, search) : coordinatorRequests(data, memory, settings);
    const replies = new Map<string, AgentReply>();
    for (const [id, request] of requests) {
      const agent = agents.get(id);
      if (!agent) continue;
      const reply = isAlphaShared
        ? agentAtAlpha(agent.data, agent.memory, request, settings)
        : agentUpdate(agent.data, agent.memory, request, settings);
      replies.set(id, reply);
    }
    const progress = isAlphaShared
      ? equalAlphaUpdate(data, search, replies, settings)
      : coordinatorUpdate(data, memory, replies, settings);
    history.push(progress);
    const isInterrupted = onRound?.(progress) === true;
    if (progress.hasConverged || isInterrupted) break;
  }
  return history;
}
