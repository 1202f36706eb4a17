import type { TopLevelSpec } from 'vega-lite';
import type { RecedingReport } from '../schema/index.js';
import { FRAME, limitLine } from './frame.js';

const WIDTH = 620;

type Series = Readonly<Record<string, (step: RecedingReport['steps'][number]) => number>>;

/** A day by a receding horizon as a Vega-Lite specification: voltages, powers, and stores beside the price. */
export function recedingPicture(report: RecedingReport): TopLevelSpec {
  const { steps, startS, stepSeconds, feeder, settings } = report;
  const hasBatteries = report.batteries.length > 0;
  const hour = (t: number) => (startS % 86_400) / 3600 + (t * stepSeconds) / 3600;
  const rows = (series: Series) =>
    Object.entries(series).flatMap(([name, of]) => {
      const values = steps.map((step, t) => ({ name, hour: hour(t), value: of(step) }));
      // A step holds until the next begins: the last one is drawn to its end.
      const last = values.at(-1);
      return last ? [...values, { ...last, hour: hour(steps.length) }] : values;
    });
  const x = {
    field: 'hour',
    type: 'quantitative',
    title: null,
    scale: { domain: [hour(0), hour(steps.length)], nice: false },
    axis: { labelExpr: "format(datum.value % 24, '02') + ':00'", tickMinStep: 1 },
  };
  const panel = (
    title: string,
    colours: Readonly<Record<string, string>>,
    series: Series,
    height: number,
    axis: Readonly<Record<string, unknown>> = {},
  ) => ({
    width: WIDTH,
    height,
    layer: [
      {
        data: { values: rows(series) },
        mark: { type: 'line', interpolate: 'step-after', strokeWidth: 1.8, aria: false },
        encoding: {
          x,
          y: { field: 'value', type: 'quantitative', title, ...axis },
          color: {
            field: 'name',
            type: 'nominal',
            title: null,
            scale: { domain: Object.keys(colours), range: Object.values(colours) },
            // One line is named by its axis.
            ...(Object.keys(colours).length > 1 ? {} : { legend: null }),
          },
        },
      },
    ],
  });
  const voltage = panel(
    'voltage (pu)',
    { 'highest, customers alone': '#999999', highest: '#D55E00', lowest: '#0072B2' },
    {
      'highest, customers alone': ({ uncoordinatedMaxPu }) => uncoordinatedMaxPu,
      highest: ({ vMaxPu }) => vMaxPu,
      lowest: ({ vMinPu }) => vMinPu,
    },
    150,
    { scale: { zero: false } },
  );
  return {
    ...FRAME,
    title: {
      text: `A day by a receding horizon, ${feeder.name}`,
      subtitle: `each of ${steps.length} steps planned ${(report.horizonSteps * stepSeconds) / 3600} h ahead${hasBatteries ? '; batteries: positive when discharging' : ''}`,
    },
    spacing: 14,
    resolve: { scale: { color: 'independent' } },
    vconcat: [
      { ...voltage, layer: [...voltage.layer, limitLine(settings.vMaxPu, 'voltage (pu)')] },
      panel(
        'power (kW)',
        {
          'sun available': '#E69F00',
          'sun used': '#009E73',
          ...(hasBatteries ? { batteries: '#CC79A7' } : {}),
          source: '#000000',
        },
        {
          'sun available': ({ availableW }) => availableW / 1000,
          'sun used': ({ availableW, curtailedW }) => (availableW - curtailedW) / 1000,
          ...(hasBatteries ? { batteries: ({ batteryW }) => batteryW / 1000 } : {}),
          source: ({ sourceW }) => sourceW / 1000,
        },
        190,
      ),
      ...(hasBatteries
        ? [panel('stored (kWh)', { stored: '#CC79A7' }, { stored: ({ storedWh }) => storedWh / 1000 }, 90)]
        : []),
      panel('price per kWh', { price: '#56B4E9' }, { price: ({ importPrice }) => importPrice }, 70),
    ],
  } as TopLevelSpec;
}
