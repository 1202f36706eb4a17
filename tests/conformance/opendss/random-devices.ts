import { CLOSED, DELTA, type Pair, type Place } from './random-script.js';
import { RandomTransformers } from './random-transformers.js';

/** What stands at a bus or in series with it: loads, generation, capacitors and reactors. */
export class RandomDevices extends RandomTransformers {
  /** Nodes and rated voltage of a device at a place. */
  protected spot(place: Place): { phases: number; nodes: number[]; kv: number; isDelta: boolean } {
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

  protected devicePairs(place: Place): { pairs: Pair[]; kw: number } {
    const { phases, nodes, kv, isDelta } = this.spot(place);
    const kw = this.number(0.02, 0.15) * place.kva;
    const conn: Pair[] = isDelta ? [['conn', this.pick(DELTA)]] : this.some<Pair>([['conn', this.pick(CLOSED)]], 0.3);
    const noted: Pair[] = phases === 3 && this.r.chance(0.5) ? [] : [['phases', phases]];
    return { pairs: [...noted, ['bus1', this.at(place.name, nodes)], ['kv', kv], ...conn], kw };
  }

  protected load(place: Place): void {
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

  protected generation(place: Place): void {
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

  protected shunt(place: Place): void {
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

  protected series(from: Place): void {
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
}
