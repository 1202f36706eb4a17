import type { Finding } from '../model/index.js';
import { type ControlResponse, responseText } from './control-response.js';
import { AC_TOLERANCE_PU, type TruthCheck } from './feeder-truth.js';
import type { ReactiveRule } from './reactive.js';
import type { VoltageLimits } from './star.js';
import type { Pass } from './star-actors.js';

/** Reactive power further than this from where it should be is told, share of the rating. */
const REACTIVE_ERROR = 1e-5;

/** What regulators and capacitor banks do about a dispatch. */
export function responseFindings(response: ControlResponse | undefined): Finding[] {
  if (response === undefined) return [];
  const { holds, isAtRest, moves } = response;
  return [
    {
      severity: holds && isAtRest ? 'info' : 'warning',
      code: holds ? 'CONTROLS_ANSWER' : 'CONTROLS_BREAK_LIMITS',
      message: responseText(response),
      count: moves.length,
    },
  ];
}

/** KKT residual up to which a dispatch is called the optimum without a word. */
const OPTIMUM_RESIDUAL = 1e-8;

/** What a pass leaves open. */
export function passFindings(pass: Pass, { mode }: ReactiveRule): Finding[] {
  const { reactiveError = 0, lost = 0, status, kktResidual: residual = 0, levels = [] } = pass;
  const findings: Finding[] = [];
  if (status === 'optimal' && residual > OPTIMUM_RESIDUAL) {
    const last = levels.at(-1);
    const rest =
      levels.length > 1 && last !== undefined
        ? ` ${levels.length} levels were found, down to ${last.toFixed(4)}; groups below are not told apart, and lose the least power together.`
        : '';
    findings.push({
      severity: 'warning',
      code: 'OPTIMUM_IS_NEAR',
      message: `The conditions of the optimum hold to ${residual.toExponential(1)}, not to ${OPTIMUM_RESIDUAL}.${rest}`,
    });
  }
  if (reactiveError > REACTIVE_ERROR) {
    const where = mode === 'volt-var' ? 'from its Volt-VAr curve or kVA circle' : 'outside its kVA circle';
    findings.push({
      severity: 'warning',
      code: 'REACTIVE_UNSETTLED',
      message: `Reactive power of an inverter is still ${(100 * reactiveError).toFixed(3)} % of its rating ${where}.`,
    });
  }
  if (lost > 0) {
    findings.push({
      severity: 'warning',
      code: 'UTILITY_LOST',
      message: `${lost} participants are curtailed wholly in every dispatch that holds the limits; utilities are compared without them.`,
      count: lost,
    });
  }
  return findings;
}

/** A source's own bus beyond the limits: nothing in the network moves it, so that the dispatch is not judged by it. */
export function sourceFindings(
  { extremes, limitedMaxPu, limitedMinPu }: Pick<TruthCheck, 'extremes' | 'limitedMaxPu' | 'limitedMinPu'>,
  { minPu, maxPu }: VoltageLimits,
): Finding[] {
  const { vMaxPu, vMinPu } = extremes;
  const isAbove = vMaxPu > Math.max(maxPu, limitedMaxPu) + AC_TOLERANCE_PU;
  const isBelow = vMinPu < Math.min(minPu, limitedMinPu) - AC_TOLERANCE_PU;
  if (!isAbove && !isBelow) return [];
  const where = [isAbove ? [vMaxPu.toFixed(4)] : [], isBelow ? [vMinPu.toFixed(4)] : []].flat().join(' and ');
  return [
    {
      severity: 'warning',
      code: 'SOURCE_BEYOND_LIMITS',
      message: `A source holds its own bus at ${where} pu, beyond ${minPu} to ${maxPu} pu; no dispatch moves it, and none is judged by it.`,
    },
  ];
}
