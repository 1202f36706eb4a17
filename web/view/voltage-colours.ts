/*
 * Colours of voltages: a sequence from dark blue over green to orange whose lightness rises evenly, so that it reads in every
 * kind of colour vision and in grey (after F. Crameri's `batlow`, 2018, left out its palest end).
 */

const STOPS: readonly (readonly [number, number, number])[] = [
  [1, 25, 89],
  [16, 63, 96],
  [28, 90, 98],
  [60, 109, 86],
  [104, 123, 62],
  [157, 137, 43],
  [210, 147, 67],
  [248, 161, 123],
];
/** The same on a dark ground: lightness rises as evenly, from a blue that is seen there. */
const DARK_STOPS: typeof STOPS = [
  [70, 112, 186],
  [70, 128, 178],
  [74, 143, 154],
  [104, 160, 130],
  [148, 173, 104],
  [200, 182, 92],
  [238, 190, 118],
  [255, 205, 172],
];
/** Differences: blue below, orange above, grey between, lighter or darker than the ground at both ends alike. */
const DIFFERENCE_STOPS: typeof STOPS = [
  [0, 68, 136],
  [90, 134, 180],
  [190, 194, 199],
  [214, 140, 72],
  [168, 72, 0],
];
/** The same on a dark ground. */
const DARK_DIFFERENCE_STOPS: typeof STOPS = [
  [110, 186, 255],
  [98, 152, 205],
  [116, 124, 134],
  [206, 150, 92],
  [255, 176, 92],
];
/** Colour of what has no voltage. */
export const DEAD_COLOUR = '#c4c4c4';
/** Span of the narrowest scale, pu. */
const LEAST_SPAN_PU = 0.02;

/** A scale of colours over a range of voltages, pu. */
export interface VoltageScale {
  readonly lowPu: number;
  readonly highPu: number;
  colour(voltagePu: number): string;
}

/** A scale over all voltages, widened to whole hundredths. */
export function voltageScale(voltagesPu: readonly number[], ground: 'light' | 'dark' = 'light'): VoltageScale {
  const low = voltagesPu.reduce((a, b) => Math.min(a, b), voltagesPu[0] ?? 1);
  const high = voltagesPu.reduce((a, b) => Math.max(a, b), voltagesPu[0] ?? 1);
  const lowPu = Math.floor(low * 100 + 1e-9) / 100;
  const highPu = Math.max(Math.ceil(high * 100 - 1e-9) / 100, lowPu + LEAST_SPAN_PU);
  return {
    lowPu,
    highPu,
    colour: (voltagePu) => colourAt((voltagePu - lowPu) / (highPu - lowPu), ground),
  };
}

/** Colour at a share of the scale, 0 to 1. */
export function colourAt(share: number, ground: 'light' | 'dark' = 'light'): string {
  return between(ground === 'dark' ? DARK_STOPS : STOPS, share);
}

/** Colour of a difference: 0 is the most below, 0.5 none, 1 the most above. */
export function differenceColourAt(share: number, ground: 'light' | 'dark' = 'light'): string {
  return between(ground === 'dark' ? DARK_DIFFERENCE_STOPS : DIFFERENCE_STOPS, share);
}

function between(stops: typeof STOPS, share: number): string {
  const x = Math.max(0, Math.min(1, share)) * (stops.length - 1);
  const i = Math.min(stops.length - 2, Math.floor(x));
  const [a, b] = [stops[i]!, stops[i + 1]!];
  const channel = (k: 0 | 1 | 2) =>
    Math.round(a[k] + (x - i) * (b[k] - a[k]))
      .toString(16)
      .padStart(2, '0');
  return `#${channel(0)}${channel(1)}${channel(2)}`;
}
