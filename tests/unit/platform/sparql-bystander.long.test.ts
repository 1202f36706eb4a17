import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { flagshipPath, openModelStore } from '../../../platform/index.js';
import { createSparqlService } from '../../../platform/sparql/sparql-service.js';
import { tinyCim } from './cim-text.js';

const CIM100 = 'http://iec.ch/TC57/CIM100#';

describe('a query that takes too long', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dec-sparql-'));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is ended alone: those who wait behind it are answered', async () => {
    const path = join(folder, 'tiny.xml');
    writeFileSync(path, tinyCim());
    const service = createSparqlService(openModelStore(undefined, { builtIn: [path] }), { timeMs: 5000 });
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

describe('a query that takes all memory', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dec-sparql-'));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'tiny.xml');
  const loads = `SELECT ?s {?s a <${CIM100}EnergyConsumer>}`;

  it('is ended at the bound, long before its time, and told why; everybody else is answered', async () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, tinyCim());
    const service = createSparqlService(openModelStore(undefined, { builtIn: [path] }), { memoryMb: 32 });
    const rows = await service.query(loads, 'csv');
    // Each statement with each other three times: sorted, all rows are kept at once.
    const rssBefore = process.memoryUsage.rss();
    const large = service.query('SELECT * {?a ?b ?c. ?d ?e ?f. ?g ?h ?i} ORDER BY ?i ?a', 'csv');
    const [ended, behind] = await Promise.allSettled([large, service.query(loads, 'csv')]);
    expect(ended).toMatchObject({ status: 'rejected', reason: { code: 'BAD_ARGUMENT' } });
    expect(String((ended as PromiseRejectedResult).reason)).toContain('needs more than the 32 MB');
    expect((process.memoryUsage.rss() - rssBefore) / 2 ** 20).toBeLessThan(200);
    expect(behind).toEqual({ status: 'fulfilled', value: rows });
    expect(await service.query(loads, 'csv')).toEqual(rows);
    service.close();
  });

  it('is not what models are said to do that do not fit', async () => {
    const service = createSparqlService(openModelStore(undefined, { builtIn: [flagshipPath()] }), { memoryMb: 4 });
    await expect(service.query(loads, 'csv')).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringMatching(/models of this platform need more than the 4 MB.*--sparql-memory/),
    });
    service.close();
  });
});

describe('a query that breaks the store', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dec-sparql-'));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is refused by name, and everybody else is answered, those behind it and those who ask later', async () => {
    const path = join(folder, 'tiny.xml');
    writeFileSync(path, tinyCim());
    // Little memory, half of which such a query takes: it is no want of memory that ends it.
    const service = createSparqlService(openModelStore(undefined, { builtIn: [path] }), { memoryMb: 16 });
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
