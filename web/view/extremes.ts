import { puText } from './figures.js';
import type { IntervalDocument, NodeName, RunDocument, VoltageFigures } from './run-document.js';

/*
 * Which side of the limits voltages are on, and how far: too low is as much outside as too high.
 */

/** What measurements are held to, pu. */
export const MEASURED_TOLERANCE_PU = 1e-3;

/** Limits of voltages, pu. */
export type LimitsPu = RunDocument['limits'];

/** How far a voltage is beyond the nearer of the limits, pu; negative inside. */
export function beyondPu(voltagePu: number, { minPu, maxPu }: LimitsPu): number {
  return Math.max(voltagePu - maxPu, minPu - voltagePu);
}

/** A figure of a measurement; null where nothing is measured (what is told live has no number there). */
export function knownPu(value: number | null | undefined): number | null {
  return value === null || value === undefined || Number.isNaN(value) ? null : value;
}

/** How far the worse of the extremes is beyond the limits, pu; null where nothing is measured. */
export function worstBeyondPu({ vMaxPu, vMinPu }: VoltageFigures, limits: LimitsPu): number | null {
  const known = [vMaxPu, vMinPu].flatMap((value) => knownPu(value) ?? []);
  return known.length === 0 ? null : Math.max(...known.map((value) => beyondPu(value, limits)));
}

/** The interval whose measurements before its set-points were the farthest beyond a limit, above or below. */
export function worstInterval({ intervals, limits }: RunDocument): IntervalDocument | undefined {
  let worst = intervals[0];
  let most = Number.NEGATIVE_INFINITY;
  for (const one of intervals) {
    const beyond = worstBeyondPu(one.before, one.limits ?? limits);
    if (beyond === null || beyond <= most) continue;
    [worst, most] = [one, beyond];
  }
  return worst;
}

/** The side on which voltages of runs with their set-points come farthest beyond a limit, or nearest to one; high where nothing is measured. */
export function worseSide(runs: readonly Pick<RunDocument, 'intervals' | 'limits'>[]): 'highest' | 'lowest' {
  let [above, below] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { intervals, limits } of runs) {
    for (const { after, limits: own = limits } of intervals) {
      const [high, low] = [knownPu(after?.vMaxPu), knownPu(after?.vMinPu)];
      if (high !== null) above = Math.max(above, high - own.maxPu);
      if (low !== null) below = Math.max(below, own.minPu - low);
    }
  }
  return below > above ? 'lowest' : 'highest';
}

const nodeText = (node: NodeName | null) => (node === null || node.bus === '' ? '' : ` at ${node.bus}.${node.phase}`);

/**
 * The extremes that are outside the limits: "up to 1.0586 pu at S85C_6.s1", "down to 0.9301 pu at 66.A", or both; both too
 * where neither is, which happens when limits were others at that time.
 */
export function outsideText({ vMaxPu, vMinPu, vMaxNode, vMinNode }: VoltageFigures, limits: LimitsPu): string {
  const [high, low] = [knownPu(vMaxPu), knownPu(vMinPu)];
  const isHigh = high !== null && high > limits.maxPu + MEASURED_TOLERANCE_PU;
  const isLow = low !== null && low < limits.minPu - MEASURED_TOLERANCE_PU;
  const isNeither = !isHigh && !isLow;
  return [
    ...(isLow || isNeither ? [`down to ${puText(vMinPu)} pu${nodeText(vMinNode)}`] : []),
    ...(isHigh || isNeither ? [`up to ${puText(vMaxPu)} pu${nodeText(vMaxNode)}`] : []),
  ].join(' and ');
}

/** From the lowest to the highest: "0.9801 to 1.0499 pu"; "not measured" where nothing is. */
export function spanText({ vMaxPu, vMinPu }: VoltageFigures): string {
  return knownPu(vMaxPu) === null ? 'not measured' : `${puText(vMinPu)} to ${puText(vMaxPu)} pu`;
}

/** Both extremes of a summary: "0.9801 – 1.0586 pu"; "not measured". @param unit - what follows the figures */
export function extremesText(minPu: number | null | undefined, maxPu: number | null | undefined, unit = ' pu'): string {
  const isBlind = knownPu(maxPu) === null && knownPu(minPu) === null;
  return isBlind ? 'not measured' : `${puText(minPu)} – ${puText(maxPu)}${unit}`;
}
