// A browser that was started without a language says `en-US@posix`, which no Intl takes: uPlot asks for it as it is loaded, and nothing would be shown.
try {
  Intl.getCanonicalLocales(navigator.language);
} catch {
  Object.defineProperty(navigator, 'language', { value: 'en-US', configurable: true });
}
