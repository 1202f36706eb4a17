const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/**
 * The number a text stands for: decimal notation only, with a point and an optional exponent.
 *
 * @returns undefined for everything else: an empty text, `1,5`, `0x10`, `NaN`, `INF`, or a value beyond the range of doubles
 */
export function decimalOf(text: string): number | undefined {
  const trimmed = text.trim();
  if (!DECIMAL.test(trimmed)) return undefined;
  const value = Number(trimmed);
  return Number.isFinite(value) ? value : undefined;
}
