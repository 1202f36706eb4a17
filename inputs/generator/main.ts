/** Writes the feeder and the profiles of `inputs/`: `npm run generate:feeder`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { feederDocument } from './feeder-document.js';
import { profileFiles } from './profile.js';

// Built to dist/inputs/generator, so the project root is three folders up.
const inputs = fileURLToPath(new URL('../../../inputs/', import.meta.url));
mkdirSync(`${inputs}feeder`, { recursive: true });
mkdirSync(`${inputs}profiles`, { recursive: true });
const { mrid, xml, counts } = feederDocument();
writeFileSync(`${inputs}feeder/IEEE123Sec.xml`, xml);
for (const [name, text] of profileFiles()) writeFileSync(`${inputs}profiles/${name}`, text);
process.stdout.write(`${mrid} ${(xml.length / 1e6).toFixed(2)} MB\n`);
for (const [className, count] of [...counts].sort()) process.stdout.write(`${count}\t${className}\n`);
