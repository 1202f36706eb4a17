import { type AgentData, type AgentMemory, agentMemory, agentUpdate } from './agent-update.js';
import {
  type CoordinatorData,
  type CoordinatorMemory,
  coordinatorMemory,
  coordinatorRequests,
  coordinatorUpdate,
} from './coordinator-update.js';
import type { AgentReply, RoundProgress } from './star.js';
import type { StarSettings } from './star-settings.js';

/** The two halves of a star side by side in one process, as plain data. */
export interface LocalStar {
  readonly data: CoordinatorData;
  readonly memory: CoordinatorMemory;
  readonly agents: ReadonlyMap<string, { readonly data: AgentData; readonly memory: AgentMemory }>;
}

/** A star from its data, cold. */
export function localStar(
  data: CoordinatorData,
  agents: ReadonlyMap<string, AgentData>,
  settings: StarSettings,
): LocalStar {
  return {
    data,
    memory: coordinatorMemory(data, settings),
    agents: new Map([...agents].map(([id, agent]) => [id, { data: agent, memory: agentMemory(agent) }])),
  };
}

/** Runs rounds until the stopping rule holds or the limit of rounds is reached; returns every round's progress. */
export function runStar(
  star: LocalStar,
  settings: StarSettings,
  onRound?: (progress: RoundProgress) => void,
): readonly RoundProgress[] {
  const history: RoundProgress[] = [];
  while (history.length < settings.maxRounds) {
    const requests = coordinatorRequests(star.data, star.memory, settings);
    const replies = new Map<string, AgentReply>();
    for (const [id, request] of requests) {
      const agent = star.agents.get(id);
      if (agent) replies.set(id, agentUpdate(agent.data, agent.memory, request, settings));
    }
    const progress = coordinatorUpdate(star.data, star.memory, replies, settings);
    history.push(progress);
    onRound?.(progress);
    if (progress.hasConverged) break;
  }
  return history;
}
