import { type RandomStream, randomStream } from '../../../grid/math/index.js';

/** A bus that a random circuit has so far: its live nodes, its voltage, what it may carry. */
interface Place {
  readonly name: string;
  readonly nodes: readonly number[];
  /** Line to line, kV; across both legs for a split phase. */
  readonly kv: number;
  readonly kva: number;
  readonly isSplit: boolean;
}

type Pair = readonly [property: string, value: string | number];

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
const CLOSED = ['wye', 'y', 'ln', 'w'] as const;
const DELTA = ['delta', 'd', 'll', 'Delta'] as const;

/**
 * Makes small OpenDSS scripts at random: 10 to 40 elements in a tree with some loops, every way to give an impedance or a
 * transformer, and the freedoms of the language - short names, values without names, reverse-Polish numbers, brackets of all
 * kinds, odd orders, `like`, `~`, edits.
 */
class RandomCircuit {
  readonly lines: string[] = [];
  private readonly r: RandomStream;
  private readonly places: Place[] = [];
  private readonly made = new Map<string, string[]>();
  private count = 0;

  constructor(seed: number | string) {
    this.r = randomStream(seed);
  }

  private pick<T>(list: readonly T[]): T {
    return list[this.r.integer(list.length)]!;
  }

  private number(low: number, high: number): number {
    return Number(this.r.uniform(low, high).toPrecision(4));
  }

  private some<T>(list: readonly T[], share: number): T[] {
    return list.filter(() => this.r.chance(share));
  }

  private shuffled<T>(list: readonly T[]): T[] {
    const out = [...list];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.r.integer(i + 1);
      [out[i], out[j]] = [out[j]!, out[i]!];
    }
    return out;
  }

  private name(kind: string): string {
    return `${kind}${++this.count}${this.r.chance(0.1) ? (kind === 'L' ? '_A(x)' : '_A') : ''}`;
  }

  private list(values: readonly (number | string)[]): string {
    const gap = this.pick([' ', ', ', ',']);
    const [open, close] = this.pick([
      ['[', ']'],
      ['(', ')'],
      ['{', '}'],
      ['"', '"'],
    ] as const);
    return `${open}${values.join(gap)}${close}`;
  }

  private matrix(n: number, self: number, mutual: number): string {
    const values = Array.from({ length: n * n }, () => 1 + 0.1 * this.r.uniform(-1, 1));
    const isFull = this.r.chance(0.5);
    const rows = Array.from({ length: n }, (_, i) =>
      Array.from({ length: isFull ? n : i + 1 }, (_, j) =>
        ((i === j ? self : mutual) * values[Math.max(i, j) * n + Math.min(i, j)]!).toPrecision(5),
      ).join(' '),
    );
    const [open, close] = this.pick([
      ['[', ']'],
      ['(', ')'],
      ['{', '}'],
    ] as const);
    return `${open}${rows.join(' | ')}${close}`;
  }

  private value(value: string | number): string {
    if (typeof value === 'string' || !this.r.chance(0.08)) return String(value);
    return this.pick([
      `(${value} 1000 * 1000 /)`,
      `[${value} sqr sqrt]`,
      `(${value} 2 + 2 -)`,
      `"${value}"`,
      `${value.toExponential()}`,
    ]);
  }

  private property(name: string): string {
    if (this.r.chance(0.1)) return name.toUpperCase();
    if (name.length > 5 && this.r.chance(0.05)) return name.slice(0, name.length - 1);
    return name;
  }

  /** Writes a `new` in one of the ways to say it. @returns the name */
  private add(className: string, kind: string, fixed: readonly Pair[], free: readonly Pair[] = []): string {
    const name = this.name(kind);
    const pairs = [...fixed, ...(this.r.chance(0.5) ? this.shuffled(free) : free)];
    let line = `${this.pick(['new', 'New', 'NEW'])}${this.pick([' ', ' ', ' object='])}${className}.${name}`;
    let edits = false;
    for (const [property, value] of pairs) {
      // a control without its device is an error of its own
      const isWhole = className === 'regcontrol';
      if (!isWhole && this.r.chance(0.06)) {
        this.lines.push(line);
        line = edits || this.r.chance(0.3) ? `edit ${className}.${name}` : this.pick(['~', 'more']);
      }
      if (!isWhole && this.r.chance(0.02)) {
        this.lines.push(line);
        edits = true;
        this.lines.push(`${className}.${name}.${property}=${this.value(value)}`);
        line = `edit ${className}.${name}`;
        continue;
      }
      const space = this.r.chance(0.05) ? ' ' : '';
      line += `${this.pick([' ', ' ', ' ', ', '])}${this.property(property)}${space}=${space}${this.value(value)}`;
    }
    this.lines.push(this.r.chance(0.05) ? `${line} ${this.pick(['!', '//'])} a remark` : line);
    const known = this.made.get(className) ?? [];
    known.push(name);
    this.made.set(className, known);
    return name;
  }

  private at(bus: string, nodes: readonly number[], mayLeaveOut = true): string {
    const isPlain = nodes.length === 3 && nodes.every((n, i) => n === i + 1);
    return isPlain && mayLeaveOut && this.r.chance(0.6) ? bus : `${bus}.${nodes.join('.')}`;
  }

  private data(): void {
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

  private readonly codePhases = new Map<string, number>();
  private readonly geometries = new Map<string, number>();

  private lineCode(phases: number): void {
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

  private geometry(phases: number, neutrals: number): void {
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

  private cable(className: 'cndata' | 'tsdata', property: string): void {
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
  private line(from: Place, to?: Place): void {
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

  private transformer(from: Place): void {
    if (from.isSplit || from.kv < 1) return;
    const bus = this.name('B');
    const kva = Math.min(from.kva, this.pick([300, 500, 1000]));
    const losses = this.some<Pair>(
      [
        ['%noloadloss', this.number(0.1, 0.5)],
        ['%imag', this.number(0.2, 1)],
        ['ppm', this.pick([0, 1, 5])],
      ],
      0.4,
    );
    const tap = () => (this.r.chance(0.2) ? this.pick([0.975, 1.025, 1.05]) : 1);
    if (from.nodes.length < 3 || this.r.chance(0.25)) {
      this.singlePhase(from, bus, losses);
      return;
    }
    const lowKv = this.pick([0.48, 0.4, 4.16]);
    const conns = [this.pick(['wye', 'delta']), this.pick(['wye', 'wye', 'delta'])] as const;
    const words = conns.map((c) => (c === 'wye' ? this.pick(CLOSED) : this.pick(DELTA)));
    const ends = [this.at(from.name, from.nodes), this.pick([bus, `${bus}.1.2.3`, `${bus}.1.2.3.0`])];
    const r = [this.number(0.3, 1), this.number(0.3, 1)];
    const leads: Pair[] = this.some<Pair>([['leadlag', this.pick(['lead', 'lag', 'euro', 'ansi'])]], 0.2);
    const taps = [tap(), tap()];
    const tertiary = this.r.chance(0.12);
    if (tertiary) {
      const third = this.name('B');
      this.add(
        'transformer',
        'T',
        [
          ['phases', 3],
          ['windings', 3],
        ],
        [
          ['xhl', 5],
          ['xht', 7],
          ['xlt', 4],
          ['kvs', this.list([from.kv, lowKv, 0.48])],
          ['kvas', this.list([kva, kva, 100])],
          ['conns', this.list([...words, this.pick(['wye', 'delta'])])],
          ['buses', this.list([...ends, third])],
          ['%rs', this.list([...r, 0.7])],
          ...losses,
        ],
      );
      this.places.push({ name: third, nodes: [1, 2, 3], kv: 0.48, kva: 60, isSplit: false });
    } else if (this.r.chance(0.25)) {
      const code = this.add(
        'xfmrcode',
        'X',
        [
          ['phases', 3],
          ['windings', 2],
        ],
        [
          ['xhl', this.number(2, 6)],
          ['kvs', this.list([from.kv, lowKv])],
          ['kvas', this.list([kva, kva])],
          ['conns', this.list(words)],
          ['%rs', this.list(r)],
          ...losses,
        ],
      );
      this.add(
        'transformer',
        'T',
        [
          ['xfmrcode', code],
          ['buses', this.list(ends)],
        ],
        [...this.some<Pair>([['taps', this.list(taps)]], 0.4)],
      );
    } else if (this.r.chance(0.5)) {
      const winding = (w: number): Pair[] => [
        ['wdg', w + 1],
        ...this.shuffled<Pair>([
          ['bus', ends[w]!],
          ['conn', words[w]!],
          ['kv', [from.kv, lowKv][w]!],
          ['kva', kva],
          ['%r', r[w]!],
          ['tap', taps[w]!],
        ]),
      ];
      this.add('transformer', 'T', [
        ['phases', 3],
        ['windings', 2],
        ...(this.r.chance(0.8) ? [...winding(0), ...winding(1)] : [...winding(1), ...winding(0)]),
        ['xhl', this.number(2, 6)],
        ...losses,
        ...leads,
      ]);
    } else {
      this.add(
        'transformer',
        'T',
        [],
        [
          ['phases', 3],
          ['windings', 2],
          ['buses', this.list(ends)],
          ['conns', this.list(words)],
          ['kvs', this.list([from.kv, lowKv])],
          ['kvas', this.list([kva, kva])],
          ['taps', this.list(taps)],
          ['%rs', this.list(r)],
          ['xhl', this.number(2, 6)],
          ...losses,
          ...leads,
        ],
      );
    }
    this.places.push({ name: bus, nodes: [1, 2, 3], kv: lowKv, kva: kva / 2, isSplit: false });
    if (conns[1] === 'wye' && lowKv === 4.16 && this.r.chance(0.3)) this.regulator(this.places.at(-1)!);
  }

  private singlePhase(from: Place, bus: string, losses: readonly Pair[]): void {
    const node = this.pick(from.nodes);
    const other = from.nodes.filter((n) => n !== node);
    const isAcross = other.length > 0 && this.r.chance(0.3);
    const kv = Number((isAcross ? from.kv : from.kv / Math.sqrt(3)).toPrecision(6));
    const first = isAcross
      ? `${from.name}.${node}.${this.pick(other)}`
      : this.pick([`${from.name}.${node}`, `${from.name}.${node}.0`]);
    const kva = this.pick([15, 25, 50]);
    if (this.r.chance(0.6)) {
      const values: Pair[] = [
        ['xhl', 2.04],
        ['xht', 2.04],
        ['xlt', 1.36],
        ['kvs', this.list([kv, 0.12, 0.12])],
        ['kvas', this.list([kva, kva, kva])],
        ['%rs', this.list([0.6, 1.2, 1.2])],
        ...losses,
      ];
      const buses: Pair = ['buses', this.list([first, `${bus}.1.0`, `${bus}.0.2`])];
      if (this.r.chance(0.4)) {
        const code = this.add(
          'xfmrcode',
          'X',
          [
            ['phases', 1],
            ['windings', 3],
          ],
          values,
        );
        this.add('transformer', 'T', [], [['xfmrcode', code], buses]);
      } else
        this.add(
          'transformer',
          'T',
          [
            ['phases', 1],
            ['windings', 3],
          ],
          [buses, ...values],
        );
      this.places.push({ name: bus, nodes: [1, 2], kv: 0.24, kva: kva / 2, isSplit: true });
      return;
    }
    this.add(
      'transformer',
      'T',
      [
        ['phases', 1],
        ['windings', 2],
      ],
      [
        ['buses', this.list([first, `${bus}.${node}`])],
        ['kvs', this.list([kv, 0.24])],
        ['kvas', this.list([kva, kva])],
        ['xhl', 2.1],
        ['%rs', this.list([0.6, 0.6])],
        ...losses,
        ...this.some<Pair>([['conns', this.list([isAcross ? 'delta' : 'wye', 'wye'])]], 0.5),
      ],
    );
    this.places.push({
      name: bus,
      nodes: [node],
      kv: Number((0.24 * Math.sqrt(3)).toPrecision(6)),
      kva: kva / 2,
      isSplit: false,
    });
  }

  private regulator(from: Place): void {
    const bus = this.name('B');
    if (from.nodes.length === 0 || from.isSplit || from.kv < 1) return;
    const kv = Number((from.kv / Math.sqrt(3)).toPrecision(6));
    const isGanged = from.nodes.length === 3 && this.r.chance(0.3);
    const steps: Pair[] = this.some<Pair>(
      [
        ['maxtap', 1.1],
        ['mintap', 0.9],
        ['numtaps', this.pick([16, 32])],
      ],
      0.3,
    );
    for (const node of isGanged ? [0] : from.nodes) {
      const ends = isGanged ? [from.name, bus] : [`${from.name}.${node}`, `${bus}.${node}`];
      const rating = isGanged ? from.kv : kv;
      const name = this.add(
        'transformer',
        'R',
        [['phases', isGanged ? 3 : 1]],
        [
          ['bank', 'reg'],
          ['xhl', 0.01],
          ['buses', this.list(ends)],
          ['kvs', this.list([rating, rating])],
          ['kvas', this.list([2000, 2000])],
          ['%loadloss', 0.01],
          ...steps,
        ],
      );
      const pt = Number(((kv * 1000) / 120).toPrecision(4));
      this.add(
        'regcontrol',
        'rc',
        [
          ['transformer', name],
          ['winding', 2],
        ],
        [
          ['vreg', this.pick([118, 120, 122])],
          ['band', this.pick([2, 3])],
          ['ptratio', pt],
          ...(this.r.chance(0.5)
            ? ([
                ['ctprim', 700],
                ['r', this.number(0, 4)],
                ['x', this.number(0, 6)],
              ] as Pair[])
            : []),
          ...this.some<Pair>(
            [
              ['delay', 15],
              ['tapdelay', 2],
              ['maxtapchange', this.pick([1, 16])],
            ],
            0.3,
          ),
        ],
      );
    }
    this.places.push({ ...from, name: bus });
  }

  /** Nodes and rated voltage of a device at a place. */
  private spot(place: Place): { phases: number; nodes: number[]; kv: number; isDelta: boolean } {
    const { nodes, kv, isSplit } = place;
    if (isSplit)
      return this.r.chance(0.5)
        ? { phases: 1, nodes: [1, 2], kv: 0.24, isDelta: false }
        : { phases: 1, nodes: [this.pick(nodes)], kv: 0.12, isDelta: false };
    const perPhase = Number((kv / Math.sqrt(3)).toPrecision(6));
    if (nodes.length === 3 && this.r.chance(0.5))
      return {
        phases: 3,
        nodes: this.r.chance(0.9) ? [1, 2, 3] : this.shuffled([1, 2, 3]),
        kv,
        isDelta: this.r.chance(0.35),
      };
    if (nodes.length >= 2 && this.r.chance(0.4))
      return { phases: 1, nodes: this.shuffled(nodes).slice(0, 2), kv, isDelta: this.r.chance(0.5) };
    if (nodes.length >= 2 && this.r.chance(0.2))
      return { phases: 2, nodes: [...nodes].slice(0, 2), kv, isDelta: false };
    return { phases: 1, nodes: [this.pick(nodes)], kv: perPhase, isDelta: false };
  }

  private devicePairs(place: Place): { pairs: Pair[]; kw: number } {
    const { phases, nodes, kv, isDelta } = this.spot(place);
    const kw = this.number(0.02, 0.15) * place.kva;
    const conn: Pair[] = isDelta ? [['conn', this.pick(DELTA)]] : this.some<Pair>([['conn', this.pick(CLOSED)]], 0.3);
    const noted: Pair[] = phases === 3 && this.r.chance(0.5) ? [] : [['phases', phases]];
    return { pairs: [...noted, ['bus1', this.at(place.name, nodes)], ['kv', kv], ...conn], kw };
  }

  private load(place: Place): void {
    const { pairs, kw } = this.devicePairs(place);
    const model = this.pick([1, 1, 1, 2, 3, 4, 5, 6, 7, 8]);
    const power: Pair[] = this.pick<Pair[]>([
      [
        ['kw', kw],
        ['pf', this.pick([0.9, 0.95, 1, -0.95])],
      ],
      [
        ['kw', kw],
        ['kvar', Number((kw * this.r.uniform(-0.3, 0.6)).toPrecision(4))],
      ],
      [
        ['kva', kw],
        ['pf', 0.92],
      ],
    ]);
    const zipv: Pair[] = model === 8 ? [['zipv', this.list([0.5, 0.2, 0.3, 0.4, 0.3, 0.3, 0.5])]] : [];
    const cvr: Pair[] =
      model === 4
        ? [
            ['cvrwatts', this.number(0.4, 1)],
            ['cvrvars', this.number(1, 3)],
          ]
        : [];
    const window: Pair[] = this.some<Pair>(
      [
        ['vminpu', this.pick([0.85, 0.9, 0.8])],
        ['vmaxpu', this.pick([1.1, 1.2])],
        ['status', this.pick(['fixed', 'variable'])],
      ],
      0.3,
    );
    const former = this.made.get('load')?.at(-1);
    if (former && this.r.chance(0.1)) this.add('load', 'D', [['like', former]], pairs);
    else
      this.add(
        'load',
        'D',
        [],
        this.r.chance(0.7)
          ? [...pairs, ...power, ...this.some<Pair>([['model', model]], 1), ...zipv, ...cvr, ...window]
          : [...power, ['model', model], ...zipv, ...cvr, ...window, ...pairs],
      );
  }

  private generation(place: Place): void {
    const { pairs, kw } = this.devicePairs(place);
    const window: Pair[] = this.some<Pair>(
      [
        ['vminpu', 0.8],
        ['vmaxpu', 1.2],
      ],
      0.4,
    );
    switch (this.r.integer(3)) {
      case 0:
        this.add(
          'pvsystem',
          'P',
          [],
          [
            ...pairs,
            ['pmpp', kw],
            ['kva', kw * 1.1],
            ['irradiance', this.number(0.1, 1)],
            ...(this.r.chance(0.3)
              ? ([
                  ['%cutin', 1],
                  ['%cutout', 1],
                ] as Pair[])
              : []),
            ...this.some<Pair>(
              [
                ['pf', this.pick([1, 0.9, -0.9])],
                ['%pmpp', 80],
                ['kvarmax', kw * 0.4],
                ['wattpriority', 'y'],
                ['limitcurrent', 'y'],
              ],
              0.3,
            ),
            ...window,
          ],
        );
        return;
      case 1:
        this.add(
          'storage',
          'S',
          [],
          [
            ...pairs,
            ['kwrated', kw],
            ['kwhrated', kw * 4],
            ...this.some<Pair>(
              [
                ['state', this.pick(['charging', 'discharging', 'idling'])],
                ['%charge', 60],
                ['%discharge', 70],
                ['kwhstored', kw * 2],
                ['%reserve', 10],
                ['kva', kw * 1.2],
                ['kw', kw * 0.5],
              ],
              0.5,
            ),
            ...window,
          ],
        );
        return;
      default:
        this.add(
          'generator',
          'G',
          [],
          [
            ...pairs,
            ['kw', kw],
            ...this.some<Pair>(
              [
                ['pf', this.pick([0.9, 1, -0.9])],
                ['kvar', kw * 0.3],
                ['model', this.pick([1, 1, 2, 4, 5, 7])],
                ['kva', kw * 1.2],
                ['status', 'fixed'],
              ],
              0.4,
            ),
            ...window,
          ],
        );
    }
  }

  private shunt(place: Place): void {
    const { phases, nodes, kv, isDelta } = this.spot(place);
    const conn: Pair[] = isDelta ? [['conn', this.pick(DELTA)]] : [];
    const kvar = this.number(0.05, 0.2) * place.kva;
    const pairs: Pair[] = [['bus1', this.at(place.name, nodes, phases === 3)], ['phases', phases], ['kv', kv], ...conn];
    if (phases === 1 && nodes.length === 2) {
      pairs[0] = isDelta ? ['bus1', `${place.name}.${nodes.join('.')}`] : ['bus1', `${place.name}.${nodes[0]}`];
      if (!isDelta) pairs.push(['bus2', `${place.name}.${nodes[1]}`]);
    }
    if (phases === 2 && isDelta) return;
    if (this.r.chance(0.6)) {
      const steps = this.r.chance(0.3) ? 2 : 1;
      const name = this.add(
        'capacitor',
        'C',
        [],
        [
          ...pairs,
          ...(this.r.chance(0.8) ? ([['kvar', kvar]] as Pair[]) : ([['cuf', this.number(0.5, 5)]] as Pair[])),
          ...(steps > 1 ? ([['numsteps', 2]] as Pair[]) : []),
          ...this.some<Pair>(
            [
              ['r', 0.1],
              ['xl', 0.2],
            ],
            0.1,
          ),
        ],
      );
      if (steps > 1)
        this.lines.push(
          `capacitor.${name}.states=${this.list(
            this.pick([
              [1, 1],
              [1, 0],
              [0, 0],
            ]),
          )}`,
        );
      return;
    }
    const body: Pair[] = this.pick<Pair[]>([
      [['kvar', kvar]],
      [
        ['r', this.number(1, 5)],
        ['x', this.number(50, 100)],
      ],
      [
        ['x', this.number(50, 100)],
        ['rp', 5000],
      ],
      [['lmh', this.number(100, 300)]],
      [['z', this.list([5, 90])]],
      [
        ['z1', this.list([5, 90])],
        ['z0', this.list([6, 80])],
      ],
    ]);
    this.add('reactor', 'Q', [], [...pairs, ...body]);
  }

  private series(from: Place): void {
    const bus = this.name('B');
    if (from.isSplit) return;
    const ends: Pair[] = [
      ['phases', from.nodes.length],
      ['bus1', this.at(from.name, from.nodes)],
      ['bus2', this.at(bus, from.nodes)],
    ];
    const isLow = from.kv < 1;
    if (this.r.chance(0.4) && !isLow) this.add('capacitor', 'C', ends, [['cuf', this.number(3000, 9000)]]);
    else
      this.add(
        'reactor',
        'Q',
        ends,
        this.pick<Pair[]>([
          [
            ['r', 0.01],
            ['x', 0.02],
          ],
          [['z', this.list([0.01, 0.03])]],
          [
            ['rmatrix', this.matrix(from.nodes.length, 0.02, 0.004)],
            ['xmatrix', this.matrix(from.nodes.length, 0.05, 0.01)],
            ...this.some<Pair>([['parallel', 'y']], 0.2),
          ],
          [
            ['z1', this.list([0.01, 0.02])],
            ['z0', this.list([0.02, 0.04])],
          ],
        ]),
      );
    this.places.push({ ...from, name: bus });
  }

  make(): readonly string[] {
    const kv = this.pick([12.47, 4.16, 34.5, 24.9]);
    const short: Pair[] = this.pick<Pair[]>([
      [],
      [
        ['mvasc3', 500],
        ['mvasc1', 400],
      ],
      [
        ['isc3', 12000],
        ['isc1', 9000],
      ],
      [
        ['r1', 0.05],
        ['x1', 0.3],
        ['r0', 0.1],
        ['x0', 0.5],
      ],
      [
        ['z1', '[0.1 0.4]'],
        ['z0', '[0.2 0.9]'],
      ],
      [
        ['mvasc3', 300],
        ['x1r1', 3],
        ['x0r0', 2.5],
      ],
    ]);
    if (this.r.chance(0.15)) this.lines.push('set defaultbasefrequency=50');
    const pairs: Pair[] = [
      ['basekv', kv],
      ...short,
      ...this.some<Pair>(
        [
          ['pu', this.pick([0.99, 1.02, 1.04])],
          ['angle', 30],
        ],
        0.5,
      ),
    ];
    this.lines.push(`new circuit.t${pairs.map(([p, v]) => ` ${p}=${v}`).join('')}`);
    if (this.r.chance(0.3)) this.lines.push(`set earthmodel=${this.pick(['carson', 'fullcarson', 'deri'])}`);
    this.places.push({ name: 'sourcebus', nodes: [1, 2, 3], kv, kva: 1500, isSplit: false });
    this.data();
    this.line(this.places[0]!);
    const elements = 10 + this.r.integer(31);
    for (let k = 0; k < elements; k++) {
      const place = this.pick(this.places);
      const what = this.r.uniform();
      if (what < 0.3) this.line(place);
      else if (what < 0.42) this.transformer(place);
      else if (what < 0.45) this.regulator(place);
      else if (what < 0.72) this.load(place);
      else if (what < 0.82) this.generation(place);
      else if (what < 0.92) this.shunt(place);
      else if (what < 0.95) this.series(place);
      else {
        const twin = this.places.find(
          (p) =>
            p !== place &&
            p.kv === place.kv &&
            p.isSplit === place.isSplit &&
            p.kv > 1 &&
            place.kv === kv &&
            p.nodes.every((n) => place.nodes.includes(n)),
        );
        if (twin) this.line(place, twin);
      }
    }
    this.after(kv);
    return this.lines;
  }

  /** Edits after the circuit stands. */
  private after(kv: number): void {
    const of = (className: string) => this.made.get(className) ?? [];
    if (this.r.chance(0.2) && of('load').length > 0)
      this.lines.push(
        `batchedit load.${this.pick(['.*', 'D[0-9]+', 'd1'])} ${this.pick(['pf=0.97', 'vminpu=.8', 'model=5', 'kw=1'])}`,
      );
    if (this.r.chance(0.15) && of('capacitor').length > 0)
      this.lines.push(`${this.pick(['disable', 'open'])} capacitor.${this.pick(of('capacitor'))}`);
    if (this.r.chance(0.15) && of('line').length > 2) {
      const line = this.pick(of('line').slice(1));
      this.lines.push(`open line.${line} ${this.pick(['', 'term=2', '1 1', 'term=1'])}`);
      if (this.r.chance(0.3)) this.lines.push(`close line.${line} ${this.pick(['', 'term=1'])}`);
    }
    if (this.r.chance(0.15) && of('load').length > 0) this.lines.push(`load.${this.pick(of('load'))}.enabled=no`);
    if (this.r.chance(0.2)) this.lines.push(`set loadmult=${this.number(0.5, 1.3)}`);
    if (this.r.chance(0.1)) this.lines.push(`set genmult=${this.number(0.5, 1)}`);
    this.lines.push(
      `set voltagebases=${this.list([...new Set([kv, 4.16, 0.48, 0.4, 0.415692, 0.208])])}`,
      this.pick(['calcvoltagebases', 'calcv', 'CalcVoltageBases']),
    );
  }
}

/** The lines of one random script; equal seeds give equal scripts. */
export const randomCircuit = (seed: number | string): readonly string[] => new RandomCircuit(seed).make();
