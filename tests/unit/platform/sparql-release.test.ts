import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openModelStore } from '../../../platform/index.js';
import { createSparqlService } from '../../../platform/sparql/sparql-service.js';
import { tinyCim } from './cim-text.js';

const CIM16 = 'http://iec.ch/TC57/2012/CIM-schema-cim16#';
const CIM100 = 'http://iec.ch/TC57/CIM100#';

describe('a model of an older release', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dec-sparql-'));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is found in the name space of its file, and in CIM100, and answered in the one that was asked in', async () => {
    const path = join(folder, 'old.xml');
    writeFileSync(path, tinyCim().replaceAll(CIM100, CIM16));
    const service = createSparqlService(openModelStore(undefined, { builtIn: [path] }));
    const kinds = async (namespace: string) =>
      new TextDecoder().decode(await service.query(`SELECT ?kind {?s a <${namespace}EnergyConsumer>; a ?kind}`, 'csv'));
    expect(await kinds(CIM16)).toBe(`kind\r\n${CIM16}EnergyConsumer\r\n`);
    expect(await kinds(CIM100)).toBe(`kind\r\n${CIM100}EnergyConsumer\r\n`);
    const around = await service.query('ASK {?s ?p ?o}', 'json', ['{"data":', ',"id":"ü"}']);
    expect(JSON.parse(new TextDecoder().decode(around))).toEqual({ data: { head: {}, boolean: true }, id: 'ü' });
    service.close();
  });
});
