/*
 * A customer's half of sharing curtailment over many steps at once: what it curtails in each step, in closed form.
 *
 * Solved, step by step, in power units:  min  x^2 / p + rho/2 (x - a)^2  subject to  0 <= x <= p,
 *   with p what the sun offers, x what is curtailed and a = x_before + shift: x = clip(rho p a / (2 + rho p)).
 *   The shift is the same for everybody at a port (sun-coordinator.ts): no customer's figures reach another.
 * Cost: one division per step. Fails: never; a question that is not finite changes nothing.
 * Source: Boyd et al. (2011), "Distributed optimization and statistical learning via ADMM", section 7.3 (sharing).
 */

/** A round's question to everybody at a port. */
export interface SunQuestion {
  readonly round: number;
  /** Above 0. */
  readonly rho: number;
  /** By step, power units: what to move by before the own cost pulls. */
  readonly shift: Float64Array;
}

/** A customer over the steps; its figures are its own. */
export interface SunAgentMemory {
  /** What the sun offers by step, power units. */
  readonly available: Float64Array;
  /** What it curtails by step, power units; not written to before the answer after the next. */
  curtailed: Float64Array;
  /** Where the next answer is written. */
  spare: Float64Array;
}

/**
 * Memories of customers that have not been asked, in one piece of memory.
 *
 * @param availableW - of a customer in a step, W
 * @param powerUnitW - unit of power of all questions and answers, W
 * @param order - customers in the order in which they are asked, so that their memories lie that way; theirs when absent
 */
export function sunAgentMemories(
  customers: number,
  steps: number,
  availableW: (customer: number, step: number) => number,
  powerUnitW: number,
  order: ArrayLike<number> = Array.from({ length: customers }, (_, i) => i),
): readonly SunAgentMemory[] {
  const all = new Float64Array(3 * customers * steps);
  const part = (at: number) => all.subarray(at * steps, (at + 1) * steps);
  const memories: SunAgentMemory[] = new Array(customers);
  for (let place = 0; place < customers; place++) {
    const i = order[place]!;
    const available = part(3 * place);
    for (let t = 0; t < steps; t++) available[t] = Math.max(0, availableW(i, t)) / powerUnitW;
    memories[i] = { available, curtailed: part(3 * place + 1), spare: part(3 * place + 2) };
  }
  return memories;
}

/**
 * One round: the memory's curtailed power is renewed.
 *
 * @returns sum over the steps of the squared change, power units squared; NaN when the question cannot be meant, which
 *   changes nothing
 */
export function sunAgentUpdate(memory: SunAgentMemory, { rho, shift }: SunQuestion): number {
  const { available, curtailed, spare } = memory;
  const steps = available.length;
  if (!(rho > 0 && rho < Infinity && shift.length === steps)) return Number.NaN;
  let moved = 0;
  let total = 0;
  for (let t = 0; t < steps; t++) {
    const p = available[t]!;
    const before = curtailed[t]!;
    const pull = rho * p;
    const target = before + shift[t]!;
    total += target;
    const x = Math.min(p, Math.max(0, (pull * target) / (2 + pull)));
    spare[t] = x;
    moved += (x - before) * (x - before);
  }
  if (!Number.isFinite(total)) return Number.NaN;
  memory.curtailed = spare;
  memory.spare = curtailed;
  return moved;
}
