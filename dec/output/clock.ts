/** Simulated time of day in UTC, `13:45`. */
export function clockOf(timestamp: number): string {
  const seconds = ((timestamp % 86_400) + 86_400) % 86_400;
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  return `${two(seconds / 3600)}:${two((seconds % 3600) / 60)}`;
}
