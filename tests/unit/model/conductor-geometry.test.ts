import { describe, expect, it } from 'vitest';
import {
  type ConductorData,
  conductorImpedance,
  type EarthModel,
  type GeometryImpedance,
  kronReduce,
  sequenceToPhase,
} from '../../../grid/model/index.js';

const FOOT = 0.3048;
const INCH = 0.0254;
const MILE = 1609.344;
/** Published matrices have four digits; wire data have three. */
const TOLERANCE = 3e-4;

/** ACSR 556,500 26/7 and 4/0 6/1: IEEE 13 Node Test Feeder, table of conductors (Kersting, appendix A). Positions in feet. */
function acsr556(x: number, y: number): ConductorData {
  const r = 0.1859 / MILE;
  return { x: x * FOOT, y: y * FOOT, gmr: 0.0313 * FOOT, radius: (0.927 / 2) * INCH, rAc: r, rDc: r / 1.02 };
}
function acsr40(x: number, y: number): ConductorData {
  const r = 0.592 / MILE;
  return { x: x * FOOT, y: y * FOOT, gmr: 0.00814 * FOOT, radius: (0.563 / 2) * INCH, rAc: r, rDc: r / 1.02 };
}

/** Ohm per mile and microsiemens per mile of one cell. */
function cell({ series, shunt }: GeometryImpedance, i: number, j: number) {
  const at = i * series.n + j;
  return { r: series.re[at]! * MILE, x: series.im[at]! * MILE, b: shunt.im[at]! * MILE * 1e6 };
}

const SETTINGS = { frequencyHz: 60, earthModel: 'carson' } as const;

describe('impedance by wire geometry', () => {
  it('gives configuration 601 of the IEEE 13-node feeder', () => {
    // IEEE PES, "IEEE 13 Node Test Feeder": spacing 500, phases B A C N at 0, 2.5, 7 and 4 ft.
    const z = conductorImpedance([acsr556(2.5, 28), acsr556(0, 28), acsr556(7, 28), acsr40(4, 24)], {
      ...SETTINGS,
      keep: 3,
    });
    const published = [
      [0, 0, 0.3465, 1.0179, 6.2998],
      [0, 1, 0.156, 0.5017, -1.9958],
      [0, 2, 0.158, 0.4236, -1.2595],
      [1, 1, 0.3375, 1.0478, 5.9597],
      [1, 2, 0.1535, 0.3849, -0.7417],
      [2, 2, 0.3414, 1.0348, 5.6386],
    ] as const;
    for (const [i, j, r, x, b] of published) {
      const ours = cell(z, i, j);
      expect(Math.abs(ours.r - r), `R${i}${j}`).toBeLessThan(TOLERANCE);
      expect(Math.abs(ours.x - x), `X${i}${j}`).toBeLessThan(TOLERANCE);
      // The published charging uses a permittivity rounded to 1.424e-2 microfarad mile.
      expect(Math.abs(ours.b / b - 1), `B${i}${j}`).toBeLessThan(1.5e-3);
    }
  });

  it('gives configuration 602 of the IEEE 13-node feeder', () => {
    // IEEE PES, "IEEE 13 Node Test Feeder": spacing 500, phases C A B N at 0, 2.5, 7 and 4 ft.
    const z = conductorImpedance([acsr40(2.5, 28), acsr40(7, 28), acsr40(0, 28), acsr40(4, 24)], {
      ...SETTINGS,
      keep: 3,
    });
    for (const [i, j, r, x] of [
      [0, 0, 0.7526, 1.1814],
      [0, 1, 0.158, 0.4236],
      [0, 2, 0.156, 0.5017],
      [1, 1, 0.7475, 1.1983],
      [1, 2, 0.1535, 0.3849],
      [2, 2, 0.7436, 1.2112],
    ] as const) {
      expect(Math.abs(cell(z, i, j).r - r), `R${i}${j}`).toBeLessThan(TOLERANCE);
      expect(Math.abs(cell(z, i, j).x - x), `X${i}${j}`).toBeLessThan(TOLERANCE);
    }
  });

  it('gives configuration 606, three concentric-neutral cables', () => {
    // IEEE PES, "IEEE 13 Node Test Feeder": 250 AA CN, 6 in apart; cable data of Kersting, example 4.3.
    const cable = (x: number): ConductorData => ({
      x: x * INCH,
      y: -4 * FOOT,
      gmr: 0.0171 * FOOT,
      radius: (0.567 / 2) * INCH,
      rAc: 0.41 / MILE,
      rDc: 0.41 / MILE / 1.02,
      shield: {
        kind: 'concentric',
        relativePermittivity: 2.3,
        insulationDiameter: 1.06 * INCH,
        insulationThickness: 0.22 * INCH,
        strandCount: 13,
        outerDiameter: 1.29 * INCH,
        strandDiameter: 0.0641 * INCH,
        strandGmr: 0.00208 * FOOT,
        strandR: 14.8722 / MILE,
      },
    });
    const z = conductorImpedance([cable(0), cable(6), cable(12)], SETTINGS);
    for (const [i, j, r, x] of [
      [0, 0, 0.7982, 0.4463],
      [0, 1, 0.3192, 0.0328],
      [0, 2, 0.2849, -0.0143],
      [1, 1, 0.7891, 0.4041],
      [2, 2, 0.7982, 0.4463],
    ] as const) {
      expect(Math.abs(cell(z, i, j).r - r), `R${i}${j}`).toBeLessThan(TOLERANCE);
      expect(Math.abs(cell(z, i, j).x - x), `X${i}${j}`).toBeLessThan(TOLERANCE);
    }
    // Charging of a coaxial cable, 2 pi eps / ln(outer / inner), as OpenDSS has it.
    const outer = (1.06 / 2) * INCH;
    const b = (2 * Math.PI * 60 * 2 * Math.PI * 8.854e-12 * 2.3) / Math.log(outer / (outer - 0.22 * INCH));
    expect(cell(z, 0, 0).b).toBeCloseTo(b * MILE * 1e6, 9);
    expect(cell(z, 0, 1).b).toBe(0);
  });

  it.each([
    // IEEE PES, "IEEE 13 Node Test Feeder", configuration 607: the neutral 1 in away.
    [1, 1.3425, 0.5124],
    // Kersting (4th ed. 2017), example 4.4: 3 in away, 1.3219 + j0.6743 ohm per mile.
    [3, 1.3219, 0.6743],
  ])('gives a tape-shielded cable with a bare neutral %d in away', (apart, r, x) => {
    const wires: ConductorData[] = [
      {
        x: 0,
        y: -4 * FOOT,
        gmr: 0.0111 * FOOT,
        radius: 0.184 * INCH,
        rAc: 0.97 / MILE,
        rDc: 0.97 / MILE,
        shield: {
          kind: 'tape',
          relativePermittivity: 2.3,
          insulationDiameter: 0.82 * INCH,
          insulationThickness: 0.22 * INCH,
          shieldDiameter: 0.88 * INCH,
          tapeThickness: 0.005 * INCH,
          tapeLap: 50,
        },
      },
      {
        x: apart * INCH,
        y: -4 * FOOT,
        gmr: 0.01113 * FOOT,
        radius: 0.184 * INCH,
        rAc: 0.607 / MILE,
        rDc: 0.607 / MILE,
      },
    ];
    const ours = cell(conductorImpedance(wires, { ...SETTINGS, keep: 1 }), 0, 0);
    expect(Math.abs(ours.r - r)).toBeLessThan(TOLERANCE);
    expect(Math.abs(ours.x - x)).toBeLessThan(TOLERANCE);
  });

  it('agrees within 2 % between the earth models at 60 Hz', () => {
    const wires = [acsr556(2.5, 28), acsr556(0, 28), acsr556(7, 28)];
    const self = (earthModel: EarthModel) => cell(conductorImpedance(wires, { frequencyHz: 60, earthModel }), 0, 0);
    for (const model of ['fullCarson', 'deri'] as const) {
      expect(Math.abs(self(model).r / self('carson').r - 1)).toBeLessThan(0.02);
      expect(Math.abs(self(model).x / self('carson').x - 1)).toBeLessThan(0.02);
    }
  });

  it('names a conductor that has no size or lies on another', () => {
    expect(() => conductorImpedance([acsr40(0, 28), acsr40(0, 28)], SETTINGS)).toThrow(
      /Conductor 2 .* lies on conductor 1/,
    );
    expect(() => conductorImpedance([{ ...acsr40(0, 28), gmr: 0 }], SETTINGS)).toThrow(/GMR 0 m/);
  });
});

describe('line impedance algebra', () => {
  it('makes phase matrices whose sequence values are those given', () => {
    const z = sequenceToPhase(3, { re: 0.3, im: 1.0 }, { re: 0.9, im: 2.5 });
    // Eigenvalues of a balanced matrix by hand: self - mutual and self + 2 mutual.
    expect(z.re[0]! - z.re[1]!).toBeCloseTo(0.3, 12);
    expect(z.im[0]! + 2 * z.im[1]!).toBeCloseTo(2.5, 12);
  });

  it('eliminates a grounded conductor', () => {
    // By hand: z11 - z12 z21 / z22 = (1 + 2j) - (0.5j)^2 / (1 + 1j) = 1 + 2j + 0.25 / (1 + 1j) = 1.125 + 1.875j.
    const reduced = kronReduce({ n: 2, re: [1, 0, 0, 1], im: [2, 0.5, 0.5, 1] }, 1);
    expect(reduced.re[0]).toBeCloseTo(1.125, 12);
    expect(reduced.im[0]).toBeCloseTo(1.875, 12);
  });

  it('names the conductor that cannot be eliminated', () => {
    expect(() => kronReduce({ n: 2, re: [1, 0, 0, 0], im: [0, 0, 0, 0] }, 1)).toThrow(/Conductor 2/);
  });
});
