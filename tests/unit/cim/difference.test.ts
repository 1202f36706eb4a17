import { describe, expect, it } from 'vitest';
import { differenceMessage, encodeDifference, parseDifference } from '../../../grid/cim/index.js';
import { DecError } from '../../../grid/math/index.js';

const CHANGE = { object: '_49AD', attribute: 'PowerElectronicsConnection.p', forward: 1200, reverse: 2000 };

describe('CIM difference messages', () => {
  it('have the shape of the GridAPPS-D DifferenceBuilder', () => {
    // gridappsd-python difference_builder.py, as in gridappsd-protocol.md section 5.4.
    const message = encodeDifference(differenceMessage([CHANGE], 'd1', 1655321900, '77'));
    expect(message).toEqual({
      command: 'update',
      input: {
        simulation_id: '77',
        message: {
          timestamp: 1655321900,
          difference_mrid: 'd1',
          reverse_differences: [{ object: '_49AD', attribute: 'PowerElectronicsConnection.p', value: 2000 }],
          forward_differences: [{ object: '_49AD', attribute: 'PowerElectronicsConnection.p', value: 1200 }],
        },
      },
    });
  });

  it('read back what was written, as object and as text', () => {
    const message = differenceMessage([CHANGE], 'd1', 5, '77');
    expect(parseDifference(encodeDifference(message))).toEqual(message);
    expect(parseDifference(JSON.stringify(encodeDifference(message)))).toEqual(message);
  });

  it('are taken without simulation id, without envelope and with ISO times', () => {
    const bare = {
      timestamp: '2022-06-15T19:38:20.5Z',
      difference_mrid: 'd1',
      forward_differences: [{ object: 'a', attribute: 'Switch.open', value: 1 }],
    };
    const message = parseDifference(bare);
    // 1655321900.5 s is 2022-06-15 19:38:20.5 UTC.
    expect(message.timestamp).toBe(1655321900.5);
    expect(message.simulationId).toBeUndefined();
    expect(message.reverse).toEqual([]);
    expect(parseDifference({ ...bare, timestamp: '2022-06-15 21:38:20+02:00' }).timestamp).toBe(1655321900);
    expect(parseDifference({ ...bare, timestamp: '1655321900' }).timestamp).toBe(1655321900);
  });

  it.each([
    ['not JSON', '{', /not JSON/],
    ['no list', { input: { message: { timestamp: 1 } } }, /forward_differences/],
    [
      'no object',
      { timestamp: 1, forward_differences: [{ attribute: 'a', value: 1 }] },
      /forward_differences\[0\]\.object/,
    ],
    [
      'no value',
      { timestamp: 1, forward_differences: [{ object: 'o', attribute: 'a' }] },
      /forward_differences\[0\]\.value/,
    ],
    ['no time', { timestamp: 'soon', forward_differences: [] }, /timestamp/],
  ])('are refused with %s, naming the place', (_, body, place) => {
    expect(() => parseDifference(body)).toThrow(DecError);
    expect(() => parseDifference(body)).toThrow(place);
  });
});
