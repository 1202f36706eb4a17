/** Kinds of characters in the content of XML; see {@link CHARACTER}. */
export const PLAIN = 0;
export const LINE = 1;
export const RETURN = 2;
export const ENTITY = 3;
export const LESS = 4;
export const GREATER = 5;
export const QUOTE = 6;
/** A tab, or a character beyond ASCII. */
export const BEYOND = 7;
/** A control character that XML does not allow. */
export const FORBIDDEN = 8;

/** Kind of each byte. */
export const CHARACTER = characters();

function characters(): Uint8Array {
  const kinds = new Uint8Array(256).fill(BEYOND, 128).fill(FORBIDDEN, 0, 32);
  kinds[0x09] = BEYOND;
  kinds[0x0a] = LINE;
  kinds[0x0d] = RETURN;
  kinds[0x22] = QUOTE;
  kinds[0x26] = ENTITY;
  kinds[0x27] = QUOTE;
  kinds[0x3c] = LESS;
  kinds[0x3e] = GREATER;
  return kinds;
}

const REFERENCE = /&([^;]*);?/g;
const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['apos', "'"],
  ['gt', '>'],
  ['lt', '<'],
  ['quot', '"'],
]);

/** The character of a reference by its number; undefined for one that is none of XML 1.0. */
function numbered(name: string): string | undefined {
  const written = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(name);
  if (!written) return undefined;
  const code = written[1] === undefined ? Number(written[2]) : Number.parseInt(written[1], 16);
  const isCharacter =
    code === 0x09 ||
    code === 0x0a ||
    code === 0x0d ||
    (code >= 0x20 && code <= 0xd7ff) ||
    (code >= 0xe000 && code <= 0xfffd) ||
    (code >= 0x10000 && code <= 0x10ffff);
  return isCharacter ? String.fromCodePoint(code) : undefined;
}

/** A text with its references to characters and to the five entities of XML resolved; undefined when one is something else. */
export function decodeReferences(text: string): string | undefined {
  let isSound = true;
  const decoded = text.replace(REFERENCE, (whole, name: string) => {
    const character = whole.endsWith(';') ? (ENTITIES.get(name) ?? numbered(name)) : undefined;
    if (character === undefined) isSound = false;
    return character ?? whole;
  });
  return isSound ? decoded : undefined;
}
