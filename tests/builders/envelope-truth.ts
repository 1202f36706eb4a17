import { createPowerFlow } from '../../grid/flow/index.js';
import { randomStream } from '../../grid/math/index.js';
import type { Feeder } from '../../grid/model/index.js';
import type { CustomerEnvelope, VoltageLimits } from '../../grid/optim/index.js';

/** What a customer does at an operating point, W: exports above zero, imports below. */
type Deed = (customer: CustomerEnvelope, index: number) => number;

/** Power by which sensitivities are measured, W. */
const PROBE_W = 1000;

/**
 * Limits of customers held against AC power flows that know nothing of how they were found: powers are put on the devices
 * of each bus in proportion to their sizes, sensitivities are measured by moving one customer after the other.
 */
export class EnvelopeAdversary {
  private readonly flow;
  private readonly nodes: readonly { readonly bus: string; readonly node: number }[];
  private readonly meters: readonly Meter[];

  constructor(
    feeder: Feeder,
    sourcePu: number,
    private readonly limits: VoltageLimits,
    private readonly customers: readonly CustomerEnvelope[],
  ) {
    this.flow = createPowerFlow(feeder);
    this.flow.setSourceVoltagePu(sourcePu);
    for (const { id } of feeder.loads) this.flow.setLoadPower(id, 0, 0);
    for (const { id } of [...feeder.pvSystems, ...feeder.batteries]) this.flow.setGeneration(id, 0, 0);
    const isSource = (bus: string) => feeder.sources.some(({ terminal }) => terminal.bus === bus);
    const rest = this.flow.solve({ controls: false, tolerancePu: 1e-9 });
    this.nodes = feeder.buses
      .filter(({ id }) => !isSource(id))
      .flatMap(({ id }) => [1, 2, 3].map((node) => ({ bus: id, node })))
      .filter(({ bus, node }) => (rest.voltagePuAt(bus, node) ?? 0) > 0.01);
    this.meters = customers.map(({ bus }) => meterAt(feeder, bus));
  }

  /** How far the worst node is outside, pu; below zero inside. */
  excessPu(deed: Deed): number {
    const volts = this.volts(deed);
    return volts.reduce((most, pu) => Math.max(most, pu - this.limits.maxPu, this.limits.minPu - pu), -Infinity);
  }

  /** Worst of groups alone and against all others: importing, exporting, the others at rest or doing the opposite. */
  groupsPu(groupOf: (customer: CustomerEnvelope) => string, every = 1): number {
    const groups = [...new Set(this.customers.map(groupOf))].filter((_, g) => g % every === 0);
    return groups.reduce((most, group) => {
      const mine = (mineW: (c: CustomerEnvelope) => number, othersW: (c: CustomerEnvelope) => number) =>
        this.excessPu((c) => (groupOf(c) === group ? mineW(c) : othersW(c)));
      const [out, into, rest] = [(c: CustomerEnvelope) => c.exportW, (c: CustomerEnvelope) => -c.importW, () => 0];
      return Math.max(most, mine(out, rest), mine(into, rest), mine(out, into), mine(into, out));
    }, -Infinity);
  }

  /** Worst of seeded mixtures: each customer at one end, at the other, at rest or between. */
  randomPu(count: number, seed: number): number {
    const stream = randomStream(seed);
    let most = -Infinity;
    for (let m = 0; m < count; m++) {
      const draws = stream.split(m);
      most = Math.max(
        most,
        this.excessPu(({ exportW, importW }) => {
          const [kind, part] = [draws.integer(4), draws.uniform()];
          return kind === 0 ? exportW : kind === 1 ? -importW : kind === 2 ? 0 : part * (exportW + importW) - importW;
        }),
      );
    }
    return most;
  }

  /** Worst of the mixtures that measured sensitivities say strain each node most; and how many differ. */
  worstPu(most: number): { readonly excessPu: number; readonly corners: number } {
    const rest = this.volts(() => 0);
    const answers = [1, -1].map((way) =>
      this.customers.map((_, k) =>
        this.volts((_c, j) => (j === k ? way * PROBE_W : 0)).map((pu, i) => (pu - rest[i]!) / PROBE_W),
      ),
    );
    const deeds = rest.flatMap((pu, i) =>
      [1, -1].map((sign) => {
        let left = sign > 0 ? this.limits.maxPu - pu : pu - this.limits.minPu;
        const powers = this.customers.map(({ exportW, importW }, k) => {
          const [out, into] = [sign * answers[0]![k]![i]! * exportW, sign * answers[1]![k]![i]! * importW];
          left -= Math.max(0, out, into);
          return Math.max(out, into) <= 0 ? 0 : out >= into ? exportW : -importW;
        });
        return { powers, left };
      }),
    );
    deeds.sort((a, b) => a.left - b.left);
    const seen = new Set<string>();
    let excessPu = -Infinity;
    for (const { powers } of deeds) {
      const key = powers.map(Math.sign).join();
      if (seen.has(key) || seen.size >= most) continue;
      seen.add(key);
      excessPu = Math.max(
        excessPu,
        this.excessPu((_, k) => powers[k]!),
      );
    }
    return { excessPu, corners: seen.size };
  }

  /** By node, pu. */
  private volts(deed: Deed): number[] {
    this.customers.forEach((customer, k) => {
      this.put(this.meters[k]!, deed(customer, k));
    });
    const solution = this.flow.solve({ controls: false, tolerancePu: 1e-9 });
    if (solution.status !== 'converged') throw new Error(`An operating point ended with ${solution.status}.`);
    return this.nodes.map(({ bus, node }) => solution.voltagePuAt(bus, node)!);
  }

  private put({ units, ratedW, loads, varPerW }: Meter, powerW: number): void {
    for (const { id, part } of units) this.flow.setGeneration(id, Math.max(0, powerW) * part, 0);
    // Who has no DER exports through its loads.
    const drawnW = ratedW > 0 ? Math.max(0, -powerW) : -powerW;
    for (const { id, part } of loads) this.flow.setLoadPower(id, drawnW * part, Math.max(0, drawnW) * part * varPerW);
  }
}

/** Devices of a bus with their parts of its power. */
interface Meter {
  readonly units: readonly { readonly id: string; readonly part: number }[];
  readonly ratedW: number;
  readonly loads: readonly { readonly id: string; readonly part: number }[];
  readonly varPerW: number;
}

function meterAt(feeder: Feeder, bus: string): Meter {
  const at = <T extends { readonly terminal: { readonly bus: string } }>(items: readonly T[]) =>
    items.filter(({ terminal }) => terminal.bus === bus);
  const units = [...at(feeder.pvSystems), ...at(feeder.batteries)];
  const ratedW = units.reduce((sum, { maxPowerW }) => sum + maxPowerW, 0);
  const loads = at(feeder.loads).map(({ id, shares }) => ({
    id,
    loadW: shares.reduce((sum, share) => sum + share.powerW, 0),
    loadVar: shares.reduce((sum, share) => sum + share.powerVar, 0),
  }));
  const [allW, allVar] = [loads.reduce((s, l) => s + l.loadW, 0), loads.reduce((s, l) => s + l.loadVar, 0)];
  return {
    units: units.map(({ id, maxPowerW }) => ({ id, part: maxPowerW / ratedW })),
    ratedW,
    loads: loads.map(({ id, loadW }) => ({ id, part: loadW / allW })),
    varPerW: allVar / allW,
  };
}
