const [PLUS, MINUS, POINT, ZERO, NINE, UPPER_E, LOWER_E] = [0x2b, 0x2d, 0x2e, 0x30, 0x39, 0x45, 0x65] as const;

/** Whether a text has no other characters than decimal numbers have. */
function isDecimal(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    const isPart =
      (c >= ZERO && c <= NINE) || c === POINT || c === MINUS || c === PLUS || c === LOWER_E || c === UPPER_E;
    if (!isPart) return false;
  }
  return text.length > 0;
}

/**
 * The number a text stands for: decimal notation only, with a point and an optional exponent.
 *
 * @returns undefined for everything else: an empty text, `1,5`, `0x10`, `NaN`, `INF`, or a value beyond the range of doubles
 */
export function decimalOf(text: string): number | undefined {
  const trimmed = text.trim();
  if (!isDecimal(trimmed)) return undefined;
  const value = Number(trimmed);
  return Number.isFinite(value) ? value : undefined;
}
