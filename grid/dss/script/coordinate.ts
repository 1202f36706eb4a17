import { excerpt } from './finding-list.js';
import { linesOf } from './number-file.js';
import type { Reading } from './reading.js';
import { DssTokens } from './token.js';
import { numberOf } from './value.js';

/**
 * Reads a file of bus positions, one bus with two numbers in each line; what follows them in a line is not read.
 *
 * @param isGeographic - whether the numbers are latitude and longitude, in this order
 */
export function readCoordinates(reading: Reading, tokens: DssTokens, isGeographic: boolean): void {
  const name = tokens.next() ? reading.valueOf(tokens.value).text.trim() : '';
  const found = name === '' ? undefined : reading.findFile(name);
  if (!found) {
    const message = `The file "${excerpt(name)}" of bus positions cannot be found or read; its buses have no position.`;
    reading.findings.add('warning', 'MISSING_FILE', message, { value: name }, reading.at);
    return;
  }
  const { path, text } = found;
  linesOf(text.startsWith('\ufeff') ? text.slice(1) : text).forEach((line, place) => {
    const words = new DssTokens(line);
    if (!words.next()) return;
    const bus = (words.name === '' ? words.value.text : words.name).split('.')[0]!.trim().toLowerCase();
    const first = words.name === '' && !words.next() ? undefined : numberOf(words.value);
    const second = words.next() ? numberOf(words.value) : undefined;
    if (bus === '' || !first || !second || 'wrong' in first || 'wrong' in second) {
      // the first line may hold titles
      if (place === 0) return;
      const message = 'The line is not a bus with two numbers; it is left out.';
      reading.findings.add('warning', 'BAD_COORDINATE', message, { value: line }, { file: path, line: place + 1 });
      return;
    }
    const [x, y] = isGeographic ? [second.value, first.value] : [first.value, second.value];
    reading.state.busCoordinates.set(bus, { bus, x, y, isGeographic });
  });
}
