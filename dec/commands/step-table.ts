import type { FairnessReport } from '../../grid/optim/index.js';
/** What tables of planned steps show of each. */
export interface ShownStep {
  readonly uncoordinatedMaxPu: number;
  readonly vMaxPu: number;
  readonly vMinPu: number;
  readonly worstNode: string;
  readonly availableW: number;
  readonly curtailedW: number;
  readonly batteryW: number;
  readonly storedWh: number;
  readonly sourceW: number;
}

const kilo = (value: number): string => (value / 1000).toFixed(1);

/** Columns after the time, in their order. */
const COLUMNS: readonly (readonly [title: string, cell: (step: ShownStep) => string])[] = [
  ['V alone (linear)', ({ uncoordinatedMaxPu }) => uncoordinatedMaxPu.toFixed(4)],
  ['V max', ({ vMaxPu }) => vMaxPu.toFixed(4)],
  ['V min', ({ vMinPu }) => vMinPu.toFixed(4)],
  ['at', ({ worstNode }) => worstNode],
  ['sun kW', ({ availableW }) => kilo(availableW)],
  ['curtailed kW', ({ curtailedW }) => kilo(curtailedW)],
  ['batteries kW', ({ batteryW }) => kilo(batteryW)],
  ['stored kWh', ({ storedWh }) => kilo(storedWh)],
  ['source kW', ({ sourceW }) => kilo(sourceW)],
];

/** Titles of the table, the time first. */
export const STEP_TITLES: readonly string[] = ['time', ...COLUMNS.map(([title]) => title)];

/** Cells of a step that begins so many seconds after midnight. */
export function stepCells(beginS: number, step: ShownStep): string[] {
  return [clockOfStep(beginS), ...COLUMNS.map(([, cell]) => cell(step))];
}

/** Hours and minutes of a step's begin. */
function clockOfStep(seconds: number): string {
  const minutes = Math.round(seconds / 60) % 1440;
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
}

/** What is curtailed over steps, and how it is shared. */
export interface ShownCurtailment {
  readonly availableKwh: number;
  readonly curtailedKwh: number;
  readonly steps: readonly { readonly curtailedW: number }[];
  /** Share of what is available; null where limits do not hold. */
  readonly priceOfFairness: number | null;
  readonly fairness: FairnessReport;
}

/** The same as it stands in a JSON object. */
export function curtailmentFigures({ availableKwh, curtailedKwh, steps, priceOfFairness, fairness }: ShownCurtailment) {
  const { jain, gini, worstDecileAlpha } = fairness;
  return {
    availableKwh,
    curtailedKwh,
    curtailedPct: availableKwh > 0 ? (100 * curtailedKwh) / availableKwh : 0,
    curtailedMaxW: steps.reduce((most, { curtailedW }) => Math.max(most, curtailedW), 0),
    priceOfFairnessPct: priceOfFairness === null ? null : 100 * priceOfFairness,
    ...{ jain: { ...jain }, gini: { ...gini }, worstDecileAlpha },
  };
}

/** The same as rows of a table for people. */
export function curtailmentRows(figures: ReturnType<typeof curtailmentFigures>): [string, string][] {
  const { availableKwh, curtailedKwh, curtailedPct, curtailedMaxW, jain, gini, worstDecileAlpha } = figures;
  const { priceOfFairnessPct } = figures;
  const pair = ({ alpha, served }: typeof jain): string => `${alpha.toFixed(3)}, ${served.toFixed(3)}`;
  return [
    ['curtailed', `${curtailedKwh.toFixed(1)} of ${availableKwh.toFixed(1)} kWh, ${curtailedPct.toFixed(2)} %`],
    ['most curtailed in a step', `${(curtailedMaxW / 1000).toFixed(2)} kW`],
    [
      'price of fairness (batteries as planned)',
      priceOfFairnessPct === null ? '-' : `${Math.max(0, priceOfFairnessPct).toFixed(2)} % of what is available`,
    ],
    ['Jain index (curtailed, served)', pair(jain)],
    ['Gini (curtailed, served)', pair(gini)],
    ['worst tenth, mean curtailed fraction', worstDecileAlpha.toFixed(3)],
  ];
}
