import { basename, dirname } from 'node:path';
import type { Finding } from '../../grid/model/index.js';
import {
  type CoordinationQuestion,
  coordinateInProcess,
  type FairnessRule,
  priceOfFairness,
} from '../../grid/optim/index.js';
import { type ComparedRule, fairnessComparison } from '../output/fairness-comparison.js';
import { pictureFile, writePicture } from '../output/picture.js';
import type { ResultsFolder } from '../output/results-folder.js';
import type { ComparisonReport } from '../schema/index.js';
import { answerExitCode } from '../strictness.js';
import { type Terminal, table } from '../terminal.js';
import type { CoordinateOptions } from './coordinate-options.js';
import { coordinationFigures, coordinationSettings, hasPrice } from './coordinate-report.js';
import { type StoredCoordination, type StorePlace, storeCoordinations, takeFolders } from './coordinate-store.js';

/** The rules side by side, from the least curtailment to the hardest equality. */
function rulesFor(options: CoordinateOptions, factors: FairnessRule['factors']): Partial<FairnessRule>[] {
  const { weights, level, gamma } = options;
  const common = { weights, factors, ...(level === undefined ? {} : { level }) };
  const gammas = [...new Set([1, gamma])].filter((value) => value > 0).sort((a, b) => a - b);
  return [
    { ...common, mode: 'total' as const },
    ...gammas.map((value) => ({ ...common, mode: 'alphaFair' as const, gamma: value })),
    { ...common, mode: 'proportional' },
    ...(options.feedback === undefined ? [] : [{ ...common, mode: 'feedback' as const }]),
    { ...common, mode: 'exportBased' },
    { ...common, mode: 'maxMin' },
    { ...common, mode: 'equalAlpha' },
    { ...common, mode: 'equalKw' },
  ];
}

/**
 * Solves every rule centrally, prints them side by side and draws them.
 *
 * @param more - where more than the table can be had
 * @param place - where every rule's results are kept as a run of its own; nowhere when absent
 */
export async function compareRules(
  question: CoordinationQuestion,
  options: CoordinateOptions,
  findings: readonly Finding[],
  terminal: Terminal,
  began: number,
  more = 'All alphas: add --json.',
  place?: StorePlace,
): Promise<number> {
  const rules = rulesFor(options, question.rule?.factors ?? {});
  const folders = place === undefined ? [] : takeFolders(place, rules.map(ruleName));
  try {
    return await compared(question, options, findings, terminal, began, { more, place, folders, rules });
  } finally {
    for (const folder of folders) folder.release();
  }
}

/** Rules that are compared, what their table ends with, and where their results go. */
interface Comparison {
  readonly rules: readonly Partial<FairnessRule>[];
  readonly more: string;
  readonly place: StorePlace | undefined;
  readonly folders: readonly ResultsFolder[];
}

const ruleName = ({ mode, gamma }: Partial<FairnessRule>) => (mode === 'alphaFair' ? `alphaFair ${gamma}` : mode!);

/** Rules priced by one least curtailment: where another rule came to less than `total`, that is the least found. */
function pricedAlike(solved: readonly StoredCoordination[]): StoredCoordination[] {
  const priced = solved.map(({ result }) => result).filter(hasPrice);
  const held = priced.filter(({ ac, settings }) => {
    const { minPu, maxPu } = settings.limits;
    return ac.isConverged && ac.vMaxPu <= maxPu && ac.vMinPu >= minPu;
  });
  const leastCurtailedW = Math.min(
    ...priced.map((result) => result.leastCurtailedW),
    ...held.map(({ curtailedW }) => curtailedW),
  );
  return solved.map((one) => {
    const { curtailedW, availableW } = one.result;
    if (!hasPrice(one.result)) return one;
    const price = priceOfFairness(curtailedW, leastCurtailedW, availableW);
    return { ...one, result: { ...one.result, leastCurtailedW, priceOfFairness: price } };
  });
}

async function compared(
  question: CoordinationQuestion,
  options: CoordinateOptions,
  findings: readonly Finding[],
  terminal: Terminal,
  began: number,
  { rules, more, place, folders }: Comparison,
): Promise<number> {
  const { feeder } = question;
  const solved: StoredCoordination[] = [];
  const picture = pictureFile(options.plot, 'fairness', feeder.name);
  const all: (ComparedRule & { readonly rule: ComparisonReport['rules'][number] })[] = [];
  const told = new Map<string, Finding>(findings.map((finding) => [finding.message, finding]));
  let settings: ComparisonReport['settings'] | undefined;
  let units: string[] = [];
  let availableW = 0;
  let leastCurtailedW: number | undefined;
  let isBad = false;
  let isFailed = false;
  for (const rule of rules) {
    const name = ruleName(rule);
    terminal.progress(`rule ${name}`);
    const start = performance.now();
    const result = coordinateInProcess({
      ...question,
      method: 'central',
      rule,
      ...(leastCurtailedW === undefined ? {} : { leastCurtailedW }),
    });
    if (rule.mode === 'total' && result.status === 'optimal' && result.rule.level === 'customer') {
      leastCurtailedW = result.leastCurtailedW;
    }
    for (const finding of result.findings) told.set(finding.message, finding);
    isBad ||= result.status === 'limitsViolated';
    isFailed ||= result.status === 'failed';
    solved.push({ question, result, seconds: (performance.now() - start) / 1000 });
  }
  const outcomes = pricedAlike(solved);
  for (const { result, seconds } of outcomes) {
    const active = result.ders.filter((der) => der.availableW > 0);
    units = active.map(({ derId, mrid }) => mrid || derId);
    availableW = result.availableW;
    settings ??= coordinationSettings(result, options);
    const alphas = active.map(({ alpha }) => alpha);
    all.push({
      name: ruleName(result.rule),
      curtailedKw: result.curtailedW / 1000,
      jain: result.fairnessReport.jain.served,
      alphas,
      rule: {
        ...coordinationFigures(result, seconds),
        gamma: result.rule.gamma,
        alphas,
      },
    });
  }
  if (picture !== undefined) {
    // The plotting library takes half a second to load.
    const { renderSvg } = await import('../output/index.js');
    writePicture(picture, await renderSvg(fairnessComparison(feeder.name, all)));
  }
  const report: ComparisonReport = {
    feeder: { name: feeder.name, mrid: feeder.mrid },
    availableW,
    units,
    rules: all.map(({ rule }) => rule),
    settings: settings!,
    plot: picture ?? null,
    ...(place === undefined
      ? {}
      : { folders: [...(await storeCoordinations(feeder, outcomes, folders, options, place))] }),
    seconds: (performance.now() - began) / 1000,
    findings: [...told.values()],
  };
  terminal.findings(report.findings);
  if (terminal.isJson) terminal.result(report);
  else for (const line of comparisonLines(report, all, more)) terminal.print(line);
  return answerExitCode({ isFailed, isBad: isBad || feeder.pvSystems.length === 0 }, options.strict);
}

function comparisonLines(report: ComparisonReport, compared: readonly ComparedRule[], more: string): string[] {
  const { feeder, units, availableW } = report;
  const lines = [
    `${feeder.name} ${feeder.mrid}: ${(availableW / 1000).toFixed(2)} kW available from ${units.length} PV systems`,
  ];
  if (units.length === 0) return lines;
  lines.push(
    '',
    table(
      [
        'rule',
        'level',
        'kW',
        '%',
        'kWh',
        'price %',
        'alpha',
        'worst tenth',
        'Jain alpha',
        'Jain served',
        'Gini alpha',
        'Gini served',
        'AC max pu',
        'status',
      ],
      report.rules.map((rule, k) => [
        compared[k]!.name,
        rule.level,
        ((rule.curtailedW ?? 0) / 1000).toFixed(2),
        (rule.curtailedPct ?? 0).toFixed(2),
        (rule.curtailedWh / 1000).toFixed(2),
        rule.priceOfFairnessPct === null ? '-' : Math.max(0, rule.priceOfFairnessPct).toFixed(2),
        rule.alpha ? `${rule.alpha.min.toFixed(3)} to ${rule.alpha.max.toFixed(3)}` : '-',
        rule.worstDecileAlpha.toFixed(3),
        rule.jain?.alpha.toFixed(3) ?? '-',
        rule.jain?.served.toFixed(3) ?? '-',
        rule.gini?.alpha.toFixed(3) ?? '-',
        rule.gini?.served.toFixed(3) ?? '-',
        rule.ac?.vMaxPu.toFixed(5) ?? '-',
        rule.status,
      ]),
    ),
  );
  if (report.folders !== undefined) {
    const address = report.folders.map((path) => encodeURIComponent(basename(path))).join('/');
    lines.push(
      '',
      `Results: ${report.folders.join(', ')}`,
      `Side by side: dec web --runs ${dirname(report.folders[0]!)}, at #/compare/${address}`,
    );
  }
  if (!compared.some(({ name }) => name === 'feedback')) {
    lines.push(
      '',
      'Rule feedback weighs what was served before: add --feedback FILE. With nothing before it is proportional.',
    );
  }
  lines.push('', report.plot === null ? `Picture: add --plot FILE.svg. ${more}` : `Picture: ${report.plot}`);
  return lines;
}
