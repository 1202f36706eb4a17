import type { CutReply, CutRequest } from './cut-exchange.js';
import type { AgentReply, AgentRequest } from './star.js';
import { PROXIMAL_SHARE, type StarSettings } from './star-settings.js';

/*
 * Whether what an agent answers can be true, from its questions and answers alone.
 *
 * An agent that does what it says answers y = argmin f(y) + rho/2 |D (y - t)|^2 to a target t, with f convex: its cost where its
 * own limits hold, which does not change before the next correction or interval. So g = rho D'D (t - y) is a subgradient of f at
 * y, and those of a convex function are monotone: for any two rounds, whatever their penalties and whatever lies between them,
 *
 *   (g - g')' (y - y') >= 0.
 *
 * With one penalty this is that the step is firmly non-expansive. Two answers that break it belong to no cost and no limits at
 * all. Under the search for one fraction y is affine in what is asked, and the highest voltage that is borne at a port of one node
 * is concave in it: there three answers decide.
 *
 * Slack: each answer may be off by `slack` in the units of the exchange, which is what the stop takes for standing still. For
 *         linear costs the agent pulls towards its last fraction (agent-update.ts), which adds PROXIMAL_SHARE of its units at most to
 *         either subgradient.
 * Cost: O(KEPT port nodes) a round.
 * Fails: it accuses nobody wrongly; an agent that answers one value for ever, or that is honest about another network than its
 *         own, is not found by it.
 * Source: Rockafellar (1970), Convex Analysis, theorem 24.8 (cyclic monotonicity); Moreau (1965), Bull. SMF 93.
 */

/** Answers that a new one is compared with. */
const KEPT = 16;
/** Fractions that differ by less are one question. */
const SAME_ALPHA = 1e-12;

/** Units of the exchange, as both sides know them. */
export type ProofSettings = Pick<
  StarSettings,
  'powerUnitW' | 'voltageUnitSquaredPu' | 'reactiveWeight' | 'powerToleranceW' | 'fairness' | 'rule'
>;

/** An answer in the units of the exchange: powers, weighted reactive powers, voltages. */
interface Seen {
  readonly round: number;
  readonly rho: number;
  readonly y: Float64Array;
  readonly g: Float64Array;
}

/** An answer to a fraction. */
interface Sample {
  readonly round: number;
  readonly alpha: number;
  readonly power: Float64Array;
  readonly borne: number | undefined;
}

/** What an agent has answered while one problem lasts. */
export class AnswerProof {
  private readonly seen: Seen[] = [];
  private readonly samples: Sample[] = [];
  private readonly slack: number;
  private readonly linearSlack: number;

  /** @param unitsW - what the agent's units may feed in together, W; without it linear costs prove nothing */
  constructor(
    private readonly settings: ProofSettings,
    unitsW = Infinity,
  ) {
    this.slack = settings.powerToleranceW / settings.powerUnitW;
    this.linearSlack = linearUnitsW(settings, unitsW) * ((2 * PROXIMAL_SHARE) / settings.powerUnitW);
  }

  /** The problem is another one: what was answered before proves nothing about what comes. */
  forget(): void {
    this.seen.length = 0;
    this.samples.length = 0;
  }

  /**
   * Takes an answer.
   * @returns why it cannot be true together with earlier ones; undefined where it can
   */
  contradiction(request: AgentRequest, reply: AgentReply): string | undefined {
    return request.targetAlpha === undefined ? this.takePrice(request, reply) : this.takeSearch(request, reply);
  }

  private takePrice(request: AgentRequest, reply: AgentReply): string | undefined {
    const now = this.scaled(request, reply);
    let broken: Seen | undefined;
    for (const before of this.seen) {
      if (before.y.length === now.y.length && this.contradicts(before, now)) broken ??= before;
    }
    this.seen.push(now);
    if (this.seen.length > KEPT) this.seen.shift();
    return broken && contradictionText([broken.round, now.round], 'no costs and no limits lead to both');
  }

  private scaled(request: AgentRequest, reply: AgentReply): Seen {
    const { powerUnitW, voltageUnitSquaredPu, reactiveWeight } = this.settings;
    const { round, rho, targetW, targetVar, targetVoltageSquaredPu } = request;
    const { powerW, powerVar, voltageSquaredPu } = reply;
    const root = Math.sqrt(reactiveWeight) / powerUnitW;
    const y = Float64Array.of(
      ...powerW.map((w) => w / powerUnitW),
      ...powerVar.map((v) => v * root),
      ...voltageSquaredPu.map((v) => v / voltageUnitSquaredPu),
    );
    const t = [
      ...targetW.map((w) => w / powerUnitW),
      ...targetVar.map((v) => v * root),
      ...targetVoltageSquaredPu.map((v) => v / voltageUnitSquaredPu),
    ];
    return { round, rho, y, g: y.map((value, k) => rho * (t[k]! - value)) };
  }

  private contradicts(a: Seen, b: Seen): boolean {
    let product = 0;
    let moved = 0;
    let pulled = 0;
    for (let k = 0; k < a.y.length; k++) {
      const dy = b.y[k]! - a.y[k]!;
      const dg = b.g[k]! - a.g[k]!;
      product += dy * dg;
      moved += dy * dy;
      pulled += dg * dg;
    }
    const { slack, linearSlack } = this;
    const rho = a.rho + b.rho;
    // Both answers are off by the slack, their subgradients by rho times it.
    const room = 2 * slack * Math.sqrt(pulled) + rho * slack * (Math.sqrt(moved) + 2 * slack);
    return product < -room - linearSlack;
  }

  private takeSearch(request: AgentRequest, reply: AgentReply): string | undefined {
    const { powerUnitW } = this.settings;
    const { round, targetAlpha: alpha = 0 } = request;
    const power = Float64Array.of(...reply.powerW, ...reply.powerVar).map((watts) => watts / powerUnitW);
    const now: Sample = {
      ...{ round, alpha, power },
      borne: reply.voltageSquaredPu.length === 1 ? reply.voltageSquaredPu[0] : undefined,
    };
    const { samples } = this;
    const same = samples.find((one) => Math.abs(one.alpha - alpha) <= SAME_ALPHA);
    if (same !== undefined) {
      return this.areApart(same.power, now.power)
        ? contradictionText([same.round, round], 'they are two powers at one fraction')
        : undefined;
    }
    samples.push(now);
    samples.sort((a, b) => a.alpha - b.alpha);
    for (let k = 1; k + 1 < samples.length; k++) {
      const [low, middle, high] = [samples[k - 1]!, samples[k]!, samples[k + 1]!];
      const rounds = [low.round, middle.round, high.round].sort((a, b) => a - b);
      const share = (middle.alpha - low.alpha) / (high.alpha - low.alpha);
      const between = low.power.map((watts, i) => watts + share * (high.power[i]! - watts));
      if (this.areApart(between, middle.power))
        return contradictionText(rounds, 'power is no straight line in the fraction');
      if (low.borne === undefined || middle.borne === undefined || high.borne === undefined) continue;
      const chord = low.borne + share * (high.borne - low.borne);
      if (middle.borne < chord - this.slack * this.settings.voltageUnitSquaredPu) {
        return contradictionText(rounds, 'the voltage that is borne bends the wrong way in the fraction');
      }
    }
    return undefined;
  }

  private areApart(a: Float64Array, b: Float64Array): boolean {
    return a.length !== b.length || a.some((value, k) => Math.abs(value - b[k]!) > 2 * this.slack);
  }
}

/**
 * Why the limits that an agent says a dispatch breaks cannot be its own; undefined where they can: each must be broken by it.
 */
export function cutContradiction({ alpha, reactiveVar, voltageSquaredPu }: CutRequest, { round, cuts }: CutReply) {
  const sum = (row: readonly number[], of: readonly number[]) => row.reduce((all, value, k) => all + value * of[k]!, 0);
  const whole = cuts.find(({ perAlpha, perVar, perPort, most }) => {
    return !(sum(perAlpha, alpha) + sum(perVar, reactiveVar) + sum(perPort, voltageSquaredPu) > most);
  });
  return whole && `in round ${round} it says that a limit of its own is broken which the dispatch keeps`;
}

/** What of an agent's units has linear costs, W; unknown where the rule weighs them. */
function linearUnitsW({ fairness, rule }: ProofSettings, unitsW: number): number {
  if (rule === undefined) return fairness === 'total' ? unitsW : 0;
  return rule.mode === 'total' || (rule.mode === 'alphaFair' && rule.gamma === 0) ? Infinity : 0;
}

function contradictionText(rounds: readonly number[], why: string): string {
  const list = `${rounds.slice(0, -1).join(', ')} and ${rounds.at(-1)}`;
  return `its answers to rounds ${list} contradict each other: ${why}`;
}
