import { describe, expect, it } from 'vitest';
import { BusError, Decoder, encodeFrame, type Frame, type FrameLimits, type StompVersion } from '../../../bus/index.js';

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function decode(text: string | Uint8Array, version: StompVersion = '1.2', limits: Partial<FrameLimits> = {}): Frame[] {
  const frames: Frame[] = [];
  const decoder = new Decoder(limits);
  decoder.version = version;
  decoder.push(typeof text === 'string' ? bytesOf(text) : text, (frame) => frames.push(frame));
  return frames;
}

function fault(text: string | Uint8Array, version: StompVersion = '1.2', limits: Partial<FrameLimits> = {}): BusError {
  try {
    decode(text, version, limits);
  } catch (error) {
    if (error instanceof BusError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('the decoder', () => {
  it('reads command, headers and body', () => {
    const [frame] = decode('SEND\ndestination:/queue/a\nGOSS_SUBJECT:None\n\n{"a":1}\0');
    expect(frame?.command).toBe('SEND');
    expect(frame?.headers).toEqual({ destination: '/queue/a', GOSS_SUBJECT: 'None' });
    expect(textOf(frame!.body)).toBe('{"a":1}');
  });

  it('gives the same frames at every split point of the stream', () => {
    const stream = new Uint8Array([
      ...bytesOf('\n\r\nSEND\r\ndestination:/queue/\\c\u00e9\r\ncontent-length:5\r\n\r\n'),
      ...[0x61, 0, 0x62, 0, 0x63, 0],
      ...bytesOf('\n\nSUBSCRIBE\nid:1\ndestination:/topic/x\n\n\0SEND\ndestination:b\n\nzwölf\0\n'),
    ]);
    const whole = decode(stream);
    expect(whole.map((frame) => frame.command)).toEqual(['SEND', 'SUBSCRIBE', 'SEND']);
    expect(whole[0]?.headers['destination']).toBe('/queue/:\u00e9');
    expect([...whole[0]!.body]).toEqual([0x61, 0, 0x62, 0, 0x63]);
    expect(textOf(whole[2]!.body)).toBe('zwölf');
    for (let cut = 0; cut <= stream.length; cut++) {
      for (const second of [cut, Math.min(stream.length, cut + 1), Math.min(stream.length, cut + 7)]) {
        const frames: Frame[] = [];
        const decoder = new Decoder();
        for (const piece of [stream.slice(0, cut), stream.slice(cut, second), stream.slice(second)]) {
          decoder.push(piece, (frame) => frames.push(frame));
          piece.fill(0x21); // a socket may reuse its buffer
        }
        if (cut !== 0 && cut !== stream.length) {
          // Bodies refer to the pushed bytes; what matters here is what was read before the buffer was reused.
          expect(frames.map((frame) => [frame.command, frame.headers])).toEqual(
            whole.map((frame) => [frame.command, frame.headers]),
          );
        }
        expect(decoder.isInsideFrame).toBe(false);
      }
    }
  });

  it('gives the same bodies byte by byte', () => {
    const stream = encodeFrame({ command: 'MESSAGE', headers: { a: 'b' }, body: new Uint8Array([1, 0, 2, 10, 0]) });
    const frames: Frame[] = [];
    const decoder = new Decoder();
    for (const byte of stream) decoder.push(new Uint8Array([byte]), (frame) => frames.push(frame));
    expect(frames.map((frame) => [...frame.body])).toEqual([[1, 0, 2, 10, 0]]);
  });

  it('moves a 20 MB frame cut into pieces of 64 kB', () => {
    const body = new Uint8Array(20_000_000).fill(0x78);
    const stream = encodeFrame({ command: 'SEND', headers: { destination: 'a' }, body });
    const frames: Frame[] = [];
    const decoder = new Decoder();
    for (let at = 0; at < stream.length; at += 65536) {
      decoder.push(stream.subarray(at, at + 65536), (frame) => frames.push(frame));
    }
    expect(frames).toHaveLength(1);
    expect(frames[0]?.body.length).toBe(body.length);
  });

  it('takes the first of repeated headers', () => {
    expect(decode('MESSAGE\nfoo:World\nfoo:Hello\n\n\0')[0]?.headers['foo']).toBe('World'); // STOMP 1.2, "Repeated Header Entries"
  });

  it('keeps header names that are names of object members apart from them', () => {
    const [frame] = decode('SEND\n__proto__:x\nconstructor:y\ndestination:a\n\n\0');
    expect(Object.entries(frame!.headers)).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
      ['destination', 'a'],
    ]);
  });

  it('unescapes by version, and never in CONNECT', () => {
    const line = 'a\\cb\\\\n\\n';
    expect(decode(`SEND\nk:${line}\n\n\0`)[0]?.headers['k']).toBe('a:b\\n\n');
    expect(decode(`SEND\nk:x\\r\n\n\0`)[0]?.headers['k']).toBe('x\r');
    expect(decode(`SEND\nk: ${line} \n\n\0`, '1.0')[0]?.headers['k']).toBe(line);
    expect(decode('CONNECT\npasscode:a\\cb\n\n\0')[0]?.headers['passcode']).toBe('a\\cb');
    expect(decode('STOMP\npasscode: a\\tb\n\n\0')[0]?.headers['passcode']).toBe(' a\\tb');
  });

  it('lets the receiver of a frame set the version for the next one', () => {
    const decoder = new Decoder();
    const seen: string[] = [];
    decoder.push(bytesOf('CONNECT\nlogin:a\n\n\0SEND\ndestination: a\\tb\n\n\0'), (frame) => {
      decoder.version = '1.0';
      seen.push(frame.headers['destination'] ?? frame.command);
    });
    expect(seen).toEqual(['CONNECT', 'a\\tb']);
  });

  it('hands out what came before a malformed frame, then fails for good', () => {
    const decoder = new Decoder();
    const seen: string[] = [];
    const push = (text: string) => decoder.push(bytesOf(text), (frame) => seen.push(frame.command));
    expect(() => push('SEND\ndestination:a\n\n\0BAD LINE\n\n\0')).toThrow(/byte 21 of/);
    expect(seen).toEqual(['SEND']);
    expect(() => push('SEND\ndestination:a\n\n\0')).toThrow(/BAD LINE/);
  });
});

describe('malformed input names what and where', () => {
  it.each<[string, string, StompVersion, Partial<FrameLimits>, RegExp, number]>([
    ['a command in small letters', 'send\n\n\0', '1.2', {}, /"send" where a command/, 0],
    ['an HTTP request', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', '1.2', {}, /"GET \/ HTTP\/1.1" where a command/, 0],
    ['a header without colon', 'SEND\ndestination\n\n\0', '1.2', {}, /header line "destination"/, 5],
    ['a header without name', 'SEND\na:b\n:x\n\n\0', '1.2', {}, /header line ":x"/, 9],
    ['an unknown escape', 'SEND\na:b\nk:x\\t\n\n\0', '1.2', {}, /escape "\\t"/, 9],
    ['a lone backslash', 'SEND\nk:x\\\n\n\0', '1.2', {}, /escape "\\"/, 5],
    ['\\r in version 1.1', 'SEND\nk:x\\r\n\n\0', '1.1', {}, /STOMP 1.1 does not know/, 5],
    ['a content-length that is none', 'SEND\ncontent-length:-1\n\n\0', '1.2', {}, /content-length "-1"/, 5],
    [
      'a content-length beyond the limit',
      'SEND\ncontent-length:99\n\n',
      '1.2',
      { maxBodyBytes: 10 },
      /99 bytes where 10/,
      5,
    ],
    ['a content-length that is too short', 'SEND\ncontent-length:1\n\nabc\0', '1.2', {}, /no NUL byte/, 24],
    ['an endless body', `SEND\n\n${'x'.repeat(20)}`, '1.2', { maxBodyBytes: 10 }, /longer than the 10 bytes/, 6],
    ['endless headers', `SEND\n${'k:v\n'.repeat(10)}`, '1.2', { maxHeadBytes: 32 }, /longer than 32 bytes/, 0],
    ['too many headers', `SEND\n${'k:v\n'.repeat(10)}\n\0`, '1.2', { maxHeaders: 9 }, /more than 9 headers/, 0],
    ['a NUL in the headers', 'SEND\nk:v\0', '1.2', {}, /NUL byte before the empty line/, 8],
    ['a body where none may be', 'SUBSCRIBE\nid:1\n\nhello\0', '1.2', {}, /SUBSCRIBE frame with a body/, 16],
    ['a carriage return alone', '\rSEND\n\n\0', '1.2', {}, /carriage return without/, 0],
    ['a carriage return in a header', 'SEND\nk:a\rb\n\n\0', '1.2', {}, /carriage return inside/, 5],
  ])('%s', (_, text, version, limits, what, offset) => {
    const error = fault(text, version, limits);
    expect(error.code).toBe('PROTOCOL');
    expect(error.message).toMatch(what);
    expect(error.details['offset']).toBe(offset);
  });

  it('headers that are not UTF-8', () => {
    expect(fault(new Uint8Array([...bytesOf('SEND\nk:'), 0xff, 0xfe, ...bytesOf('\n\n\0')])).message).toMatch(
      /not UTF-8/,
    );
  });

  it('counts the offset over the whole stream', () => {
    const decoder = new Decoder();
    decoder.push(bytesOf('SEND\ndestination:a\n\n\0\n\n'), () => undefined);
    let error: unknown;
    try {
      decoder.push(bytesOf('SE'), () => undefined);
      decoder.push(bytesOf('ND\nx\n\n\0'), () => undefined);
    } catch (thrown) {
      error = thrown;
    }
    // 21 bytes of the first frame, 2 heart-beats, 5 of "SEND\n"
    expect(error).toMatchObject({ code: 'PROTOCOL', details: { offset: 28 } });
  });

  it('never throws anything else, whatever the bytes', () => {
    let state = 12345;
    const random = () => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return state / 2 ** 32;
    };
    const seed = bytesOf('\nSEND\ndestination:/queue/a\\c\ncontent-length:3\n\nabc\0\nACK\nid:1\n\n\0');
    for (let run = 0; run < 3000; run++) {
      const bytes = seed.slice();
      for (let i = 0; i < 3; i++) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      try {
        decode(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(BusError);
      }
    }
  });
});

describe('the encoder', () => {
  it('escapes headers and counts bytes', () => {
    const bytes = encodeFrame({ command: 'SEND', headers: { 'a:b': 'x\ny\\z\r' }, body: bytesOf('é') });
    expect(textOf(bytes)).toBe('SEND\ncontent-length:2\na\\cb:x\\ny\\\\z\\r\n\né\0');
  });

  it.each<StompVersion>(['1.0', '1.1', '1.2'])('writes what the decoder of version %s reads', (version) => {
    const headers = version === '1.0' ? { a: 'plain' } : { 'k:1': 'a:b\\c\nd', destination: '/temp-queue/x y' };
    const frame = { command: 'MESSAGE', headers, body: new Uint8Array([0, 1, 0]) };
    const [read] = decode(encodeFrame(frame, version), version);
    expect(read?.headers).toEqual({ ...headers, 'content-length': '3' });
    expect([...read!.body]).toEqual([0, 1, 0]);
  });

  it('refuses headers that would break out of their line', () => {
    const frame = (command: string) => ({ command, headers: { a: 'x\nSEND' }, body: new Uint8Array(0) });
    expect(() => encodeFrame(frame('SEND'), '1.0')).toThrow(BusError);
    expect(() => encodeFrame(frame('CONNECTED'), '1.2')).toThrow(BusError);
    expect(() => encodeFrame({ command: 'ACK', headers: {}, body: bytesOf('x') })).toThrow(/has no body/);
  });
});
