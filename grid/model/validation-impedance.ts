/** Impedances that are missing, impossible or absurd. */
import type { ComplexMatrix, Line, Reactor, Switch, Transformer } from './element.js';
import type { Feeder } from './feeder.js';
import type { Report } from './finding-report.js';
import { LEAST_SERIES_OHM } from './primitive.js';

/** Largest series impedance that a feeder's branch may plausibly have, ohm. */
const MAX_SERIES_OHM = 1e4;
/** Largest plausible short-circuit reactance of a transformer, pu. */
const MAX_REACTANCE_PU = 1;

/** Reports zero, non-finite, negative and absurd impedances of lines, switches, reactors and transformers. */
export function impedanceFindings(feeder: Feeder, report: Report): void {
  for (const line of feeder.lines) checkSeries(line, report);
  for (const device of feeder.switches) checkSeries(device, report);
  for (const reactor of feeder.reactors) checkSeries(reactor, report);
  for (const transformer of feeder.transformers) checkTransformer(transformer, report);
}

function diagonal(matrix: ComplexMatrix): { r: number; x: number }[] {
  return Array.from({ length: matrix.n }, (_, i) => {
    const k = i * matrix.n + i;
    return { r: matrix.re[k] ?? Number.NaN, x: matrix.im[k] ?? Number.NaN };
  });
}

function checkSeries(branch: Line | Switch | Reactor, report: Report): void {
  const { seriesOhm } = branch;
  const what = `${branch.kind} ${branch.name}`;
  const attribute = 'seriesOhm';
  const n = branch.from.nodes.length;
  if (seriesOhm.n !== n) {
    const message = `The impedance matrix of ${what} is for ${seriesOhm.n} conductors, the ${branch.kind} has ${n}.`;
    report('error', 'BAD_IMPEDANCE', branch, message, { attribute, value: String(seriesOhm.n), allowed: String(n) });
    return;
  }
  if (![...seriesOhm.re, ...seriesOhm.im].every(Number.isFinite)) {
    report('error', 'BAD_IMPEDANCE', branch, `An impedance of ${what} is no finite number.`, { attribute });
    return;
  }
  const self = diagonal(seriesOhm);
  if (self.some(({ r, x }) => r === 0 && x === 0)) {
    const message = `${what} has a conductor without series impedance; it gets ${LEAST_SERIES_OHM} + j${LEAST_SERIES_OHM} ohm.`;
    report('warning', 'ZERO_IMPEDANCE', branch, message, { attribute, value: '0' });
  }
  const largest = Math.max(...self.flatMap(({ r, x }) => [Math.abs(r), Math.abs(x)]));
  // A reactor to ground may well be high-ohmic: an arc-suppression coil, a shunt against over-voltage at light load.
  if (largest > MAX_SERIES_OHM && branch.kind !== 'reactor') {
    const message = `${what} has a series impedance of ${largest.toPrecision(4)} ohm; its length or its unit is likely wrong.`;
    report('warning', 'BAD_IMPEDANCE', branch, message, {
      ...{ attribute, value: String(largest), allowed: `<= ${MAX_SERIES_OHM}` },
    });
  }
  const negative = self.find(({ r }) => r < 0);
  if (negative) {
    // Reduced equivalents can have one; the network as a whole may still be passive.
    const message = `${what} has a negative series resistance; it generates power, and is solved as written.`;
    report('warning', 'BAD_IMPEDANCE', branch, message, { attribute, value: String(negative.r), allowed: '>= 0' });
  }
}

function checkTransformer(transformer: Transformer, report: Report): void {
  const { reactancesPu, windings, name } = transformer;
  const resistances = windings.map(({ resistancePu }) => resistancePu);
  const pairs = (windings.length * (windings.length - 1)) / 2;
  if (reactancesPu.length < pairs || ![...reactancesPu, ...resistances].every(Number.isFinite)) {
    const message = `Transformer ${name} lacks a short-circuit impedance between two of its ${windings.length} windings.`;
    report('error', 'BAD_IMPEDANCE', transformer, message, {
      ...{ attribute: 'reactancesPu', value: String(reactancesPu.length), allowed: String(pairs) },
    });
    return;
  }
  const isLossless = resistances.every((r) => r === 0);
  for (const x of reactancesPu) {
    const facts = { attribute: 'reactancesPu', value: String(x), allowed: `above 0, at most ${MAX_REACTANCE_PU} pu` };
    if (x === 0) {
      const message = `Transformer ${name} has no short-circuit reactance${isLossless ? ' and no resistance' : ''}.`;
      report(isLossless ? 'error' : 'warning', 'ZERO_IMPEDANCE', transformer, message, facts);
    } else if (x < 0 || x > MAX_REACTANCE_PU) {
      const message = `Transformer ${name} has a short-circuit reactance of ${x.toPrecision(4)} pu.`;
      report('warning', 'BAD_IMPEDANCE', transformer, message, facts);
    }
  }
  for (const r of resistances) {
    if (r >= 0) continue;
    // Star equivalents of three-winding tests can have one; the network as a whole may still be passive.
    const message = `A winding of transformer ${name} has a negative resistance.`;
    report('warning', 'BAD_IMPEDANCE', transformer, message, {
      ...{ attribute: 'resistancePu', value: String(r), allowed: '>= 0' },
    });
  }
  for (const { ratedPowerVA, ratedVoltageV } of windings) {
    if (ratedPowerVA > 0 && ratedVoltageV > 0) continue;
    report('error', 'BAD_IMPEDANCE', transformer, `A winding of transformer ${name} has no rated power or voltage.`, {
      ...{ attribute: 'ratedPowerVA', value: `${ratedPowerVA} VA, ${ratedVoltageV} V`, allowed: '> 0' },
    });
  }
}
