import { createPowerFlow, type PowerFlow } from '../../flow/index.js';
import { applyInputs } from '../agent.js';
import { AC_TOLERANCE_PU } from '../feeder-truth.js';
import { applyState } from '../primary-truth.js';
import type { EnvelopeCheck, EnvelopeCheckKind } from './envelope.js';
import type { EnvelopeNetwork } from './envelope-network.js';

/** An operating point solved. */
export interface SolvedPoint extends EnvelopeCheck {
  /** By node of the linear model, pu squared; NaN where it has no voltage of its own. */
  readonly voltageSquaredPu: Float64Array;
  /** Apparent power of a transformer's most loaded winding, VA, by id. */
  readonly transformerVA: ReadonlyMap<string, number>;
}

/** The AC power flow at operating points of customers with envelopes. */
export class EnvelopeTruth {
  private readonly flow: PowerFlow;

  constructor(private readonly network: EnvelopeNetwork) {
    const { feeder, state, inputs } = network.question;
    this.flow = createPowerFlow(feeder);
    applyState(this.flow, feeder, state);
    applyInputs(this.flow, feeder, inputs);
  }

  /**
   * Solves one operating point.
   *
   * @param x - power of each entry, W: of a customer's export and import at most one runs
   */
  solve(name: string, kind: EnvelopeCheckKind, x: ArrayLike<number>): SolvedPoint {
    const { network, flow } = this;
    const { feeder, voltageLimits } = network.question;
    network.customers.forEach(({ point, varPerW }, k) => {
      const [exportW, importW] = [x[2 * k]!, x[2 * k + 1]!];
      const der = [...point.pvSystems, ...point.batteries];
      const derW = der.reduce((all, { maxPowerW }) => all + maxPowerW, 0);
      // Without loads a customer imports through its batteries; without DER it exports through its loads.
      const generatedW = (derW > 0 ? exportW : 0) - (point.loads.length > 0 ? 0 : importW);
      for (const unit of der) {
        const part = derW > 0 ? unit.maxPowerW / derW : 1 / der.length;
        flow.setGeneration(unit.id, generatedW * part, 0);
      }
      const loadW = point.loads.map(({ shares }) => shares.reduce((all, { powerW }) => all + powerW, 0));
      const total = loadW.reduce((all, w) => all + w, 0);
      const drawnW = importW - (derW > 0 ? 0 : exportW);
      point.loads.forEach((load, l) => {
        const part = total > 0 ? loadW[l]! / total : 1 / point.loads.length;
        flow.setLoadPower(load.id, drawnW * part, Math.max(0, drawnW) * part * varPerW);
      });
    });
    const solution = flow.solve({ controls: false, tolerancePu: 1e-9 });
    const { nodes, rootCount } = network.linear.network;
    const { minPu, maxPu } = voltageLimits;
    const voltageSquaredPu = new Float64Array(nodes.length).fill(Number.NaN);
    let [vMaxPu, vMinPu, violations, worst, furthest] = [0, Infinity, 0, -1, -Infinity];
    for (let i = rootCount; i < nodes.length; i++) {
      const { bus, node } = nodes[i]!;
      const pu = bus === '' ? undefined : solution.voltagePuAt(bus, node);
      if (pu === undefined) continue;
      voltageSquaredPu[i] = pu * pu;
      if (!Number.isFinite(network.upperSquaredPu[i]!)) continue;
      vMaxPu = Math.max(vMaxPu, pu);
      vMinPu = Math.min(vMinPu, pu);
      const excess = Math.max(pu - maxPu, minPu - pu);
      if (excess > AC_TOLERANCE_PU) violations++;
      if (excess > furthest) [furthest, worst] = [excess, i];
    }
    const transformerVA = new Map<string, number>();
    let maxLoading = 0;
    for (const { id, ratingVA } of feeder.transformers) {
      const byTerminal = new Map<number, { w: number; q: number }>();
      for (const { terminal, powerW, powerVar } of solution.flows(id)) {
        const sum = byTerminal.get(terminal) ?? { w: 0, q: 0 };
        byTerminal.set(terminal, { w: sum.w + powerW, q: sum.q + powerVar });
      }
      const most = Math.max(0, ...Array.from(byTerminal.values(), ({ w, q }) => Math.hypot(w, q)));
      transformerVA.set(id, most);
      if (ratingVA > 0) maxLoading = Math.max(maxLoading, most / ratingVA);
    }
    return {
      name,
      kind,
      isConverged: solution.status === 'converged' || solution.status === 'controlsUnsettled',
      vMaxPu,
      vMinPu: Number.isFinite(vMinPu) ? vMinPu : Number.NaN,
      worstNode: worst < 0 ? '' : network.nameOf(worst),
      violations,
      maxLoading,
      voltageSquaredPu,
      transformerVA,
    };
  }
}
