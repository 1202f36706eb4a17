const KEY = 'dec-theme';
const system = matchMedia('(prefers-color-scheme: dark)');

function kept(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    // Storage may be switched off; the system's choice holds then.
    return null;
  }
}

/** Whether pages are dark: the reader's choice, else the system's. */
export const theme = $state({ isDark: (kept() ?? (system.matches ? 'dark' : 'light')) === 'dark' });

function apply(): void {
  document.documentElement.dataset['theme'] = theme.isDark ? 'dark' : 'light';
}

system.addEventListener('change', () => {
  if (kept() !== null) return;
  theme.isDark = system.matches;
  apply();
});
apply();

/** Changes between light and dark, and remembers it. */
export function toggleTheme(): void {
  theme.isDark = !theme.isDark;
  try {
    localStorage.setItem(KEY, theme.isDark ? 'dark' : 'light');
  } catch {
    // It holds for this visit only.
  }
  apply();
}

/** A colour of the present theme by the name of its CSS property. */
export function tone(name: string): string {
  // Read at once, so that whoever draws with it draws anew when the theme changes.
  void theme.isDark;
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
