import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSparqlEndpoint, type SparqlEndpoint } from '../../../platform/sparql/http-endpoint.js';

/** What the store was asked: a request that is refused must not reach it. */
const asked: string[] = [];
let endpoint: SparqlEndpoint;
beforeAll(async () => {
  const query = async (text: string) => {
    asked.push(text);
    return new TextEncoder().encode('{"head":{}}');
  };
  endpoint = await openSparqlEndpoint({ query }, '127.0.0.1', 0);
});
afterAll(() => endpoint.close());

/** `fetch` does not let a caller write these headers. */
function ask(headers: Readonly<Record<string, string>>, method = 'GET'): Promise<{ status: number; text: string }> {
  const path = '/bigdata/namespace/kb/sparql?query=SELECT+*+%7B%3Fs+%3Fp+%3Fo%7D';
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port: endpoint.port, path, method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        text += piece;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.on('error', reject);
    sent.end();
  });
}

describe('SPARQL over HTTP on loopback', () => {
  it.each(['localhost', 'LOCALHOST:8889', '127.0.0.1:1', '127.3.2.1', '[::1]:8889'])('answers as %s', async (host) => {
    expect(await ask({ host })).toEqual({ status: 200, text: '{"head":{}}' });
  });

  // A name of the attacker's that leads to 127.0.0.1 by now: the browser takes the answer for his page's own.
  it.each([
    'attacker.example',
    'attacker.example:8889',
    '127.0.0.1.attacker.example',
    'localhost.attacker.example',
    '10.0.0.5:8889',
    '[fe80::1]:8889',
    '0.0.0.0',
  ])('does not as %s', async (host) => {
    const before = asked.length;
    const { status, text } = await ask({ host, origin: `http://${host}` });
    expect(status).toBe(421);
    expect(text).toContain(`not as "${host}"`);
    expect(asked).toHaveLength(before);
  });

  it.each(['http://attacker.example', 'http://localhost:5173', 'https://localhost.attacker.example', 'null'])(
    'does not answer, nor work for, a page of %s',
    async (origin) => {
      const before = asked.length;
      for (const method of ['GET', 'POST']) {
        const { status, text } = await ask({ host: 'localhost:8889', origin }, method);
        expect(status).toBe(403);
        expect(text).toContain(origin);
      }
      expect(asked).toHaveLength(before);
    },
  );

  it('does not work for a picture on a page elsewhere, which is fetched without an origin', async () => {
    const before = asked.length;
    expect((await ask({ host: 'localhost:8889', 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect(asked).toHaveLength(before);
  });

  it('answers pages of its own, and programs', async () => {
    const host = `localhost:${endpoint.port}`;
    expect((await ask({ host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' })).status).toBe(200);
    expect((await ask({ host, 'sec-fetch-site': 'none' })).status).toBe(200);
  });
});
