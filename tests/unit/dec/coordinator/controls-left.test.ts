import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunControl, SimulationCommand } from '../../../../bus/index.js';
import { type ControlledRun, RunControls } from '../../../../dec/coordinator/controls.js';
import { RUN_DEFAULTS, type RunSettings } from '../../../../dec/coordinator/index.js';
import { JournalFile } from '../../../../dec/coordinator/journal.js';
import { allKinds } from '../../../builders/all-kinds.js';

/** What people asked of a run is in its journal, and holds under the coordinator that takes it over. */
describe('controls of a run whose coordinator is killed', () => {
  let folder = '';
  let journal: JournalFile;
  const feeder = allKinds();
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dec-controls-left-'));
    journal = new JournalFile(join(folder, 'journal'), { feeder, settings: RUN_DEFAULTS, broker: 'here:61613' });
    journal.begun('1', 0);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** A run without anything behind it, and what it was told to do. */
  function controlsOf(hasJournal: boolean, isRealtime = false, isPaused = false) {
    const position = { interval: 0, timeS: 0 };
    const done: string[] = [];
    const commands: SimulationCommand[] = [];
    let settings: RunSettings = { ...RUN_DEFAULTS, isRealtime };
    const run: ControlledRun = {
      feeder,
      get settings() {
        return settings;
      },
      agentIds: ['a', 'b'],
      position,
      isReal: false,
      refusal: undefined,
      retune: async (next) => {
        settings = next;
        done.push('retune');
      },
      command: (command) => commands.push(command),
      setSwitch: async (_mrid, isOpen) => {
        done.push(isOpen ? 'open' : 'close');
      },
      stop: () => undefined,
    };
    const controls = new RunControls({
      run,
      isPaused,
      clock: () => 0,
      signal: new AbortController().signal,
      onWaiting: (control) => hasJournal && journal.asked(control),
      onRecord: (record) => hasJournal && journal.control(record),
      onChange: () => undefined,
    });
    return { controls, position, done, commands, settings: () => settings };
  }

  async function killedRun(): Promise<void> {
    const { controls, position } = controlsOf(true);
    const ask = (control: RunControl) => expect(controls.answer(control).isAccepted).toBe(true);
    ask({ kind: 'limits', minPu: 0.96, maxPu: 1.04 });
    await controls.turn(true);
    position.interval = 2;
    ask({ kind: 'fairness', mode: 'equalAlpha' });
    ask({ kind: 'multipliers', pv: 0.5 });
    ask({ kind: 'switch', name: feeder.switches[0]!.name.toUpperCase(), isOpen: true });
    ask({ kind: 'agent', agentId: 'b', isDropped: true });
    expect(controls.answer({ kind: 'agent', agentId: 'nobody', isDropped: true }).isAccepted).toBe(false);
    await controls.turn(true);
    position.interval = 3;
    ask({ kind: 'pause' });
    ask({ kind: 'multipliers', load: 2 });
    // Killed before the next interval, while it wrote.
    appendFileSync(join(folder, 'journal'), '{"kind":"asked","contr');
  }

  it('holds what was done, does what waited, and stays paused', async () => {
    await killedRun();
    const left = journal.read()!.controls;
    expect(left.records.map(({ isAccepted }) => isAccepted)).toEqual([true, false, true, true, true, true, true]);
    expect(left.waiting).toEqual([{ kind: 'multipliers', load: 2 }]);

    const { controls, position, done, commands, settings } = controlsOf(false);
    const settingsOf = await controls.inherit(left);
    // Nothing is sent that the simulation has had.
    expect(done).toEqual(['retune']);
    expect(commands).toEqual([]);
    expect(settings()).toMatchObject({
      limits: { minPu: 0.96, maxPu: 1.04 },
      fairness: 'equalAlpha',
      pvMultiplier: 0.5,
    });
    expect(controls.openSwitches).toContain(feeder.switches[0]!.name);
    expect([...controls.dropped]).toEqual(['b']);
    expect(controls.isPaused).toBe(true);
    expect(controls.records).toHaveLength(7);
    // Intervals before a control worked without it.
    expect([0, 1].map((interval) => settingsOf(interval).limits.maxPu)).toEqual([1.04, 1.04]);
    expect(settingsOf(1)).toMatchObject({ fairness: 'proportional', pvMultiplier: 1 });
    expect(settingsOf(2)).toBe(settings());

    position.interval = 3;
    controls.answer({ kind: 'step' });
    expect(await controls.turn(true)).toBe(true);
    expect(commands).toEqual([{ command: 'scale', input: { load_scaling_factor: 2 } }]);
    expect(settings().loadMultiplier).toBe(2);
    // Judged by what was accepted before: the agent is dropped already, the switch is open.
    expect(controls.answer({ kind: 'agent', agentId: 'b', isDropped: true }).reason).toBe(
      'That agent is dropped already.',
    );
  });

  it('tells a simulation that begins anew of its switches', async () => {
    await killedRun();
    const { controls, done } = controlsOf(false);
    await controls.inherit(journal.read()!.controls);
    await controls.switchAgain();
    expect(done).toEqual(['retune', 'open']);
  });

  it('stops a simulation in real time with the run, and lets it go for one interval', async () => {
    const { controls, position, commands } = controlsOf(false, true, true);
    const turn = controls.turn(true);
    expect(commands.splice(0)).toEqual([{ command: 'pause' }]);
    controls.answer({ kind: 'step' });
    await turn;
    expect(commands.splice(0)).toEqual([{ command: 'resume' }]);
    position.interval = 1;
    const next = controls.turn(false);
    expect(commands.splice(0)).toEqual([{ command: 'pause' }]);
    controls.answer({ kind: 'resume' });
    await next;
    expect(commands.splice(0)).toEqual([{ command: 'resume' }]);
    controls.answer({ kind: 'pause' });
    expect(commands).toEqual([{ command: 'pause' }]);
  });

  it('knows of none where nobody asked', () => {
    expect(journal.read()!.controls).toEqual({ records: [], waiting: [] });
  });
});
