import { limitText } from '../../web/index.js';

/*
 * What all pictures have in common. Colours are Okabe and Ito's, which readers with colour-vision deficiency can tell
 * apart.
 */

/** Colours by phase; secondaries and what spans several phases stand apart. */
export const PHASE_COLOURS = { A: '#D55E00', B: '#009E73', C: '#0072B2', multi: '#666666' } as const;
/** Font, title, axes and legend of every picture. */
export const FRAME = {
  background: 'white',
  config: {
    font: 'Helvetica, Arial, sans-serif',
    title: { fontSize: 15, anchor: 'start', subtitleFontSize: 11.5, subtitleColor: '#555555', offset: 12 },
    axis: {
      labelFontSize: 11,
      titleFontSize: 12,
      titleFontWeight: 'normal',
      gridColor: '#eeeeee',
      domainColor: '#999999',
    },
    legend: {
      labelFontSize: 11,
      titleFontSize: 11,
      titleFontWeight: 'normal',
      symbolOpacity: 1,
      labelLimit: 0,
      titleLimit: 0,
    },
    header: { labelFontSize: 12, titleFontSize: 12 },
    view: { stroke: '#dddddd' },
  },
} as const;

/** A dashed line with its name at the right end; `title` is the axis' title, so that the two do not stand side by side. */
export function limitLine(limitPu: number, title: string) {
  const limit = { field: 'limit', type: 'quantitative', title };
  return {
    data: { values: [{ limit: limitPu, label: `limit ${limitText(limitPu)} pu` }] },
    layer: [
      { mark: { type: 'rule', strokeDash: [5, 4], color: '#222222' }, encoding: { y: limit } },
      {
        mark: { type: 'text', align: 'right', dx: -4, dy: -6, fontSize: 10.5, color: '#222222' },
        encoding: { y: limit, x: { value: 'width' }, text: { field: 'label' } },
      },
    ],
  };
}
