import { describe, expect, it } from 'vitest';
import { Heartbeat, parseHeartbeat } from '../../../bus/index.js';

/** Runs a heart-beat on a clock of our own and returns the times of its beats, and of the loss of the peer. */
function run(
  heartbeat: Heartbeat,
  untilMs: number,
  readsAt: readonly number[] = [],
): { beats: number[]; lost?: number } {
  const beats: number[] = [];
  const reads = [...readsAt];
  for (let now = heartbeat.checkEveryMs; now <= untilMs; now += heartbeat.checkEveryMs) {
    while (reads.length > 0 && reads[0]! <= now) heartbeat.read(reads.shift()!);
    const verdict = heartbeat.check(now);
    if (verdict === 'lost') return { beats, lost: now };
    if (verdict === 'beat') {
      beats.push(now);
      heartbeat.wrote(now);
    }
  }
  return { beats };
}

describe('the heart-beat', () => {
  it('leaves no gap longer than half of the agreed interval', () => {
    // gridappsd-protocol.md section 1.1: stomp.py gives up at 1.5 intervals, a stand-in should beat at half of it.
    const { beats } = run(new Heartbeat(10_000, 0, 0), 60_000);
    const gaps = beats.map((at, i) => at - (beats[i - 1] ?? 0));
    expect(beats.length).toBeGreaterThan(10);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(5000);
  });

  it('is silent while there is other traffic', () => {
    const heartbeat = new Heartbeat(10_000, 0, 0);
    let beats = 0;
    for (let now = 2500; now <= 50_000; now += 2500) {
      heartbeat.wrote(now - 1);
      if (heartbeat.check(now) === 'beat') beats++;
    }
    expect(beats).toBe(0);
  });

  it('gives the peer up after three silent intervals, not before', () => {
    const { lost } = run(new Heartbeat(0, 1000, 0), 60_000, [900, 1900, 2900]);
    expect(lost).toBeGreaterThan(2900 + 3000);
    expect(lost).toBeLessThanOrEqual(2900 + 3000 + 500);
  });

  it('gives the peer one more interval when this process itself was stopped', () => {
    const heartbeat = new Heartbeat(0, 1000, 0);
    expect(heartbeat.check(500)).toBe('nothing');
    expect(heartbeat.check(30_000)).toBe('nothing');
    expect(heartbeat.check(30_500)).toBe('nothing');
    for (const now of [31_000, 31_500, 32_000]) expect(heartbeat.check(now)).toBe('nothing');
    expect(heartbeat.check(32_500)).toBe('lost');
  });

  it('does not blame the peer while reading is stopped on purpose', () => {
    const heartbeat = new Heartbeat(0, 1000, 0);
    heartbeat.suspend(true, 0);
    for (let now = 500; now <= 20_000; now += 500) expect(heartbeat.check(now)).toBe('nothing');
    heartbeat.suspend(false, 20_000);
    expect(heartbeat.check(20_500)).toBe('nothing');
  });

  it('needs no checks when neither side wants beats', () => {
    expect(new Heartbeat(0, 0, 0).checkEveryMs).toBe(0);
  });

  it('is read from its header', () => {
    expect(parseHeartbeat('10000,5000')).toEqual([10_000, 5000]);
    expect(parseHeartbeat(undefined)).toEqual([0, 0]);
    for (const bad of ['', '1', 'a,b', '1,2,3', '-1,0']) expect(parseHeartbeat(bad)).toBeUndefined();
  });
});
