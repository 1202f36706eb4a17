import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Bus,
  connectStomp,
  liveLook,
  liveLookQueue,
  liveUpdate,
  type RunControl,
  type RunControlReply,
  runControl,
  runControlQueue,
  runControlReply,
} from '../../../bus/index.js';
import { type RunProgress, type RunResult, runCoordination } from '../../../dec/coordinator/index.js';
import { runManifest } from '../../../dec/output/manifest.js';
import { manifestSchema } from '../../../dec/schema/index.js';
import { type Platform, startPlatform } from '../../../platform/index.js';
import { type LiveRun, UNSEEN_RUN, withUpdate } from '../../../web/index.js';
import { smallSecondariesFile } from '../../builders/small-secondaries.js';

const RUN = 'controlled';
const SETTINGS = {
  intervals: 12,
  intervalS: 300,
  publishPeriodS: 300,
  hosts: 1,
} as const;

/** One whole run that stands still between its intervals, and what each control makes of the next one. */
describe('controls of a run through the bus', () => {
  let folder = '';
  let bus: Bus;
  let run: LiveRun = UNSEEN_RUN;
  let ended: Promise<RunResult>;
  const abort = new AbortController();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'dec-controls-'));
    let watchable: (progress: Extract<RunProgress, { kind: 'watchable' }>) => void = () => undefined;
    const there = new Promise<Extract<RunProgress, { kind: 'watchable' }>>((resolve) => (watchable = resolve));
    ended = runCoordination({
      feeder: smallSecondariesFile(folder),
      settings: SETTINGS,
      runId: RUN,
      isPaused: true,
      audit: false,
      signal: abort.signal,
      onProgress: (progress) => {
        if (progress.kind === 'watchable') watchable(progress);
      },
    });
    const { broker } = await Promise.race([there, ended.then((result) => Promise.reject(new Error(result.reason)))]);
    bus = await connectStomp({ ...broker, login: 'system', passcode: 'manager' });
  });
  afterAll(async () => {
    abort.abort();
    await ended.catch(() => undefined);
    await bus?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function look(): Promise<LiveRun> {
    const body = liveLook.format({ since: run.revision, runId: run.runId });
    const reply = await bus.request(liveLookQueue(RUN), body, { timeoutMs: 60_000 });
    run = withUpdate(run, liveUpdate.parse(reply.body));
    return run;
  }
  async function until(what: (run: LiveRun) => boolean): Promise<LiveRun> {
    for (const endMs = Date.now() + 60_000; Date.now() < endMs; ) {
      if (what(await look())) return run;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error(`In vain: ${JSON.stringify({ ...run, description: undefined }).slice(0, 2000)}`);
  }
  async function ask(control: RunControl): Promise<RunControlReply> {
    const reply = await bus.request(runControlQueue(RUN), runControl.format(control), { timeoutMs: 60_000 });
    return runControlReply.parse(reply.body);
  }
  /** Has the next interval be coordinated and waits until the simulation has answered its set-points. */
  async function step() {
    const next = run.intervals.length;
    expect(await ask({ kind: 'step' })).toMatchObject({ isAccepted: true });
    await until(({ intervals }) => (intervals[next]?.after ?? null) !== null);
    return run.intervals[next]!;
  }

  it('waits before its first interval, and tells what it is', async () => {
    const { description, inForce, intervals } = await until(({ status, output }) => status === 'paused' && !!output);
    expect(intervals).toEqual([]);
    expect(inForce).toMatchObject({
      fairness: 'proportional',
      limits: { minPu: 0.95, maxPu: 1.05 },
      droppedAgents: [],
    });
    expect(description?.agents.map(({ agentId }) => agentId)).toContain('9A');
    expect(description?.controls).toContain('limits');
    expect(description?.nodes.length).toBe(run.output?.voltagesPu.length);
  });

  it('each changes the next interval', async () => {
    const first = await step();
    expect(first.status).toBe('converged');
    expect(first.after!.vMaxPu).toBeLessThan(1.0501);

    // A lower limit holds in the next output.
    expect(await ask({ kind: 'limits', minPu: 0.95, maxPu: 1.045, by: 'test' })).toMatchObject({ isAccepted: true });
    const lower = await step();
    expect(run.inForce?.limits.maxPu).toBe(1.045);
    expect(lower.after!.vMaxPu).toBeLessThan(1.045 + 1e-3);
    // What holds now is not what the first one worked with, even where more is told of it.
    expect(run.intervals.map(({ limits }) => limits?.maxPu)).toEqual([1.05, 1.045]);
    expect(lower.curtailedW!).toBeGreaterThan(first.curtailedW!);

    // One fraction for all: under proportional agents differ.
    const spread = (one: typeof first) => {
      const shares = one.curtailment.map(({ availableW, curtailedW }) => curtailedW / availableW);
      return Math.max(...shares) - Math.min(...shares);
    };
    expect(await ask({ kind: 'fairness', mode: 'equalAlpha' })).toMatchObject({ isAccepted: true });
    const equal = await step();
    expect(run.inForce?.fairness).toBe('equalAlpha');
    expect(run.intervals.map(({ fairness }) => fairness)).toEqual(['proportional', 'proportional', 'equalAlpha']);
    expect(spread(lower)).toBeGreaterThan(0.02);
    expect(spread(equal)).toBeLessThan(1e-3);

    // Half the sun is half of what is available; the simulation has it too: less is to be curtailed.
    expect(await ask({ kind: 'multipliers', pv: 0.5 })).toMatchObject({ isAccepted: true });
    const dull = await step();
    expect(dull.availableW! / equal.availableW!).toBeCloseTo(0.5, 2);
    expect(dull.curtailedW!).toBeLessThan(equal.curtailedW!);
    // More load lowers voltages.
    expect(await ask({ kind: 'multipliers', load: 1, pv: 0.5 })).toMatchObject({ isAccepted: true });
    const busy = await step();
    expect(busy.after!.vMinPu).toBeLessThan(dull.after!.vMinPu - 1e-3);

    // An agent that is dropped takes no part; it does again when it is taken back.
    expect(await ask({ kind: 'agent', agentId: '9A', isDropped: true })).toMatchObject({ isAccepted: true });
    const without = await step();
    expect(run.inForce?.droppedAgents).toEqual(['9A']);
    expect(without.findings.join()).toContain('1 agent is dropped, limits in force stay: 9A.');
    expect(without.missingAgents).toEqual([]);
    expect(await ask({ kind: 'agent', agentId: '9A', isDropped: false })).toMatchObject({ isAccepted: true });
    const again = await step();
    expect(again.findings.join()).not.toContain('dropped');
    expect(again.status).toBe('converged');
  });

  it('refuses what cannot be, with the reason', async () => {
    expect(await ask({ kind: 'limits', minPu: 1.05, maxPu: 0.95 })).toEqual({
      isAccepted: false,
      reason: 'The lower limit is not below the upper one.',
    });
    expect((await ask({ kind: 'fairness', mode: 'nicest' })).reason).toContain('There is no rule nicest');
    expect((await ask({ kind: 'agent', agentId: 'nobody', isDropped: true })).reason).toBe(
      'The run has no agent nobody.',
    );
    expect((await ask({ kind: 'agent', agentId: '9A', isDropped: false })).reason).toBe('That agent takes part.');
    expect((await ask({ kind: 'switch', name: 'nothing', isOpen: true })).reason).toContain('no switch nothing');
    const malformed = await bus.request(runControlQueue(RUN), '{"kind":"explode"}', { timeoutMs: 60_000 });
    expect(runControlReply.parse(malformed.body)).toMatchObject({ isAccepted: false });
  });

  it('goes on, stops, and its manifest says what was asked', async () => {
    expect(await ask({ kind: 'stop', by: 'the test' })).toMatchObject({ isAccepted: true });
    const result = await ended;
    expect(result).toMatchObject({ status: 'cancelled', reason: 'The run was stopped by the test.' });
    const extras = { name: RUN, inputs: [], versions: {}, seed: 1 };
    const manifest = manifestSchema.parse(JSON.parse(JSON.stringify(runManifest(result, extras, 'folder', []))));
    const texts = manifest.controls!.map(({ text }) => text);
    expect(texts).toContain('Limits 0.95 to 1.045 pu, from interval 2 on.');
    expect(texts).toContain('Refused: Agent nobody is dropped. The run has no agent nobody.');
    expect(manifest.intervals.map(({ fairness }) => fairness).slice(0, 4)).toEqual([
      'proportional',
      'proportional',
      'equalAlpha',
      'equalAlpha',
    ]);
    expect(manifest.intervals[0]!.inForce).toBeUndefined();
    expect(manifest.intervals[3]!.inForce).toEqual({
      limits: { minPu: 0.95, maxPu: 1.045 },
      loadMultiplier: 0.25,
      pvMultiplier: 0.5,
    });
  });
});

/** The coordinator as a process that is killed between two intervals, and started again as it was. */
describe('controls of a run whose coordinator is killed', () => {
  let folder = '';
  let feeder = '';
  let platform: Platform;
  let bus: Bus;
  let doomed: ChildProcess | undefined;
  const id = 'killed';

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'dec-controls-killed-'));
    feeder = smallSecondariesFile(folder);
    platform = await startPlatform({ port: 0, feeders: [feeder] });
    bus = await connectStomp({ host: platform.host, port: platform.port, login: 'system', passcode: 'manager' });
  });
  afterAll(async () => {
    await kill();
    await bus?.close();
    await platform?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function begin(): void {
    const { host, port } = platform;
    const settings = { ...SETTINGS, intervals: 6 };
    const journal = join(folder, 'journal');
    const options = { feeder, broker: { host, port }, runId: id, isPaused: true, settings, journal };
    const script = resolve('tests/system/coordination/coordinator-process.mjs');
    doomed = spawn(process.execPath, [script, JSON.stringify(options)], { stdio: ['ignore', 'ignore', 'inherit'] });
  }
  async function kill(): Promise<void> {
    const child = doomed;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((done) => child.once('exit', done));
    child.kill('SIGKILL');
    await gone;
  }
  async function until(what: (run: LiveRun) => boolean): Promise<LiveRun> {
    for (const endMs = Date.now() + 60_000; Date.now() < endMs; ) {
      // Nobody answers before it is there.
      const reply = await bus
        .request(liveLookQueue(id), liveLook.format({ since: 0 }), { timeoutMs: 1000 })
        .catch(() => undefined);
      const run = reply && withUpdate(UNSEEN_RUN, liveUpdate.parse(reply.body));
      if (run !== undefined && what(run)) return run;
      await new Promise((done) => setTimeout(done, 50));
    }
    throw new Error('In vain.');
  }
  async function ask(control: RunControl): Promise<void> {
    const reply = await bus.request(runControlQueue(id), runControl.format(control), { timeoutMs: 60_000 });
    expect(runControlReply.parse(reply.body)).toMatchObject({ isAccepted: true });
  }
  async function step(count: number): Promise<LiveRun> {
    await ask({ kind: 'step' });
    return until(({ intervals, status }) => (intervals[count - 1]?.after ?? null) !== null && status === 'paused');
  }

  it('hold under the one that takes it over', async () => {
    begin();
    await until(({ status, output }) => status === 'paused' && !!output);
    for (const control of [
      { kind: 'limits', minPu: 0.95, maxPu: 1.045 },
      { kind: 'fairness', mode: 'equalAlpha' },
      { kind: 'multipliers', pv: 0.8 },
    ] as const)
      await ask(control);
    const { inForce, intervals } = await step(1);
    expect(inForce).toMatchObject({ fairness: 'equalAlpha', pvMultiplier: 0.8 });
    // Done while it is paused: the next interval has it.
    await ask({ kind: 'multipliers', pv: 0.9 });
    await ask({ kind: 'agent', agentId: '9A', isDropped: true });
    await until(({ inForce: now }) => now?.droppedAgents.length === 1);
    await kill();

    begin();
    const { inForce: kept } = await until(
      ({ status, inForce: now }) => status === 'paused' && now?.fairness === 'equalAlpha',
    );
    expect(kept).toEqual({ ...inForce, pvMultiplier: 0.9, droppedAgents: ['9A'], revision: kept?.revision });
    const { intervals: after } = await step(2);
    expect(after[0]!.curtailedW).toBeCloseTo(intervals[0]!.curtailedW!, 0);
    expect(after[1]!.availableW! / after[0]!.availableW!).toBeCloseTo(0.9 / 0.8, 2);
    expect(after[1]!.findings.join()).toContain('1 agent is dropped, limits in force stay: 9A.');
    // Limits and rule are those that were set.
    expect(after[1]!.after!.vMaxPu).toBeLessThan(1.045 + 1e-3);
    const shares = after[1]!.curtailment.flatMap(({ agent, availableW, curtailedW }) =>
      agent === '9A' ? [] : [curtailedW / availableW],
    );
    expect(Math.max(...shares) - Math.min(...shares)).toBeLessThan(1e-3);
  });
});
