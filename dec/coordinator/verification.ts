import type {
  AgentExtremes,
  BothStates,
  ControlResponse,
  DispatchCandidate,
  PortPower,
  PrimaryVerification,
  StarAnswer,
  VoltageLimits,
} from '../../grid/optim/index.js';
import { isVerification, largestChange } from './boundary.js';
import { VOLTAGE_TOLERANCE_PU, violationPu } from './guard.js';
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
  readonly bindingErrorPu: number;
  /** By agent: power at its port, and the extremes behind it. */
  readonly powers: ReadonlyMap<string, PortPower>;
  readonly told: ReadonlyMap<string, AgentExtremes>;
}

/** AC power flows of primary and secondaries in turn until the powers at the ports are at rest. */
export class Verification {
  /** Passes so far. */
  passes = 0;
  /** What controls do about the dispatch that was verified last. */
  response: ControlResponse | undefined;

  constructor(
    private readonly scene: IntervalScene,
    private readonly participants: Participants,
    private readonly progress: Progress,
  ) {}

  /** Both states of a dispatch. Stand-ins answer for those who are held; who does not answer is held from then on. */
  async run(candidate?: DispatchCandidate): Promise<Verified> {
    const heldBefore = this.participants.held.size;
    const first = await this.known(candidate);
    const { rested, response } = await this.answered(first, candidate);
    this.response = response;
    const { ac, isConverged, bindingErrorPu } = rested;
    return { ac, isConverged, bindingErrorPu, hasHeld: this.participants.held.size > heldBefore, response };
  }

  /** The state of the interval alone. */
  known(candidate?: DispatchCandidate): Promise<Rested> {
    this.response = undefined;
    const { star, memory } = this.scene;
    return this.rest((powers) => star.verify(powers), memory.lastPower, candidate);
  }

  /** Both states, where controls answer the dispatch in a way that could touch a limit. */
  private async answered(
    first: Rested,
    candidate: DispatchCandidate | undefined,
  ): Promise<{ readonly rested: Rested; readonly response?: ControlResponse }> {
    const { star, settings } = this.scene;
    const { limits } = settings;
    const answer = first.isConverged && !this.progress.isOver() ? star.answer?.() : undefined;
    if (answer === undefined || first.ac === undefined || !this.matters(answer, first.ac)) return { rested: first };
    const second = await this.rest((powers) => star.verify(powers, answer.state), new Map(first.powers), candidate);
    if (second.ac === undefined) return { rested: first };
    const worse = (await this.worse(first, second, candidate)) ?? second;
    const rested: Rested = {
      ...worse,
      ac: worseOfBoth(first.ac, second.ac, limits),
      isConverged: first.isConverged && second.isConverged,
    };
    const { moves, isAtRest } = answer;
    const { vMaxPu, vMinPu, worstNode } = second.ac;
    const holds = violationPu(rested.ac ?? second.ac, limits) <= VOLTAGE_TOLERANCE_PU;
    return { rested, response: { moves, isAtRest, vMaxPu, vMinPu, worstNode, holds } };
  }

  /** Puts every agent's model at the voltage of its worse state, and the primary's at what agents draw there. */
  private async worse(
    first: Rested,
    second: Rested,
    candidate: DispatchCandidate | undefined,
  ): Promise<Rested | undefined> {
    const { star } = this.scene;
    const told = new Map<string, BothStates>();
    for (const [agentId, after] of second.told) {
      const before = first.told.get(agentId);
      if (before !== undefined) told.set(agentId, { before, after });
    }
    const primary = star.verifyWorse?.(second.powers, told);
    if (primary === undefined) return undefined;
    const { rested } = await this.ask(primary, new Map(second.powers), candidate);
    star.verifyWorse?.(rested.powers, told);
    return rested;
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
   */
  private async rest(
    primaryAt: (powers: ReadonlyMap<string, PortPower>) => PrimaryVerification,
    known: Map<string, PortPower>,
    candidate: DispatchCandidate | undefined,
  ): Promise<Rested> {
    const { findings } = this.scene;
    for (let pass = 1; ; pass++) {
      const { rested, change } = await this.ask(primaryAt(new Map(known)), known, candidate);
      if (change <= SETTLED_W || this.progress.isOver()) return rested;
      if (pass < MAX_VERIFICATIONS) continue;
      findings.push(`The AC check did not come to rest within ${MAX_VERIFICATIONS} passes.`);
      return rested;
    }
  }

  /** Asks agents at the voltages that the primary has; also by how much a port's power changes at most, W. */
  private async ask(
    primary: PrimaryVerification,
    known: Map<string, PortPower>,
    candidate: DispatchCandidate | undefined,
  ): Promise<{ readonly rested: Rested; readonly change: number }> {
    const { question, exchange, settings } = this.scene;
    const { participants } = this;
    this.passes++;
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
    let { maxVoltagePu: vMaxPu, minVoltagePu: vMinPu, violations, isConverged, bindingErrorPu = 0 } = primary;
    let worstNode = `${primary.worst.bus}.${primary.worst.node}`;
    const told = new Map<string, AgentExtremes>();
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
      change = Math.max(change, largestChange(known.get(agentId), reply));
      known.set(agentId, { powerW: reply.powerW, powerVar: reply.powerVar });
      told.set(agentId, reply);
      if (reply.maxVoltagePu > vMaxPu) worstNode = agentId;
      vMaxPu = Math.max(vMaxPu, reply.maxVoltagePu);
      if (reply.minVoltagePu > 0) vMinPu = Math.min(vMinPu, reply.minVoltagePu);
      violations += reply.violations;
      isConverged &&= reply.isConverged;
      bindingErrorPu = Math.max(bindingErrorPu, reply.bindingErrorPu ?? 0);
    }
    const ac = { vMaxPu, vMinPu, worstNode, violations };
    return { rested: { ac, isConverged, bindingErrorPu, powers: new Map(known), told }, change };
  }
}

/** The state before controls act and the one after, as one that is no better than either. */
function worseOfBoth(before: AcCheck, after: AcCheck, limits: VoltageLimits): AcCheck {
  const [outBefore, outAfter] = [violationPu(before, limits), violationPu(after, limits)];
  const isAfter = outAfter === outBefore ? after.vMaxPu > before.vMaxPu : outAfter > outBefore;
  return {
    vMaxPu: Math.max(before.vMaxPu, after.vMaxPu),
    vMinPu: Math.min(before.vMinPu, after.vMinPu),
    worstNode: isAfter ? after.worstNode : before.worstNode,
    violations: Math.max(before.violations, after.violations),
  };
}
