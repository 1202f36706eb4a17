import { describe, expect, it } from 'vitest';
import { createPowerFlow, powerFlowReport } from '../../../grid/flow/index.js';
import { buildFeeder, findAreas, linePrimitive, validateFeeder } from '../../../grid/model/index.js';
import { linearFeeder } from '../../../grid/optim/index.js';
import { feeder, type Rows } from '../../builders/feeder.js';

const R: Rows = [[0.3465], [0.156, 0.3375], [0.158, 0.1535, 0.3414]];
const X: Rows = [[1.0179], [0.5017, 1.0478], [0.4236, 0.3849, 1.0348]];
/** Nanofarad of the OpenDSS `cmatrix` to microsiemens at 60 Hz. */
const charging = (nanofarad: Rows): Rows => nanofarad.map((row) => row.map((c) => c * 2 * Math.PI * 60 * 1e-3));

/**
 * The script of the reference, solved with dss-python 0.15.7 (DSS C-API 0.14.5), tolerance 1e-10:
 *   new circuit.c basekv=12.47 pu=1.02 bus1=a mvasc3=200 mvasc1=180
 *   new line.l1 a b rmatrix=R xmatrix=X cmatrix=(15|-4 14|-3 -2 13) length=2
 *   new reactor.s bus1=b bus2=c r=0.05 x=1.5;  new reactor.sh bus1=c kvar=600 kv=12.47
 *   new reactor.d bus1=c.1.2.3 conn=delta r=10 x=900;  new reactor.g bus1=c.4 bus2=c.0 phases=1 r=2 x=5
 *   new load.d bus1=c.1.2.3.4 kv=12.47 kw=900 kvar=300;  new load.e bus1=c.2 phases=1 kv=7.2 kw=200 kvar=50
 *   new line.l2 c d rmatrix=R xmatrix=X cmatrix=(150|-40 140|-30 -20 130) length=3;  open line.l2 2 2;  open line.l2 1 3
 * Source impedance as OpenDSS makes it from mvasc3, mvasc1, x1r1 = 4, x0r0 = 3.
 */
function withReactors() {
  const z1 = 12.47 ** 2 / 200;
  const r1 = z1 / Math.hypot(1, 4);
  const x1 = 4 * r1;
  // |2 Z1 + Z0| = 3 kV^2 / MVAsc1 with X0 = 3 R0.
  const a = 1 + 9;
  const b = 4 * (r1 + 3 * x1);
  const c = 4 * (r1 * r1 + x1 * x1) - ((3 * 12.47 ** 2) / 180) ** 2;
  const r0 = (-b + Math.sqrt(b * b - 4 * a * c)) / (2 * a);
  const grid = feeder('reactors')
    .source('S', 'a', { kv: 12.47, pu: 1.02, z1: [r1, x1], z0: [r0, 3 * r0] })
    .line('l1', 'a', 'b', { r: R, x: X, bMicroSiemens: charging([[15], [-4, 14], [-3, -2, 13]]), length: 2 })
    .reactor('s', 'b', { to: 'c', ohm: [0.05, 1.5] })
    .reactor('sh', 'c', { ohm: [0, 12.47 ** 2 / 0.6] })
    .reactor('d', 'c', { connection: 'delta', ohm: [10, 900] })
    .reactor('g', 'c', { nodes: [4], ohm: [2, 5] })
    .line('l2', 'c', 'd', {
      r: R,
      x: X,
      bMicroSiemens: charging([[150], [-40, 140], [-30, -20, 130]]),
      length: 3,
      isOpen: { from: [false, false, true], to: [false, true, false] },
    })
    .load('d', 'c', { kw: 900, kvar: 300 })
    .load('e', 'c', { phases: 'B', shareKv: 7.2, kw: 200, kvar: 50 })
    .data();
  // The load's neutral is the explicit wire 4, tied to ground by the reactor alone.
  const loads = grid.loads.map((load) =>
    load.name === 'd' ? { ...load, shares: load.shares.map((share) => ({ ...share, otherNode: 4 })) } : load,
  );
  return buildFeeder({ ...grid, loads });
}

const REFERENCE: readonly (readonly [string, number, number, number])[] = [
  ['B', 1, 7181.18862420251, -3.5269941198775085],
  ['B', 2, -3690.4564775639797, -6128.242339926124],
  ['B', 3, -3565.2796731424924, 6268.1858967690905],
  ['C', 1, 7082.82362752854, -62.633177767664264],
  ['C', 2, -3720.899806931544, -5980.062725344065],
  ['C', 3, -3463.9979908622145, 6210.5886775002555],
  ['C', 4, -3.8800500801864457, -1.9265093980707124],
  ['D', 1, 7084.093442489624, -63.357546115962684],
  ['D', 2, 0, 0],
  ['D', 3, 1062.2143674963982, -934.8538232210458],
];

describe('reactors and open line ends against OpenDSS', () => {
  it('gives the voltages of series, shunt, delta and neutral reactors and of a line with open ends', () => {
    const solution = createPowerFlow(withReactors(), { tolerancePu: 1e-11 }).solve();
    expect(solution.status).toBe('converged');
    for (const [bus, node, re, im] of REFERENCE) {
      const v = solution.voltageAt(bus, node)!;
      expect(Math.hypot(v.re - re, v.im - im) / 7200, `${bus}.${node}`).toBeLessThan(2e-7);
    }
    // Circuit.Losses of the same run: shunt reactors and the neutral reactor are no losses of the network.
    expect(solution.lossW).toBeCloseTo(9515.98966366, 0);
    expect(solution.lossVar).toBeCloseTo(40246.77158942, 0);
    // Circuit.TotalPower.
    expect(solution.sourceW).toBeCloseTo(1115084.536711, 0);
    expect(solution.sourceVar).toBeCloseTo(1471417.421172, 0);
  });

  it('eliminates the open ends of a line from its admittance', () => {
    const line = withReactors().lines.find(({ name }) => name === 'l2')!;
    const { y } = linePrimitive(line);
    // CktElement.Yprim of line.l2 in the same run.
    expect(y.re[0]).toBeCloseTo(9.989704358e-2, 9);
    expect(y.im[0]).toBeCloseTo(-2.933633232e-1, 9);
    expect(y.im[7]).toBeCloseTo(1.583526031e-4, 10);
    expect(y.im[5 * 6 + 5]).toBeCloseTo(1.470416455e-4, 10);
    expect(y.re[2 * 6 + 2]).toBe(0);
    expect(y.im[4 * 6 + 4]).toBe(0);
  });

  it('reports reactors as branches, keeps areas and reach together over them, and finds nothing wrong with them', () => {
    const grid = withReactors();
    const flow = createPowerFlow(grid);
    const report = powerFlowReport(flow, flow.solve());
    const reactors = report.branches.filter(({ kind }) => kind === 'reactor');
    expect(reactors.map(({ name, from, to }) => `${name} ${from} ${to}`)).toEqual([
      's B C',
      'sh C C',
      'd C C',
      'g C C',
    ]);
    // To ground only the one end of a conductor is a node.
    expect(reactors[1]!.terminals.length).toBe(3);
    expect(findAreas(grid).switchAreas).toEqual([]);
    const findings = validateFeeder(grid);
    expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(findings.map(({ code, name }) => `${code} ${name}`)).not.toContain('ISOLATED_BUS D');
    // Nodes behind the open ends have no path to the source.
    expect(flow.nodes.filter((_, i) => flow.isIsolated[i]).map(({ bus, node }) => `${bus}.${node}`)).toEqual([
      'D.2',
      'D.3',
    ]);
  });

  it('takes series reactors as lines and shunt reactors as admittances into the linear model', () => {
    const at = (reactor: boolean) => {
      const builder = feeder('linear')
        .source('S', 'a', { kv: 12.47, z1: [1e-6, 1e-6] })
        .reactor('s', 'a', { to: 'b', ohm: [0.05, 1.5] });
      if (reactor) builder.reactor('sh', 'b', { connection: 'delta', ohm: [0, (3 * 12.47 ** 2) / 0.6] });
      return linearFeeder(builder.data());
    };
    const model = at(true);
    expect(model.isolatedBuses).toEqual([]);
    // By hand: a 600 kvar delta reactor draws 200 kvar a phase at nominal voltage.
    for (const node of [1, 2, 3]) {
      const i = model.index.get(`B ${node}`)!;
      expect(model.network.shuntVar[i]).toBeCloseTo(200_000, 3);
      expect(model.network.shuntW[i]).toBeCloseTo(0, 3);
    }
    expect(at(false).network.shuntVar.every((q) => q === 0)).toBe(true);
  });
});
