import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openModelStore } from '../../../platform/index.js';
import { createSparqlService } from '../../../platform/sparql/sparql-service.js';
import { tinyCim } from './cim-text.js';

const CIM100 = 'http://iec.ch/TC57/CIM100#';

describe('a query that takes too long', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dec-sparql-'));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is ended alone: those who wait behind it are answered', async () => {
    const path = join(folder, 'tiny.xml');
    writeFileSync(path, tinyCim());
    const service = createSparqlService(openModelStore(undefined, { builtIn: [path] }), 5000);
    const loads = `SELECT ?s {?s a <${CIM100}EnergyConsumer>}`;
    const rows = await service.query(loads, 'csv');
    expect(new TextDecoder().decode(rows).split('\r\n').length).toBeGreaterThan(2);
    const all = 'abcdefgh'.split('').map((name) => `?${name}1 ?${name}2 ?${name}3.`);
    const slow = service.query(`SELECT (count(*) as ?n) {${all.join(' ')}}`, 'csv');
    const [late, behind] = await Promise.allSettled([slow, service.query(loads, 'csv')]);
    expect(late).toMatchObject({ status: 'rejected', reason: { code: 'TIMEOUT' } });
    expect(behind).toEqual({ status: 'fulfilled', value: rows });
    service.close();
  });
});

describe('a query that breaks the store', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dec-sparql-'));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is refused by name, and everybody else is answered, those behind it and those who ask later', async () => {
    const path = join(folder, 'tiny.xml');
    writeFileSync(path, tinyCim());
    const service = createSparqlService(openModelStore(undefined, { builtIn: [path] }), 60_000);
    const loads = `SELECT ?s {?s a <${CIM100}EnergyConsumer>}`;
    const rows = await service.query(loads, 'csv');
    const breaking = [
      `SELECT * {?s ?p ?o FILTER(${'('.repeat(3000)}true${')'.repeat(3000)})} LIMIT 1`,
      `SELECT * {${Array.from({ length: 5000 }, (_, i) => `{?s <urn:p${i}> ?o}`).join(' UNION ')}}`,
    ];
    for (const text of breaking) {
      const [broken, behind] = await Promise.allSettled([service.query(text, 'csv'), service.query(loads, 'csv')]);
      expect(broken).toMatchObject({ status: 'rejected', reason: { code: 'BAD_ARGUMENT' } });
      expect(String((broken as PromiseRejectedResult).reason)).toContain('broke the store');
      expect(behind).toEqual({ status: 'fulfilled', value: rows });
      expect(await service.query(loads, 'csv')).toEqual(rows);
    }
    service.close();
  });
});
