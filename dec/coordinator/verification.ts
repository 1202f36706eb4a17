import type {
  ControlResponse,
  DispatchCandidate,
  PrimaryState,
  StarAnswer,
  VoltageLimits,
} from '../../grid/optim/index.js';
import { isVerification, largestChange } from './boundary.js';
import { VOLTAGE_TOLERANCE_PU, violationPu } from './guard.js';
import type { PortPower } from './interval.js';
import type { IntervalScene, Participants } from './participants.js';
import type { Progress } from './progress.js';
import type { AcCheck } from './run-result.js';

/** Verification is settled when no port's power moves more, W. */
const SETTLED_W = 1;
const MAX_VERIFICATIONS = 12;
/** Agents are asked about what controls do where it may come nearer to a limit than this, pu. */
const NEAR_LIMIT_PU = 1e-3;
/** Voltages that move less do not count as moving, pu. */
const RESTING_PU = 1e-6;

/** What an AC check of all came to: before regulators and capacitor banks answer the dispatch and after, the worse of both. */
export interface Verified {
  readonly ac: AcCheck | undefined;
  readonly isConverged: boolean;
  /** Largest difference of AC power flow and linear model where that is at a limit, pu, of those who tell it. */
  readonly bindingErrorPu: number;
  /** Whether somebody was held because of it. */
  readonly hasHeld: boolean;
  /** What controls do about the dispatch, where it could touch a limit. */
  readonly response: ControlResponse | undefined;
}

/** What the AC power flows of one state came to. */
interface Rested {
  readonly ac: AcCheck | undefined;
  readonly isConverged: boolean;
  /** Of the primary, and by agent. */
  readonly bindingErrorPu: number;
  readonly bindingErrors: ReadonlyMap<string, number>;
}

/** AC power flows of primary and secondaries in turn until the powers at the ports are at rest. */
export class Verification {
  /** Passes so far. */
  passes = 0;
  /** What controls do about the dispatch that was verified last. */
  response: ControlResponse | undefined;
  private first: Rested | undefined;

  constructor(
    private readonly scene: IntervalScene,
    private readonly participants: Participants,
    private readonly progress: Progress,
  ) {}

  /**
   * Stand-ins answer for those who are held; who does not answer is held from then on.
   *
   * @param isAnswered - whether controls answer the dispatch
   */
  async run(isAnswered: boolean, candidate?: DispatchCandidate): Promise<Verified> {
    const heldBefore = this.participants.held.size;
    this.response = undefined;
    this.first = await this.rest(this.scene.memory.lastPower, candidate);
    return isAnswered ? this.goOn(heldBefore, candidate) : this.verified(this.first, heldBefore);
  }

  /** Lets controls answer the dispatch that was verified last without them. */
  async goOn(heldBefore = this.participants.held.size, candidate?: DispatchCandidate): Promise<Verified> {
    const { first } = this;
    if (first === undefined) return this.run(true, candidate);
    const { rested, response } = await this.answered(first, candidate);
    this.response = response;
    return this.verified(rested, heldBefore);
  }

  private verified({ ac, isConverged, bindingErrorPu, bindingErrors }: Rested, heldBefore: number): Verified {
    return {
      ac,
      isConverged,
      bindingErrorPu: Math.max(bindingErrorPu, ...bindingErrors.values()),
      hasHeld: this.participants.held.size > heldBefore,
      response: this.response,
    };
  }

  /** Both states, where controls answer the dispatch in a way that could touch a limit. */
  private async answered(
    first: Rested,
    candidate: DispatchCandidate | undefined,
  ): Promise<{ readonly rested: Rested; readonly response?: ControlResponse }> {
    const { star, memory, settings } = this.scene;
    const { limits } = settings;
    const answer = first.isConverged && !this.progress.isOver() ? star.answer?.() : undefined;
    if (answer === undefined || first.ac === undefined || !this.matters(answer, first.ac)) return { rested: first };
    const second = await this.rest(new Map(memory.lastPower), candidate, answer.state);
    const rested = worseOfBoth(first, second, limits);
    if (second.ac === undefined || rested.ac === undefined) return { rested: first };
    const { moves, isAtRest } = answer;
    const { vMaxPu, vMinPu, worstNode } = second.ac;
    const holds = violationPu(rested.ac, limits) <= VOLTAGE_TOLERANCE_PU;
    return { rested, response: { moves, isAtRest, vMaxPu, vMinPu, worstNode, holds } };
  }

  /** Whether a state that controls lead to can be nearer to a limit than the present one. */
  private matters({ risePu, fallPu }: StarAnswer, { vMaxPu, vMinPu }: AcCheck): boolean {
    const { maxPu, minPu } = this.scene.settings.limits;
    return (
      (risePu > RESTING_PU && vMaxPu + risePu > maxPu - NEAR_LIMIT_PU) ||
      (fallPu > RESTING_PU && vMinPu - fallPu < minPu + NEAR_LIMIT_PU)
    );
  }

  /**
   * Asks until port powers are at rest.
   *
   * @param known - port powers to begin with, which are kept up to date
   * @param after - the state that controls come to; that of the interval when absent
   */
  private async rest(
    known: Map<string, PortPower>,
    candidate: DispatchCandidate | undefined,
    after?: PrimaryState,
  ): Promise<Rested> {
    const { question, star, exchange, settings, findings } = this.scene;
    const { participants } = this;
    let ac: AcCheck | undefined;
    let isConverged = false;
    let bindingErrorPu = 0;
    let bindingErrors = new Map<string, number>();
    for (let pass = 1; pass <= MAX_VERIFICATIONS; pass++) {
      this.passes++;
      const powers: ReadonlyMap<string, PortPower> = new Map(known);
      const primary = after === undefined ? star.verify(powers) : star.verify(powers, after);
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
      bindingErrors = new Map();
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
        known.set(agentId, { powerW: reply.powerW, powerVar: reply.powerVar });
        if (reply.maxVoltagePu > vMaxPu) worstNode = agentId;
        vMaxPu = Math.max(vMaxPu, reply.maxVoltagePu);
        if (reply.minVoltagePu > 0) vMinPu = Math.min(vMinPu, reply.minVoltagePu);
        violations += reply.violations;
        isConverged &&= reply.isConverged;
        bindingErrors.set(agentId, reply.bindingErrorPu ?? 0);
      }
      ac = { vMaxPu, vMinPu, worstNode, violations };
      if (change <= SETTLED_W || this.progress.isOver()) break;
      if (pass === MAX_VERIFICATIONS) {
        findings.push(`The AC check did not come to rest within ${MAX_VERIFICATIONS} passes.`);
      }
    }
    return { ac, isConverged, bindingErrorPu, bindingErrors };
  }
}

/** The state before controls act and the one after, as one that is no better than either. */
function worseOfBoth(first: Rested, second: Rested, limits: VoltageLimits): Rested {
  const [before, after] = [first.ac, second.ac];
  if (before === undefined || after === undefined) return first;
  const [outBefore, outAfter] = [violationPu(before, limits), violationPu(after, limits)];
  const isAfter = outAfter === outBefore ? after.vMaxPu > before.vMaxPu : outAfter > outBefore;
  return {
    ac: {
      vMaxPu: Math.max(before.vMaxPu, after.vMaxPu),
      vMinPu: Math.min(before.vMinPu, after.vMinPu),
      worstNode: isAfter ? after.worstNode : before.worstNode,
      violations: Math.max(before.violations, after.violations),
    },
    isConverged: first.isConverged && second.isConverged,
    // That of the second is of both states already.
    bindingErrorPu: second.bindingErrorPu,
    // The model of an agent stands on one of the two states.
    bindingErrors: new Map(
      [...second.bindingErrors].map(([agentId, error]) => [
        agentId,
        Math.min(error, first.bindingErrors.get(agentId) ?? error),
      ]),
    ),
  };
}
