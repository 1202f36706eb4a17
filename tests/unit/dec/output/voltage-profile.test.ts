import { describe, expect, it } from 'vitest';
import { busDistancesKm, renderSvg, voltageProfilePlot } from '../../../../dec/output/index.js';
import { createPowerFlow, powerFlowReport } from '../../../../grid/flow/index.js';
import { feeder } from '../../../builders/feeder.js';

const Z = { r: [[0.3], [0.1, 0.3], [0.1, 0.1, 0.3]], x: [[0.9], [0.4, 0.9], [0.4, 0.4, 0.9]] };

const built = feeder('profile')
  .source('S', 'a', { kv: 4.16, pu: 1.04 })
  .line('L1', 'a', 'b', { ...Z, lengthM: 400 })
  .line('L2', 'b', 'c', { ...Z, lengthM: 600 })
  .load('D1', 'c', { kw: 300, kvar: 100 })
  .build();

describe('voltage over distance', () => {
  it('adds lengths along the feeder from the source', () => {
    const distances = busDistancesKm(built);
    const of = (name: string) => distances.get(built.buses.find((bus) => bus.name.toLowerCase() === name)!.id);
    expect([of('a'), of('b'), of('c')]).toEqual([0, 0.4, 1]);
  });

  it('is a picture with title, units and legend, one line a branch and phase', async () => {
    const flow = createPowerFlow(built);
    const svg = await renderSvg(voltageProfilePlot(built, powerFlowReport(flow, flow.solve())));
    expect(svg).toContain('Voltage over distance, profile');
    expect(svg).toContain('distance from the source (km)');
    expect(svg).toContain('voltage (pu)');
    expect(svg).toContain('role-legend');
    expect(svg).not.toContain('NaN');
    // Two lines of three phases.
    expect(svg.match(/<path [^>]*stroke="#(D55E00|009E73|0072B2)" stroke-width="1"/g)).toHaveLength(6);
  });
});
