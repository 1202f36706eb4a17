import type { Pair, Place } from './random-script.js';
import { RandomScript } from './random-script.js';

const UNITS = ['mi', 'kft', 'km', 'm', 'ft', 'in', 'cm'] as const;
/** Metres in each of them. */
const METRES: Readonly<Record<string, number>> = {
  mi: 1609.344,
  kft: 304.8,
  km: 1000,
  m: 1,
  ft: 0.3048,
  in: 0.0254,
  cm: 0.01,
};

/** Lines in every way to give an impedance: codes, geometries, cables, matrices and sequence values. */
export class RandomConductors extends RandomScript {
  protected data(): void {
    const wire = () =>
      this.add(
        'wiredata',
        'w',
        [],
        [
          ['runits', 'mi'],
          ['gmrunits', 'ft'],
          ['radunits', 'in'],
          this.r.chance(0.5) ? ['rac', this.number(0.1, 2)] : ['rdc', this.number(0.1, 2)],
          ['gmrac', this.number(0.005, 0.03)],
          this.r.chance(0.5) ? ['diam', this.number(0.2, 1)] : ['radius', this.number(0.1, 0.5)],
          ...this.some<Pair>([['normamps', 400]], 0.3),
        ],
      );
    wire();
    wire();
    for (const neutrals of [0, 1, 2]) {
      for (const phases of [1, 2, 3]) if (this.r.chance(0.25)) this.geometry(phases, neutrals);
    }
    for (const phases of [1, 2, 3, 4]) {
      if (this.r.chance(0.6)) this.lineCode(phases);
      if (this.r.chance(0.1)) {
        const last = this.made.get('linecode')?.at(-1);
        if (last)
          this.add(
            'linecode',
            'lc',
            [['like', last]],
            this.some<Pair>(
              [
                ['r1', 0.4],
                ['units', 'km'],
              ],
              0.3,
            ),
          );
      }
    }
    if (this.r.chance(0.3)) this.cable('cndata', 'cncable');
    if (this.r.chance(0.3)) this.cable('tsdata', 'tscable');
  }

  protected readonly codePhases = new Map<string, number>();
  protected readonly geometries = new Map<string, number>();

  protected lineCode(phases: number): void {
    const unit = this.pick([...UNITS.slice(0, 5), 'none'] as const);
    const perUnit = METRES[unit] ?? 300;
    const scale = perUnit / 1609.344;
    const free: Pair[] = this.r.chance(0.5)
      ? [
          ['r1', this.number(0.1, 1) * scale],
          ['x1', this.number(0.2, 1) * scale],
          ['r0', this.number(0.3, 2) * scale],
          ['x0', this.number(0.6, 3) * scale],
          ...this.some<Pair>(
            [
              ['c1', this.number(1, 20) * scale],
              ['c0', this.number(1, 10) * scale],
            ],
            0.6,
          ),
          ...this.some<Pair>([['b1', this.number(1, 5) * scale]], 0.1),
        ]
      : [
          ['rmatrix', this.matrix(phases, 0.4 * scale, 0.12 * scale)],
          ['xmatrix', this.matrix(phases, 1.0 * scale, 0.4 * scale)],
          ...this.some<Pair>([['cmatrix', this.matrix(phases, 12 * scale, -3 * scale)]], 0.7),
        ];
    const units: Pair[] = unit === 'none' && this.r.chance(0.5) ? [] : [['units', unit]];
    const base: Pair[] = this.some<Pair>(
      [
        ['basefreq', this.pick([50, 60])],
        ['normamps', 300],
      ],
      0.2,
    );
    const isReduced = phases > 1 && this.r.chance(0.12);
    const name = this.add('linecode', 'lc', [['nphases', phases]], [...free, ...units, ...base]);
    if (isReduced) this.lines.push(`edit linecode.${name} ${this.r.chance(0.3) ? `neutral=${phases} ` : ''}kron=y`);
    if (!isReduced) this.codePhases.set(name, phases);
  }

  protected geometry(phases: number, neutrals: number): void {
    const wires = this.made.get('wiredata')!;
    const n = phases + neutrals;
    const x = Array.from({ length: n }, (_, i) => Number((-4 + 2.7 * i + this.r.uniform(-0.5, 0.5)).toFixed(2)));
    const h = Array.from({ length: n }, (_, i) => (i < phases ? 28 : 23));
    if (this.r.chance(0.3)) {
      const spacing = this.add(
        'linespacing',
        'sp',
        [
          ['nconds', n],
          ['nphases', phases],
          ['units', 'ft'],
        ],
        [
          ['x', this.list(x)],
          ['h', this.list(h)],
        ],
      );
      const all = Array.from({ length: n }, () => this.pick(wires));
      if (this.r.chance(0.5)) {
        const name = this.add(
          'linegeometry',
          'g',
          [
            ['nconds', n],
            ['nphases', phases],
            ['spacing', spacing],
            ['wires', this.list(all)],
          ],
          this.some<Pair>([['reduce', 'y']], 0.5),
        );
        this.geometries.set(name, phases);
      }
      return;
    }
    const conductors: Pair[] = Array.from({ length: n }, (_, i): Pair[] => [
      ['cond', i + 1],
      ['wire', this.pick(wires)],
      ['x', x[i]!],
      ['h', h[i]!],
      ['units', 'ft'],
    ]).flat();
    const name = this.add(
      'linegeometry',
      'g',
      [['nconds', n], ['nphases', phases], ...conductors],
      neutrals > 0 ? [['reduce', 'y']] : [],
    );
    this.geometries.set(name, phases);
  }

  protected cable(className: 'cndata' | 'tsdata', property: string): void {
    const common: Pair[] = [
      ['epsr', 2.3],
      ['inslayer', 0.22],
      ['runits', 'mi'],
      ['gmrunits', 'in'],
      ['radunits', 'in'],
      ['rac', this.number(0.3, 0.5)],
      ['gmrac', 0.2],
      ['diam', 0.57],
      ['diains', 1.06],
      ['diacable', 1.16],
    ];
    const own: Pair[] =
      className === 'cndata'
        ? [
            ['k', 13],
            ['diastrand', 0.064],
            ['rstrand', 14.87],
            ['gmrstrand', 0.02496],
          ]
        : [
            ['diashield', 1.1],
            ['tapelayer', 0.005],
            ['tapelap', 20],
          ];
    const name = this.add(className, 'c', [], [...common, ...own]);
    const phases = 1 + this.r.integer(3);
    const pairs = Array.from({ length: phases }, (_, i): Pair[] => [
      ['cond', i + 1],
      [property, name],
      ['x', -0.5 + 0.5 * i],
      ['h', -4],
      ['units', 'ft'],
    ]).flat();
    const geometry = this.add('linegeometry', 'g', [['nconds', phases], ['nphases', phases], ...pairs]);
    this.geometries.set(geometry, phases);
  }

  /** A new bus behind a line; the nodes are all or some of those at its beginning. */
  protected line(from: Place, to?: Place): void {
    const nodes = to
      ? to.nodes
      : from.isSplit || this.r.chance(0.7)
        ? from.nodes
        : this.shuffled(from.nodes).slice(0, 1 + this.r.integer(from.nodes.length));
    const phases = nodes.length;
    const bus = to?.name ?? this.name('B');
    const isLow = from.kv < 1;
    const metres = isLow ? this.number(5, 40) : this.number(50, 800);
    const unit = this.pick(UNITS.slice(0, 5));
    const length = Number((metres / METRES[unit]!).toPrecision(4));
    const places: Pair[] = [
      ['bus1', this.at(from.name, nodes)],
      ['bus2', this.at(bus, nodes)],
    ];
    const codes = [...this.codePhases].filter(([, n]) => n === phases).map(([name]) => name);
    const geometries = [...this.geometries].filter(([, n]) => n === phases).map(([name]) => name);
    const scale = METRES[unit]! / 1609.344;
    const kind = this.r.uniform();
    if (kind < 0.1)
      this.add(
        'line',
        'sw',
        [['phases', phases], ...places],
        [
          ['switch', this.pick(['y', 'yes', 'true'])],
          ...this.some<Pair>(
            [
              ['r1', 0.001],
              ['x1', 0.002],
              ['r0', 0.001],
              ['x0', 0.002],
              ['c1', 0],
              ['c0', 0],
              ['length', 1],
            ],
            this.pick([0, 0.9]),
          ),
        ],
      );
    else if (kind < 0.4 && codes.length > 0)
      this.add(
        'line',
        'L',
        [],
        [...places, ['phases', phases], ['linecode', this.pick(codes)], ['length', length], ['units', unit]],
      );
    else if (kind < 0.65 && geometries.length > 0)
      this.add('line', 'L', this.r.chance(0.5) ? places : [['phases', phases], ...places], [
        ['geometry', this.pick(geometries)],
        ['length', length],
        ['units', unit],
        ...this.some<Pair>([['rho', 60]], 0.2),
      ]);
    else if (kind < 0.85)
      this.add(
        'line',
        'L',
        [['phases', phases]],
        [
          ...places,
          ['r1', this.number(0.1, 1) * scale],
          ['x1', this.number(0.2, 1) * scale],
          ['r0', this.number(0.3, 2) * scale],
          ['x0', this.number(0.6, 3) * scale],
          ['c1', this.number(1, 20) * scale],
          ['c0', this.number(1, 10) * scale],
          ['length', length],
          ...this.some<Pair>([['units', unit]], 0.7),
        ],
      );
    else
      this.add(
        'line',
        'L',
        [['phases', phases], ...places],
        [
          ['rmatrix', this.matrix(phases, 0.4 * scale, 0.12 * scale)],
          ['xmatrix', this.matrix(phases, 1 * scale, 0.4 * scale)],
          ['cmatrix', this.matrix(phases, 12 * scale, -3 * scale)],
          ['length', length],
          ['units', unit],
        ],
      );
    if (!to) this.places.push({ ...from, name: bus, nodes });
  }
}
