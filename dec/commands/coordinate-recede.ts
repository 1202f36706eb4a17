import { DecError } from '../../grid/math/index.js';
import { type FeederRecedingResult, type LoadForecast, recedeFeeder } from '../../grid/optim/index.js';
import { renderSvg } from '../output/index.js';
import { pictureFile, writePicture } from '../output/picture.js';
import { recedingPicture } from '../output/receding-picture.js';
import type { RecedingReport } from '../schema/index.js';
import { type Terminal, table } from '../terminal.js';
import {
  type HorizonCaseOptions,
  horizonExitCode,
  outlookOf,
  questionBasis,
  type ScenarioCase,
  windowOf,
} from './coordinate-horizon.js';
import { curtailmentFigures, curtailmentRows, STEP_TITLES, stepCells } from './step-table.js';

/** `dec coordinate --recede`: a day step by step, each planned with what is known then. */
export async function runReceding(
  scenario: ScenarioCase,
  options: HorizonCaseOptions,
  terminal: Terminal,
  recedeS: number,
  began: number,
): Promise<number> {
  const { feeder } = scenario;
  if (options.horizon === undefined) {
    throw new DecError('BAD_ARGUMENT', '--recede needs --horizon TIME: how far each plan looks ahead.');
  }
  const picture = pictureFile(options.plot, 'receding', feeder.name);
  const { steps } = windowOf(options, recedeS);
  const horizonSteps = windowOf(options, options.horizon).steps;
  const window = { ...windowOf(options, recedeS), steps: steps + horizonSteps - 1 };
  const files = { load: options.loadForecast, pv: options.pvForecast };
  const forecast = outlookOf(feeder, options, window, files);
  const actual = outlookOf(feeder, options, window, {
    load: options.actualLoad ?? files.load,
    pv: options.actualPv ?? files.pv,
  });
  /** Steps ahead of one: the first as it is, the others as forecast. */
  const ahead = (given: Float64Array, real: Float64Array, step: number) => {
    const part = given.slice(step, step + horizonSteps);
    part[0] = real[step]!;
    return part;
  };
  const result = recedeFeeder({
    ...questionBasis(scenario, options),
    stepS: window.stepS,
    steps,
    batteries: forecast.batteries,
    outlook: (step) => ({
      importPrice: forecast.importPrice.slice(step, step + horizonSteps),
      exportPrice: forecast.exportPrice.slice(step, step + horizonSteps),
      loads: Object.fromEntries(
        Object.entries(forecast.loads).map(([id, { powerW, powerVar }]): [string, LoadForecast] => {
          const real = actual.loads[id]!;
          return [id, { powerW: ahead(powerW, real.powerW, step), powerVar: ahead(powerVar, real.powerVar, step) }];
        }),
      ),
      availableW: Object.fromEntries(
        Object.entries(forecast.availableW).map(([id, given]) => [id, ahead(given, actual.availableW[id]!, step)]),
      ),
    }),
    onStep: (step, { vMaxPu }) => terminal.progress(`step ${step + 1} of ${steps}, highest ${vMaxPu.toFixed(4)} pu`),
  });
  const report: RecedingReport = {
    feeder: { name: feeder.name, mrid: feeder.mrid },
    status: result.status,
    startS: window.startS,
    stepSeconds: window.stepS,
    horizonSteps,
    energyCost: result.energyCost,
    ...curtailmentFigures(result),
    steps: result.steps.map(({ alpha: _, ...step }, t) => ({
      ...step,
      importPrice: forecast.importPrice[t]!,
      storedWh: result.batteries[t]!.batteries.reduce((sum, { storedWh }) => sum + storedWh, 0),
    })),
    batteries: Object.keys(forecast.batteries).map((id, b) => ({
      id,
      powerW: result.batteries.map(({ batteries }) => batteries[b]!.powerW),
      storedWh: result.batteries.map(({ batteries }) => batteries[b]!.storedWh),
    })),
    ders: feeder.pvSystems.map(({ id }) => ({ id, alpha: result.steps.map(({ alpha }) => alpha.get(id) ?? 0) })),
    settings: {
      vMinPu: options.vMin,
      vMaxPu: options.vMax,
      loadMultiplier: options.loadMultiplier,
      pvMultiplier: options.pvMultiplier,
      sourceVoltagePu: options.sourceVoltage ?? null,
      end: options.end,
      curtailmentWeight: options.curtailmentWeight,
    },
    plot: picture ?? null,
    seconds: (performance.now() - began) / 1000,
    findings: [...scenario.findings, ...result.findings],
  };
  if (picture !== undefined) writePicture(picture, await renderSvg(recedingPicture(report)));
  terminal.findings(report.findings);
  if (terminal.isJson) terminal.result(report);
  else for (const line of summary(report, result)) terminal.print(line);
  return horizonExitCode(feeder, result.status, options.strict);
}

function summary(report: RecedingReport, { status }: FeederRecedingResult): string[] {
  const { steps, horizonSteps, stepSeconds } = report;
  return [
    `${report.feeder.name} ${report.feeder.mrid}: ${steps.length} steps, each planned ${(horizonSteps * stepSeconds) / 3600} h ahead: ${status}`,
    '',
    table(
      [...STEP_TITLES, 'price', 'cost', 'plan'],
      steps.map((step, t) => [
        ...stepCells(report.startS + t * stepSeconds, step),
        step.importPrice.toFixed(3),
        step.energyCost.toFixed(2),
        step.status,
      ]),
    ),
    '',
    table(['', ''], [['energy cost', report.energyCost.toFixed(2)], ...curtailmentRows(report)]),
    '',
    report.plot === null ? 'Picture: add --plot FILE.svg. All batteries: add --json.' : `Picture: ${report.plot}`,
  ];
}
