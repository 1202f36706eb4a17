import type { DispatchCandidate } from '../../grid/optim/index.js';
import { isVerification, largestChange } from './boundary.js';
import type { IntervalOutcome, PortPower } from './interval.js';
import type { IntervalScene, Participants } from './participants.js';
import type { Progress } from './progress.js';

/** Verification is settled when no port's power moves more, W. */
const SETTLED_W = 1;
const MAX_VERIFICATIONS = 12;

/** What an AC check of all came to. */
export interface Verified {
  readonly ac: IntervalOutcome['ac'];
  readonly isConverged: boolean;
  /** Largest difference of AC power flow and linear model where that is at a limit, pu, of those who tell it. */
  readonly bindingErrorPu: number;
  /** Whether somebody was held because of it. */
  readonly hasHeld: boolean;
}

/** AC power flows of primary and secondaries in turn until the powers at the ports are at rest. */
export class Verification {
  /** Passes so far. */
  passes = 0;

  constructor(
    private readonly scene: IntervalScene,
    private readonly participants: Participants,
    private readonly progress: Progress,
  ) {}

  /** Stand-ins answer for those who are held; who does not answer is held from then on. */
  async run(candidate?: DispatchCandidate): Promise<Verified> {
    const { question, star, exchange, settings, memory, findings } = this.scene;
    const { participants } = this;
    const heldBefore = participants.held.size;
    let ac: IntervalOutcome['ac'];
    let isConverged = false;
    let bindingErrorPu = 0;
    for (let pass = 1; pass <= MAX_VERIFICATIONS; pass++) {
      this.passes++;
      const powers: ReadonlyMap<string, PortPower> = new Map(memory.lastPower);
      const primary = star.verify(powers);
      const round = this.progress.nextQuestion();
      const agents = Object.fromEntries(
        [...primary.requests]
          .filter(([agentId]) => !participants.held.has(agentId) && !participants.unsupplied.has(agentId))
          .map(([agentId, { voltage }]) => [agentId, { voltage: [...voltage] }]),
      );
      const more = candidate === undefined ? {} : { candidate };
      const body = { kind: 'verify', interval: question.interval, round, agents, ...more } as const;
      const awaited = participants.awaited();
      const answers = await exchange.ask(body, 'verified', awaited, settings.roundDeadlineMs, question.signal);
      participants.note(answers.byAgent.keys(), answers.late);
      let change = 0;
      let vMaxPu = primary.maxVoltagePu;
      let vMinPu = primary.minVoltagePu;
      let worstNode = `${primary.worst.bus}.${primary.worst.node}`;
      let violations = primary.violations;
      isConverged = primary.isConverged;
      bindingErrorPu = primary.bindingErrorPu ?? 0;
      for (const [agentId, request] of primary.requests) {
        if (participants.unsupplied.has(agentId)) continue;
        const isHeld = participants.held.has(agentId);
        const reply = isHeld ? participants.held.get(agentId)?.verify(request) : answers.byAgent.get(agentId);
        if (reply === undefined || !isVerification(reply, participants.portNodes(agentId))) {
          if (isHeld) continue;
          participants.hold(agentId);
          change = Number.POSITIVE_INFINITY;
          continue;
        }
        change = Math.max(change, largestChange(powers.get(agentId), reply));
        memory.lastPower.set(agentId, { powerW: reply.powerW, powerVar: reply.powerVar });
        if (reply.maxVoltagePu > vMaxPu) worstNode = agentId;
        vMaxPu = Math.max(vMaxPu, reply.maxVoltagePu);
        if (reply.minVoltagePu > 0) vMinPu = Math.min(vMinPu, reply.minVoltagePu);
        violations += reply.violations;
        isConverged &&= reply.isConverged;
        bindingErrorPu = Math.max(bindingErrorPu, reply.bindingErrorPu ?? 0);
      }
      ac = { vMaxPu, vMinPu, worstNode, violations };
      if (change <= SETTLED_W || this.progress.isOver()) break;
      if (pass === MAX_VERIFICATIONS) {
        findings.push(`The AC check did not come to rest within ${MAX_VERIFICATIONS} passes.`);
      }
    }
    return { ac, isConverged, bindingErrorPu, hasHeld: participants.held.size > heldBefore };
  }
}
