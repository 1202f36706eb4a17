import { RandomDevices } from './random-devices.js';
import type { Pair } from './random-script.js';

/**
 * Makes small OpenDSS scripts at random: 10 to 40 elements in a tree with some loops, every way to give an impedance or a
 * transformer, and the freedoms of the language - short names, values without names, reverse-Polish numbers, brackets of all
 * kinds, odd orders, `like`, `~`, edits.
 */
class RandomCircuit extends RandomDevices {
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
