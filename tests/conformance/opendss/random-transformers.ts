import { RandomConductors } from './random-conductors.js';
import { CLOSED, DELTA, type Pair, type Place } from './random-script.js';

/** Transformers of two and three windings, split-phase services and regulators with their controls. */
export class RandomTransformers extends RandomConductors {
  protected transformer(from: Place): void {
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

  protected singlePhase(from: Place, bus: string, losses: readonly Pair[]): void {
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

  protected regulator(from: Place): void {
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
}
