import { describe, expect, it } from 'vitest';
import { fairnessComparison } from '../../../../dec/output/fairness-comparison.js';
import { renderSvg } from '../../../../dec/output/index.js';

const rule = (name: string, curtailedKw: number, jain: number, alphas: readonly number[]) => ({
  ...{ name, curtailedKw, jain, alphas },
});
const apart = rule('total', 100, 0.6, [1, 0.5, 0]);
const under = rule('proportional', 120, 0.9, [0.7, 0.5, 0.2]);
const over = rule('exportBased', 120.01, 0.9, [0.2, 0.7, 0.501]);
const far = rule('equalKw', 300, 0.2, [1, 1, 0.4]);

/** Strokes of lines and points with their dashes, by colour. */
async function drawn(rules: Parameters<typeof fairnessComparison>[1]): Promise<(colour: string) => string[]> {
  const svg = await renderSvg(fairnessComparison('a feeder', rules));
  const paths = svg.match(/<path[^>]*>/g) ?? [];
  return (colour) => paths.filter((path) => path.toLowerCase().includes(colour.toLowerCase()));
}

const isFullPoint = (path: string) =>
  path.includes('role="graphics-symbol"') && !/fill="(transparent|none)"/.test(path);

describe('the picture of rules side by side', () => {
  it('shows a rule that lies on another one as a ring around its point and dashes on its line', async () => {
    const of = await drawn([apart, under, over, far]);
    // Third and second colour of Okabe and Ito.
    const [below, above] = [of('#E69F00'), of('#56B4E9')];
    expect(below.some((path) => path.includes('fill="#E69F00"'))).toBe(true);
    expect(above.some((path) => path.includes('fill="#56B4E9"') && path.includes('role="graphics-symbol"'))).toBe(
      false,
    );
    expect(above.some((path) => path.includes('stroke-dasharray="6,6"'))).toBe(true);
    expect(below.some((path) => path.includes('stroke-dasharray="6,6"'))).toBe(false);
  });

  it('draws rules that lie apart with full points and lines', async () => {
    const of = await drawn([apart, under, far]);
    for (const colour of ['#000000', '#E69F00', '#56B4E9']) {
      expect(of(colour).some(isFullPoint)).toBe(true);
      expect(of(colour).some((path) => path.includes('stroke-dasharray="6,6"'))).toBe(false);
    }
  });
});
