import { POINT_STATE, packed } from './map-raster.js';
import type { DrawnEdge } from './map-view.js';
import { colourAt } from './voltage-colours.js';

/** Steps of a scale of colours, which are looked up and not made for each point. */
const SHADES = 256;

/** Packed colours of a whole scale, from its lowest to its highest. */
export function shadesOf(ground: 'light' | 'dark', colour = colourAt): Uint32Array {
  return Uint32Array.from({ length: SHADES + 1 }, (_, i) => packed(colour(i / SHADES, ground)));
}

/** What points are coloured by. */
export interface PointRule {
  /** Of {@link shadesOf}. */
  readonly shades: Uint32Array;
  /** Values at the ends of the scale. */
  readonly low: number;
  readonly high: number;
  /** Beyond these a point's worst value gives it a ring. */
  readonly least: number;
  readonly most: number;
  /** Colour of what has no value. */
  readonly dead: number;
}

/**
 * States and colours of points by their values: what a map paints, and how many are outside.
 *
 * @param worst - the value of each point that is farthest beyond the limits: whichever is coloured, none that is outside hides
 */
export function pointLook(
  values: readonly (number | null)[],
  { shades, low, high, least, most, dead }: PointRule,
  worst: readonly (number | null)[] = values,
): { readonly states: Uint8Array; readonly pointColours: Uint32Array; readonly outside: number } {
  const states = new Uint8Array(values.length);
  const pointColours = new Uint32Array(values.length);
  const perUnit = (shades.length - 1) / (high - low);
  let outside = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    const judged = worst[i]!;
    const isOutside = judged !== null && (judged > most || judged < least);
    if (isOutside) {
      states[i] = POINT_STATE.outside;
      outside++;
    }
    if (value === null) {
      if (!isOutside) states[i] = POINT_STATE.faint;
      pointColours[i] = dead;
      continue;
    }
    const shade = Math.round((value - low) * perUnit);
    pointColours[i] = shades[Math.max(0, Math.min(shades.length - 1, shade))]!;
  }
  return { states, pointColours, outside };
}

/** Widths and colours of lines: first those of an open one and of one whose loading is not known, then by the class a loading is below. */
export function lineLook(
  edges: readonly DrawnEdge[],
  loadingsPct: readonly (number | null)[],
  classesBelowPct: readonly number[],
  colours: readonly number[],
): { readonly lineWidths: Uint8Array; readonly lineColours: Uint32Array } {
  const lineWidths = new Uint8Array(edges.length);
  const lineColours = new Uint32Array(edges.length);
  for (let e = 0; e < edges.length; e++) {
    const loading = loadingsPct[e] ?? null;
    let kind = edges[e]!.isOpen ? 0 : 1;
    if (kind === 1 && loading !== null) {
      kind = 2;
      while (kind <= classesBelowPct.length && loading >= classesBelowPct[kind - 2]!) kind++;
    }
    lineWidths[e] = kind;
    lineColours[e] = colours[kind]!;
  }
  return { lineWidths, lineColours };
}
