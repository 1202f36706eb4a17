/** The pages of the dashboard in the machine's Chromium with a feeder that was made up: how fast its map takes on other colours. */
import { startDashboard } from '../../../dec/web/dashboard-server.js';
import { randomStream } from '../../../grid/math/index.js';
import { openModelStore } from '../../../platform/index.js';
import type { FeederMap, FlowDocument, IntervalDocument, RunDocument } from '../../../web/index.js';
import { launchChromium } from '../../system/web/chromium.js';
import type { DashboardJob } from '../job.js';

/** Buses of a street of the made-up feeder. */
const STREET = 100;

/** A feeder of streets off one main line, and a run of it in which nothing stays as it is. */
function madeUp(edges: number, intervals: number) {
  const random = randomStream(21);
  const buses = Array.from({ length: edges + 1 }, (_, i) => ({
    ...{ id: `b${i}`, name: `B${i}`, x: (i % STREET) * 10, y: Math.floor(i / STREET) * 10 },
    ...{ baseV: 2400, distanceKm: ((i % STREET) + Math.floor(i / STREET)) / 20, area: null },
  }));
  const branches = Array.from({ length: edges }, (_, i) => ({
    ...{ id: `l${i}`, name: `L${i}`, kind: 'line' as const, phases: 'A', ratingA: 100 },
    ...{ from: (i + 1) % STREET === 0 ? i + 1 - STREET : i, to: i + 1, isOpen: false, isRegulated: false },
  }));
  const map: FeederMap = {
    ...{ method: 'coordinates', width: 1000, height: (10 * edges) / STREET, buses, branches },
    ...{ areas: [], sources: [0], capacitors: [], units: [] },
  };
  const nodes = buses.map(({ name }) => ({ bus: name, phase: 'A' }));
  const figures = (timestamp: number) => ({
    ...{ timestamp, vMaxPu: 1.07, vMinPu: 1, vMaxNode: nodes[0]!, vMinNode: nodes[0]!, violations: 0 },
  });
  const list = Array.from({ length: intervals }, (_, k): IntervalDocument => {
    const voltages = () => nodes.map(() => Number((1 + 0.07 * random.uniform()).toFixed(6)));
    return {
      ...{ interval: k, timestamp: 900 * k, status: 'converged', rounds: 1, corrections: 0, seconds: 1 },
      ...{ availableW: 1, curtailedW: 0, curtailedPct: 0, priceOfFairnessPct: 0, jainServed: 1 },
      ...{ commanded: 1, unchanged: 0, before: figures(900 * k), after: figures(900 * k + 60) },
      ...{ beforePu: voltages(), afterPu: voltages(), curtailment: [], history: [] },
      ...{ missingAgents: [], lostAgents: [], agentErrors: [], findings: [] },
    };
  });
  const run: RunDocument = {
    ...{ id: 'made-up', feeder: { name: 'made-up', mrid: '0' }, status: 'completed', reason: null, settings: {} },
    ...{ limits: { minPu: 0.95, maxPu: 1.06 }, versions: {}, agents: 0, ders: 0, summary: {}, seconds: 1 },
    ...{ findings: [], nodes, intervals: list, files: [] },
  };
  const flow = (interval: number): FlowDocument => ({
    ...{ interval, status: 'converged', deviationPu: 0, lossW: 1, sourceW: 1 },
    branches: branches.map(() => ({
      currentA: 1,
      powerW: 1,
      position: null,
      loadingPct: Math.round(120 * random.uniform()),
    })),
  });
  return { map, run, flow };
}

/** Notes the time of every picture of the map, and whether it is another than the one before. */
const WATCH = `
  window.pictures = [];
  let before = 0;
  const put = CanvasRenderingContext2D.prototype.putImageData;
  CanvasRenderingContext2D.prototype.putImageData = function (image, ...rest) {
    let sum = 0;
    for (let i = 0; i < image.data.length; i += 4 * 97) sum = (sum * 31 + image.data[i] + 7 * image.data[i + 1]) | 0;
    window.pictures.push({ at: performance.now(), isNew: sum !== before });
    before = sum;
    return put.call(this, image, ...rest);
  };`;
/** Waits for the first picture and answers when it came after the page was asked for, s. */
const FIRST = `new Promise((done) => {
  const look = () => (window.pictures.length > 0 ? done(window.pictures[0].at / 1000) : setTimeout(look, 5));
  look();
})`;
/** Moves the slider with every frame for so many ms; answers the frames. */
const ticks = (ms: number) => `new Promise((done) => {
  const slider = document.querySelector('input[type=range]');
  const last = Number(slider.max);
  const begin = performance.now();
  window.pictures = [];
  let n = 0;
  const tick = () => {
    slider.value = String(++n % (last + 1));
    slider.dispatchEvent(new Event('input', { bubbles: true }));
    if (performance.now() - begin < ${ms}) requestAnimationFrame(tick);
    else requestAnimationFrame(() => done({ frames: n, pictures: window.pictures }));
  };
  requestAnimationFrame(tick);
})`;

interface Watched {
  readonly frames: number;
  readonly pictures: readonly { readonly at: number; readonly isNew: boolean }[];
}

/** Does the job. */
export async function dashboard(job: DashboardJob): Promise<object> {
  const { map, run, flow } = madeUp(job.edges, job.intervals);
  const server = await startDashboard({
    ...{ host: '127.0.0.1', port: 0, runs: job.runs, store: openModelStore(undefined, {}) },
  });
  const browser = await launchChromium();
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    await page.addInitScript(WATCH);
    await page.route('**/api/runs/made-up**', (route) => {
      const path = route.request().url();
      const isFlow = /\/flow\/(\d+)$/.exec(path);
      return route.fulfill({ json: isFlow ? flow(Number(isFlow[1])) : /\/(opened-)?map$/.test(path) ? map : run });
    });
    const first = async (id: string): Promise<number> => {
      await page.goto('about:blank');
      await page.goto(`${server.url}#/run/${id}`);
      return page.evaluate<number>(FIRST);
    };
    // The server reads the model once; who opens the page again does not wait for it.
    const sampleColdS = await first('sample');
    const sampleS = await first('sample');
    const firstS = await first('made-up');
    // Flows are read once; from then on every tick has other colours for lines as for points.
    await page.getByText('AC power flow of the interval').waitFor({ timeout: 60_000 });
    for (let k = 0; k < job.intervals; k++) {
      const answered = page.waitForResponse(/\/flow\//, { timeout: 10_000 }).catch(() => undefined);
      await page.getByRole('slider', { name: 'Interval' }).fill(String(k));
      if (k > 0) await answered;
    }
    const client = await page.context().newCDPSession(page);
    await client.send('Performance.enable');
    const metrics = async () => {
      const found = await client.send('Performance.getMetrics');
      return new Map(found.metrics.map(({ name, value }) => [name, value]));
    };
    await page.evaluate(ticks(1000));
    const seconds: number[] = [];
    const before = await metrics();
    let [frames, unchanged] = [0, 0];
    for (let k = 0; k < job.samples; k++) {
      const watched = await page.evaluate<Watched>(ticks(job.sampleMs));
      frames += watched.frames;
      unchanged += watched.pictures.filter(({ isNew }) => !isNew).length;
      const [begin, end] = [watched.pictures[0]!.at, watched.pictures.at(-1)!.at];
      seconds.push((end - begin) / 1000 / (watched.pictures.length - 1));
    }
    const after = await metrics();
    const spent = (name: string) => (1000 * (after.get(name)! - before.get(name)!)) / frames;
    const size = await page.locator('canvas.canvas').boundingBox();
    return {
      ...{ seconds, frames, unchanged, firstS, sampleS, sampleColdS },
      ...{ scriptMs: spent('ScriptDuration'), taskMs: spent('TaskDuration'), chromium: browser.version() },
      pixels: `${Math.round(size?.width ?? 0)} x ${Math.round(size?.height ?? 0)}`,
    };
  } finally {
    await browser.close();
    await server.close();
  }
}
