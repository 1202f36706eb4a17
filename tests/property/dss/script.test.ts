import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DssFileSet, numbersOf, readDssScript, rowsOf, wordsOf } from '../../../grid/dss/index.js';

const word = fc.constantFrom(
  ...'new edit ~ more set redirect compile open close batchedit var select disable like line.a load.x circuit.c bus1 bus2'.split(
    ' ',
  ),
  ...'length r1 rmatrix kvs ( ) [ ] { } " \' | = , ! // /* */ @x .. .* \\ 1 -2.5e3 x.1.2.0 file= mult enabled y \t'.split(
    ' ',
  ),
);
const line = fc.oneof(
  fc.array(word, { maxLength: 12 }).map((words) => words.join(' ')),
  fc.string({ maxLength: 60, unit: 'binary' }),
);
const script = fc
  .array(line, { maxLength: 20 })
  .map((lines) => `clear\nnew circuit.c\nnew line.a bus1=x\n${lines.join('\n')}`);

describe('reading scripts', () => {
  it('never throws, whatever the lines hold, and gives every finding a code and a sentence', () => {
    fc.assert(
      fc.property(script, (text) => {
        const files = new DssFileSet([
          ['m.dss', text],
          ['x.dss', text],
        ]);
        const read = readDssScript('m.dss', files);
        for (const { code, message } of read.findings) {
          expect(code).toMatch(/^[A-Z_]+$/);
          expect(message).toMatch(/\.$/);
        }
        for (const { assignments } of read.objects) {
          for (const { value, directory } of assignments) {
            numbersOf(value, directory, files);
            rowsOf(value);
            wordsOf(value);
          }
        }
      }),
      { numRuns: 400 },
    );
  });

  it('does not depend on letter case outside names, nor on how lines end', () => {
    const plain = fc.array(
      fc.constantFrom('new line.b bus1=x length=3', '~ r1=(3 4 +) units=km', 'edit line.a len=2', 'set mode=daily'),
      {
        maxLength: 12,
      },
    );
    fc.assert(
      fc.property(plain, fc.constantFrom('\n', '\r\n', '\r'), (lines, end) => {
        const read = (text: string) => readDssScript('m.dss', new DssFileSet([['m.dss', text]]));
        const head = ['new circuit.c', 'new line.a'];
        const one = read([...head, ...lines].join('\n'));
        const other = read([...head, ...lines].map((text) => text.toUpperCase()).join(end));
        const shape = ({ objects }: typeof one) =>
          objects.map(({ className, name, assignments }) => [
            className,
            name,
            assignments.map(({ property, value }) => [property, value.text.toLowerCase()]),
          ]);
        expect(shape(other)).toEqual(shape(one));
      }),
    );
  });
});
